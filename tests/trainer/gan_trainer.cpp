#include "../temporary_folder.hpp"
#include "gan.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/optim/any_optimizer.hpp>
#include <audyn/optim/exponential_moving_average.hpp>
#include <audyn/optim/plateau.hpp>
#include <audyn/optim/sgd.hpp>

#include <torch/autograd.h>
#include <torch/nn/modules/container/sequential.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::StateDict;
using audyn::UsageError;
using gan::Discriminator;
using gan::Generator;

/// What tests/oracle/gan.py recorded: "variant side" -> losses.
std::map<std::string, std::vector<double>> recorded() {
    std::map<std::string, std::vector<double>> losses;
    std::ifstream file(AUDYN_TEST_DATA_DIR "/trainer/data/gan.txt");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string variant;
        std::string side;
        words >> variant >> side;
        for (double value = 0.0; words >> value;) {
            losses[variant + " " + side].push_back(value);
        }
    }
    return losses;
}

void check_close(const std::vector<double>& own, const std::vector<double>& expected, double tolerance) {
    REQUIRE(expected.size() == static_cast<std::size_t>(gan::iterations));
    REQUIRE(own.size() == expected.size());
    double worst = 0.0;
    for (std::size_t i = 0; i < own.size(); ++i) {
        worst = std::max(worst, std::abs(own[i] - expected[i]));
    }
    CHECK(worst <= tolerance);
}

void check_recorded(const gan::Losses& losses, const std::string& variant, double tolerance) {
    auto expected = recorded();
    CAPTURE(variant);
    check_close(losses.generator, expected[variant + " generator"], tolerance);
    check_close(losses.discriminator, expected[variant + " discriminator"], tolerance);
}

audyn::TrainerOptions one_iteration() {
    return audyn::TrainerOptions().progress_bar(false).max_iterations(1);
}

audyn::optim::SGD sgd(const std::vector<at::Tensor>& parameters) {
    return audyn::optim::SGD(parameters, audyn::optim::SGDOptions().lr(0.1));
}

template <class Step = audyn::GANStep>
using SGDTrainer = audyn::GANTrainer<Generator, Discriminator, audyn::optim::SGD, audyn::optim::SGD,
                                     audyn::amp::Disabled, audyn::distributed::SingleProcess, Step>;

class BeforeStep : public audyn::Callback {
public:
    explicit BeforeStep(std::function<void()> function) : function_(std::move(function)) {}
    [[nodiscard]] std::string name() const override { return "before step"; }
    void on_before_optimizer_step(audyn::TrainerBase&) override { function_(); }

private:
    std::function<void()> function_;
};

std::vector<at::Tensor> gradients(const torch::nn::Module& module) {
    std::vector<at::Tensor> all;
    for (const at::Tensor& parameter : module.parameters()) {
        all.push_back(parameter.grad());
    }
    return all;
}

/// The error of a trainer with these criteria and options, or of its first iteration.
std::string error_of(const std::function<void(audyn::TrainerOptions&, audyn::GANOptions&,
                                              audyn::GAN<audyn::criterion::Criteria>&)>& change) {
    audyn::TrainerOptions options = one_iteration();
    audyn::GANOptions gan_options = gan::options();
    auto criteria = gan::criteria();
    change(options, gan_options, criteria);
    return message_of<UsageError>([&] {
        const Generator generator;
        const Discriminator discriminator;
        SGDTrainer<> trainer({generator, discriminator},
                             {sgd(generator->parameters()), sgd(discriminator->parameters())}, criteria, options,
                             gan_options);
        auto loader = gan::loader();
        trainer.fit(loader);
    });
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a GAN's losses are those of a plain Python loop") {
    check_recorded(gan::train(gan::options()), "plain", 1e-5);
    check_recorded(gan::train(gan::options(), /*features=*/true), "features", 1e-5);
}

TEST_CASE("a GAN's losses under mixed precision are those of a plain Python loop") {
    check_recorded(gan::train<audyn::amp::BFloat16>(gan::options(), /*features=*/true), "bfloat16", 1e-2);
    check_recorded(gan::train<audyn::amp::Float16>(gan::options()), "float16", 1e-2);
}

