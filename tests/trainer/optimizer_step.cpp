#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/clip.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/multi_optimizers.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/optim/sgd.hpp>

#include <torch/nn/modules/embedding.h>
#include <torch/optim/lbfgs.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

using audyn::optim::AnyOptimizer;
using audyn::optim::LBFGS;
using audyn::optim::LBFGSOptions;
using fixture::make_network;

namespace {

constexpr int64_t batch_size = 12;

template <class Optimizer, class AmpPolicy = audyn::amp::Disabled>
using TrainerWith = audyn::Trainer<fixture::Network, Optimizer, AmpPolicy>;

audyn::DataLoader make_loader() {
    return audyn::DataLoader(fixture::dataset(), audyn::DataLoaderOptions().batch_size(batch_size));
}

struct Loop {
    int64_t accumulation;
    std::optional<double> clip;
    /// Losses of the first call of each closure.
    std::vector<double> losses = {};
};

/// Two epochs by hand: a step for each window of batches.
template <class Optimizer>
void run(Loop& loop, fixture::Network& network, Optimizer& optimizer) {
    for (int64_t first = 0; first < 2 * 48; first += batch_size * loop.accumulation) {
        const auto closure = [&] {
            optimizer.zero_grad();
            double sum = 0.0;
            for (int64_t i = 0; i < loop.accumulation; ++i) {
                const int64_t begin = (first + i * batch_size) % 48;
                const at::Tensor output = network(fixture::features().narrow(0, begin, batch_size));
                const at::Tensor loss =
                    torch::nn::functional::cross_entropy(output, fixture::labels().narrow(0, begin, batch_size));
                (loss / loop.accumulation).backward();
                sum += loss.item<double>();
            }
            if (loop.clip) {
                audyn::optim::clip_grad_norm_(network->parameters(), *loop.clip);
            }
            return at::full({}, sum / static_cast<double>(loop.accumulation), at::kDouble);
        };
        loop.losses.push_back(optimizer.step(closure).template item<double>());
    }
}

template <class Trainer>
std::vector<double> fit(Trainer& trainer) {
    const auto losses = std::make_shared<fixture::Losses>();
    trainer.add_callback(losses);
    auto loader = make_loader();
    trainer.fit(loader);
    return losses->values;
}

audyn::TrainerOptions options_of(const Loop& loop) {
    auto options = fixture::options().gradient_accumulation(loop.accumulation);
    if (loop.clip) {
        options.clip_grad_norm(*loop.clip);
    }
    return options;
}

void check_lbfgs(Loop loop, const LBFGSOptions& options) {
    CAPTURE(loop.accumulation);
    CAPTURE(loop.clip.value_or(0.0));
    auto expected = make_network();
    LBFGS by_hand(expected->named_parameters(), options);
    run(loop, expected, by_hand);
    auto network = make_network();
    TrainerWith<LBFGS> trainer(network, LBFGS(network->named_parameters(), options), torch::nn::CrossEntropyLoss(),
                               options_of(loop));
    const std::vector<double> losses = fit(trainer);
    CHECK(fixture::same_parameters(*network, *expected));
    CHECK(losses == loop.losses);
    const auto evaluations = [](const LBFGS& optimizer) {
        return optimizer.state_dict().at("state").as_dict().at(0).as_dict().at("func_evals").as_int();
    };
    CHECK(evaluations(trainer.optimizer()) == evaluations(by_hand));
    // It has gone over batches again.
    CHECK(evaluations(by_hand) > 2 * static_cast<int64_t>(losses.size()));
}

struct TableImpl : torch::nn::Module {
    TableImpl()
        : table(register_module("table", torch::nn::Embedding(torch::nn::EmbeddingOptions(3, 3).sparse(true)))) {}
    at::Tensor forward(const at::Tensor& index) { return table(index); }
    static constexpr auto forward_arguments = audyn::names("index");
    torch::nn::Embedding table;
};

} // namespace

TEST_CASE("training by LBFGS is the loop by hand, also over several batches") {
    const auto options = LBFGSOptions().lr(0.5).max_iter(4);
    for (const int64_t accumulation : {int64_t{1}, int64_t{2}}) {
        check_lbfgs({accumulation, std::nullopt}, options);
        check_lbfgs({accumulation, std::nullopt}, LBFGSOptions(options).line_search_fn("strong_wolfe"));
        check_lbfgs({accumulation, 0.05}, options);
    }
}

