#include "../temporary_folder.hpp"
#include "../trainer/gan.hpp"

#include <audyn/adapter/auto_trainer.hpp>
#include <audyn/adapter/gan.hpp>
#include <audyn/adapter/generator.hpp>
#include <audyn/adapter/main.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/dataset.hpp>

#include <torch/nn/modules/linear.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::ConfigError;

/// Those of gan::loader.
class Pairs : public audyn::Dataset {
public:
    [[nodiscard]] int64_t size() const override { return 64; }
    audyn::Sample get(int64_t index, audyn::data::Random&) const override {
        return {{"noise", noise_[index]}, {"sample", sample_[index]}, {"index", index}};
    }

private:
    at::Tensor noise_ = gan::wave({64, 4}, 0.5, 1.0);
    at::Tensor sample_ = gan::wave({64, 8}, 2.5, 1.5);
};

/// With a penalty of its own.
struct Penalised : audyn::GANStep {
    explicit Penalised(double value) : weight(value) {}
    template <class Context>
    at::Tensor discriminator_loss(Context& context, const audyn::Batch& batch) const {
        at::Tensor loss = GANStep::discriminator_loss(context, batch);
        context.log("penalty", weight);
        return loss + weight;
    }
    double weight;
};

struct Supervised : audyn::SupervisedStep {};

using GAN = audyn::GAN<gan::Generator, gan::Discriminator>;
using AutoTrainer = audyn::AutoTrainer<GAN>::with_steps<Penalised>;

std::shared_ptr<audyn::Targets> targets() {
    auto all = std::make_shared<audyn::Targets>();
    audyn::adapter::detail::add_toolkit_targets(*all);
    all->add<gan::Generator>("Generator");
    all->add<gan::Discriminator>("Discriminator");
    all->add<torch::nn::Linear>("Linear", audyn::constructor<int64_t, int64_t>(audyn::arg("in"), audyn::arg("out")));
    all->add<Pairs>("Pairs");
    all->add<Penalised>("Penalised", audyn::constructor<double>(audyn::arg("weight")));
    all->add<Supervised>("Supervised");
    all->add_function<std::shared_ptr<audyn::criterion::Criterion>>(
        "Labelled", audyn::constructor<double>(audyn::arg("label")),
        [](double label) { return audyn::criterion::make<gan::Labelled, 1>({label}, audyn::names("input")); });
    return all;
}

audyn::Config compose(const std::vector<std::string>& overrides = {},
                      const std::shared_ptr<audyn::Targets>& all = targets()) {
    const auto source = std::make_shared<const audyn::config::FolderSource>(AUDYN_TEST_DATA_DIR "/adapter/data");
    audyn::config::SearchPath path;
    path.add(source).add(audyn::config::builtin_search_path());
    audyn::Config config = audyn::config::compose(path, "gan_training", overrides, all->resolvers());
    config.attach(all);
    return config;
}

std::vector<std::string> in(const TemporaryFolder& folder) {
    return {"train.output.exp_dir=" + folder.path().string(), "train.output.tensorboard_dir=null"};
}

} // namespace

