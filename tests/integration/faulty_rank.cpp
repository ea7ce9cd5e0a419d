// Trains on several ranks as a user's program does, and fails where and how `+fault={rank, place, kind, iteration}`
// says. faults.py, random_kills.py and interop/cut_link.py start it with the configuration of examples/minimal.

#include <audyn/adapter/auto_trainer.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/distributed/ranks.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace {

/// What happens to this process, once. The threads of libtorch and of the loader meet it, too.
class Fault {
public:
    void configure(const audyn::Config& config) {
        folder_ = config.get<std::string>("train.output.exp_dir");
        pause_ = std::chrono::milliseconds(config.get<int64_t>("pause", 0));
        const auto node = config.find("fault");
        if (!node || node->get<int64_t>("rank") != audyn::distributed::rank()) {
            return;
        }
        kind_ = node->get<std::string>("kind");
        iteration_ = node->get<int64_t>("iteration", 0);
        place_ = node->get<std::string>("place");
    }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    /// The 1-based iteration begins.
    void begin(int64_t iteration) {
        std::this_thread::sleep_for(pause_);
        now_ = iteration;
    }

    void meet(std::string_view place) {
        if (place == place_ && now_ >= iteration_ && !has_struck_.exchange(true)) {
            strike();
        }
    }

private:
    /// The file's time is that of the fault.
    void strike() const {
        std::filesystem::create_directories(folder_);
        std::ofstream(folder_ / "struck") << ::getpid() << '\n';
        if (kind_ == "kill") {
            ::kill(::getpid(), SIGKILL);
        } else if (kind_ == "crash") {
            std::raise(SIGSEGV);
        } else if (kind_ == "exit") {
            std::_Exit(3);
        } else if (kind_ == "exception") {
            throw audyn::TrainingError("the fault of this test");
        } else if (kind_ == "hang") {
            ::kill(::getpid(), SIGSTOP);
        } else if (kind_ == "stuck") {
            std::this_thread::sleep_for(std::chrono::hours(1));
        } else if (kind_ == "terminate") {
            ::kill(::getpid(), SIGTERM);
        } else if (kind_ != "mark") {
            throw audyn::UsageError("unknown kind of fault '" + kind_ + "'");
        }
    }

    std::filesystem::path folder_;
    std::chrono::milliseconds pause_{0};
    std::string place_;
    std::string kind_;
    int64_t iteration_ = 0;
    std::atomic<int64_t> now_{0};
    std::atomic<bool> has_struck_{false};
};

Fault fault;

/// As that of examples/minimal. With `ballast`, so many parameters more, whose all-reduce and saving take time.
struct DenoiserImpl : torch::nn::Module {
    DenoiserImpl(int64_t channels, int64_t ballast)
        : encoder(register_module("encoder", torch::nn::Conv1d(torch::nn::Conv1dOptions(1, channels, 15).padding(7)))),
          decoder(register_module("decoder", torch::nn::Conv1d(torch::nn::Conv1dOptions(channels, 1, 15).padding(7)))) {
        if (ballast > 0) {
            weights = register_parameter("weights", at::ones({ballast}));
        }
        // The last gradient of a backward: the all-reduce of the others has begun.
        encoder->weight.register_hook([](const at::Tensor&) { fault.meet("all_reduce"); });
    }

    at::Tensor forward(at::Tensor waveform) {
        if (!is_training()) {
            return decoder(encoder(waveform).tanh());
        }
        fault.meet("forward");
        at::Tensor hidden = encoder(waveform).tanh();
        hidden.register_hook([](const at::Tensor&) { fault.meet("backward"); });
        const at::Tensor output = decoder(hidden);
        return weights.defined() ? output + 1e-3 * weights.mean() : output;
    }

    static constexpr auto forward_arguments = audyn::names("waveform");

    torch::nn::Conv1d encoder;
    torch::nn::Conv1d decoder;
    at::Tensor weights;
};
TORCH_MODULE(Denoiser);

class NoisySines : public audyn::Dataset {
public:
    explicit NoisySines(int64_t samples) : samples_(samples) {}

    [[nodiscard]] int64_t size() const override { return samples_; }

    audyn::Sample get(int64_t, audyn::data::Random& random) const override {
        fault.meet("data");
        auto clean = at::arange(64, at::kFloat).mul(random.uniform(0.02, 0.3)).sin().unsqueeze(0);
        return {{"noisy", clean + random.uniform(-0.5, 0.5)}, {"clean", clean}};
    }

private:
    int64_t samples_;
};

/// Knows the iteration, and meets the fault where a callback can.
class Observer : public audyn::Callback {
public:
    [[nodiscard]] std::string name() const override { return "observer"; }
    void on_fit_start(audyn::TrainerBase&) override {
        watcher_ = std::jthread([](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                if (is_being_written()) {
                    fault.meet("checkpoint");
                }
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            }
        });
    }
    void on_train_batch_start(audyn::TrainerBase& trainer, const audyn::Batch&) override {
        fault.begin(trainer.iteration_idx() + 1);
    }
    void on_validation_batch_end(audyn::TrainerBase&, const audyn::Batch&, const audyn::Outputs&) override {
        fault.meet("validation");
    }
    /// For a checkpoint, to which every rank gives its part.
    [[nodiscard]] audyn::StateDict state_dict() const override {
        fault.meet("gathering");
        return {};
    }

private:
    static bool is_being_written() {
        std::error_code reason; // Files come and go.
        for (const auto& entry : std::filesystem::directory_iterator(fault.folder() / "model", reason)) {
            if (entry.path().extension() == ".tmp" && entry.file_size(reason) > 0 && !reason) {
                return true;
            }
        }
        return false;
    }

    std::jthread watcher_;
};

} // namespace

int main(int argc, char** argv) {
    audyn::Targets targets;
    targets.add<Denoiser>("Denoiser",
                          audyn::constructor<int64_t, int64_t>(audyn::arg("channels") = 16, audyn::arg("ballast") = 0));
    targets.add<NoisySines>("NoisySines", audyn::constructor<int64_t>(audyn::arg("samples")));
    return audyn::main(argc, argv, targets, [](audyn::Config& config) {
        fault.configure(config);
        fault.meet("start");
        audyn::setup_config(config);
        auto trainer = audyn::AutoTrainer<Denoiser>::build_from_config(config);
        trainer.trainer().add_callback(std::make_shared<Observer>());
        trainer.run();
        fault.meet("end");
    });
}
