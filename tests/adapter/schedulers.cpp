#include "../optim/scheduler_cases.hpp"

#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

using audyn::adapter::SchedulerFactory;

namespace {

const audyn::adapter::Targets& targets() {
    static const audyn::adapter::Targets all = [] {
        audyn::adapter::Targets made;
        audyn::adapter::add_scheduler_targets(made);
        return made;
    }();
    return all;
}

audyn::Config config(const std::string& text) {
    return audyn::config::config_from_yaml(text, "test.yaml", audyn::config::Resolvers());
}

void check_error(const std::string& text, const char* message) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS((void)targets().build<SchedulerFactory>(config(text)), doctest::Contains(message),
                         audyn::ConfigError);
}

/// Cases of tests/optim/scheduler_cases.hpp as a configuration writes them.
std::map<std::string, std::string> texts() {
    const std::string torch = "_target_: torch.optim.lr_scheduler.";
    const std::string audyn = "_target_: audyn.optim.lr_scheduler.";
    const std::string lambda = torch + "LambdaLR\nlr_lambda: {_target_: audyn.optim.lr_lambda.";
    return {
        {"step", torch + "StepLR\nstep_size: 7\nlast_epoch: -1\n"},
        {"multi_step_twice", torch + "MultiStepLR\nmilestones: [50, 10, 50, 200]\ngamma: 0.7\n"},
        {"constant", torch + "ConstantLR\n"},
        {"linear", torch + "LinearLR\n"},
        {"exponential", torch + "ExponentialLR\ngamma: 0.99\n"},
        {"polynomial", torch + "PolynomialLR\n"},
        {"polynomial_square", torch + "PolynomialLR\ntotal_iters: 300\npower: 2\n"},
        {"cosine", torch + "CosineAnnealingLR\nT_max: 60\n"},
        {"warm_restarts_floor", torch + "CosineAnnealingWarmRestarts\nT_0: 11\nT_mult: 3\neta_min: 0.02\n"},
        {"one_cycle", torch + "OneCycleLR\nmax_lr: 0.3\n"},
        {"one_cycle_linear", torch + "OneCycleLR\nmax_lr: 0.3\nepochs: 50\nsteps_per_epoch: 10\npct_start: 0.1\n"
                                     "anneal_strategy: linear\nbase_momentum: 0.5\nmax_momentum: 0.7\n"},
        {"sgd_one_cycle_groups", torch + "OneCycleLR\nmax_lr: [0.3, 3.0]\ntotal_steps: 500\n"
                                         "base_momentum: [0.8, 0.6]\nmax_momentum: [0.9, 0.7]\n"},
        {"cyclic", torch + "CyclicLR\nbase_lr: 0.01\nmax_lr: 0.1\nstep_size_up: 20\n"},
        {"cyclic_half", torch + "CyclicLR\nbase_lr: 0.01\nmax_lr: 0.2\nstep_size_up: 13\nstep_size_down: 29\n"
                                "mode: triangular2\n"},
        {"cyclic_exponential", torch + "CyclicLR\nbase_lr: 0.01\nmax_lr: 0.3\nstep_size_up: 40\nmode: exp_range\n"
                                       "gamma: 0.99\ncycle_momentum: false\n"},
        {"plateau", torch + "ReduceLROnPlateau\n"},
        {"plateau_absolute", torch + "ReduceLROnPlateau\nfactor: 0.8\npatience: 2\nthreshold: 0.01\n"
                                     "threshold_mode: abs\ncooldown: 5\nmin_lr: 0.01\n"},
        {"sgd_plateau_groups", torch + "ReduceLROnPlateau\npatience: 3\nfactor: 0.5\nmin_lr: [0.02, 0.001]\n"},
        {"lambda_exponential", lambda + "exponential, gamma: 0.95}\n"},
        {"lambda_step", lambda + "step, step_size: 30, gamma: 0.5}\n"},
        {"lambda_constant", lambda + "constant, factor: 0.25}\n"},
        {"lambda_inverse_sqrt", lambda + "inverse_sqrt, warmup_steps: 40}\n"},
        {"lambda_linear", lambda + "linear, warmup_steps: 10, total_steps: 400}\n"},
        {"lambda_cosine", lambda + "cosine, warmup_steps: 10, total_steps: 400}\n"},
        {"multiplicative",
         torch + "MultiplicativeLR\nlr_lambda:\n  - {_target_: audyn.optim.lr_lambda.constant, factor: 0.99}\n"},
        {"swa", "_target_: torch.optim.swa_utils.SWALR\nswa_lr: 0.05\n"},
        {"sgd_swa_groups", "_target_: torch.optim.swa_utils.SWALR\nswa_lr: [0.01, 0.5]\nanneal_epochs: 37\n"},
        {"transformer", audyn + "TransformerLRScheduler\nd_model: 512\n"},
        {"transformer_short", audyn + "NoamLR\nd_model: 256\nwarmup_steps: 50\n"},
        {"burn_in", audyn + "BurnInLRScheduler\nburnin_step: 20\nburnin_scale: 0.01\n"},
        {"passt", audyn + "ExponentialWarmupLinearCooldownLRScheduler\nwarmup_steps: 5\nsuspend_steps: 45\n"
                          "cooldown_steps: 50\nlast_factor: 1.0e-2\n"},
        {"chained", torch + "ChainedScheduler\nschedulers:\n"
                            "  - {_target_: torch.optim.lr_scheduler.ConstantLR, factor: 0.1, total_iters: 20}\n"
                            "  - {_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.99, _partial_: true}\n"},
        {"sequential", torch + "SequentialLR\nmilestones: [20]\nschedulers:\n"
                               "  - {_target_: torch.optim.lr_scheduler.ConstantLR, factor: 0.1, total_iters: 20}\n"
                               "  - {_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.9}\n"},
        // T_max is what the warm-up leaves of the run.
        {"warmup_cosine", audyn + "linear_warmup\nwarmup_steps: 7\nstart_factor: 0.01\n"
                                  "scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR, eta_min: 1e-4}\n"},
    };
}

} // namespace

