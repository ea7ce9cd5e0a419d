#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/core/error.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/trainer/early_stopping.hpp>

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/optim/sgd.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <memory>

using fixture::make_network;
using fixture::make_optimizer;

namespace {

/// Losses of a training as tests/oracle/trainer.py does it.
std::vector<double> train_as_python(audyn::TrainerOptions options) {
    auto network = make_network();
    fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(), std::move(options));
    trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.optimizer(), 4, 0.5));
    auto losses = std::make_shared<fixture::Losses>();
    trainer.add_callback(losses);
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    trainer.fit(loader);
    return losses->values;
}

void check_losses(const std::vector<double>& actual, const std::vector<double>& expected) {
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(actual[i] == doctest::Approx(expected[i]).epsilon(1e-6));
    }
}

} // namespace

TEST_CASE("training gives the losses of the same loop in Python") {
    check_losses(train_as_python(fixture::options()),
                 {1.0965027, 1.1283404, 1.1014022, 1.1082687, 1.1943381, 1.1127450, 1.0925684, 1.1038805, 1.1008614,
                  1.0959982, 1.1566645, 1.0963347});
    SUBCASE("with clipping by norm") {
        check_losses(train_as_python(fixture::options().clip_grad_norm(0.1)),
                     {1.0965027, 1.1283404, 1.1020610, 1.1090615, 1.1936121, 1.1113694, 1.0900575, 1.1072690, 1.1005387,
                      1.0973903, 1.1598324, 1.0962448});
    }
    SUBCASE("with gradient accumulation") {
        check_losses(train_as_python(fixture::options().gradient_accumulation(2)),
                     {1.1086210, 1.1035360, 1.1560224, 1.0991679, 1.0975351, 1.1238734});
    }
    SUBCASE("by a budget of iterations") {
        check_losses(train_as_python(audyn::TrainerOptions().max_iterations(8)),
                     {1.0965027, 1.1283404, 1.1014022, 1.1082687, 1.1943381, 1.1127450, 1.0925684, 1.1038805});
    }
}

TEST_CASE("an optimizer of libtorch trains as Python's") {
    // The same steps by hand.
    auto network = make_network();
    auto by_hand = make_network();
    audyn::Trainer<fixture::Network, torch::optim::SGD> trainer(
        network, torch::optim::SGD(network->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)),
        torch::nn::CrossEntropyLoss(), fixture::options());
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(16));
    trainer.fit(loader);

    torch::optim::SGD optimizer(by_hand->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    for (int step = 0; step < 6; ++step) {
        const int64_t start = step % 3 * 16;
        optimizer.zero_grad();
        torch::nn::functional::cross_entropy(by_hand(fixture::features().slice(0, start, start + 16)),
                                             fixture::labels().slice(0, start, start + 16))
            .backward();
        optimizer.step();
    }
    CHECK(fixture::same_parameters(*network, *by_hand));
}

TEST_CASE("a resumed training continues bit for bit") {
    const auto train = [](const std::string& save, const std::string& from, int64_t iterations,
                          const audyn::TrainerOptions& base) {
        auto network = make_network(0.5);
        auto options = base;
        options.max_iterations(iterations);
        fixture::Trainer<audyn::amp::Disabled> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
                                                       options);
        trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.optimizer(), 4, 0.5));
        at::manual_seed(from.empty() ? 7 : 99);
        if (!from.empty()) {
            trainer.resume(from);
        }
        audyn::DataLoader loader(fixture::dataset(),
                                 audyn::DataLoaderOptions().batch_size(7).shuffle(true).seed(3).num_workers(2));
        trainer.fit(loader);
        if (!save.empty()) {
            trainer.save_checkpoint(save);
        }
        return std::pair(network, *trainer.metric("train/total"));
    };
    const TemporaryFolder folder;
    for (const int64_t accumulation : {1, 2}) {
        const auto options = audyn::TrainerOptions().progress_bar(false).gradient_accumulation(accumulation);
        const auto whole = train("", "", 10, options);
        for (const int64_t stop : {1, 3, 4, 7, 9}) {
            CAPTURE(accumulation);
            CAPTURE(stop);
            const std::string path = (folder / ("stop" + std::to_string(stop) + ".pth")).string();
            train(path, "", stop, options);
            const auto resumed = train("", path, 10, options);
            CHECK(fixture::same_parameters(*whole.first, *resumed.first));
            CHECK(whole.second == resumed.second);
        }
    }
}

