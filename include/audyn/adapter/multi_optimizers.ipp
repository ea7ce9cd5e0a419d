#pragma once

#include <audyn/adapter/entries.hpp>
#include <audyn/adapter/moving_average.hpp>
#include <audyn/adapter/multi_optimizers.hpp>
#include <audyn/adapter/schedulers.hpp>
#include <audyn/adapter/trainer.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/multi_lr_schedulers.hpp>
#include <audyn/optim/multi_optimizers.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_set>
#include <utility>

namespace audyn::adapter::detail {

/// An entry of a list, and the name that it has or that its place gives it.
struct NamedEntry {
    std::string name;
    Config node;
};

AUDYN_INLINE std::vector<NamedEntry> named_entries(const Config& list) {
    std::vector<NamedEntry> entries;
    for (const Config& node : list.elements()) {
        if (!node.is_dict()) {
            throw node.error("must be a dictionary, an entry of the list of optimizers or of their schedulers");
        }
        auto name = node.get_optional<std::string>("name").value_or(std::to_string(entries.size()));
        entries.push_back({std::move(name), node});
    }
    return entries;
}

AUDYN_INLINE std::vector<std::string> names_of(const std::vector<NamedEntry>& entries) {
    std::vector<std::string> names;
    for (const NamedEntry& entry : entries) {
        names.push_back(entry.name);
    }
    return names;
}

AUDYN_INLINE void check_names(const std::vector<NamedEntry>& entries, const char* what) {
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        if (std::any_of(entries.begin(), entry, [&](const NamedEntry& before) { return before.name == entry->name; })) {
            throw entry->node.error(std::string("is the second ") + what + " of the name '" + entry->name +
                                    "'; each needs its own");
        }
    }
}

AUDYN_INLINE std::vector<std::string> module_names(const NamedEntry& entry) {
    const Config modules = entry.node.at("modules");
    auto names = modules.is_list() ? modules.as<std::vector<std::string>>()
                                   : std::vector<std::string>{modules.as<std::string>()};
    if (names.empty()) {
        throw modules.error("must name at least one module of the model");
    }
    return names;
}

/// Whether `name` is the path of a parameter, or of a part of a module, within `module`.
AUDYN_INLINE bool is_within(const std::string& module, const std::string& name) {
    return name.starts_with(module) && (name.size() == module.size() || name[module.size()] == '.');
}

/// Those of `tensors` within one of the entry's modules, in the order of these, as Audyn takes them.
AUDYN_INLINE optim::NamedParameters tensors_within(const std::vector<std::string>& modules,
                                                   const optim::NamedParameters& tensors) {
    optim::NamedParameters found;
    for (const std::string& module : modules) {
        for (const auto& tensor : tensors) {
            if (is_within(module, tensor.key()) && !found.contains(tensor.key())) {
                found.insert(tensor.key(), tensor.value());
            }
        }
    }
    return found;
}

/// \throws ConfigError for a module that has no parameters, or that does not exist.
AUDYN_INLINE void check_modules(const NamedEntry& entry, const std::vector<std::string>& modules,
                                const optim::NamedParameters& parameters) {
    std::vector<std::string> known;
    for (const auto& parameter : parameters) {
        std::string module = parameter.key().substr(0, parameter.key().find('.'));
        if (std::find(known.begin(), known.end(), module) == known.end()) {
            known.push_back(std::move(module));
        }
    }
    for (const std::string& module : modules) {
        if (tensors_within({module}, parameters).is_empty()) {
            throw entry.node.at("modules").error(
                "names '" + module + "', below which the model has no parameters; it has: " + config::join(known));
        }
    }
}

/// The scheduler's node of an entry of the list, which in Audyn may be the entry itself; nothing where the rate stays.
AUDYN_INLINE std::optional<Config> scheduler_of(const NamedEntry& entry) {
    const bool is_scheduler = entry.node.contains("_target_") && !entry.node.contains("name");
    const Config node = is_scheduler ? entry.node : entry.node.at("lr_scheduler");
    if (node.is_null() || (node.is_dict() && node.size() == 0)) {
        return std::nullopt;
    }
    return node;
}

AUDYN_INLINE void check_one_scheduler(const Targets& targets, const Config& node) {
    targets.check<SchedulerFactory>(node);
    static_cast<void>(targets.build<SchedulerFactory>(node)); // It knows the names of modes.
}