TEST_CASE("a GAN is trained from its configuration") {
    const TemporaryFolder folder;
    auto trainer = AutoTrainer::build_from_config(compose(in(folder)));
    const auto recorder = std::make_shared<gan::Recorder>();
    trainer.trainer().add_callback(recorder);
    trainer.run();

    // The same by types.
    audyn::GANOptions options = gan::options();
    options.key_mapping.generator.input = {{"noise", "noise"}};
    const gan::Generator generator;
    const gan::Discriminator discriminator;
    audyn::optim::Adam of_generator(generator->named_parameters(), audyn::optim::AdamOptions().lr(1e-3));
    audyn::optim::Adam of_discriminator(discriminator->named_parameters(), audyn::optim::AdamOptions().lr(2e-3));
    gan::Trainer<> typed({generator, discriminator}, {std::move(of_generator), std::move(of_discriminator)},
                         gan::criteria(), audyn::TrainerOptions().progress_bar(false).max_epochs(2), options);
    typed.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(typed.generator_optimizer(), 4, 0.5), "generator");
    const auto expected = std::make_shared<gan::Recorder>();
    typed.add_callback(expected);
    auto loader = gan::loader();
    typed.fit(loader);
    CHECK(recorder->losses.generator == expected->losses.generator);
    CHECK(recorder->losses.discriminator == expected->losses.discriminator);
    CHECK(trainer.trainer().learning_rate() == doctest::Approx(1e-3 / 16));

    const audyn::StateDict state = audyn::checkpoint::load(folder / "model/best_epoch.pth");
    CHECK(state.at("moving_average_model").as_dict().at("generator").as_dict().contains("first.weight"));
    CHECK(state.at("lr_scheduler").as_dict().at("discriminator").is_none());
    const audyn::StateDict& model = state.at("resolved_config").as_dict().at("model").as_dict();
    CHECK(model.at("generator").as_dict().at("_target_").as_string() == "Generator");
}

TEST_CASE("a GAN's generator writes what it makes, by the average of its parameters") {
    const TemporaryFolder folder;
    std::vector<std::string> overrides = in(folder);
    overrides.emplace_back("train.steps.epochs=1");
    AutoTrainer::build_from_config(compose(overrides)).run();
    const std::filesystem::path checkpoint = folder / "model/last.pth";
    overrides.insert(overrides.end(),
                     {"+test=default", "test.checkpoint=" + checkpoint.string(), "test.dataset.test={_target_: Pairs}",
                      "test.key_mapping.inference.output=made", "test.key_mapping.inference.identifier={index: index}",
                      "test.output.inference_dir=" + (folder / "made").string(),
                      "test.output.torch_dump.key_mapping.inference.output={made: \"{index}.pth\"}"});
    CHECK(audyn::AutoGenerator<GAN>::build_from_config(compose(overrides)).run() == 64);
    gan::Generator generator;
    const audyn::StateDict state = audyn::checkpoint::load(checkpoint);
    audyn::checkpoint::load_module_state(*generator,
                                         state.at("moving_average_model").as_dict().at("generator").as_dict());
    const at::Tensor expected = generator->forward(gan::wave({64, 4}, 0.5, 1.0));
    CHECK(at::allclose(audyn::checkpoint::load_value(folder / "made/63.pth").as_tensor(), expected[63]));
}

TEST_CASE("a GAN's checkpoint is validated as in its training") {
    const TemporaryFolder folder;
    std::vector<std::string> overrides = in(folder);
    overrides.emplace_back("train.steps.epochs=1");
    auto trained = AutoTrainer::build_from_config(compose(overrides));
    trained.run();
    const std::string checkpoint = (folder / "model/last.pth").string();
    overrides.insert(overrides.end(), {"+test=default", "test.checkpoint=" + checkpoint, "train.dataset.train=null"});
    const auto validate = [&](const std::vector<std::string>& more = {}) {
        std::vector<std::string> all = overrides;
        all.insert(all.end(), more.begin(), more.end());
        auto validation = AutoTrainer::build_for_validation(compose(all));
        validation.validate();
        std::vector<double> losses;
        for (const char* name : {"validation/total generator", "validation/total discriminator"}) {
            losses.push_back(validation.trainer().metric(name).value());
        }
        return losses;
    };
    const auto of_training = [&](const char* name) { return trained.trainer().metric(name).value(); };
    const std::vector<double> expected{of_training("validation/total generator"),
                                       of_training("validation/total discriminator")};
    CHECK(validate() == expected);
    CHECK(validate({"test.moving_average=true"}) == expected);
    const std::vector<double> unaveraged = validate({"test.moving_average=false"});
    CHECK(unaveraged[0] != expected[0]);

    // As Audyn writes it where the discriminator alone has an average.
    audyn::StateDict state = audyn::checkpoint::load(checkpoint);
    audyn::StateDict averages = state.at("moving_average_model").as_dict();
    averages.set("generator", audyn::state::Value());
    audyn::StateDict zeros;
    for (const auto& [name, value] : state.at("model").as_dict().at("discriminator").as_dict()) {
        zeros.set(name, at::zeros_like(value.as_tensor()));
    }
    averages.set("discriminator", zeros);
    state.set("moving_average_model", averages);
    audyn::checkpoint::save(checkpoint, state);
    const std::vector<double> averaged = validate();
    CHECK(averaged[1] == doctest::Approx(2.0 * std::log(2.0))); // The scores are 0.
    CHECK(validate({"test.moving_average=false"}) == unaveraged);
    const auto error = [&](const std::vector<std::string>& more) {
        return message_of<ConfigError>([&] { validate(more); });
    };
    std::string message = error({"test.moving_average=true"});
    CAPTURE(message);
    CHECK(message.find("has no 'moving_average_model' of the generator") != std::string::npos);

    message = error({"train.trainer._target_=audyn.utils.driver.BaseTrainer"});
    CHECK(message.find("'test.checkpoint' holds a generator and a discriminator: choose train=gan") !=
          std::string::npos);

    // Of one model.
    audyn::StateDict config = state.at("resolved_config").as_dict();
    config.set("model", audyn::StateDict{{"_target_", "Linear"}, {"in", 4}, {"out", 8}});
    state.set("resolved_config", config);
    audyn::checkpoint::save(checkpoint, state);
    message = error({});
    CHECK(message.find("'test.checkpoint' holds a single model") != std::string::npos);
    CHECK(message.find("choose train=default") != std::string::npos);
}