TEST_CASE("a GAN's losses with several steps of a side are those of a plain Python loop") {
    audyn::GANOptions options = gan::options();
    options.discriminator.steps = 3;
    check_recorded(gan::train(options), "three_discriminator_steps", 1e-5);
    options.discriminator.steps = 1;
    options.generator.steps = 2;
    check_recorded(gan::train(options), "two_generator_steps", 1e-5);
}

TEST_CASE("a GAN's sides leave no gradient in each other, and the generator runs once") {
    const Generator generator;
    const Discriminator discriminator;
    Generator own_generator;
    Discriminator own_discriminator;
    SGDTrainer<> trainer({generator, discriminator}, {sgd(generator->parameters()), sgd(discriminator->parameters())},
                         gan::criteria(), one_iteration(), gan::options());
    std::vector<at::Tensor> of_generator;
    std::vector<at::Tensor> of_discriminator;
    trainer.add_callback(std::make_shared<BeforeStep>([&] {
        of_generator = gradients(*generator);
        of_discriminator = gradients(*discriminator);
    }));
    auto loader = gan::loader();
    trainer.fit(loader);
    CHECK(generator->calls == 1);
    CHECK(discriminator->calls == 3); // No criterion of the generator takes what it says of real values.
    for (const at::Tensor& parameter : discriminator->parameters()) {
        CHECK(parameter.requires_grad());
    }

    // By hand: the discriminator's gradients are those of its own loss, clipped, at the first parameters.
    const at::Tensor noise = gan::wave({64, 4}, 0.5, 1.0).narrow(0, 0, 8);
    const at::Tensor sample = gan::wave({64, 8}, 2.5, 1.5).narrow(0, 0, 8);
    const at::Tensor fake = own_generator->forward(noise);
    const auto score = [&](const at::Tensor& value) { return own_discriminator->forward(value).first; };
    const at::Tensor loss = gan::Labelled{0.0}(score(fake.detach())) + gan::Labelled{1.0}(score(sample));
    std::vector<at::Tensor> expected = torch::autograd::grad({loss}, own_discriminator->parameters());
    double square = 0.0;
    for (const at::Tensor& gradient : expected) {
        square += gradient.square().sum().item<double>();
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(at::allclose(of_discriminator[i], expected[i] * (0.1 / std::sqrt(square)), 1e-4, 1e-7));
    }
    // The generator's are those of its loss by the discriminator after that step.
    {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            at::Tensor(own_discriminator->parameters()[i]).sub_(of_discriminator[i], 0.1);
        }
    }
    const at::Tensor generator_loss = gan::Labelled{1.0}(score(fake)) + 0.5 * at::l1_loss(fake, sample);
    expected = torch::autograd::grad({generator_loss}, own_generator->parameters());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(at::allclose(of_generator[i], expected[i], 1e-4, 1e-7));
    }
}

namespace {

/// Looks at the models while the losses are computed.
struct Watching : audyn::GANStep {
    template <class Context>
    at::Tensor discriminator_loss(Context& context, const audyn::Batch& batch) {
        at::Tensor loss = GANStep::discriminator_loss(context, batch);
        if (context.training()) {
            CHECK_FALSE(generator->parameters()[0].grad().defined());
            CHECK(context.generated().tensor("fake").requires_grad());
            context.log("watched", 2.0);
        }
        return loss;
    }
    template <class Context>
    at::Tensor generator_loss(Context& context, const audyn::Batch& batch) {
        if (context.training()) {
            CHECK_FALSE(discriminator->parameters()[0].requires_grad());
            CHECK_FALSE(generator->parameters()[0].grad().defined()); // The discriminator's backward is done.
        }
        return GANStep::generator_loss(context, batch);
    }
    Generator generator;
    Discriminator discriminator;
};

} // namespace

