// A run that was interrupted at an iteration and resumed is, bit for bit, the run that was not.

#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/logging/csv.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/trainer/early_stopping.hpp>

#include <torch/nn/modules/batchnorm.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::StateDict;

/// With dropout, and statistics that every forward changes.
struct NetworkImpl : torch::nn::Module {
    NetworkImpl()
        : first(register_module("first", torch::nn::Linear(4, 8))),
          norm(register_module("norm", torch::nn::BatchNorm1d(8))),
          dropout(register_module("dropout", torch::nn::Dropout(0.5))),
          second(register_module("second", torch::nn::Linear(8, 3))) {}
    at::Tensor forward(at::Tensor features) { return second(dropout(norm(first(features)).tanh())); }
    static constexpr auto forward_arguments = audyn::names("features");
    torch::nn::Linear first;
    torch::nn::BatchNorm1d norm;
    torch::nn::Dropout dropout;
    torch::nn::Linear second;
};
TORCH_MODULE(Network);

/// What interrupts a run, and when: after so many iterations, reads, or validations.
struct Disturbance {
    enum class Kind { none, signal, signal_in_validation, unreadable, error_in_validation };
    Kind kind = Kind::none;
    int64_t at = -1;

    [[nodiscard]] bool is(Kind which, int64_t now) const { return kind == which && at == now; }
};
using Kind = Disturbance::Kind;

/// Augments what it reads, and counts it.
class Augmented : public audyn::Dataset {
public:
    explicit Augmented(Disturbance disturbance = {}) : disturbance_(disturbance) {}
    [[nodiscard]] int64_t size() const override { return 23; }
    audyn::Sample get(int64_t index, audyn::data::Random& random) const override {
        if (disturbance_.is(Kind::unreadable, ++reads)) {
            throw audyn::DataError("a sample that cannot be read");
        }
        const auto noise = at::full({4}, random.uniform(-0.1, 0.1));
        return {{"features", fixture::features()[index] + noise}, {"label", fixture::labels()[index]}};
    }
    mutable std::atomic<int> reads = 0;

private:
    Disturbance disturbance_;
};

/// Has a state of its own, draws random numbers, and disturbs.
class Observer : public audyn::Callback {
public:
    explicit Observer(Disturbance disturbance) : disturbance_(disturbance) {}
    [[nodiscard]] std::string name() const override { return "observer"; }
    void on_epoch_start(audyn::TrainerBase&) override {
        seen_ += "(" + std::to_string(at::randint(100, {1}).item<int>());
    }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        std::ostringstream text;
        text << std::hexfloat << trainer.iteration_metrics().front().value << " " << trainer.learning_rate() << " "
             << trainer.metric("validation/total").value_or(0.0) << "\n";
        seen_ += text.str();
        if (disturbance_.is(Kind::signal, trainer.iteration_idx())) {
            std::raise(SIGTERM);
        }
    }
    void on_validation_batch_end(audyn::TrainerBase& trainer, const audyn::Batch&, const audyn::Outputs&) override {
        if (disturbance_.is(Kind::signal_in_validation, trainer.epoch_idx())) {
            std::raise(SIGTERM);
        }
        if (disturbance_.is(Kind::error_in_validation, trainer.epoch_idx())) {
            throw audyn::DataError("an error in validation");
        }
    }
    void on_epoch_end(audyn::TrainerBase&) override { seen_ += ")"; }
    [[nodiscard]] StateDict state_dict() const override { return {{"seen", seen_}}; }
    void load_state_dict(const StateDict& state) override { seen_ = state.at("seen").as_string(); }

private:
    Disturbance disturbance_;
    std::string seen_;
};

/// What differs between the runs of the matrix.
struct Variant {
    const char* name;
    int64_t accumulation = 1;
    bool two_groups = false;
    int workers = 0;
    audyn::SchedulerInterval interval = audyn::SchedulerInterval::never;
    audyn::AsyncSave async = audyn::AsyncSave::off;
};

