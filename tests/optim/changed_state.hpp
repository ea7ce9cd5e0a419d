#pragma once

#include <audyn/state/state_dict.hpp>

#include <map>
#include <sstream>
#include <string>
#include <utility>

/// States with other numbers, to see that a part takes each of them.
namespace changed_state {

using audyn::StateDict;
using audyn::state::List;
using audyn::state::Tuple;
using audyn::state::Value;

/// Every float halved, every integer one more, and some names of modes others.
inline Value changed(const Value& value) {
    const auto all = [](const std::vector<Value>& items) {
        List result;
        for (const Value& item : items) {
            result.push_back(changed(item));
        }
        return result;
    };
    if (value.is<int64_t>()) {
        return value.as_int() + 1;
    }
    if (value.is<double>()) {
        return value.as_float() / 2.0;
    }
    if (value.is<List>()) {
        return all(value.as_list());
    }
    if (value.is<Tuple>()) {
        return Tuple{all(value.as_list())};
    }
    if (value.is<std::string>()) {
        static const std::map<std::string, const char*> modes{
            {"cos", "linear"}, {"linear", "cos"}, {"rel", "abs"}, {"abs", "rel"}};
        const auto mode = modes.find(value.as_string());
        return mode == modes.end() ? value : Value(mode->second);
    }
    if (value.is<StateDict>()) {
        StateDict result = value.as_dict();
        for (auto& [key, item] : result) {
            item = changed(item);
        }
        return result;
    }
    return value;
}

/// Of all but tensors.
inline std::string text(const Value& value) {
    std::ostringstream stream;
    stream << std::hexfloat;
    if (value.is<int64_t>()) {
        stream << value.as_int();
    } else if (value.is<double>()) {
        stream << value.as_float();
    } else if (value.is<bool>()) {
        stream << (value.as_bool() ? "true" : "false");
    } else if (value.is<std::string>()) {
        stream << value.as_string();
    } else if (value.is<List>() || value.is<Tuple>()) {
        for (const Value& item : value.as_list()) {
            stream << text(item) << ", ";
        }
    } else if (value.is<StateDict>()) {
        for (const auto& [key, item] : value.as_dict()) {
            stream << key.to_string() << ": " << text(item) << "\n";
        }
    } else {
        stream << value.kind();
    }
    return stream.str();
}

} // namespace changed_state