namespace {

/// Looks at the generator's values.
struct Looking : audyn::GANStep {
    template <class Context>
    at::Tensor discriminator_loss(Context& context, const audyn::Batch& batch) {
        if (context.training()) {
            CHECK(context.generated().tensor("fake").requires_grad() == (steps++ == 1));
        }
        return GANStep::discriminator_loss(context, batch);
    }
    template <class Context>
    at::Tensor generator_loss(Context& context, const audyn::Batch& batch) {
        at::Tensor loss = GANStep::generator_loss(context, batch);
        CHECK((context.generated().tensor("fake").scalar_type() == at::kBFloat16));
        CHECK((context.discriminate_fake(batch).tensor("fake_score").scalar_type() == at::kBFloat16));
        return loss;
    }
    int steps = 0;
};

} // namespace

TEST_CASE("a GAN's models run in the precision of its policy, and have a graph only where it is needed") {
    audyn::GANOptions options = gan::options();
    options.discriminator.steps = 2;
    const Generator generator;
    const Discriminator discriminator;
    gan::Trainer<audyn::amp::BFloat16, audyn::distributed::SingleProcess, Looking> trainer(
        {generator, discriminator}, {gan::adam(generator, 1e-3), gan::adam(discriminator, 1e-3)}, gan::criteria(),
        one_iteration(), options);
    auto loader = gan::loader();
    auto validation = gan::loader();
    trainer.fit(loader, validation);
    CHECK(discriminator->calls == 2 * 2 + 1 + 2 * 8); // In validation once for both losses.
}

TEST_CASE("a program's own GAN step computes the losses") {
    Watching step;
    SGDTrainer<Watching> trainer({step.generator, step.discriminator},
                                 {sgd(step.generator->parameters()), sgd(step.discriminator->parameters())},
                                 gan::criteria(), one_iteration(), gan::options(), step);
    auto loader = gan::loader();
    auto validation = gan::loader();
    trainer.fit(loader, validation);
    CHECK(trainer.metric("train/watched") == 2.0);
    CHECK(trainer.metric("validation/total generator") > 0.0);
}

namespace {

/// Takes turns.
struct Alternating : audyn::GANStep {
    template <class Context>
    at::Tensor discriminator_loss(Context& context, const audyn::Batch& batch) {
        calls++ == 0 ? context.discriminate_real(batch) : context.discriminate_fake(batch);
        return context.discriminator_loss(batch);
    }
    int calls = 0;
};

} // namespace

TEST_CASE("a GAN's criterion takes no output for another that the step has not made") {
    const Generator generator;
    const Discriminator discriminator;
    const audyn::GAN<audyn::criterion::Criteria> criteria{{gan::labelled("adversarial", 1.0, "fake_score")},
                                                          {gan::labelled("of_real", 1.0, "real_score")}};
    SGDTrainer<Alternating> trainer({generator, discriminator},
                                    {sgd(generator->parameters()), sgd(discriminator->parameters())}, criteria,
                                    audyn::TrainerOptions().progress_bar(false).max_iterations(2), gan::options());
    auto loader = gan::loader();
    const std::string message = message_of<UsageError>([&] { trainer.fit(loader); });
    CAPTURE(message);
    CHECK(contains(message, "takes the output 'real_score', but the model's outputs are: fake_score, fake_hidden"));
}

