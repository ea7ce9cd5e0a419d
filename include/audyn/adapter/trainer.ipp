#pragma once

#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/gan.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace audyn::adapter::detail {

AUDYN_INLINE trainer::MonitorMode monitor_mode(const std::string& mode) {
    if (mode != "min" && mode != "max") {
        throw UsageError("mode must be 'min' or 'max', got '" + mode + "'");
    }
    return mode == "min" ? trainer::MonitorMode::min : trainer::MonitorMode::max;
}

/// \throws UsageError also for an option of another mode, which would have no effect.
AUDYN_INLINE optim::GradClipper make_grad_clipper(const std::string& mode_name, std::optional<double> clip_value,
                                                  const std::optional<OneOrMore<double>>& max_norm,
                                                  std::optional<double> norm_type, bool error_if_nonfinite,
                                                  std::optional<double> clip_factor, std::optional<double> eps) {
    using optim::ClipMode;
    const ClipMode mode = optim::clip_modes.mode(mode_name);
    const auto refuse = [&](const char* option, bool is_given, bool is_taken) {
        if (is_given && !is_taken) {
            throw UsageError("clipping by mode '" + mode_name + "' takes no " + option + "; leave it out");
        }
    };
    refuse("clip_value", clip_value.has_value(), mode == ClipMode::value);
    refuse("max_norm", max_norm.has_value(), mode == ClipMode::norm || mode == ClipMode::group_norm);
    refuse("norm_type", norm_type.has_value(), mode != ClipMode::value);
    refuse("error_if_nonfinite", error_if_nonfinite, mode != ClipMode::value);
    refuse("clip_factor", clip_factor.has_value(), mode == ClipMode::adaptive);
    refuse("eps", eps.has_value(), mode == ClipMode::adaptive);
    const optim::GradClipperOptions defaults(mode);
    return optim::GradClipper(optim::GradClipperOptions(mode)
                                  .clip_value(clip_value.value_or(defaults.clip_value()))
                                  .max_norm(max_norm ? max_norm->values : defaults.max_norm())
                                  .norm_type(norm_type.value_or(defaults.norm_type()))
                                  .error_if_nonfinite(error_if_nonfinite)
                                  .clip_factor(clip_factor.value_or(defaults.clip_factor()))
                                  .eps(eps.value_or(defaults.eps())));
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_trainer_targets(Targets& targets) {
    using optim::GradClipper;
    using optim::GradClipperOptions;
    targets.add_function<GradClipper>(
        "audyn.utils.GradClipper",
        constructor<std::string, std::optional<double>, std::optional<OneOrMore<double>>, std::optional<double>, bool,
                    std::optional<double>, std::optional<double>>(
            arg("mode"), arg("clip_value") = std::optional<double>(),
            arg("max_norm") = std::optional<OneOrMore<double>>(), arg("norm_type") = std::optional<double>(),
            arg("error_if_nonfinite") = false, arg("clip_factor") = std::optional<double>(),
            arg("eps") = std::optional<double>()),
        detail::make_grad_clipper);
    targets.add_function<GradClipper>(
        "torch.nn.utils.clip_grad_norm_",
        constructor<double, double, bool, Unsupported>(
            arg("max_norm"), arg("norm_type") = 2.0, arg("error_if_nonfinite") = false, arg("foreach") = Unsupported()),
        [](double max_norm, double norm_type, bool error_if_nonfinite, Unsupported) {
            return GradClipper(GradClipperOptions(optim::ClipMode::norm)
                                   .max_norm(max_norm)
                                   .norm_type(norm_type)
                                   .error_if_nonfinite(error_if_nonfinite));
        });
    targets.add_function<GradClipper>(
        "torch.nn.utils.clip_grad_value_",
        constructor<double, Unsupported>(arg("clip_value"), arg("foreach") = Unsupported()),
        [](double clip_value, Unsupported) {
            return GradClipper(GradClipperOptions(optim::ClipMode::value).clip_value(clip_value));
        });
    targets.add_function<std::shared_ptr<trainer::Callback>>(
        "audyn.EarlyStopping",
        constructor<std::string, int64_t, double, std::string>(arg("monitor") = "validation/total", arg("patience") = 3,
                                                               arg("min_delta") = 0.0, arg("mode") = "min"),
        [](std::string monitor, int64_t patience, double min_delta, const std::string& mode) {
            return std::make_shared<trainer::EarlyStopping>(
                trainer::EarlyStoppingOptions{std::move(monitor), patience, min_delta, detail::monitor_mode(mode)});
        });
}

AUDYN_INLINE trainer::SchedulerInterval scheduler_interval(const Config& node) {
    if (node.is_null()) {
        return trainer::SchedulerInterval::never;
    }
    const auto name = node.as<std::string>();
    if (name != "iteration" && name != "epoch") {
        throw node.error("must be 'iteration', 'epoch' or null (never), not '" + name + "'");
    }
    return name == "epoch" ? trainer::SchedulerInterval::epoch : trainer::SchedulerInterval::iteration;
}

AUDYN_INLINE void set_steps(const Config& steps, trainer::TrainerOptions& options, bool of_gan) {
    const auto epochs = steps.get_optional<int64_t>("epochs");
    const auto iterations = steps.get_optional<int64_t>("iterations");
    const auto by_user = [&](const char* key) { return !steps.at(key).location().is_builtin(); };
    if (epochs && iterations && by_user("epochs") == by_user("iterations")) {
        throw steps.at("epochs").error("`epochs` and `iterations` are both set (" +
                                       steps.at("iterations").location().to_string() +
                                       "); set one of them, and the other to null");
    }
    if (!epochs && !iterations) {
        throw steps.error("set `" + steps.path() + ".epochs` or `" + steps.path() + ".iterations`");
    }
    if (epochs && (!iterations || by_user("epochs"))) {
        options.max_epochs(*epochs);
    } else {
        options.max_iterations(*iterations);
    }
    options.gradient_accumulation(steps.get_optional<int64_t>("gradient_accumulation").value_or(1));
    const auto interval = steps.find("lr_scheduler");
    const bool is_by_side = of_gan && interval && interval->is_dict();
    options.lr_scheduler(interval && !is_by_side ? scheduler_interval(*interval) : trainer::SchedulerInterval::never);
}

AUDYN_INLINE trainer::BatchLimit batch_limit(const Config& config, const std::string& key) {
    const auto node = config.find(key);
    if (!node || node->is_null()) {
        return {};
    }
    try {
        return node->is_integer() ? trainer::BatchLimit(node->as<int64_t>()) : trainer::BatchLimit(node->as<double>());
    } catch (const UsageError& error) {
        throw node->error(error.what());
    }
}

AUDYN_INLINE trainer::OutputNames output_names(const Config& node) {
    if (!node.is_list()) {
        return node.as<std::string>();
    }
    trainer::OutputNames names;
    for (const Config& element : node.elements()) {
        names.items.push_back(output_names(element));
    }
    return names;
}

AUDYN_INLINE std::optional<trainer::KeyMapping> key_mapping(const Config& config, const std::string& kind) {
    const auto node = config.find("key_mapping." + kind);
    if (!node || node->is_null()) {
        return std::nullopt;
    }
    detail::check_entry_keys(*node, {"input", "output", "identifier"});
    trainer::KeyMapping mapping;
    if (const auto input = node->find("input"); input && !input->is_null()) {
        for (const auto& [argument, name] : input->items()) {
            if (!name.is_null()) {
                mapping.input.emplace_back(argument, name.as<std::string>());
            }
        }
    }
    if (const auto output = node->find("output"); output && !output->is_null()) {
        mapping.output = output_names(*output);
    }
    return mapping;
}

} // namespace audyn::adapter