TEST_CASE("a loss that is not finite ends the training and names the iteration") {
    const TemporaryFolder folder;
    auto inputs = fixture::features().clone();
    inputs[20].fill_(std::numeric_limits<float>::quiet_NaN()); // batch 2 of 6
    auto network = make_network();
    audyn::SaveCheckpoint entries;
    entries.iteration = {1, (folder / "iteration{iteration}.pth").string()};
    entries.last = (folder / "last.pth").string();
    fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
                               fixture::options().save_checkpoint(entries));
    audyn::DataLoader loader(fixture::dataset(inputs), audyn::DataLoaderOptions().batch_size(8));
    std::string message;
    try {
        trainer.fit(loader);
    } catch (const audyn::TrainingError& error) {
        message = error.what();
    }
    CHECK(message.find("'total' is not finite at iteration 3 (epoch 1)") != std::string::npos);
    CHECK(message.find("iteration2.pth") != std::string::npos);
    CHECK(std::filesystem::exists(folder / "iteration2.pth"));
    CHECK_FALSE(std::filesystem::exists(folder / "iteration3.pth"));
    CHECK_FALSE(std::filesystem::exists(folder / "last.pth"));
}

TEST_CASE("parameters that are not finite are not saved") {
    const TemporaryFolder folder;
    auto network = make_network();
    fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(), fixture::options());
    {
        const c10::NoGradGuard no_grad;
        network->second->weight[0][0] = std::numeric_limits<float>::infinity();
    }
    CHECK_THROWS_WITH_AS(trainer.save_checkpoint((folder / "x.pth").string()),
                         doctest::Contains("'2.weight' is not finite"), audyn::TrainingError);
    CHECK_FALSE(std::filesystem::exists(folder / "x.pth"));
}

namespace {

/// Writes down which hooks are called.
class Hooks : public audyn::Callback {
public:
    [[nodiscard]] std::string name() const override { return "hooks"; }
    void on_fit_start(audyn::TrainerBase&) override { calls += "fit( "; }
    void on_fit_end(audyn::TrainerBase&) override { calls += ")fit"; }
    void on_exception(audyn::TrainerBase&, const std::exception&) override { calls += "exception"; }
    void on_epoch_start(audyn::TrainerBase&) override { calls += "epoch( "; }
    void on_epoch_end(audyn::TrainerBase&) override { calls += ")epoch "; }
    void on_train_batch_start(audyn::TrainerBase&, const audyn::Batch&) override { calls += "batch( "; }
    void on_train_batch_end(audyn::TrainerBase&, const audyn::Batch&) override { calls += ")batch "; }
    void on_before_optimizer_step(audyn::TrainerBase&) override { calls += "step "; }
    void on_iteration_end(audyn::TrainerBase&) override { calls += "iteration "; }
    void on_validation_start(audyn::TrainerBase&) override { calls += "validation( "; }
    void on_validation_batch_end(audyn::TrainerBase&, const audyn::Batch&, const audyn::Outputs& outputs) override {
        calls += outputs.name(0) + " ";
    }
    void on_validation_end(audyn::TrainerBase& trainer) override {
        calls += ")validation ";
        trainer.log("answer", 42.0);
    }
    void on_checkpoint_saved(audyn::TrainerBase&, const std::string&) override { calls += "saved "; }
    std::string calls;
};

} // namespace