TEST_CASE("a GAN's checkpoint has both sides, the average of the generator, and the best epoch") {
    const TemporaryFolder folder;
    audyn::SaveCheckpoint entries;
    entries.last = (folder / "last.pth").string();
    entries.best_epoch = (folder / "best.pth").string();
    const auto options = audyn::TrainerOptions().progress_bar(false).max_epochs(3).save_checkpoint(entries);
    audyn::GANOptions gan_options = gan::options();
    gan_options.discriminator.lr_scheduler = audyn::SchedulerInterval::epoch;
    using Optimizer = audyn::optim::ExponentialMovingAverageWrapper<audyn::optim::Adam>;
    using Trainer = audyn::GANTrainer<Generator, Discriminator, Optimizer, audyn::optim::Adam>;
    struct Parts {
        Generator generator;
        Discriminator discriminator;
        std::unique_ptr<Trainer> trainer;
    };
    const auto make = [&] {
        Parts parts;
        Optimizer averaged(gan::adam(parts.generator, 2e-3),
                           audyn::optim::ExponentialMovingAverageOptions().smooth(0.9));
        parts.trainer = std::make_unique<Trainer>(
            audyn::GAN{parts.generator, parts.discriminator},
            audyn::GAN<Optimizer, audyn::optim::Adam>{std::move(averaged), gan::adam(parts.discriminator, 1e-3)},
            gan::criteria(), options, gan_options);
        // Always without an improvement.
        parts.trainer->set_lr_scheduler(std::make_shared<audyn::optim::ReduceLROnPlateau>(
                                            parts.trainer->discriminator_optimizer(),
                                            audyn::optim::ReduceLROnPlateauOptions().patience(0).threshold(0.99)),
                                        "discriminator");
        return parts;
    };
    Parts parts = make();
    auto loader = gan::loader();
    auto validation = gan::loader();
    double best = 1e9;
    int best_epoch = 0;
    struct Watch : audyn::Callback {
        Watch(double& loss, int& epoch) : best(loss), best_epoch(epoch) {}
        [[nodiscard]] std::string name() const override { return "watch"; }
        void on_epoch_end(audyn::TrainerBase& trainer) override {
            const double now = trainer.metric("validation/total generator").value();
            if (now < best) {
                best = now;
                best_epoch = static_cast<int>(trainer.iteration_idx());
            }
        }
        double& best;
        int& best_epoch;
    };
    parts.trainer->add_callback(std::make_shared<Watch>(best, best_epoch));
    parts.trainer->fit(loader, validation);
    CHECK(parts.trainer->best_loss() == best);
    CHECK(audyn::checkpoint::load(folder / "best.pth").at("iteration_idx").as_int() == best_epoch);

    const StateDict state = audyn::checkpoint::load(folder / "last.pth");
    for (const char* part : {"model", "optimizer", "lr_scheduler"}) {
        CHECK(state.at(part).as_dict().size() == 2);
        CHECK(state.at(part).as_dict().contains("generator"));
        CHECK(state.at(part).as_dict().contains("discriminator"));
    }
    CHECK(at::equal(state.at("model").as_dict().at("generator").as_dict().at("first.weight").as_tensor(),
                    parts.generator->first->weight));
    CHECK(state.at("lr_scheduler").as_dict().at("generator").is_none());
    CHECK(parts.trainer->discriminator_optimizer().groups().front().lr == doctest::Approx(1e-5));
    const StateDict& averages = state.at("moving_average_model").as_dict();
    CHECK(at::equal(averages.at("generator").as_dict().at("first.weight").as_tensor(),
                    parts.trainer->generator_optimizer().moving_average().average(0)));
    CHECK(averages.at("discriminator").is_none());
    CHECK_FALSE(
        at::equal(parts.trainer->generator_optimizer().moving_average().average(0), parts.generator->first->weight));
    CHECK(state.at("_metadata").as_dict().at("driver").as_string() == "GANTrainer");

    Parts resumed = make();
    resumed.trainer->resume((folder / "last.pth").string());
    CHECK(at::equal(resumed.discriminator->second->weight, parts.discriminator->second->weight));
    CHECK(at::equal(resumed.trainer->generator_optimizer().moving_average().average(0),
                    parts.trainer->generator_optimizer().moving_average().average(0)));
    CHECK(resumed.trainer->best_loss() == best);
    CHECK(resumed.trainer->discriminator_optimizer().groups().front().lr == doctest::Approx(1e-5));
}

TEST_CASE("a GAN that meets a loss that is not finite names it and its iteration") {
    audyn::GANOptions options = gan::options();
    options.discriminator.steps = 2;
    auto criteria = gan::criteria();
    auto calls = std::make_shared<int>(0);
    criteria.discriminator.add({"late",
                                audyn::criterion::make<std::function<at::Tensor(const at::Tensor&)>, 1>(
                                    [calls](const at::Tensor& score) {
                                        return ++*calls == 6 ? score.sum() * std::nan("") : score.sum() * 0.0;
                                    },
                                    audyn::names("input")),
                                1.0,
                                {{"input", "real_score"}}});
    const Generator generator;
    const Discriminator discriminator;
    SGDTrainer<> trainer({generator, discriminator}, {sgd(generator->parameters()), sgd(discriminator->parameters())},
                         criteria, audyn::TrainerOptions().progress_bar(false).max_epochs(1), options);
    auto loader = gan::loader();
    const std::string message = message_of<audyn::TrainingError>([&] { trainer.fit(loader); });
    CAPTURE(message);
    CHECK(contains(message, "is not finite at iteration 3 "));
}