namespace audyn::adapter::detail {

AUDYN_INLINE checkpoint::AsyncSave async_save(const Config& node) {
    if (node.is_bool()) {
        return node.as<bool>() ? checkpoint::AsyncSave::wait : checkpoint::AsyncSave::off;
    }
    const auto name = node.as<std::string>();
    if (name != "wait" && name != "skip") {
        throw node.error_unknown("way to save", name, {"wait", "skip", "false"});
    }
    return name == "wait" ? checkpoint::AsyncSave::wait : checkpoint::AsyncSave::skip;
}

AUDYN_INLINE checkpoint::SaveFailure save_failure(const Config& node) {
    const auto name = node.as<std::string>();
    if (name != "stop" && name != "proceed") {
        throw node.error_unknown("reaction", name, {"stop", "proceed"});
    }
    return name == "stop" ? checkpoint::SaveFailure::stop : checkpoint::SaveFailure::proceed;
}

AUDYN_INLINE checkpoint::PeriodicCheckpoint periodic_checkpoint(const Config& entry) {
    check_entry_keys(entry, {"every", "path"});
    return {entry.get<int64_t>("every"), entry.get<std::string>("path")};
}

AUDYN_INLINE std::string checkpoint_path(const Config& entry) {
    check_entry_keys(entry, {"path"});
    return entry.get<std::string>("path");
}

AUDYN_INLINE std::optional<checkpoint::TopKCheckpoints> top_k_checkpoints(const Config& entry) {
    check_entry_keys(entry, {"k", "path", "monitor", "mode"});
    const auto k = entry.get_optional<int64_t>("k");
    if (!k) {
        return std::nullopt;
    }
    checkpoint::TopKCheckpoints top_k{*k, entry.get<std::string>("path")};
    top_k.monitor = entry.get_optional<std::string>("monitor").value_or(top_k.monitor);
    if (const auto mode = entry.find("mode"); mode && !mode->is_null()) {
        const auto name = mode->as<std::string>();
        if (name != "min" && name != "max") {
            throw mode->error_unknown("mode", name, {"min", "max"});
        }
        top_k.mode = monitor_mode(name);
    }
    return top_k;
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE checkpoint::SaveCheckpoint save_checkpoint(const Config& config) {
    const auto node = config.find("output.save_checkpoint");
    checkpoint::SaveCheckpoint entries;
    if (!node || node->is_null()) {
        return entries;
    }
    const EntryReaders readers{
        {"iteration", [&](const Config& entry) { entries.iteration = detail::periodic_checkpoint(entry); }},
        {"epoch", [&](const Config& entry) { entries.epoch = detail::periodic_checkpoint(entry); }},
        {"last", [&](const Config& entry) { entries.last = detail::checkpoint_path(entry); }},
        {"best_epoch", [&](const Config& entry) { entries.best_epoch = detail::checkpoint_path(entry); }},
        {"every_seconds", [&](const Config& entry) { entries.every_seconds = entry.as<double>(); }},
        {"keep_last", [&](const Config& entry) { entries.keep_last = entry.as<int64_t>(); }},
        {"top_k", [&](const Config& entry) { entries.top_k = detail::top_k_checkpoints(entry); }},
        {"async", [&](const Config& entry) { entries.async = detail::async_save(entry); }},
        {"save_on_exception", [&](const Config& entry) { entries.save_on_exception = entry.as<bool>(); }},
        {"on_failure", [&](const Config& entry) { entries.on_failure = detail::save_failure(entry); }}};
    read_entries(*node, readers, "entry of save_checkpoint");
    try {
        entries.check();
    } catch (const UsageError& error) {
        throw node->error(error.what());
    }
    return entries;
}

AUDYN_INLINE std::vector<SignalAction> signal_actions(const Config& config) {
    const auto node = config.find("signals");
    std::vector<SignalAction> actions;
    if (!node || node->is_null()) {
        return actions;
    }
    for (const auto& [name, reaction] : node->items()) {
        const auto signal = std::find_if(core::known_signals.begin(), core::known_signals.end(),
                                         [&, key = std::string(name)](const auto& one) { return one.first == key; });
        if (signal == core::known_signals.end()) {
            std::vector<std::string> known;
            for (const auto& one : core::known_signals) {
                known.emplace_back(one.first);
            }
            throw reaction.error_unknown("signal", name, known);
        }
        if (reaction.is_null()) {
            continue;
        }
        const auto what = reaction.as<std::string>();
        if (what != "save" && what != "save_and_exit") {
            throw reaction.error_unknown("reaction", what, {"save", "save_and_exit"});
        }
        actions.push_back({signal->second, what == "save" ? SignalReaction::save : SignalReaction::save_and_exit});
    }
    return actions;
}

AUDYN_INLINE void set_clip_gradient(const Config& train, const Targets& targets, trainer::TrainerOptions& options,
                                    bool of_gan) {
    const auto node = train.find("clip_gradient");
    const auto is_by_side = [&] { return node->contains("generator") || node->contains("discriminator"); };
    if (node && !node->is_null() && !node->is_dict()) {
        throw node->error("must be what clips, as {_target_: audyn.utils.GradClipper, mode: norm, max_norm: 1.0}");
    }
    if (!node || node->is_null() || node->size() == 0 || (of_gan && is_by_side())) {
        return;
    }
    options.clip_gradient(targets.build<optim::GradClipper>(*node));
}

AUDYN_INLINE trainer::TrainerOptions trainer_options(const Config& config, const Targets& targets,
                                                     config::Mistakes& mistakes) {
    const Config train = config["train"];
    const bool of_gan = is_gan(config);
    trainer::TrainerOptions options;
    mistakes.attempt([&] { set_steps(train["steps"], options, of_gan); });
    mistakes.attempt([&] { options.device(device(config)); });
    mistakes.attempt(
        [&] { options.log_every_n_iterations(train.get_optional<int64_t>("log_every_n_iterations").value_or(10)); });
    mistakes.attempt([&] { options.limit_train_batches(batch_limit(train, "limit_train_batches")); });
    mistakes.attempt([&] { options.limit_validation_batches(batch_limit(train, "limit_validation_batches")); });
    mistakes.attempt([&] { options.fast_dev_run(train.get_optional<bool>("fast_dev_run").value_or(false)); });
    mistakes.attempt([&] { options.save_checkpoint(save_checkpoint(train)); });
    mistakes.attempt([&] { options.signals(signal_actions(train)); });
    mistakes.attempt([&] {
        if (const auto node = train.find("key_mapping"); node && !node->is_null()) {
            detail::check_entry_keys(*node, {"train", "validation", "inference"});
        }
    });
    if (!of_gan) { // Its mappings are the GANOptions'.
        mistakes.attempt([&] {
            if (const auto mapping = key_mapping(train, "train")) {
                options.key_mapping(*mapping);
            }
        });
        mistakes.attempt([&] {
            if (const auto mapping = key_mapping(train, "validation")) {
                options.validation_key_mapping(*mapping);
            }
        });
    }
    mistakes.attempt([&] { set_clip_gradient(train, targets, options, of_gan); });
    mistakes.attempt([&] {
        try {
            options.check();
        } catch (const UsageError& error) {
            throw train.error(error.what());
        }
    });
    return options;
}

} // namespace audyn::adapter