TEST_CASE("callbacks are called in the order of the loop, and may log metrics") {
    const TemporaryFolder folder;
    auto network = make_network();
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    fixture::Trainer<> trainer(
        network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
        audyn::TrainerOptions().max_epochs(1).gradient_accumulation(2).progress_bar(false).save_checkpoint(entries));
    auto hooks = std::make_shared<Hooks>();
    trainer.add_callback(hooks);
    audyn::DataLoader train(fixture::dataset(), audyn::DataLoaderOptions().batch_size(16));
    audyn::DataLoader validation(fixture::dataset(), audyn::DataLoaderOptions().batch_size(48));
    trainer.fit(train, validation);
    CHECK(hooks->calls == "fit( epoch( batch( )batch batch( )batch step iteration batch( )batch step iteration "
                          "validation( output )validation )epoch saved )fit");
    CHECK(trainer.metric("validation/answer") == 42.0);
    CHECK(trainer.metric("validation/total").has_value());
    CHECK(network->is_training());
}

TEST_CASE("early stopping ends a training that does not improve") {
    auto network = make_network();
    audyn::optim::AdamW optimizer(network->named_parameters(), audyn::optim::AdamWOptions().lr(0.0));
    fixture::Trainer<> trainer(network, std::move(optimizer), torch::nn::CrossEntropyLoss(),
                               audyn::TrainerOptions().max_epochs(50).progress_bar(false));
    trainer.add_callback(std::make_shared<audyn::EarlyStopping>(audyn::EarlyStoppingOptions{.patience = 2}));
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(16));
    trainer.fit(loader, loader);
    CHECK(trainer.epoch_idx() == 3);
    CHECK(trainer.stop_reason().value_or("").find("'validation/total' has not improved for 2 epochs") == 0);

    auto unknown = std::make_shared<audyn::EarlyStopping>(audyn::EarlyStoppingOptions{.monitor = "validation/f1"});
    trainer.add_callback(unknown);
    CHECK_THROWS_WITH_AS(trainer.fit(loader, loader), doctest::Contains("no metric 'validation/f1'"),
                         audyn::UsageError);
}

TEST_CASE("fast_dev_run and limits shorten a run") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    {
        auto network = make_network();
        fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
                                   fixture::options().fast_dev_run(true).save_checkpoint(entries));
        trainer.fit(loader, loader);
        CHECK(trainer.iteration_idx() == 1);
        CHECK_FALSE(std::filesystem::exists(folder / "last.pth"));
    }
    {
        auto network = make_network();
        fixture::Trainer<> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
                                   fixture::options().limit_train_batches(0.5).limit_validation_batches(1));
        trainer.fit(loader, loader);
        CHECK(trainer.iteration_idx() == 6);
    }
}

TEST_CASE("contradictory options are refused") {
    const auto check = [](const audyn::TrainerOptions& options, const char* words) {
        CHECK_THROWS_WITH_AS(options.check(), doctest::Contains(words), audyn::UsageError);
    };
    check(audyn::TrainerOptions().max_epochs(1).max_iterations(1), "both set");
    check(audyn::TrainerOptions(), "neither");
    check(fixture::options().gradient_accumulation(0), "gradient_accumulation");
    CHECK_THROWS_WITH_AS(fixture::options().clip_grad_norm(-1.0), doctest::Contains("max_norm above 0"),
                         audyn::UsageError);
    CHECK_THROWS_AS(audyn::BatchLimit(1.5), audyn::UsageError);
}