TEST_CASE("a GAN's loss scale learns once of both sides, after each batch") {
    using Trainer = gan::Trainer<audyn::amp::Float16>;
    const auto train = [](const audyn::GANOptions& options, const audyn::GAN<audyn::criterion::Criteria>& criteria,
                          int64_t iterations, bool steps_discriminator) {
        const Generator generator;
        const Discriminator discriminator;
        Trainer trainer({generator, discriminator}, {gan::adam(generator, 1e-3), gan::adam(discriminator, 1e-3)},
                        criteria, audyn::TrainerOptions().progress_bar(false).max_iterations(iterations), options);
        auto loader = gan::loader();
        trainer.fit(loader);
        CHECK_FALSE(at::equal(generator->first->weight, Generator()->first->weight));
        CHECK(at::equal(discriminator->first->weight, Discriminator()->first->weight) != steps_discriminator);
        return trainer.amp().state_dict();
    };
    audyn::GANOptions options = gan::options();
    StateDict scaler = train(options, gan::criteria(), 4, true);
    CHECK(scaler.at("scale").as_float() == 65536.0);
    CHECK(scaler.at("_growth_tracker").as_int() == 4);
    options.discriminator.steps = 3;
    options.generator.steps = 2;
    CHECK(train(options, gan::criteria(), 3, true).at("_growth_tracker").as_int() == 8); // Batches of an epoch.

    // Gradients of one side that overflow keep it from its step, and the other not from its own.
    auto criteria = gan::criteria();
    criteria.discriminator.add(
        {"large",
         audyn::criterion::make([](const at::Tensor& score) { return score.to(at::kFloat).sum() * 1e35; },
                                audyn::names("input")),
         1.0,
         {{"input", "real_score"}}});
    scaler = train(gan::options(), criteria, 1, false);
    CHECK(scaler.at("scale").as_float() == 32768.0);
    CHECK(scaler.at("_growth_tracker").as_int() == 0);
}

TEST_CASE("a GAN is validated by the mapping of validation") {
    audyn::GANOptions options = gan::options();
    options.validation_key_mapping = options.key_mapping;
    options.validation_key_mapping->generator.input = {{"noise", "own_noise"}};
    Generator generator;
    Discriminator discriminator;
    SGDTrainer<> trainer({generator, discriminator}, {sgd(generator->parameters()), sgd(discriminator->parameters())},
                         gan::criteria(), one_iteration(), options);
    const auto loader = [](const std::string& noise_name, double scale) {
        using Entry = std::pair<std::string, at::Tensor>;
        auto dataset = std::make_shared<audyn::data::TensorDataset>(
            std::vector<Entry>{{noise_name, gan::wave({8, 4}, 0.5, scale)}, {"sample", gan::wave({8, 8}, 2.5, 1.5)}});
        return audyn::DataLoader(dataset, audyn::DataLoaderOptions().batch_size(8));
    };
    auto train = loader("noise", 1.0);
    auto validation = loader("own_noise", 2.0);
    trainer.fit(train, validation);
    const at::NoGradGuard no_grad;
    const at::Tensor sample = gan::wave({8, 8}, 2.5, 1.5);
    const at::Tensor fake = generator->forward(gan::wave({8, 4}, 0.5, 2.0));
    const at::Tensor score = discriminator->forward(fake).first;
    const at::Tensor of_generator = gan::Labelled{1.0}(score) + 0.5 * at::l1_loss(fake, sample);
    const at::Tensor of_discriminator =
        gan::Labelled{0.0}(score) + gan::Labelled{1.0}(discriminator->forward(sample).first);
    CHECK(trainer.metric("validation/total generator").value() == doctest::Approx(of_generator.item<double>()));
    CHECK(trainer.metric("validation/total discriminator").value() == doctest::Approx(of_discriminator.item<double>()));
    CHECK(trainer.best_loss() == trainer.metric("validation/total generator").value());
}

