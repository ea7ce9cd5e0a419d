#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// Options as entries of a state dictionary. An options class has a `visit(options, visitor)` that calls
/// `visitor(key, value)` for each entry of Python's group, in Python's order.
namespace audyn::optim::detail {

/// An option of Python's that has one value here.
struct FixedOption {
    state::Value value;
};

struct OptionWriter {
    StateDict& group;

    void operator()(const char* key, const FixedOption& option) const { group.set(key, option.value); }
    void operator()(const char* key, double value) const { group.set(key, value); }
    void operator()(const char* key, bool value) const { group.set(key, value); }
    void operator()(const char* key, int64_t value) const { group.set(key, value); }
    AUDYN_INLINE void operator()(const char* key, std::pair<double, double> value) const;
    AUDYN_INLINE void operator()(const char* key, const std::pair<std::optional<double>, double>& value) const;
    AUDYN_INLINE void operator()(const char* key, const std::array<double, 3>& value) const;
    AUDYN_INLINE void operator()(const char* key, const std::optional<std::string>& value) const;
};

/// What is missing, as in files of older versions, or of another kind than the option keeps its value.
struct OptionReader {
    const StateDict& group;

    void operator()(const char*, const FixedOption&) const {}
    AUDYN_INLINE void operator()(const char* key, double& value) const;
    AUDYN_INLINE void operator()(const char* key, bool& value) const;
    AUDYN_INLINE void operator()(const char* key, int64_t& value) const;
    AUDYN_INLINE void operator()(const char* key, std::pair<double, double>& value) const;
    AUDYN_INLINE void operator()(const char* key, std::pair<std::optional<double>, double>& value) const;
    AUDYN_INLINE void operator()(const char* key, std::array<double, 3>& value) const;
    AUDYN_INLINE void operator()(const char* key, std::optional<std::string>& value) const;

private:
    [[nodiscard]] const std::vector<state::Value>* list(const char* key) const;
};

} // namespace audyn::optim::detail

#ifndef AUDYN_COMPILED
#    include <audyn/optim/detail/option_visitors.ipp>
#endif
