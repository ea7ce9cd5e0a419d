// One rank of a training that is interrupted and resumed; exactness.py starts several.
#include "../trainer/exactness.hpp"
#include "rank_main.hpp"

#include <audyn/distributed/distributed_data_parallel.hpp>
#include <audyn/distributed/process_group.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;

namespace {

/// Several buckets even for small models: the sums of a ring depend on them.
distributed::DistributedDataParallel small_buckets() {
    distributed::DistributedDataParallelOptions options;
    options.bucket_cap_mb = 0.0001;
    return distributed::DistributedDataParallel(options);
}

/// A folder that the ranks share, new at each call.
class SharedFolder {
public:
    explicit SharedFolder(std::filesystem::path path) : path_(std::move(path)) {
        distributed::main_process_first([&] {
            if (distributed::is_main_process()) {
                std::filesystem::remove_all(path_);
                std::filesystem::create_directory(path_);
            }
        });
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// All variants of the matrix.
void matrix(const Arguments&) {
    int folders = 0;
    const std::string prefix = "matrix" + std::to_string(distributed::world_size()) + "-";
    std::string all;
    for (const exactness::Variant& variant : exactness::variants) {
        const std::vector<std::string> wrong = exactness::inexact(
            variant, small_buckets, [&] { return SharedFolder(prefix + std::to_string(folders++)); });
        for (const std::string& text : wrong) {
            all += text + "\n";
        }
        if (wrong.empty()) {
            std::cout << variant.name << std::endl;
        }
    }
    if (!all.empty()) {
        throw std::logic_error(all);
    }
}

struct MeanImpl : torch::nn::Module {
    MeanImpl() : linear(register_module("linear", torch::nn::Linear(1, 1))) {}
    at::Tensor forward(const at::Tensor& value) { return linear(value); }
    static constexpr auto forward_arguments = audyn::names("value");
    torch::nn::Linear linear;
};
TORCH_MODULE(Mean);

/// Samples that are their own index.
class Indices : public audyn::Dataset {
public:
    explicit Indices(int64_t size) : size_(size) {}
    [[nodiscard]] int64_t size() const override { return size_; }
    audyn::Sample get(int64_t index, audyn::data::Random&) const override {
        const at::Tensor value = at::full({1}, static_cast<double>(index), at::kFloat);
        return {{"index", at::full({}, index, at::kLong)}, {"value", value}, {"target", -value}};
    }

private:
    int64_t size_;
};

/// Writes the index of each sample that was trained on, after its epoch, and asks for the end after an iteration.
class Recorder : public audyn::Callback {
public:
    Recorder(const std::string& path, int64_t last_iteration) : file_(path), last_iteration_(last_iteration) {}
    [[nodiscard]] std::string name() const override { return "recorder"; }
    void on_train_batch_end(audyn::TrainerBase& trainer, const audyn::Batch& batch) override {
        const at::Tensor& indices = batch.tensor("index");
        for (int64_t i = 0; i < indices.numel(); ++i) {
            file_ << trainer.epoch_idx() << ' ' << indices[i].item<int64_t>() << '\n';
        }
    }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        if (trainer.iteration_idx() == last_iteration_ && trainer.rank() == 0) {
            std::raise(SIGTERM);
        }
    }

private:
    std::ofstream file_;
    int64_t last_iteration_;
};

/// Goes on in the folder `arguments[0]`, where a job of any number of ranks has trained, until the iteration
/// `arguments[1]`, with shares that are made even as `arguments[2]` says. The samples: FOLDER/seen.WORLD_SIZE.RANK
void move(const Arguments& arguments) {
    const std::filesystem::path folder = arguments.at(0);
    const auto uneven = arguments.at(2) == "drop"   ? audyn::data::UnevenShares::drop
                        : arguments.at(2) == "join" ? audyn::data::UnevenShares::keep
                                                    : audyn::data::UnevenShares::pad;
    distributed::DistributedDataParallel distribution;
    const int64_t rank = distribution.rank();
    const int64_t ranks = distribution.world_size();
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    const auto options =
        audyn::TrainerOptions().progress_bar(false).max_epochs(2).log_every_n_iterations(1).save_checkpoint(entries);
    Mean model;
    audyn::optim::AdamW optimizer(model->named_parameters(), audyn::optim::AdamWOptions().lr(1e-4));
    audyn::Trainer<Mean, audyn::optim::AdamW, audyn::amp::Disabled, distributed::DistributedDataParallel> trainer(
        model, std::move(optimizer), torch::nn::MSELoss(), options, {}, audyn::amp::Disabled(options.device()),
        distribution);
    static_cast<void>(trainer.resume_newest());
    trainer.add_callback(std::make_shared<Recorder>((folder / "seen").string() + "." + std::to_string(ranks) + "." +
                                                        std::to_string(rank),
                                                    std::stoll(arguments.at(1))));
    audyn::DataLoader loader(
        std::make_shared<Indices>(101),
        audyn::DataLoaderOptions().batch_size(4).shuffle(true).seed(3).shard({rank, ranks, uneven}));
    try {
        trainer.fit(loader);
    } catch (const audyn::Interrupted& end) {
        std::cout << end.what() << std::endl;
    }
}

} // namespace

int main(int argc, char** argv) {
    return run_rank(argc, argv, {{"matrix", matrix}, {"move", move}});
}