TEST_CASE("a GAN's configuration chooses precision, steps and the continuation") {
    const TemporaryFolder folder;
    std::vector<std::string> overrides = in(folder);
    overrides.insert(overrides.end(), {"system=cpu_amp", "train.steps.discriminator=3",
                                       "+train.step={_target_: Penalised, weight: 0.25}", "train.steps.epochs=1",
                                       "train.output.save_checkpoint.top_k.k=1"});
    auto trainer = AutoTrainer::build_from_config(compose(overrides));
    trainer.run();
    CHECK(trainer.trainer().iteration_idx() == 3);
    CHECK(trainer.trainer().metric("train/penalty") == 0.25);
    CHECK(std::filesystem::exists(folder / "model/top_epoch1.pth"));
    overrides.insert(overrides.end(), {"train.steps.epochs=2", "train.resume.continue_from=auto"});
    auto resumed = AutoTrainer::build_from_config(compose(overrides));
    CHECK(resumed.trainer().iteration_idx() == 3);
    resumed.run();
    CHECK(resumed.trainer().iteration_idx() == 6);
}

TEST_CASE("mistakes in a GAN's configuration are told with key and place") {
    const auto error = [](const std::vector<std::string>& overrides) {
        return message_of<ConfigError>([&] { static_cast<void>(AutoTrainer::build_from_config(compose(overrides))); });
    };
    const auto check = [&](const std::vector<std::string>& overrides, const std::vector<std::string>& words) {
        const std::string message = error(overrides);
        CAPTURE(message);
        for (const std::string& word : words) {
            CAPTURE(word);
            CHECK(message.find(word) != std::string::npos);
        }
    };
    check({"model.discriminator=null"}, {"'model.discriminator'", "_target_"});
    check({"model.discriminator._target_=Discriminater"}, {"'model.discriminator._target_'", "Discriminator"});
    check({"+model.generator={_target_: Linear, in: 4, out: 8}"},
          {"'model'", "generator 'Linear'", "none of the GANs"});
    check({"+model.checkpoint=a.pth"}, {"model.generator.checkpoint"});
    check({"optimizer.discriminator=null"}, {"'optimizer.discriminator'", "_target_"});
    check({"+optimizer.discriminator.lrr=1"}, {"optimizer.discriminator", "lrr"});
    check({"criterion.generator=null"}, {"'criterion'", "set `criterion.generator`"});
    check({"~criterion.discriminator.of_fake.key_mapping"},
          {"'criterion.discriminator.of_fake.criterion' does not say which outputs it takes"});
    check({"+criterion.discriminator.adversarial=${criterion.discriminator.of_fake}"},
          {"the name of another criterion"});
    check({"train.steps.lr_scheduler.generator=null"},
          {"'lr_scheduler.generator' would never step: set `train.steps.lr_scheduler.generator`"});
    check({"+lr_scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.9}"},
          {"'lr_scheduler._target_'", "generator, discriminator"});
    check({"train.steps.lr_scheduler.discriminator=epochs"}, {"'train.steps.lr_scheduler.discriminator'", "'epoch'"});
    check({"train.steps.discriminator=0"}, {"'train.steps'", "the discriminator takes 0 steps"});
    check({"train.steps.gradient_accumulation=2"}, {"'train.steps'", "gradient_accumulation is 2"});
    check({"train.clip_gradient.discriminator.max_norm=null"}, {"'train.clip_gradient.discriminator'", "max_norm"});
    check({"+train.step={_target_: Supervised}"}, {"'train.step'", "none of the steps"});
    check({"train.trainer._target_=audyn.utils.driver.GANTrainr"},
          {"'train.trainer._target_'", "audyn.utils.driver.GANTrainer"});
    // Several at once.
    check({"optimizer.generator=null", "train.steps.generator=0", "model.generator._target_=Other"},
          {"'optimizer.generator'", "the generator takes 0 steps", "'model.generator._target_'"});
}