AUDYN_INLINE void check_multi_lr_schedulers(const Targets& targets, const Config& node, const Config& optimizer) {
    if (!optimizer.is_list()) {
        throw node.error("is a list, one scheduler for each of several optimizers, but `optimizer` is a single one; "
                         "join schedulers of one optimizer by SequentialLR or ChainedScheduler");
    }
    const std::vector<std::string> known = names_of(named_entries(optimizer));
    const std::vector<NamedEntry> entries = named_entries(node);
    config::Mistakes mistakes;
    mistakes.attempt([&] { check_names(entries, "scheduler"); });
    for (const NamedEntry& entry : entries) {
        mistakes.attempt([&] {
            if (std::find(known.begin(), known.end(), entry.name) == known.end()) {
                throw entry.node.error("is for the optimizer '" + entry.name +
                                       "', which does not exist; there are: " + config::join(known));
            }
            const auto scheduler = scheduler_of(entry);
            if (scheduler && scheduler->path() != entry.node.path()) {
                check_entry_keys(entry.node, {"name", "lr_scheduler"});
            }
            if (scheduler) {
                check_one_scheduler(targets, *scheduler);
            }
        });
    }
    mistakes.throw_if_any();
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void check_multi_optimizers(const Targets& targets, const Config& node) {
    const std::vector<detail::NamedEntry> entries = detail::named_entries(node);
    if (entries.empty()) {
        throw node.error("is an empty list; give at least one {name, modules, optimizer}");
    }
    config::Mistakes mistakes;
    mistakes.attempt([&] { detail::check_names(entries, "optimizer"); });
    for (const detail::NamedEntry& entry : entries) {
        mistakes.attempt([&] { detail::check_entry_keys(entry.node, {"name", "modules", "optimizer"}); });
        mistakes.attempt([&] { static_cast<void>(detail::module_names(entry)); });
        mistakes.attempt([&] {
            const Config optimizer = entry.node.at("optimizer");
            if (optimizer.is_list()) {
                throw optimizer.error("must be one optimizer; put the entries of this list into the outer one");
            }
            check_any_optimizer(targets, optimizer);
        });
    }
    mistakes.throw_if_any();
}

AUDYN_INLINE optim::AnyOptimizer build_multi_optimizers(const Targets& targets, const Config& node,
                                                        const optim::NamedParameters& parameters,
                                                        const optim::NamedParameters& buffers) {
    std::vector<optim::NamedOptimizer> optimizers;
    for (const detail::NamedEntry& entry : detail::named_entries(node)) {
        const std::vector<std::string> modules = detail::module_names(entry);
        detail::check_modules(entry, modules, parameters);
        optimizers.push_back({entry.name, build_any_optimizer(targets, entry.node.at("optimizer"),
                                                              detail::tensors_within(modules, parameters),
                                                              detail::tensors_within(modules, buffers))});
    }
    try {
        return optim::AnyOptimizer(optim::MultiOptimizers(std::move(optimizers)));
    } catch (const UsageError& error) {
        throw node.error(std::string("cannot be built: ") + error.what());
    }
}

AUDYN_INLINE std::vector<std::string>
parameters_without_optimizer(const optim::NamedParameters& parameters,
                             const std::vector<const optim::AnyOptimizer*>& optimizers) {
    std::unordered_set<const void*> optimized;
    for (const optim::AnyOptimizer* const optimizer : optimizers) {
        for (const at::Tensor& parameter : optimizer->parameters()) {
            optimized.insert(parameter.unsafeGetTensorImpl());
        }
    }
    std::vector<std::string> names;
    for (const auto& parameter : parameters) {
        if (parameter.value().requires_grad() && !optimized.contains(parameter.value().unsafeGetTensorImpl())) {
            names.push_back(parameter.key());
        }
    }
    return names;
}

AUDYN_INLINE bool has_lr_scheduler(const Config& node) {
    if (node.is_list()) {
        const std::vector<detail::NamedEntry> entries = detail::named_entries(node);
        return std::any_of(entries.begin(), entries.end(),
                           [](const detail::NamedEntry& entry) { return detail::scheduler_of(entry).has_value(); });
    }
    // What has other keys and no target is a mistake, which check_lr_scheduler() tells.
    return !node.is_null() && !(node.is_dict() && node.size() == 0) &&
           !(node.is_dict() && node.contains("_target_") && node.at("_target_").is_null());
}

AUDYN_INLINE void check_lr_scheduler(const Targets& targets, const Config& node, const Config& optimizer) {
    if (node.is_list()) {
        detail::check_multi_lr_schedulers(targets, node, optimizer);
        return;
    }
    if (optimizer.is_list()) {
        throw node.error("is one scheduler, but `optimizer` is a list; give each of them its own: [{name: " +
                         detail::names_of(detail::named_entries(optimizer)).front() + ", lr_scheduler: {...}}]");
    }
    detail::check_one_scheduler(targets, node);
}

AUDYN_INLINE std::unique_ptr<optim::LRScheduler>
build_lr_scheduler(const Targets& targets, const Config& node, optim::AnyOptimizer& optimizer, int64_t total_steps) {
    try {
        if (!node.is_list()) {
            return targets.build<SchedulerFactory>(node)(optimizer, total_steps);
        }
        std::vector<optim::NamedScheduler> schedulers;
        for (const detail::NamedEntry& entry : detail::named_entries(node)) {
            optim::MakeScheduler make;
            if (const auto scheduler = detail::scheduler_of(entry)) {
                make = [factory = targets.build<SchedulerFactory>(*scheduler), total_steps](optim::Optimizer& one) {
                    return factory(one, total_steps);
                };
            }
            schedulers.push_back({entry.name, std::move(make)});
        }
        if (optimizer.multi() == nullptr) {
            throw UsageError("a list of schedulers is for a list of optimizers");
        }
        return std::make_unique<optim::MultiLRSchedulers>(*optimizer.multi(), schedulers);
    } catch (const UsageError& error) {
        throw node.error(error.what());
    }
}

} // namespace audyn::adapter