// 23 samples in batches of 4: 6 batches an epoch, the last of 3 samples.
constexpr int64_t epochs = 3;

struct Outcome {
    StateDict state;
    std::vector<std::string> rows;
    int reads = 0;
    bool is_interrupted = false;
    bool has_failed = false;
};

/// The table without the column of speeds.
std::vector<std::string> rows_of(const std::filesystem::path& path) {
    std::vector<std::string> rows;
    std::istringstream text(read_file(path));
    std::size_t speed = std::string::npos;
    for (std::string line; std::getline(text, line);) {
        std::vector<std::string> cells;
        std::istringstream stream(line);
        for (std::string cell; std::getline(stream, cell, ',');) {
            cells.push_back(cell);
        }
        if (rows.empty()) {
            speed = static_cast<std::size_t>(
                std::find(cells.begin(), cells.end(), "samples_per_second (iteration)/train") - cells.begin());
            REQUIRE(speed < cells.size());
        }
        if (speed < cells.size()) {
            cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(speed));
        }
        std::string row;
        for (const std::string& cell : cells) {
            row += cell + ",";
        }
        rows.push_back(row.substr(0, row.find_last_not_of(',') + 1));
    }
    return rows;
}

std::vector<audyn::optim::OptionsGroup<audyn::optim::AdamWOptions>> groups(Network& network, bool two) {
    using Group = audyn::optim::OptionsGroup<audyn::optim::AdamWOptions>;
    const auto options = audyn::optim::AdamWOptions().lr(1e-2);
    if (!two) {
        return {Group{{}, network->parameters(), options}};
    }
    auto head = network->second->parameters();
    std::vector<at::Tensor> body = network->first->parameters();
    for (const at::Tensor& parameter : network->norm->parameters()) {
        body.push_back(parameter);
    }
    return {Group{{}, body, options}, Group{{}, head, audyn::optim::AdamWOptions().lr(1e-3).weight_decay(0.5)}};
}

/// Trains in `folder`, from the newest checkpoint there if `resumes`, until the disturbance.
template <class AmpPolicy>
Outcome train(const Variant& variant, const std::filesystem::path& folder, bool resumes, Disturbance disturbance = {},
              std::optional<int64_t> max_iterations = {}) {
    // What a new process would find: another state of the generator, and a network that was made otherwise.
    at::manual_seed(resumes ? 99 : 1);
    Network network;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    entries.best_epoch = (folder / "best.pth").string();
    entries.async = variant.async;
    entries.save_on_exception = true;
    auto options = audyn::TrainerOptions()
                       .progress_bar(false)
                       .gradient_accumulation(variant.accumulation)
                       .clip_grad_norm(1.0)
                       .lr_scheduler(variant.interval)
                       .log_every_n_iterations(1)
                       .save_checkpoint(entries);
    max_iterations ? options.max_iterations(*max_iterations) : options.max_epochs(epochs);
    audyn::Trainer<Network, audyn::optim::AdamW, AmpPolicy> trainer(
        network, audyn::optim::AdamW(groups(network, variant.two_groups)), torch::nn::CrossEntropyLoss(), options);
    if (variant.interval != audyn::SchedulerInterval::never) {
        trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.optimizer(), 2, 0.5));
    }
    trainer.add_logger(std::make_shared<audyn::logging::CsvLogger>(folder / "metrics.csv"));
    if (resumes) {
        REQUIRE(trainer.resume_newest());
    }
    trainer.add_callback(std::make_shared<Observer>(disturbance));
    trainer.add_callback(
        std::make_shared<audyn::EarlyStopping>(audyn::EarlyStoppingOptions{.patience = 2, .min_delta = 1e-4}));
    auto dataset = std::make_shared<Augmented>(disturbance);
    audyn::DataLoader loader(dataset, audyn::DataLoaderOptions()
                                          .batch_size(4)
                                          .shuffle(true)
                                          .seed(resumes ? 17 : 3) // the checkpoint's is taken
                                          .warn([](const std::string&) {})
                                          .num_workers(variant.workers));
    audyn::DataLoader validation(std::make_shared<Augmented>(), audyn::DataLoaderOptions().batch_size(23));
    Outcome outcome;
    try {
        trainer.fit(loader, validation);
    } catch (const audyn::Interrupted& end) {
        CHECK(end.exit_code() == 143);
        outcome.is_interrupted = true;
    } catch (const audyn::DataError&) {
        outcome.has_failed = true;
    }
    outcome.reads = dataset->reads;
    outcome.state = audyn::checkpoint::load(folder / "last.pth");
    outcome.rows = rows_of(folder / "metrics.csv");
    return outcome;
}

