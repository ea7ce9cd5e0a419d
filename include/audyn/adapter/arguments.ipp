#pragma once

#include <audyn/adapter/arguments.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace audyn::adapter {

AUDYN_INLINE Arguments::Arguments(const Config& node, const std::vector<std::string>& parameters, std::string signature)
    : node_(node), parameters_(parameters), signature_(std::move(signature)), positional_(node.find("_args_")) {}

AUDYN_INLINE void Arguments::check_names(const std::vector<std::string>& reserved) const {
    if (positional_ && (!positional_->is_list() || positional_->size() > parameters_.size())) {
        throw positional_->error(positional_->is_list() ? "has " + std::to_string(positional_->size()) + " items for " +
                                                              std::to_string(parameters_.size()) + " arguments"
                                                        : "must be a list of arguments",
                                 hint());
    }
    for (const std::string& key : node_.keys()) {
        if (!is_instruction(key) && !contains(reserved, key) && !contains(parameters_, key)) {
            throw node_.at(key).key_error(
                "is an argument that the target does not take" + config::did_you_mean(key, parameters_), hint());
        }
    }
    check_instructions();
}

AUDYN_INLINE std::optional<Config> Arguments::find(std::size_t index) const {
    auto named = node_.find(parameters_[index]);
    if (positional_ && index < positional_->size()) {
        if (named) {
            throw named->error("is given twice: here and as item " + std::to_string(index) + " of `_args_`", hint());
        }
        return (*positional_)[index];
    }
    return named;
}

AUDYN_INLINE void Arguments::throw_missing(const std::string& name, const std::string& type) const {
    throw node_.error("is missing the argument '" + name + "' (" + type + ")", hint());
}

AUDYN_INLINE bool Arguments::is_instruction(std::string_view key) {
    constexpr std::array<std::string_view, 5> names{"_target_", "_args_", "_partial_", "_recursive_", "_convert_"};
    return std::find(names.begin(), names.end(), key) != names.end();
}

AUDYN_INLINE void Arguments::check_instructions() const {
    static_cast<void>(recursive());
    if (const auto convert = node_.get_optional<std::string>("_convert_")) {
        const std::vector<std::string> known{"none", "partial", "object", "all"};
        if (!contains(known, *convert)) {
            throw node_.at("_convert_").error_unknown("conversion", *convert, known);
        }
    }
}

AUDYN_INLINE bool Arguments::contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace audyn::adapter