TEST_CASE("schedulers are built from Python's names and arguments") {
    const auto cases = scheduler_cases::cases();
    for (const auto& [name, text] : texts()) {
        CAPTURE(name);
        const auto optimizer = scheduler_cases::make_optimizer(name);
        const auto scheduler = targets().build<SchedulerFactory>(config(text))(*optimizer, 500);
        const auto same = scheduler_cases::make_optimizer(name);
        const auto expected = cases.at(name)(*same);
        for (int64_t step = 0; step < 100; ++step) {
            for (std::size_t g = 0; g < same->groups().size(); ++g) {
                CHECK(optimizer->groups()[g].lr == same->groups()[g].lr);
                CHECK(optimizer->groups()[g].momentum == same->groups()[g].momentum);
            }
            scheduler_cases::advance(*scheduler, step);
            scheduler_cases::advance(*expected, step);
        }
    }
}

TEST_CASE("the metric that a plateau scheduler follows is named in the configuration") {
    const auto optimizer = scheduler_cases::make_optimizer("plateau");
    const std::string plateau = "{_target_: torch.optim.lr_scheduler.ReduceLROnPlateau, mode: max, monitor: "
                                "validation/accuracy}";
    const auto scheduler = targets().build<SchedulerFactory>(
        config("_target_: audyn.optim.lr_scheduler.linear_warmup\nwarmup_steps: 3\nscheduler: " + plateau + "\n"))(
        *optimizer, 100);
    CHECK(scheduler->needs_metric());
    CHECK(scheduler->monitor() == "validation/accuracy");
}

TEST_CASE("a program's own function serves as lr_lambda") {
    audyn::adapter::Targets all = targets();
    all.add_function<audyn::optim::LRLambda>("Halve", audyn::constructor<double>(audyn::arg("factor") = 0.5),
                                             [](double factor) -> audyn::optim::LRLambda {
                                                 return [factor](int64_t step) { return step == 0 ? 1.0 : factor; };
                                             });
    const auto optimizer = scheduler_cases::make_optimizer("lambda");
    const auto scheduler = all.build<SchedulerFactory>(
        config("_target_: torch.optim.lr_scheduler.LambdaLR\nlr_lambda: {_target_: Halve}\n"))(*optimizer, 100);
    scheduler->step();
    CHECK(scheduler->last_lr()[0] == 0.05);
}

TEST_CASE("a program's own function serves as CyclicLR's scale_fn") {
    audyn::adapter::Targets all = targets();
    using Function = std::function<double(double)>;
    all.add_function<Function>("Shrink", audyn::constructor<double>(audyn::arg("by")), [](double by) -> Function {
        return [by](double cycle) { return std::pow(by, cycle); };
    });
    const std::string text = "_target_: torch.optim.lr_scheduler.CyclicLR\nbase_lr: 0.1\nmax_lr: 1.1\n"
                             "step_size_up: 1\n";
    const auto optimizer = scheduler_cases::make_optimizer("cyclic");
    const auto scheduler =
        all.build<SchedulerFactory>(config(text + "scale_fn: {_target_: Shrink, by: 0.5}\n"))(*optimizer, 100);
    scheduler->step();
    CHECK(scheduler->last_lr()[0] == doctest::Approx(0.1 + 0.5));
    check_error(text + "scale_fn: {_target_: audyn.optim.lr_lambda.constant, factor: 1}\n", "what fits: none");
}