namespace {

class Numbers : public audyn::logging::Logger {
public:
    void log_scalars(std::span<const audyn::logging::Scalar> scalars, int64_t) override {
        for (const audyn::logging::Scalar& scalar : scalars) {
            values[std::string(scalar.tag)] = scalar.value;
        }
    }
    void flush() override {}
    std::map<std::string, double> values;
};

} // namespace

TEST_CASE("a GAN logs the learning rate and the norm of the gradients of each side") {
    const Generator generator;
    const Discriminator discriminator;
    audyn::GANOptions options = gan::options();
    using audyn::optim::ClipMode;
    options.generator.clip_gradient.emplace(audyn::optim::GradClipperOptions(ClipMode::norm).max_norm(1e3));
    options.discriminator.clip_gradient.emplace(audyn::optim::GradClipperOptions(ClipMode::norm).max_norm(1e3));
    gan::Trainer<> trainer({generator, discriminator}, {gan::adam(generator, 2e-3), gan::adam(discriminator, 1e-3)},
                           gan::criteria(), one_iteration().log_every_n_iterations(1), options);
    trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.generator_optimizer(), 1, 0.5),
                             "generator");
    const auto numbers = std::make_shared<Numbers>();
    trainer.add_logger(numbers);
    auto loader = gan::loader();
    trainer.fit(loader);
    const auto norm = [](const torch::nn::Module& module) {
        double square = 0.0;
        for (const at::Tensor& gradient : gradients(module)) {
            square += gradient.square().sum().item<double>();
        }
        return doctest::Approx(std::sqrt(square));
    };
    const auto value = [&](const std::string& name) { return numbers->values.at(name + " (iteration)/train"); };
    CHECK(value("learning_rate generator") == 2e-3); // The one that was used.
    CHECK(value("learning_rate discriminator") == 1e-3);
    CHECK(value("gradient_norm generator") == norm(*generator));
    CHECK(value("gradient_norm discriminator") == norm(*discriminator));
    CHECK(numbers->values.count("learning_rate (iteration)/train") == 0);
}

TEST_CASE("what a GAN's failure leaves is saved unless the discriminator has stepped") {
    struct Failure : audyn::Callback {
        explicit Failure(bool at_start) : is_at_start(at_start) {}
        [[nodiscard]] std::string name() const override { return "failure"; }
        void on_train_batch_start(audyn::TrainerBase& trainer, const audyn::Batch&) override {
            fail(trainer, is_at_start);
        }
        void on_train_batch_end(audyn::TrainerBase& trainer, const audyn::Batch&) override {
            fail(trainer, !is_at_start);
        }
        static void fail(const audyn::TrainerBase& trainer, bool is_due) {
            if (is_due && trainer.iteration_idx() == 2) {
                throw audyn::DataError("lost");
            }
        }
        bool is_at_start;
    };
    const TemporaryFolder folder;
    for (const bool at_start : {false, true}) {
        audyn::SaveCheckpoint entries;
        entries.last = (folder / "last.pth").string();
        entries.save_on_exception = true;
        const Generator generator;
        const Discriminator discriminator;
        SGDTrainer<> trainer({generator, discriminator},
                             {sgd(generator->parameters()), sgd(discriminator->parameters())}, gan::criteria(),
                             audyn::TrainerOptions().progress_bar(false).max_epochs(1).save_checkpoint(entries),
                             gan::options());
        trainer.add_callback(std::make_shared<Failure>(at_start));
        auto loader = gan::loader();
        CHECK_THROWS_WITH_AS(trainer.fit(loader), "lost", audyn::DataError);
        CHECK(std::filesystem::exists(folder / "last.pth") == at_start);
    }
    CHECK(audyn::checkpoint::load(folder / "last.pth").at("iteration_idx").as_int() == 2);
}