TEST_CASE("an LBFGS of libtorch and one chosen at run time are given a closure too") {
    Loop loop{1, std::nullopt};
    const auto options = torch::optim::LBFGSOptions(0.5).max_iter(3);
    auto expected = make_network();
    torch::optim::LBFGS by_hand(expected->parameters(), options);
    run(loop, expected, by_hand);
    auto network = make_network();
    TrainerWith<torch::optim::LBFGS> trainer(network, torch::optim::LBFGS(network->parameters(), options),
                                             torch::nn::CrossEntropyLoss(), fixture::options());
    CHECK(fit(trainer) == loop.losses);
    CHECK(fixture::same_parameters(*network, *expected));

    auto chosen = make_network();
    AnyOptimizer any(std::make_unique<LBFGS>(chosen->named_parameters(), LBFGSOptions().lr(0.5).max_iter(3)));
    TrainerWith<AnyOptimizer> other(chosen, std::move(any), torch::nn::CrossEntropyLoss(), fixture::options());
    const std::vector<double> losses = fit(other);
    for (std::size_t i = 0; i < losses.size(); ++i) {
        CHECK(losses[i] == doctest::Approx(loop.losses[i]).epsilon(1e-4));
    }
}

TEST_CASE("LBFGS under the loss scaling of float16 is refused") {
    auto network = make_network();
    const auto make = [&] {
        return TrainerWith<LBFGS, audyn::amp::Float16>(network, LBFGS(network->named_parameters()),
                                                       torch::nn::CrossEntropyLoss(), fixture::options());
    };
    CHECK_THROWS_WITH_AS(make(), doctest::Contains("train in bfloat16 or without mixed precision"), audyn::UsageError);
}

TEST_CASE("several optimizers are validated by their averages, and saved with the whole averaged model") {
    const TemporaryFolder folder;
    auto network = make_network();
    std::vector<audyn::optim::NamedOptimizer> list;
    auto first = std::make_unique<audyn::optim::SGD>(network->first->parameters(), audyn::optim::SGDOptions().lr(0.5));
    auto average = std::make_unique<audyn::optim::ExponentialMovingAverage>(first->groups());
    list.push_back({"first", AnyOptimizer(std::move(first), std::move(average))});
    list.push_back({"second", AnyOptimizer(std::make_unique<audyn::optim::AdamW>(network->second->parameters()))});
    TrainerWith<audyn::optim::MultiOptimizers> trainer(network, audyn::optim::MultiOptimizers(std::move(list)),
                                                       torch::nn::CrossEntropyLoss(), fixture::options());
    fit(trainer);
    const std::string path = (folder / "last.pth").string();
    trainer.save_checkpoint(path);
    const auto state = audyn::checkpoint::load(path).at("moving_average_model").as_dict();
    fixture::Network averaged;
    audyn::checkpoint::load_module_state(*averaged, state);
    CHECK_FALSE(at::equal(averaged->first->weight, network->first->weight));
    CHECK(at::equal(averaged->second->weight, network->second->weight));
    const double expected =
        torch::nn::functional::cross_entropy(averaged(fixture::features()), fixture::labels()).item<double>();
    auto loader = make_loader();
    CHECK(trainer.validate(loader).front().value == doctest::Approx(expected));
    CHECK(trainer.learning_rate() == 0.5);
}

TEST_CASE("a warm-up steps by iteration and a plateau by epoch in one training") {
    auto network = make_network();
    auto optimizer = audyn::optim::SGD(network->parameters(), audyn::optim::SGDOptions().lr(0.4));
    TrainerWith<audyn::optim::SGD> trainer(
        network, std::move(optimizer), torch::nn::CrossEntropyLoss(),
        fixture::options().max_epochs(4).lr_scheduler(audyn::SchedulerInterval::iteration));
    const auto make_plateau = [](audyn::optim::Optimizer& one) {
        // Nothing counts as an improvement after the first epoch.
        return std::make_unique<audyn::optim::ReduceLROnPlateau>(
            one, audyn::optim::ReduceLROnPlateauOptions().patience(0).threshold(0.99).factor(0.5));
    };
    trainer.set_lr_scheduler(audyn::optim::linear_warmup(trainer.optimizer(), 6, 0.25, make_plateau));
    struct Rates : audyn::Callback {
        [[nodiscard]] std::string name() const override { return "rates"; }
        void on_before_optimizer_step(audyn::TrainerBase& trainer) override {
            values.push_back(trainer.learning_rate());
        }
        std::vector<double> values;
    };
    const auto rates = std::make_shared<Rates>();
    trainer.add_callback(rates);
    auto loader = make_loader();
    trainer.fit(loader);
    const std::vector<double> expected{0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.4,
                                       0.4, 0.4,  0.4, 0.4,  0.2, 0.2,  0.2, 0.2};
    REQUIRE(rates->values.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(rates->values[i] == doctest::Approx(expected[i]));
    }
    trainer.set_lr_scheduler(make_plateau(trainer.optimizer()));
    CHECK_THROWS_WITH_AS(trainer.fit(loader), doctest::Contains("let it step per epoch"), audyn::UsageError);
}

