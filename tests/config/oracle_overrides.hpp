#pragma once

#include <audyn/config/override.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string>

/// `overrides_*.jsonl`: one override string a line, with its parsed form or an error.
namespace oracle {

using Json = nlohmann::ordered_json;

inline Json tagged(const audyn::config::Element& element);

inline Json tagged_list(const std::vector<audyn::config::Element>& elements) {
    Json list = Json::array();
    for (const auto& element : elements) {
        list.push_back(tagged(element));
    }
    return list;
}

inline Json tagged_scalar(const audyn::config::Value& value) {
    using audyn::config::Kind;
    switch (value.kind()) {
    case Kind::null:
        return {{"t", "null"}};
    case Kind::boolean:
        return {{"t", "bool"}, {"v", *value.get_if<bool>()}};
    case Kind::integer:
    case Kind::big_integer:
        return {{"t", "int"}, {"v", audyn::config::python_text(value)}};
    case Kind::floating:
        return {{"t", "float"}, {"v", audyn::config::python_text(value)}};
    default:
        return {{"t", "str"}, {"v", audyn::config::python_text(value)}};
    }
}

inline Json texts(const audyn::config::Element& list) {
    Json result = Json::array();
    for (const auto& item : list.items) {
        result.push_back(audyn::config::python_text(item.value));
    }
    return result;
}

inline Json tagged(const audyn::config::Element& element) {
    using Type = audyn::config::Element::Type;
    switch (element.type) {
    case Type::scalar:
        return tagged_scalar(element.value);
    case Type::quoted:
        return {{"t", "quoted"}, {"v", *element.value.get_if<std::string>()}};
    case Type::list:
        return {{"t", "list"}, {"v", tagged_list(element.items)}};
    case Type::dict: {
        Json pairs = Json::array();
        for (std::size_t index = 0; index < element.items.size(); ++index) {
            pairs.push_back(Json::array({tagged(element.keys[index]), tagged(element.items[index])}));
        }
        return {{"t", "dict"}, {"v", pairs}};
    }
    case Type::choice:
        return {{"t", "choice"},
                {"v", tagged_list(element.items)},
                {"simple", element.simple},
                {"shuffle", element.shuffle}};
    case Type::range:
        return {{"t", "range"}, {"v", tagged_list(element.items)}, {"shuffle", element.shuffle}};
    case Type::interval:
        return {{"t", "interval"}, {"v", tagged_list(element.items)}};
    case Type::glob:
        break;
    }
    return {{"t", "glob"}, {"include", texts(element.items[0])}, {"exclude", texts(element.items[1])}};
}

inline Json type_name(const audyn::config::Override& override) {
    using Type = audyn::config::Override::Type;
    switch (override.type) {
    case Type::change:
        return "CHANGE";
    case Type::add:
        return "ADD";
    case Type::force_add:
        return "FORCE_ADD";
    case Type::remove:
        break;
    }
    return "DEL";
}

inline Json value_type_name(const audyn::config::Override& override) {
    using Type = audyn::config::Element::Type;
    if (!override.element) {
        return nullptr;
    }
    switch (override.element->type) {
    case Type::choice:
        return override.element->simple ? "SIMPLE_CHOICE_SWEEP" : "CHOICE_SWEEP";
    case Type::range:
        return "RANGE_SWEEP";
    case Type::interval:
        return "INTERVAL_SWEEP";
    case Type::glob:
        return "GLOB_CHOICE_SWEEP";
    default:
        return "ELEMENT";
    }
}

/// Lists in some fixed order: what `shuffle` gives is random.
inline nlohmann::json without_order(nlohmann::json value) {
    if (value.is_structured()) {
        for (auto& child : value) {
            child = without_order(std::move(child));
        }
    }
    if (value.is_array()) {
        std::sort(value.begin(), value.end());
    }
    return value;
}

/// Empty when the override is parsed as recorded; else what differs.
inline std::string check_override(const Json& test) {
    std::optional<audyn::config::Override> parsed;
    std::string error;
    try {
        parsed = audyn::config::parse_override(test["in"].get<std::string>());
    } catch (const audyn::ConfigError& failure) {
        error = failure.what();
    }
    if (parsed.has_value() != test["ok"].get<bool>()) {
        return parsed ? "parsed, but Hydra refuses it: " + test["err"].get<std::string>() : "refused: " + error;
    }
    if (!parsed) {
        return "";
    }
    const Json given = {{"type", type_name(*parsed)},
                        {"key", parsed->key},
                        {"pkg", parsed->package ? Json(*parsed->package) : Json(nullptr)},
                        {"value_type", value_type_name(*parsed)},
                        {"value", parsed->element ? tagged(*parsed->element) : Json{{"t", "null"}}}};
    const bool random = test["in"].get<std::string>().find("shuffle(") != std::string::npos;
    for (const auto& [name, value] : given.items()) {
        const nlohmann::json ours = value;
        const nlohmann::json theirs = test[name];
        if (random ? without_order(ours) != without_order(theirs) : ours != theirs) {
            return name + " is " + value.dump() + ", not " + test[name].dump();
        }
    }
    return "";
}

} // namespace oracle
