#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/criterion/criteria.hpp>
#include <audyn/criterion/criterion.hpp>
#include <audyn/criterion/losses.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

namespace detail {

using LossPointer = std::shared_ptr<criterion::Criterion>;

AUDYN_INLINE criterion::Reduction reduction(const std::string& name);

template <class Loss>
void add_elementwise(Targets& targets, const std::string& name) {
    targets.add_function<std::shared_ptr<criterion::Criterion>>(
        name,
        constructor<std::string, Unsupported, Unsupported>(
            arg("reduction") = "mean", arg("size_average") = Unsupported(), arg("reduce") = Unsupported()),
        [](const std::string& text, Unsupported, Unsupported) { return std::make_shared<Loss>(reduction(text)); });
}

/// `key_mapping.KEY` of an entry: (argument, name), once for each name where an argument is a list of names.
/// \throws ConfigError for wrong types, and a key_mapping of other keys than estimated and target
AUDYN_INLINE std::vector<std::pair<std::string, std::string>> argument_mapping(const Config& entry,
                                                                               const std::string& key);

/// Reads `weight` and `key_mapping` of an entry. \throws ConfigError for wrong types, and keys that mean nothing
AUDYN_INLINE void read_entry(const Config& entry, criterion::WeightedCriterion& criterion);

/// Calls `visit(name, entry.PART, entry)` for each entry of a group of criteria or metrics. As in Audyn, names that
/// begin or end with an underscore are passed over.
template <class Visit>
void for_each_entry(const Config& group, const std::string& part, const Visit& visit) {
    for (const auto& [name, entry] : group.items()) {
        if (!criterion::Criteria::is_ignored(name)) {
            if (!entry.is_dict() || !entry.contains(part)) {
                throw entry.error("an entry of `" + group.path() + "` needs the key `" + part + "` with a `_target_`");
            }
            visit(name, entry.at(part), entry);
        }
    }
}

/// Calls `visit(name, criterion, entry)` for each criterion of the group `key`: Audyn's form, names with a wrapper each
/// that holds `criterion`, `weight` and `key_mapping`; or a single criterion's own target, whose entry is then empty.
template <class Visit>
void for_each_criterion(const Config& config, const std::string& key, const Visit& visit) {
    const auto group = config.find(key);
    if (!group || group->is_null()) {
        return;
    }
    const auto name = group->get_optional<std::string>("_target_");
    if (name && *name != "audyn.criterion.MultiCriteria") {
        visit("loss", *group, nullptr);
        return;
    }
    for_each_entry(*group, "criterion",
                   [&](const std::string& entry_name, const Config& criterion, const Config& entry) {
                       visit(entry_name, criterion, &entry);
                   });
}

} // namespace detail

/// Adds the losses under the names of PyTorch, Audyn, auraloss and ParallelWaveGAN.
AUDYN_INLINE void add_criterion_targets(Targets& targets);

/// Checks the group `criterion`, or that of another key, without building it; what is wrong is added to `mistakes`.
AUDYN_INLINE void check_criteria(const Config& config, const Targets& targets, config::Mistakes& mistakes,
                                 const std::string& key = "criterion");

/// Builds the group `criterion`, or that of another key. \throws ConfigError
[[nodiscard]] AUDYN_INLINE criterion::Criteria build_criteria(const Config& config, const Targets& targets,
                                                              const std::string& key = "criterion");

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/criterion.ipp>
#endif