TEST_CASE("sparse gradients end a training at its first step, by the parameter's name") {
    using Table = std::shared_ptr<TableImpl>;
    const auto train = [](const audyn::TrainerOptions& options) {
        const auto module = std::make_shared<TableImpl>();
        audyn::Trainer<Table, audyn::optim::AdamW> trainer(module, audyn::optim::AdamW(module->named_parameters()),
                                                           torch::nn::CrossEntropyLoss(), options);
        using Entry = std::pair<std::string, at::Tensor>;
        const std::vector<Entry> entries{{"index", fixture::labels()}, {"label", fixture::labels()}};
        audyn::DataLoader loader(std::make_shared<audyn::data::TensorDataset>(entries));
        trainer.fit(loader);
    };
    const auto options = fixture::options();
    CHECK_THROWS_WITH_AS(train(options), "AdamW does not take sparse gradients, but 'table.weight' has one",
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS(train(audyn::TrainerOptions(options).clip_grad_norm(1.0)),
                         doctest::Contains("sparse gradients cannot be clipped"), audyn::UsageError);
}

TEST_CASE("learning rates are logged under the names of their optimizers and groups") {
    struct Rates : audyn::logging::Logger {
        void log_scalars(std::span<const audyn::logging::Scalar> scalars, int64_t) override {
            for (const auto& scalar : scalars) {
                if (scalar.tag.starts_with("learning_rate")) {
                    values[std::string(scalar.tag)].push_back(scalar.value);
                }
            }
        }
        void flush() override {}
        std::map<std::string, std::vector<double>> values;
    };
    using Values = decltype(Rates::values);
    const auto logged = [](auto& trainer) {
        const auto rates = std::make_shared<Rates>();
        trainer.add_logger(rates);
        auto loader = make_loader();
        trainer.fit(loader);
        return rates->values;
    };
    const auto options = [] {
        return fixture::options().max_epochs(1).log_every_n_iterations(2).lr_scheduler(
            audyn::SchedulerInterval::iteration);
    };
    using audyn::optim::SGD;
    using audyn::optim::SGDOptions;
    const auto halve = [](audyn::optim::Optimizer& one) {
        return std::make_unique<audyn::optim::ExponentialLR>(one, 0.5);
    };

    auto network = make_network();
    using Groups = std::vector<audyn::optim::OptionsGroup<SGDOptions>>;
    std::vector<audyn::optim::NamedOptimizer> list;
    list.push_back(
        {"tail", AnyOptimizer(std::make_unique<SGD>(Groups{{{}, {network->second->weight}, SGDOptions().lr(0.25)},
                                                           {{}, {network->second->bias}, SGDOptions().lr(0.0)}}))});
    list.push_back({"body", AnyOptimizer(std::make_unique<SGD>(network->first->parameters(), SGDOptions().lr(0.125)))});
    TrainerWith<AnyOptimizer> several(network, AnyOptimizer(audyn::optim::MultiOptimizers(std::move(list))),
                                      torch::nn::CrossEntropyLoss(), options());
    several.set_lr_scheduler(std::make_shared<audyn::optim::MultiLRSchedulers>(
        *several.optimizer().multi(), std::vector<audyn::optim::NamedScheduler>{{"body", halve}}));
    // Those that the second and the fourth step used.
    CHECK(logged(several) == Values{{"learning_rate tail pg1 (iteration)/train", {0.25, 0.25}},
                                    {"learning_rate tail pg2 (iteration)/train", {0.0, 0.0}},
                                    {"learning_rate body (iteration)/train", {0.125 / 2, 0.125 / 8}}});
    CHECK(several.learning_rates().front().name == "learning_rate tail pg1");

    auto other = make_network();
    TrainerWith<SGD> one(other, SGD(other->parameters(), SGDOptions().lr(0.5)), torch::nn::CrossEntropyLoss(),
                         options());
    CHECK(logged(one) == Values{{"learning_rate (iteration)/train", {0.5, 0.5}}});
}

TEST_CASE("a plateau's metric that does not exist is an error that names what there is") {
    const auto fit = [](const std::string& monitor) {
        auto network = make_network();
        TrainerWith<audyn::optim::SGD> trainer(
            network, audyn::optim::SGD(network->parameters()), torch::nn::CrossEntropyLoss(),
            fixture::options().max_epochs(2).lr_scheduler(audyn::SchedulerInterval::epoch));
        trainer.set_lr_scheduler(std::make_shared<audyn::optim::ReduceLROnPlateau>(
            trainer.optimizer(), audyn::optim::ReduceLROnPlateauOptions().monitor(monitor)));
        auto loader = make_loader();
        try {
            trainer.fit(loader, loader);
        } catch (const audyn::UsageError& error) {
            return std::to_string(trainer.iteration_idx()) + " " + error.what();
        }
        return std::string();
    };
    CHECK(fit("validation/total").empty());
    CHECK(fit("").empty());
    CHECK(fit("valid/total") == "0 lr_scheduler.monitor: 'valid/total' is of no loader; name one of train, "
                                "validation, as in 'validation/total'");
    const std::string message = fit("validation/f1");
    CAPTURE(message);
    CHECK(message.find("lr_scheduler.monitor: there is no metric 'validation/f1'; there are: ") != std::string::npos);
    CHECK(message.find("validation/total") != std::string::npos);
}