TEST_CASE("mistakes in a scheduler's configuration name what would work") {
    const std::string prefix = "_target_: torch.optim.lr_scheduler.";
    check_error(prefix + "ReduceLROnPlateau\nmode: mni\n", "mode must be 'min' or 'max', got 'mni'");
    check_error(prefix + "ReduceLROnPlateau\nthreshold_mode: relative\n", "must be 'rel' or 'abs', got 'relative'");
    check_error(prefix + "CyclicLR\nbase_lr: 0\nmax_lr: 1\nmode: saw\n", "'triangular', 'triangular2' or 'exp_range'");
    check_error(prefix + "CyclicLR\nbase_lr: 0\nmax_lr: 1\nscale_mode: step\n", "'cycle' or 'iterations'");
    check_error(prefix + "OneCycleLR\nmax_lr: 1\nanneal_strategy: cosine\n", "must be 'cos' or 'linear', got 'cosine'");
    check_error("_target_: torch.optim.swa_utils.SWALR\nswa_lr: 1\nanneal_strategy: lin\n", "'cos' or 'linear'");
    check_error(prefix + "StepLR\nstep_size: 3\nlast_epoch: 7\n", "train.resume.continue_from");
    check_error(prefix + "OneCycleLR\nmax_lr: fast\n", "float or list of float");
    check_error(prefix + "LambdaLR\nlr_lambda: 3\n", "which says what to build: audyn.optim.lr_lambda.constant, ");
    check_error(prefix + "LambdaLR\nlr_lambda: {_target_: cosine}\n", "did you mean 'audyn.optim.lr_lambda.cosine'?");
    check_error(prefix + "SequentialLR\nmilestones: [3]\nschedulers: [{_target_: torch.optim.lr_scheduler.StepLR}]\n",
                "step_size");
}

TEST_CASE("schedules are as long as the run") {
    const auto build = [](const std::string& text, int64_t run_steps) {
        const auto optimizer = scheduler_cases::make_optimizer("one_cycle");
        return targets().build<SchedulerFactory>(config(text))(*optimizer, run_steps);
    };
    const std::string prefix = "_target_: torch.optim.lr_scheduler.";
    for (const char* steps : {"total_steps: 20", "epochs: 5\nsteps_per_epoch: 4"}) {
        const std::string text = prefix + "OneCycleLR\nmax_lr: 1\n" + steps + "\n";
        CHECK_THROWS_WITH_AS((void)build(text, 21), doctest::Contains("OneCycleLR has 20 steps, and the run 21"),
                             audyn::UsageError);
        CHECK_NOTHROW((void)build(text, 20));
    }
    CHECK_THROWS_WITH_AS((void)build(prefix + "OneCycleLR\nmax_lr: 1\nepochs: 5\n", 20),
                         doctest::Contains("give epochs and steps_per_epoch together"), audyn::UsageError);
    // The last part has what is left, and a run that ends before is none the worse.
    const std::string cosine = "{_target_: torch.optim.lr_scheduler.CosineAnnealingLR}";
    const std::string sequential =
        prefix + "SequentialLR\nmilestones: [4, 10]\nschedulers: [" + cosine + ", " + cosine + ", " + cosine + "]\n";
    const std::string warmup =
        "_target_: audyn.optim.lr_scheduler.linear_warmup\nwarmup_steps: 10\nscheduler: " + cosine + "\n";
    const auto lengths = [&](const std::string& text, int64_t run_steps) {
        std::vector<int64_t> result;
        const audyn::StateDict state = build(text, run_steps)->state_dict();
        for (const auto& part : state.at("_schedulers").as_list()) {
            const auto* const length = part.as_dict().find("T_max");
            result.push_back(length == nullptr ? 0 : length->as_int());
        }
        return result;
    };
    CHECK(lengths(sequential, 30) == std::vector<int64_t>{4, 6, 20});
    CHECK(lengths(sequential, 1) == std::vector<int64_t>{4, 6, 1});
    CHECK(lengths(warmup, 30) == std::vector<int64_t>{0, 20});
    CHECK(lengths(warmup, 1) == std::vector<int64_t>{0, 1});
    CHECK_THROWS_WITH_AS((void)build("_target_: audyn.optim.lr_scheduler.linear_warmup\nwarmup_steps: 0\n", 9),
                         doctest::Contains("warmup_steps must be at least 1"), audyn::UsageError);
}