bool is_same(const audyn::state::Value& one, const audyn::state::Value& other, const std::string& path);

bool is_same_list(const std::vector<audyn::state::Value>& one, const std::vector<audyn::state::Value>& other,
                  const std::string& path) {
    bool same = one.size() == other.size();
    for (std::size_t i = 0; same && i < one.size(); ++i) {
        same = is_same(one[i], other[i], path + "[" + std::to_string(i) + "]");
    }
    return same;
}

/// Compares everything, and says where it differs. Paths differ by their folder, and so are left out.
bool is_same(const StateDict& one, const StateDict& other, const std::string& path) {
    bool same = one.size() == other.size();
    for (const auto& [key, value] : one) {
        const audyn::state::Value* match = other.find(key);
        const std::string place = path + "." + key.to_string();
        if (place == ".audyn.best_checkpoint" || place == ".audyn.files" || place == ".audyn.loggers[0].csv") {
            continue;
        }
        same = match != nullptr && is_same(value, *match, place) && same;
    }
    if (!same) {
        MESSAGE("differs: ", path);
    }
    return same;
}

bool is_same(const audyn::state::Value& one, const audyn::state::Value& other, const std::string& path) {
    if (std::string(one.kind()) != other.kind()) {
        return false;
    }
    if (one.is<StateDict>()) {
        return is_same(one.as_dict(), other.as_dict(), path);
    }
    if (one.is<at::Tensor>()) {
        const at::Tensor& a = one.as_tensor();
        const at::Tensor& b = other.as_tensor();
        return a.dtype() == b.dtype() && at::equal(a, b);
    }
    if (one.is<audyn::state::List>() || one.is<audyn::state::Tuple>()) {
        return is_same_list(one.as_list(), other.as_list(), path);
    }
    if (one.is<double>()) {
        return std::bit_cast<uint64_t>(one.as_float()) == std::bit_cast<uint64_t>(other.as_float());
    }
    if (one.is<std::string>()) {
        return one.as_string() == other.as_string();
    }
    return one.is_none() || (one.is<bool>() ? one.as_bool() == other.as_bool() : one.as_int() == other.as_int());
}

template <class AmpPolicy = audyn::amp::Disabled>
void check_exactness(const Variant& variant) {
    CAPTURE(variant.name);
    const TemporaryFolder undisturbed;
    const Outcome whole = train<AmpPolicy>(variant, undisturbed.path(), false);
    const int64_t per_epoch = (6 + variant.accumulation - 1) / variant.accumulation;
    CHECK(whole.rows.size() == static_cast<std::size_t>(1 + epochs * (per_epoch + 2)));
    CHECK(whole.reads == epochs * 23);
    for (const int64_t stop : {int64_t{1}, per_epoch + per_epoch / 2, per_epoch, epochs * per_epoch}) {
        CAPTURE(stop);
        const TemporaryFolder folder;
        const Outcome begun = train<AmpPolicy>(variant, folder.path(), false, {Kind::signal, stop});
        CHECK(begun.is_interrupted);
        CHECK(begun.state.at("iteration_idx").as_int() == stop);
        const Outcome resumed = train<AmpPolicy>(variant, folder.path(), true);
        CHECK(is_same(whole.state, resumed.state, ""));
        CHECK(whole.rows == resumed.rows);
        // Skipping reads nothing: each sample of the whole run was read once for training.
        const int64_t begun_in_epoch = stop % per_epoch * variant.accumulation * 4;
        CHECK(resumed.reads == epochs * 23 - stop / per_epoch * 23 - begun_in_epoch);
    }
}

} // namespace

