#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/optimizer.hpp>

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace audyn::optim {

/// Patterns of parameters' names: `*` stands for any characters, also dots, `?` for one.
using NamePatterns = std::vector<std::string>;

/// The options of the parameters that one of `patterns` fits.
template <class Options>
struct PatternGroup {
    NamePatterns patterns;
    Options options;
};

/// Parameters and their names.
struct NamedTensors {
    std::vector<std::string> names;
    std::vector<at::Tensor> params;
};

/// Splits `parameters`: first those that no pattern fits, which may be none, then for each of `groups` those that one
/// of its patterns fits, each in the order of `parameters`. Tied parameters count under their first name. \throws
/// UsageError for a pattern that fits nothing, and for a parameter that two groups match.
AUDYN_INLINE std::vector<NamedTensors> split_by_name(const NamedParameters& parameters,
                                                     const std::vector<NamePatterns>& groups);

/// Groups for an optimizer's constructor. No weight decay for biases and norms:
/// `parameter_groups(model->named_parameters(), options, {{{"*.bias", "*norm*"},
/// AdamWOptions(options).weight_decay(0)}})`. Throws as split_by_name() does.
template <class Options>
std::vector<OptionsGroup<Options>> parameter_groups(const NamedParameters& parameters, const Options& others,
                                                    const std::vector<PatternGroup<Options>>& groups) {
    std::vector<NamePatterns> patterns;
    for (const PatternGroup<Options>& group : groups) {
        patterns.push_back(group.patterns);
    }
    std::vector<NamedTensors> parts = split_by_name(parameters, patterns);
    std::vector<OptionsGroup<Options>> result;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].params.empty()) {
            const Options& options = i == 0 ? others : groups[i - 1].options;
            result.push_back({std::move(parts[i].names), std::move(parts[i].params), options});
        }
    }
    return result;
}

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/parameter_groups.ipp>
#endif
