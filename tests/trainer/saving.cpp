#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/trainer/early_stopping.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using fixture::make_network;
using fixture::make_optimizer;

namespace {

/// Does something after an iteration.
class AfterIteration : public audyn::Callback {
public:
    AfterIteration(int64_t iteration, std::function<void(audyn::TrainerBase&)> action)
        : iteration_(iteration), action_(std::move(action)) {}
    [[nodiscard]] std::string name() const override { return "after iteration"; }
    void on_iteration_end(audyn::TrainerBase& trainer) override {
        if (trainer.iteration_idx() == iteration_) {
            action_(trainer);
        }
    }

private:
    int64_t iteration_;
    std::function<void(audyn::TrainerBase&)> action_;
};

/// Logs the numbers that it was given as validation/score, one for each epoch; remembers what was saved.
class Scores : public audyn::Callback {
public:
    explicit Scores(std::vector<double> scores = {}) : scores_(std::move(scores)) {}
    [[nodiscard]] std::string name() const override { return "scores"; }
    void on_validation_end(audyn::TrainerBase& trainer) override {
        if (!scores_.empty()) {
            trainer.log("score", scores_.at(static_cast<std::size_t>(trainer.epoch_idx())));
        }
    }
    void on_checkpoint_saved(audyn::TrainerBase&, const std::string& path) override {
        saved.push_back(std::filesystem::path(path).filename().string());
    }
    std::vector<std::string> saved;

private:
    std::vector<double> scores_;
};

std::set<std::string> files_in(const std::filesystem::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

using Names = std::set<std::string>;

/// A training of 6 iterations an epoch.
class Run {
public:
    explicit Run(audyn::SaveCheckpoint entries, int64_t epochs = 2, fixture::Network network = make_network())
        : network_(std::move(network)),
          trainer(network_, make_optimizer(network_), torch::nn::CrossEntropyLoss(),
                  audyn::TrainerOptions().max_epochs(epochs).progress_bar(false).save_checkpoint(std::move(entries))) {}
    void fit() { trainer.fit(loader_, loader_); }
    void after(int64_t iteration, std::function<void(audyn::TrainerBase&)> action) {
        trainer.add_callback(std::make_shared<AfterIteration>(iteration, std::move(action)));
    }

private:
    fixture::Network network_;
    audyn::DataLoader loader_{fixture::dataset(), audyn::DataLoaderOptions().batch_size(8).shuffle(true)};

public:
    fixture::Trainer<> trainer;
};

int64_t iteration_of(const std::filesystem::path& path) {
    return audyn::checkpoint::load(path).at("iteration_idx").as_int();
}

void damage(const std::filesystem::path& path) {
    std::string content = read_file(path);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    write_file(path, content);
}

} // namespace

TEST_CASE("keep_last keeps the newest files, also of the run before a resume, and no others go") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.iteration = {2, (folder / "iteration{iteration}.pth").string()};
    entries.epoch = {1, (folder / "epoch{epoch}.pth").string()};
    entries.last = (folder / "last.pth").string();
    entries.keep_last = 2;
    write_file(folder / "iteration1.pth", "someone else's");
    for (const audyn::AsyncSave async : {audyn::AsyncSave::off, audyn::AsyncSave::wait}) {
        entries.async = async;
        {
            Run run(entries, 2);
            run.fit();
        }
        CHECK(files_in(folder.path()) ==
              Names{"iteration1.pth", "iteration10.pth", "iteration12.pth", "epoch1.pth", "epoch2.pth", "last.pth"});
        Run run(entries, 4);
        CHECK(run.trainer.resume_newest());
        run.fit();
        CHECK(files_in(folder.path()) ==
              Names{"iteration1.pth", "iteration22.pth", "iteration24.pth", "epoch3.pth", "epoch4.pth", "last.pth"});
        for (const char* name : {"iteration22.pth", "iteration24.pth", "epoch3.pth", "epoch4.pth", "last.pth"}) {
            std::filesystem::remove(folder / name);
        }
    }
}

TEST_CASE("top_k keeps the best epochs by a metric") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.top_k = {2, (folder / "top{epoch}.pth").string(), "validation/score", audyn::MonitorMode::max};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    {
        Run run(entries, 4);
        run.trainer.add_callback(std::make_shared<Scores>(std::vector<double>{0.5, nan, 0.3, 0.4}));
        run.fit();
        CHECK(files_in(folder.path()) == Names{"top1.pth", "top4.pth"});
    }
    {
        // A resumed run compares with what was there, and the earlier of equals stays.
        Run run(entries, 6);
        run.trainer.add_callback(std::make_shared<Scores>(std::vector<double>{0.5, nan, 0.3, 0.4, 0.4, 0.6}));
        run.trainer.resume((folder / "top4.pth").string());
        run.fit();
        CHECK(files_in(folder.path()) == Names{"top1.pth", "top6.pth"});
    }
    {
        entries.top_k->mode = audyn::MonitorMode::min;
        Run run(entries, 3);
        run.trainer.add_callback(std::make_shared<Scores>(std::vector<double>{0.5, 0.3, 0.4}));
        run.fit();
        CHECK(files_in(folder.path()) == Names{"top2.pth", "top3.pth", "top6.pth"});
    }
    Run unknown(entries, 1);
    CHECK_THROWS_WITH_AS(unknown.fit(), doctest::Contains("there is no metric 'validation/score'"), audyn::UsageError);
}