TEST_CASE("a resumed run is exact: plain") {
    check_exactness({.name = "plain"});
}
TEST_CASE("a resumed run is exact: gradient accumulation") {
    check_exactness({.name = "accumulation", .accumulation = 4});
}
TEST_CASE("a resumed run is exact: float16 with loss scaling") {
    check_exactness<audyn::amp::Float16>({.name = "float16"});
}
TEST_CASE("a resumed run is exact: bfloat16") {
    check_exactness<audyn::amp::BFloat16>({.name = "bfloat16"});
}
TEST_CASE("a resumed run is exact: scheduler by iteration") {
    check_exactness({.name = "iteration", .interval = audyn::SchedulerInterval::iteration});
}
TEST_CASE("a resumed run is exact: scheduler by epoch") {
    check_exactness({.name = "epoch", .interval = audyn::SchedulerInterval::epoch});
}
TEST_CASE("a resumed run is exact: two parameter groups") {
    check_exactness({.name = "groups", .two_groups = true, .interval = audyn::SchedulerInterval::epoch});
}
TEST_CASE("a resumed run is exact: four workers") {
    check_exactness({.name = "workers", .workers = 4});
}
TEST_CASE("a resumed run is exact: all together, written in the background") {
    check_exactness<audyn::amp::Float16>({.name = "all",
                                          .accumulation = 2,
                                          .two_groups = true,
                                          .workers = 3,
                                          .interval = audyn::SchedulerInterval::iteration,
                                          .async = audyn::AsyncSave::wait});
}

TEST_CASE("a run that ended within a validation or by an exception is resumed exactly") {
    const Variant variant{.name = "disturbed", .accumulation = 2, .interval = audyn::SchedulerInterval::epoch};
    const TemporaryFolder undisturbed;
    const Outcome whole = train<audyn::amp::Disabled>(variant, undisturbed.path(), false);
    const auto check = [&](Disturbance disturbance, int64_t iterations) {
        const TemporaryFolder folder;
        const Outcome begun = train<audyn::amp::Disabled>(variant, folder.path(), false, disturbance);
        CHECK((begun.is_interrupted || begun.has_failed));
        CHECK(begun.state.at("iteration_idx").as_int() == iterations);
        const Outcome resumed = train<audyn::amp::Disabled>(variant, folder.path(), true);
        CHECK(is_same(whole.state, resumed.state, ""));
        CHECK(whole.rows == resumed.rows);
    };
    check({Kind::signal_in_validation, 1}, 6);
    check({Kind::error_in_validation, 2}, 9);
    // In the second batch of an iteration: dropout has drawn, and the statistics have moved.
    check({Kind::unreadable, 23 + 4 * 3 + 2}, 4);
}

TEST_CASE("a finished run that is resumed trains nothing and writes nothing") {
    const auto is_untouched = [](const Variant& variant, std::optional<int64_t> iterations) {
        const TemporaryFolder folder;
        train<audyn::amp::Disabled>(variant, folder.path(), false, {}, iterations);
        const std::string last = read_file(folder / "last.pth");
        const std::string best = read_file(folder / "best.pth");
        const std::string rows = read_file(folder / "metrics.csv");
        const auto time = std::filesystem::last_write_time(folder / "last.pth");
        const Outcome resumed = train<audyn::amp::Disabled>(variant, folder.path(), true, {}, iterations);
        CHECK(resumed.reads == 0);
        CHECK(read_file(folder / "last.pth") == last);
        CHECK(read_file(folder / "best.pth") == best);
        CHECK(read_file(folder / "metrics.csv") == rows);
        CHECK(std::filesystem::last_write_time(folder / "last.pth") == time);
    };
    is_untouched({.name = "whole epochs"}, {});
    is_untouched({.name = "ends within an epoch"}, 8);
    is_untouched({.name = "ends with an epoch"}, 12);
}