TEST_CASE("what cannot be trained as a GAN says why") {
    using audyn::GANOptions;
    using audyn::TrainerOptions;
    using Criteria = audyn::GAN<audyn::criterion::Criteria>;
    CHECK(error_of([](TrainerOptions&, GANOptions&, Criteria&) {}) == "");
    const auto check = [](const std::string& words, const auto& change) {
        const std::string message = error_of(change);
        CAPTURE(message);
        CHECK(contains(message, words));
    };
    check("gradient_accumulation is 2",
          [](TrainerOptions& options, GANOptions&, Criteria&) { options.gradient_accumulation(2); });
    check("set GANOptions::key_mapping", [](TrainerOptions& options, GANOptions&, Criteria&) {
        options.key_mapping({{{"noise", "noise"}}, {}});
    });
    check("the discriminator takes 0 steps",
          [](TrainerOptions&, GANOptions& options, Criteria&) { options.discriminator.steps = 0; });
    check("two outputs of the GAN are called 'fake_score'", [](TrainerOptions&, GANOptions& options, Criteria&) {
        options.key_mapping.real.output = audyn::OutputNames{"fake_score", "real_hidden"};
    });
    check("none of its input is an output of the generator, whose outputs are: fake",
          [](TrainerOptions&, GANOptions& options, Criteria&) { options.key_mapping.fake.input.clear(); });
    check("has no argument 'waveform'", [](TrainerOptions&, GANOptions& options, Criteria&) {
        options.key_mapping.real.input = {{"waveform", "sample"}};
    });
    check("the discriminator's criterion 'all' does not say which outputs it takes", [](TrainerOptions&, GANOptions&,
                                                                                        Criteria& criteria) {
        criteria.discriminator.add({"all", audyn::criterion::make<gan::Labelled, 1>({0.0}, audyn::names("input"))});
    });
    check("two losses of the GAN are called 'adversarial'", [](TrainerOptions&, GANOptions&, Criteria& criteria) {
        criteria.discriminator.add(gan::labelled("adversarial", 0.0, "fake_score"));
    });
    check("but the model's outputs are: fake_score, fake_hidden, real_score, real_hidden",
          [](TrainerOptions&, GANOptions&, Criteria& criteria) {
              criteria.discriminator.add(gan::labelled("odd", 0.0, "fake"));
          });
    check("the trainer has no criterion",
          [](TrainerOptions&, GANOptions&, Criteria& criteria) { criteria.discriminator = {}; });
}

TEST_CASE("a GAN's schedulers belong to its sides") {
    const Generator generator;
    const Discriminator discriminator;
    SGDTrainer<> trainer({generator, discriminator}, {sgd(generator->parameters()), sgd(discriminator->parameters())},
                         gan::criteria(), one_iteration(), gan::options());
    CHECK(message_of<UsageError>([&] {
              trainer.set_lr_scheduler(std::make_shared<audyn::optim::StepLR>(trainer.generator_optimizer(), 1, 0.5));
          }) == "there is no part '' to schedule the learning rate of; there is: 'generator', 'discriminator'");
}

TEST_CASE("a discriminator without names of its arguments takes no value that is the generator's") {
    using Sequential = torch::nn::Sequential;
    const auto error = [](const audyn::Batch& batch) {
        const Generator generator;
        const Sequential discriminator(torch::nn::Linear(4, 1));
        const torch::nn::Linear maker(4, 4);
        audyn::GAN<audyn::criterion::Criteria> criteria{{gan::labelled("adversarial", 1.0, "fake_prob")},
                                                        {gan::labelled("of_real", 1.0, "real_prob")}};
        audyn::GANTrainer<torch::nn::Linear, Sequential, audyn::optim::SGD, audyn::optim::SGD> trainer(
            {maker, discriminator}, {sgd(maker->parameters()), sgd(discriminator->parameters())}, criteria,
            one_iteration());
        std::vector<std::pair<std::string, at::Tensor>> entries;
        for (const auto& [name, value] : batch) {
            entries.emplace_back(name, std::get<at::Tensor>(value));
        }
        audyn::DataLoader loader(std::make_shared<audyn::data::TensorDataset>(entries),
                                 audyn::DataLoaderOptions().batch_size(2));
        return message_of<UsageError>([&] { trainer.fit(loader); });
    };
    const std::string message = error({{"noise", at::ones({2, 4})}, {"sample", at::ones({2, 4})}});
    CAPTURE(message);
    CHECK(contains(message, "the discriminator takes 'noise' as real, which the generator takes too"));
}