TEST_CASE("the key mapping connects batch, model and criteria") {
    auto network = make_network();
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    const auto run = [&](const audyn::KeyMapping& mapping, const audyn::criterion::Criteria& criteria) {
        fixture::Trainer<> trainer(network, make_optimizer(network), criteria, fixture::options().key_mapping(mapping));
        trainer.fit(loader);
        return trainer.metric("train/total").value_or(0.0);
    };
    const auto cross_entropy = [](double weight, const std::string& name) {
        return audyn::criterion::WeightedCriterion{name,
                                                   audyn::criterion::make(torch::nn::CrossEntropyLoss()),
                                                   weight,
                                                   {{"input", "logits"}},
                                                   {{"target", "label"}}};
    };
    const audyn::KeyMapping mapping{{{"features", "features"}}, audyn::OutputNames("logits")};
    CHECK(run(mapping, {cross_entropy(0.25, "a"), cross_entropy(0.75, "b")}) > 0.5);
    CHECK_THROWS_WITH_AS(run({{{"wave", "features"}}, {}}, {cross_entropy(1.0, "a")}),
                         doctest::Contains("no argument 'wave'; it has: features"), audyn::UsageError);
    CHECK_THROWS_WITH_AS(run({{{"features", "feature"}}, {}}, {cross_entropy(1.0, "a")}),
                         doctest::Contains("needs the value 'feature', but the batch has: features, label"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(run({{}, {{"x", "y"}}}, {cross_entropy(1.0, "a")}), doctest::Contains("names a list"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(run({}, {cross_entropy(1.0, "a")}),
                         doctest::Contains("takes the output 'logits', but the model's outputs are: output"),
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(run(mapping, {}), doctest::Contains("no criterion"), audyn::UsageError);
}

TEST_CASE("a step of one's own computes the loss") {
    auto network = make_network();
    int calls = 0;
    auto step = [&calls](auto& context, const audyn::Batch& batch) -> at::Tensor {
        ++calls;
        const at::Tensor logits = context.model().forward(batch.tensor("features"));
        context.log("largest", logits.max());
        return torch::nn::functional::cross_entropy(logits, batch.tensor("label"));
    };
    fixture::Trainer<audyn::amp::Disabled, decltype(step)> trainer(
        network, make_optimizer(network), audyn::criterion::Criteria(), fixture::options(), step);
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    trainer.fit(loader, {{"clean", loader}, {"noisy", loader}});
    CHECK(calls == 2 * (6 + 6 + 6));
    CHECK(trainer.metric("clean/total").has_value());
    CHECK(trainer.metric("noisy/largest") == trainer.metric("clean/largest"));
}

TEST_CASE("a model without names takes the batch by position") {
    at::manual_seed(0);
    torch::nn::Sequential network(torch::nn::Linear(4, 8), torch::nn::Tanh(), torch::nn::Linear(8, 3));
    audyn::optim::AdamW optimizer(network->named_parameters());
    audyn::Trainer<torch::nn::Sequential, audyn::optim::AdamW> trainer(
        network, std::move(optimizer), torch::nn::CrossEntropyLoss(), fixture::options());
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    trainer.fit(loader);
    CHECK(trainer.iteration_idx() == 12);
}

TEST_CASE("a checkpoint has Audyn's keys, and the best epoch is kept") {
    const TemporaryFolder folder;
    auto network = make_network();
    audyn::SaveCheckpoint entries;
    entries.best_epoch = (folder / "best_epoch.pth").string();
    entries.epoch = {2, (folder / "epoch{epoch}.pth").string()};
    fixture::Trainer<audyn::amp::BFloat16> trainer(network, make_optimizer(network), torch::nn::CrossEntropyLoss(),
                                                   fixture::options().save_checkpoint(entries));
    audyn::DataLoader loader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(8));
    trainer.fit(loader, loader);
    CHECK(trainer.best_checkpoint() == (folder / "best_epoch.pth").string());
    CHECK_FALSE(std::filesystem::exists(folder / "epoch1.pth"));
    const auto state = audyn::checkpoint::load(folder / "epoch2.pth");
    for (const char* key : {"model", "optimizer", "lr_scheduler", "scaler", "iteration_idx", "best_loss",
                            "resolved_config", "_metadata"}) {
        CHECK(state.contains(key));
    }
    CHECK(state.at("iteration_idx").as_int() == 12);
    CHECK(state.at("best_loss").as_float() == trainer.best_loss());
    CHECK(at::equal(state.at("model").as_dict().at("0.weight").as_tensor(), network->first->weight));
}