TEST_CASE("every_seconds writes the last checkpoint between epochs") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    entries.every_seconds = 1e-9;
    auto scores = std::make_shared<Scores>();
    Run run(entries, 1);
    run.trainer.add_callback(scores);
    run.fit();
    CHECK(scores->saved == std::vector<std::string>(6, "last.pth"));
    entries.every_seconds = 1000;
    scores->saved.clear();
    Run slow(entries, 1);
    slow.trainer.add_callback(scores);
    slow.fit();
    CHECK(scores->saved == std::vector<std::string>{"last.pth"});
}

TEST_CASE("options of checkpoints that contradict each other are refused") {
    const auto refuses = [](const audyn::SaveCheckpoint& entries, const char* words) {
        CHECK_THROWS_WITH_AS(entries.check(), doctest::Contains(words), audyn::UsageError);
    };
    refuses({.iteration = audyn::checkpoint::PeriodicCheckpoint{0, "a"}}, "iteration.every");
    refuses({.best_epoch = "best.pth", .every_seconds = 1.0}, "every_seconds needs");
    refuses({.best_epoch = "best.pth", .save_on_exception = true}, "save_on_exception needs");
    refuses({.last = "last.pth", .every_seconds = 0.0}, "every_seconds must be positive");
    refuses({.last = "last.pth", .keep_last = 0}, "keep_last");
    refuses({.top_k = audyn::TopKCheckpoints{0, "{epoch}"}}, "top_k.k");
    refuses({.top_k = audyn::TopKCheckpoints{1, "top.pth"}}, "must hold {epoch}");
    refuses({.best_epoch = "{iteration}"}, "this path may hold {epoch}");
}

TEST_CASE("a checkpoint that cannot be written stops the run or not, and earlier ones stay") {
    for (const audyn::AsyncSave async : {audyn::AsyncSave::off, audyn::AsyncSave::wait}) {
        CAPTURE(static_cast<int>(async));
        const TemporaryFolder folder;
        audyn::SaveCheckpoint entries;
        entries.iteration = {1, (folder / "iteration{iteration}.pth").string()};
        entries.async = async;
        const auto fail_after_two = [&](Run& run, std::optional<LimitedFileSize>& full_disk) {
            run.after(3, [&](audyn::TrainerBase&) {
                while (!std::filesystem::exists(folder / "iteration2.pth")) {
                    std::this_thread::yield();
                }
                full_disk.emplace(1000);
            });
            run.fit();
        };
        {
            Run run(entries, 1);
            std::optional<LimitedFileSize> full_disk;
            CHECK_THROWS_WITH_AS(fail_after_two(run, full_disk), doctest::Contains("iteration3.pth"),
                                 audyn::CheckpointError);
            CHECK(run.trainer.iteration_idx() < 6);
        }
        CHECK(files_in(folder.path()) == Names{"iteration1.pth", "iteration2.pth"});
        CHECK(iteration_of(folder / "iteration2.pth") == 2);
        {
            entries.on_failure = audyn::SaveFailure::proceed;
            Run run(entries, 1);
            std::optional<LimitedFileSize> full_disk;
            // By now the third file was tried: the fifth needed its buffer.
            run.after(6, [&](audyn::TrainerBase&) { full_disk.reset(); });
            fail_after_two(run, full_disk);
            CHECK(run.trainer.iteration_idx() == 6);
        }
        CHECK(iteration_of(folder / "iteration6.pth") == 6);
        CHECK_FALSE(std::filesystem::exists(folder / "iteration3.pth"));
    }
}

TEST_CASE("a folder that cannot be made ends the run with its name") {
    const TemporaryFolder folder;
    write_file(folder / "model", "not a folder");
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "model/last.pth").string();
    Run run(entries, 1);
    CHECK_THROWS_WITH_AS(run.fit(), doctest::Contains((folder / "model/last.pth").c_str()), audyn::CheckpointError);
}

