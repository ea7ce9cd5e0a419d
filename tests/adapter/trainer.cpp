#include "yaml_config.hpp"

#include <audyn/adapter/checkpoint.hpp>
#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/targets.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_CASE("what the user sets of epochs and iterations displaces the built-in default of the other") {
    const auto steps = [](const std::vector<std::string>& overrides) {
        const auto composed = audyn::config::compose(audyn::config::builtin_search_path(), "config", overrides, {});
        audyn::TrainerOptions options;
        audyn::adapter::set_steps(composed["train"]["steps"], options);
        return options;
    };
    CHECK(steps({}).max_iterations() == 100000);
    const auto epochs = steps({"train.steps.epochs=3"});
    CHECK(epochs.max_epochs() == 3);
    CHECK_FALSE(epochs.max_iterations());
    CHECK(steps({"train.steps.iterations=7"}).max_iterations() == 7);
    CHECK(steps({"train.steps.epochs=3", "train.steps.iterations=null"}).max_epochs() == 3);
    CHECK_THROWS_WITH_AS(steps({"train.steps.epochs=3", "train.steps.iterations=7"}), doctest::Contains("both set"),
                         audyn::ConfigError);
    CHECK_THROWS_WITH_AS(steps({"train.steps.lr_scheduler=epochs"}), doctest::Contains("'epoch'"), audyn::ConfigError);
}

TEST_CASE("what clips gradients is a target, or nothing") {
    audyn::Targets all;
    audyn::adapter::add_trainer_targets(all);
    const auto clipper = [&](const std::string& text) {
        audyn::TrainerOptions options;
        audyn::adapter::set_clip_gradient(config("clip_gradient: " + text + "\n"), all, options);
        return options.clip_gradient();
    };
    CHECK_FALSE(clipper("null"));
    CHECK_FALSE(clipper("{}"));
    CHECK(clipper("{_target_: torch.nn.utils.clip_grad_value_, clip_value: 0.5}")->options().clip_value() == 0.5);
    CHECK_THROWS_WITH_AS((void)clipper("1.0"), doctest::Contains("{_target_: audyn.utils.GradClipper, mode: norm, "),
                         audyn::ConfigError);
    CHECK_THROWS_WITH_AS((void)clipper("{max_norm: 1}"), doctest::Contains("torch.nn.utils.clip_grad_norm_"),
                         audyn::ConfigError);
}

TEST_CASE("mixed precision follows the device unless a dtype is named") {
    const auto dtype = [](const std::string& amp) {
        return audyn::adapter::amp_dtype(config("system: {accelerator: cpu, amp: " + amp + "}"));
    };
    CHECK_FALSE(dtype("{enable: null, dtype: null}"));
    CHECK((dtype("{enable: true, dtype: null}") == at::kBFloat16));
    CHECK((dtype("{enable: true, dtype: '${const:torch.float16}'}") == at::kHalf));
    CHECK_THROWS_AS((void)dtype("{enable: true, dtype: '${const:torch.int64}'}"), audyn::ConfigError);
}

TEST_CASE("system settings that do not exist here say what to choose instead") {
    const auto check = [](const std::string& text, const char* words) {
        CHECK_THROWS_WITH_AS(audyn::setup_config(config("system: " + text)), doctest::Contains(words),
                             audyn::ConfigError);
    };
    check("{accelerator: cuda}", "choose system=cpu");
    check("{accelerator: mps}", "choose system=cpu");
    check("{accelerator: tpu}", "tpu");
    check("{compile: {enable: true}}", "torch.compile");
    check("{num_threads: 0}", "at least one thread");
    check("{distributed: {enable: true}}", "several processes");
}

TEST_CASE("criteria are read in Audyn's form and alone") {
    audyn::Targets all;
    audyn::adapter::add_criterion_targets(all);
    const auto criteria = audyn::adapter::build_criteria(
        config("criterion:\n  _target_: audyn.criterion.MultiCriteria\n"
               "  mse:\n    criterion: {_target_: torch.nn.MSELoss}\n    weight: 0.5\n"
               "    key_mapping: {estimated: {input: x}, target: {target: y}}\n"
               "  _hidden: {a: 1}\n  ce:\n    criterion: {_target_: torch.nn.CrossEntropyLoss}\n"),
        all);
    REQUIRE(criteria.size() == 2);
    CHECK(criteria[0].name == "ce");
    CHECK(criteria[1].weight == 0.5);
    CHECK(criteria[1].estimated[0].second == "x");
    const auto alone = audyn::adapter::build_criteria(config("criterion: {_target_: torch.nn.L1Loss}"), all);
    CHECK(alone[0].name == "loss");
    CHECK_THROWS_AS((void)audyn::adapter::build_criteria(config("criterion: {mse: {weight: 1}}"), all),
                    audyn::ConfigError);
}

TEST_CASE("a configuration becomes a state dictionary with its types") {
    const auto state = audyn::adapter::resolved_config(
        config("a: 1\nb: {c: [1.5, true, null, x]}\nd: ${b.c}\ne: ${const:torch.float16}\n"));
    CHECK(state.at("a").as_int() == 1);
    CHECK(state.at("d").as_list()[0].as_float() == 1.5);
    CHECK(state.at("d").as_list()[2].is_none());
    CHECK(state.at("e").as_string() == "torch.float16");
}
