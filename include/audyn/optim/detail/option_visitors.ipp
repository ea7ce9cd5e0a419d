#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/option_visitors.hpp>
#include <audyn/optim/optimizer.hpp>

namespace audyn::optim::detail {

AUDYN_INLINE void OptionWriter::operator()(const char* key, std::pair<double, double> value) const {
    group.set(key, state::Tuple{{value.first, value.second}});
}

AUDYN_INLINE void OptionWriter::operator()(const char* key,
                                           const std::pair<std::optional<double>, double>& value) const {
    state::Tuple tuple{{nullptr, value.second}};
    if (value.first) {
        tuple.items[0] = *value.first;
    }
    group.set(key, std::move(tuple));
}

AUDYN_INLINE void OptionWriter::operator()(const char* key, const std::array<double, 3>& value) const {
    group.set(key, state::Tuple{{value[0], value[1], value[2]}});
}

AUDYN_INLINE void OptionWriter::operator()(const char* key, const std::optional<std::string>& value) const {
    group.set(key, nullptr);
    if (value) {
        group.set(key, *value);
    }
}

AUDYN_INLINE const std::vector<state::Value>* OptionReader::list(const char* key) const {
    const state::Value* value = group.find(key);
    return value != nullptr && is_list(*value) ? &value->as_list() : nullptr;
}

AUDYN_INLINE void OptionReader::operator()(const char* key, double& value) const {
    if (const state::Value* saved = group.find(key); saved != nullptr && is_number(*saved)) {
        value = number(*saved);
    }
}

AUDYN_INLINE void OptionReader::operator()(const char* key, bool& value) const {
    value = flag(group, key, value);
}

AUDYN_INLINE void OptionReader::operator()(const char* key, int64_t& value) const {
    if (const state::Value* saved = group.find(key); saved != nullptr && is_number(*saved)) {
        value = static_cast<int64_t>(number(*saved));
    }
}

AUDYN_INLINE void OptionReader::operator()(const char* key, std::pair<double, double>& value) const {
    if (const auto* items = list(key)) {
        value = {number(items->at(0)), number(items->at(1))};
    }
}

AUDYN_INLINE void OptionReader::operator()(const char* key, std::pair<std::optional<double>, double>& value) const {
    if (const auto* items = list(key)) {
        const state::Value& first = items->at(0);
        value = {first.is_none() ? std::nullopt : std::optional(number(first)), number(items->at(1))};
    }
}

AUDYN_INLINE void OptionReader::operator()(const char* key, std::array<double, 3>& value) const {
    if (const auto* items = list(key)) {
        value = {number(items->at(0)), number(items->at(1)), number(items->at(2))};
    }
}

AUDYN_INLINE void OptionReader::operator()(const char* key, std::optional<std::string>& value) const {
    if (const state::Value* saved = group.find(key)) {
        value = saved->is_none() ? std::nullopt : std::optional(saved->as_string());
    }
}

} // namespace audyn::optim::detail