TEST_CASE("checkpoints written in the background are those of the iteration, not of the ones after") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.iteration = {1, (folder / "iteration{iteration}.pth").string()};
    Run at_once(entries, 2);
    at_once.fit();
    const TemporaryFolder background_folder;
    entries.iteration->path = (background_folder / "iteration{iteration}.pth").string();
    entries.async = audyn::AsyncSave::wait;
    Run background(entries, 2);
    background.fit();
    CHECK(files_in(background_folder.path()) == files_in(folder.path()));
    for (const std::string& name : files_in(folder.path())) {
        const auto one = audyn::checkpoint::load(folder / name);
        const auto other = audyn::checkpoint::load(background_folder / name);
        CHECK(one.at("iteration_idx").as_int() == other.at("iteration_idx").as_int());
        CHECK(at::equal(one.at("model").as_dict().at("0.weight").as_tensor(),
                        other.at("model").as_dict().at("0.weight").as_tensor()));
    }
}

TEST_CASE("a checkpoint that comes while two are being written is left out where that is chosen") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.iteration = {1, (folder / "iteration{iteration}.pth").string()};
    entries.async = audyn::AsyncSave::skip;
    Run run(entries, 2);
    // Writing it takes far longer than an iteration.
    run.trainer.set_resolved_config({{"ballast", at::zeros({64, 1024, 1024}, at::kByte)}});
    run.fit();
    const Names files = files_in(folder.path());
    CHECK(files.contains("iteration1.pth"));
    CHECK(files.contains("iteration2.pth"));
    CHECK(files.contains("iteration6.pth")); // The end of an epoch waits.
    CHECK(files.contains("iteration12.pth"));
    CHECK(files.size() < 12);
    for (const std::string& name : files) {
        CHECK(name == "iteration" + std::to_string(iteration_of(folder / name)) + ".pth");
    }
}

TEST_CASE("parameters that are not finite are not saved in the background either") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.iteration = {1, (folder / "iteration{iteration}.pth").string()};
    entries.async = audyn::AsyncSave::wait;
    entries.on_failure = audyn::SaveFailure::proceed;
    auto network = make_network();
    Run run(entries, 1, network);
    run.after(2, [&](audyn::TrainerBase&) {
        const c10::NoGradGuard no_grad;
        network->second->weight[0][0] = std::numeric_limits<float>::infinity();
    });
    CHECK_THROWS_AS(run.fit(), audyn::TrainingError);
    CHECK(files_in(folder.path()) == Names{"iteration1.pth"});
}

TEST_CASE("signals save, and end the run or not") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    auto scores = std::make_shared<Scores>();
    {
        Run run(entries, 1);
        run.trainer.add_callback(scores);
        run.after(2, [](audyn::TrainerBase&) { std::raise(SIGUSR1); });
        run.after(3, [&](audyn::TrainerBase&) { CHECK(iteration_of(folder / "last.pth") == 2); });
        run.fit();
        CHECK(scores->saved == std::vector<std::string>{"last.pth", "last.pth"});
        CHECK(iteration_of(folder / "last.pth") == 6);
    }
    struct sigaction before {};
    ::sigaction(SIGTERM, nullptr, &before);
    Run run(entries, 1);
    run.after(3, [](audyn::TrainerBase&) { std::raise(SIGTERM); });
    CHECK_THROWS_WITH_AS(run.fit(), doctest::Contains("SIGTERM ended the run after iteration 3; resume it from"),
                         audyn::Interrupted);
    CHECK(iteration_of(folder / "last.pth") == 3);
    struct sigaction after {};
    ::sigaction(SIGTERM, nullptr, &after);
    CHECK((after.sa_handler == before.sa_handler));
}

TEST_CASE("a damaged checkpoint is replaced by the newest whole one") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.iteration = {2, (folder / "iteration{iteration}.pth").string()};
    entries.last = (folder / "last.pth").string();
    entries.best_epoch = (folder / "best.pth").string();
    Run(entries, 1).fit();
    for (const char* name : {"best.pth", "iteration6.pth", "last.pth"}) {
        damage(folder / name);
    }
    write_file(folder / "other.pth", "a foreign file"); // the newest
    {
        Run run(entries, 1);
        run.trainer.resume((folder / "last.pth").string());
        CHECK(run.trainer.last_checkpoint() == (folder / "iteration4.pth").string());
        CHECK(run.trainer.iteration_idx() == 4);
    }
    {
        Run run(entries, 1);
        CHECK(run.trainer.resume_newest());
        CHECK(run.trainer.iteration_idx() == 4);
    }
    {
        // Of another folder: what lies beside it.
        Run run({}, 1);
        run.trainer.resume((folder / "last.pth").string());
        CHECK(run.trainer.iteration_idx() == 4);
    }
    damage(folder / "iteration4.pth");
    damage(folder / "iteration2.pth");
    Run run(entries, 1);
    CHECK_THROWS_WITH_AS(run.trainer.resume((folder / "last.pth").string()), doctest::Contains("last.pth"),
                         audyn::CheckpointError);
    CHECK_THROWS_WITH_AS(run.trainer.resume_newest(), doctest::Contains("none of the 5 checkpoints"),
                         audyn::CheckpointError);
    CHECK_THROWS_WITH_AS(run.trainer.resume((folder / "none.pth").string()), doctest::Contains("none.pth"),
                         audyn::CheckpointError);
    CHECK(run.trainer.iteration_idx() == 0);
}