TEST_CASE("a program's own trainer is chosen by its name") {
    const TemporaryFolder folder;
    const auto all = targets();
    all->add_function<audyn::TrainerFactory>(
        "MyTrainer", audyn::constructor<double>(audyn::arg("label")), [](double label) -> audyn::TrainerFactory {
            return [label](audyn::TrainingPlan& plan) -> std::unique_ptr<audyn::TrainerBase> {
                const auto generator = plan.targets().build<gan::Generator>(plan.config()["model"]["generator"]);
                const auto discriminator =
                    plan.targets().build<gan::Discriminator>(plan.config()["model"]["discriminator"]);
                using Optimizer = audyn::optim::AnyOptimizer;
                using Trainer = audyn::GANTrainer<gan::Generator, gan::Discriminator, Optimizer, Optimizer>;
                audyn::GAN<audyn::criterion::Criteria> criteria{plan.criteria("generator"),
                                                                plan.criteria("discriminator")};
                criteria.generator.add(gan::labelled("own", label, "fake_score"));
                auto trainer =
                    std::make_unique<Trainer>(GAN{generator, discriminator},
                                              audyn::GAN<Optimizer>{plan.optimizer(*generator, "generator"),
                                                                    plan.optimizer(*discriminator, "discriminator")},
                                              criteria, plan.options(), plan.gan_options());
                plan.complete(*trainer, {{"generator", &trainer->generator_optimizer()}});
                return trainer;
            };
        });
    std::vector<std::string> overrides = in(folder);
    overrides.emplace_back("+train.trainer={_target_: MyTrainer, label: 1}");
    auto trainer = audyn::AutoTrainer<>::build_from_config(compose(overrides, all));
    trainer.run();
    CHECK(trainer.trainer().iteration_idx() == 16);
    CHECK(trainer.trainer().metric("train/own") == trainer.trainer().metric("train/adversarial"));

    std::vector<std::string> of_validation = overrides;
    of_validation.insert(of_validation.end(),
                         {"+test=default", "test.checkpoint=" + (folder / "model/last.pth").string()});
    auto validation = audyn::AutoTrainer<>::build_for_validation(compose(of_validation, all));
    validation.validate();
    CHECK(validation.trainer().metric("validation/own") == trainer.trainer().metric("validation/own"));

    overrides.back() = "train.trainer={_target_: MyTrainer}";
    const std::string message = message_of<ConfigError>(
        [&] { static_cast<void>(audyn::AutoTrainer<>::build_from_config(compose(overrides, all))); });
    CAPTURE(message);
    CHECK(message.find("'train.trainer'") != std::string::npos);
    CHECK(message.find("label") != std::string::npos);
}
