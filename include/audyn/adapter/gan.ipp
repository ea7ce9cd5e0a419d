#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/gan.hpp>
#include <audyn/adapter/multi_optimizers.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

AUDYN_INLINE bool names_gan_trainer(const Config& config) {
    const auto name = config.get_optional<std::string>("train.trainer._target_");
    return name == "audyn.utils.driver.GANTrainer" || name == "audyn.utils.driver.gan.GANTrainer";
}

AUDYN_INLINE bool is_gan(const Config& config) {
    const auto name = config.get_optional<std::string>("train.trainer._target_");
    return names_gan_trainer(config) || (name && *name != "audyn.utils.driver.BaseTrainer" &&
                                         config.contains("model.generator") && config.contains("model.discriminator"));
}

} // namespace audyn::adapter

namespace audyn::adapter::detail {

/// What is written replaces the default names.
AUDYN_INLINE void read_key_mapping(const Config& train, const std::string& kind, trainer::KeyMapping& mapping) {
    if (auto written = key_mapping(train, kind)) {
        mapping.input = std::move(written->input);
        mapping.output = written->output ? std::move(written->output) : std::move(mapping.output);
    }
}

AUDYN_INLINE trainer::GANKeyMapping gan_key_mapping(const Config& train, const std::string& phase) {
    const auto check_keys = [&](const std::string& key, const std::vector<std::string>& known) {
        if (const auto node = train.find("key_mapping." + key); node && !node->is_null()) {
            check_entry_keys(*node, known);
        }
    };
    check_keys(phase, {"generator", "discriminator"});
    check_keys(phase + ".discriminator", {"fake", "real"});
    trainer::GANKeyMapping mapping;
    read_key_mapping(train, phase + ".generator", mapping.generator);
    read_key_mapping(train, phase + ".discriminator.fake", mapping.fake);
    read_key_mapping(train, phase + ".discriminator.real", mapping.real);
    return mapping;
}

/// What a group has for one side; nothing where it is written for both.
AUDYN_INLINE std::optional<Config> side_node(const Config& train, const std::string& group, const std::string& side) {
    const auto node = train.find(group);
    return node && node->is_dict() ? node->find_key(side) : std::nullopt;
}

AUDYN_INLINE void read_side(const Config& train, const std::string& name, const Targets& targets,
                            trainer::GANSideOptions& side, config::Mistakes& mistakes) {
    mistakes.attempt([&] {
        if (const auto node = side_node(train, "clip_gradient", name)) {
            if (!node->is_null()) {
                side.clip_gradient = targets.build<optim::GradClipper>(*node);
            }
        }
    });
    mistakes.attempt([&] {
        if (const auto node = side_node(train, "steps.lr_scheduler", name)) {
            side.lr_scheduler = scheduler_interval(*node);
        }
    });
    mistakes.attempt([&] { side.steps = train.get_optional<int64_t>("steps." + name).value_or(1); });
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE trainer::GANOptions gan_options(const Config& config, const Targets& targets,
                                             const trainer::TrainerOptions& options, config::Mistakes& mistakes) {
    const Config train = config["train"];
    trainer::GANOptions gan;
    detail::read_side(train, "generator", targets, gan.generator, mistakes);
    detail::read_side(train, "discriminator", targets, gan.discriminator, mistakes);
    mistakes.attempt([&] { gan.key_mapping = detail::gan_key_mapping(train, "train"); });
    mistakes.attempt([&] {
        if (const auto node = train.find("key_mapping.validation"); node && !node->is_null()) {
            gan.validation_key_mapping = detail::gan_key_mapping(train, "validation");
        }
    });
    mistakes.attempt([&] {
        try {
            gan.check(options);
        } catch (const UsageError& error) {
            throw train["steps"].error(error.what());
        }
    });
    return gan;
}

AUDYN_INLINE void check_gan_schedulers(const Config& config) {
    const auto group = config.find_key("lr_scheduler");
    if (!group || !has_lr_scheduler(*group)) {
        return;
    }
    if (!group->is_dict()) {
        throw group->error("must have `generator` and `discriminator`, each a scheduler or null");
    }
    detail::check_entry_keys(*group, {"generator", "discriminator"});
}

AUDYN_INLINE void check_gan_criteria(const Config& config, config::Mistakes& mistakes) {
    std::vector<std::string> names;
    for (const char* const side : {"generator", "discriminator"}) {
        const std::size_t before = names.size();
        mistakes.attempt([&] {
            const std::string key = std::string("criterion.") + side;
            detail::for_each_criterion(
                config, key, [&](const std::string& name, const Config& node, const Config* entry) {
                    mistakes.attempt([&] {
                        if (!entry || detail::argument_mapping(*entry, "estimated").empty()) {
                            throw node.error(
                                "does not say which outputs it takes: write " + key +
                                ".NAME.{criterion,key_mapping}, with key_mapping.estimated: {input: fake_prob}");
                        }
                        if (std::find(names.begin(), names.end(), name) != names.end()) {
                            throw node.error(
                                "has the name of another criterion of the GAN: metrics need names of their own");
                        }
                    });
                    names.push_back(name);
                });
            if (names.size() == before) {
                throw config.at("criterion")
                    .error("needs criteria for the " + std::string(side) + ": set `" + key + "`");
            }
        });
    }
}

} // namespace audyn::adapter