TEST_CASE("files of the newest state that a run did not come to write are written by the next") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.epoch = {1, (folder / "epoch{epoch}.pth").string()};
    entries.last = (folder / "last.pth").string();
    Run(entries, 2).fit();
    const std::string last = read_file(folder / "last.pth");
    // Killed between epoch2.pth and last.pth: that of the epoch before is there.
    std::filesystem::copy_file(folder / "epoch1.pth", folder / "last.pth",
                               std::filesystem::copy_options::overwrite_existing);
    const auto now = std::filesystem::last_write_time(folder / "epoch2.pth");
    std::filesystem::last_write_time(folder / "last.pth", now - std::chrono::seconds(1));
    Run run(entries, 2);
    CHECK(run.trainer.resume_newest());
    run.fit();
    CHECK(read_file(folder / "last.pth") == last);
    CHECK(std::filesystem::last_write_time(folder / "epoch2.pth") == now);
}

TEST_CASE("without a checkpoint the newest is none, and leftovers go") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    write_file(folder / "last.pth.77-0.tmp", "half a file");
    write_file(folder / "mine.77-0.tmp", "not the run's");
    Run run(entries, 1);
    CHECK_FALSE(run.trainer.resume_newest());
    run.fit();
    CHECK(files_in(folder.path()) == Names{"last.pth", "mine.77-0.tmp"});
}

TEST_CASE("a file of Python's Audyn, which counts iterations only, continues at its batch") {
    const TemporaryFolder folder;
    const auto losses = [](Run& run) {
        auto observed = std::make_shared<fixture::Losses>();
        run.trainer.add_callback(observed);
        run.fit();
        return observed->values;
    };
    Run whole({}, 2);
    const std::vector<double> expected = losses(whole);
    for (const int64_t stop : {4, 6, 8}) {
        CAPTURE(stop);
        const std::string path = (folder / "python.pth").string();
        Run begun({}, 2);
        begun.after(stop, [&](audyn::TrainerBase& trainer) {
            trainer.save_checkpoint(path);
            auto state = audyn::checkpoint::load(path);
            state.erase("audyn");
            audyn::checkpoint::save(path, state);
        });
        begun.fit();
        Run resumed({}, 2);
        resumed.trainer.resume(path);
        CHECK(losses(resumed) == std::vector<double>(expected.begin() + stop, expected.end()));
        CHECK(resumed.trainer.epoch_idx() == 2);
    }
}

TEST_CASE("a checkpoint is not written within an iteration") {
    class Eager : public audyn::Callback {
        [[nodiscard]] std::string name() const override { return "eager"; }
        void on_train_batch_end(audyn::TrainerBase& trainer, const audyn::Batch&) override {
            trainer.save_checkpoint("never.pth");
        }
    };
    Run run({}, 1);
    run.trainer.add_callback(std::make_shared<Eager>());
    CHECK_THROWS_WITH_AS(run.fit(), doctest::Contains("within an iteration"), audyn::UsageError);
}

TEST_CASE("a position within an epoch of another length is refused") {
    const TemporaryFolder folder;
    const std::string path = (folder / "middle.pth").string();
    Run begun({}, 1);
    begun.after(2, [&](audyn::TrainerBase& trainer) { trainer.save_checkpoint(path); });
    begun.fit();
    Run resumed({}, 1);
    resumed.trainer.resume(path);
    audyn::DataLoader other(fixture::dataset(), audyn::DataLoaderOptions().batch_size(5));
    CHECK_THROWS_WITH_AS(resumed.trainer.fit(other), doctest::Contains("within an epoch of 6 batches"),
                         audyn::StateError);
}

TEST_CASE("a run that early stopping ended goes on only with more patience") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    const auto epochs_after = [&](int64_t patience, bool resumes) {
        Run run(entries, 50);
        run.trainer.add_callback(std::make_shared<audyn::EarlyStopping>(
            audyn::EarlyStoppingOptions{.patience = patience, .min_delta = 10.0}));
        if (resumes) {
            run.trainer.resume_newest();
        }
        run.fit();
        return run.trainer.epoch_idx();
    };
    CHECK(epochs_after(2, false) == 3);
    CHECK(epochs_after(2, true) == 3);
    CHECK(epochs_after(4, true) == 5);
}
