#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/json.hpp>
#include <audyn/core/inline.hpp>

#include <cstdint>
#include <string>

namespace audyn::config {

AUDYN_INLINE nlohmann::ordered_json to_json(const Value& value) {
    using Json = nlohmann::ordered_json;
    switch (value.kind()) {
    case Kind::null:
        return nullptr;
    case Kind::boolean:
        return *value.get_if<bool>();
    case Kind::integer:
        return *value.get_if<std::int64_t>();
    case Kind::floating:
        return *value.get_if<double>();
    case Kind::string:
        return *value.get_if<std::string>();
    case Kind::big_integer:
        return Json::parse(value.get_if<BigInteger>()->digits);
    case Kind::bytes: {
        const std::string& data = value.get_if<Bytes>()->data;
        return Json::binary({data.begin(), data.end()});
    }
    case Kind::constant:
        return value.get_if<Constant>()->to_string();
    case Kind::list:
    case Kind::dict:
        break;
    }
    Json json = value.is_list() ? Json::array() : Json::object();
    for (std::size_t index = 0; index < value.size(); ++index) {
        if (value.is_list()) {
            json.push_back(to_json(value.child(index)));
        } else {
            json[value.entries()[index].key.to_string()] = to_json(value.child(index));
        }
    }
    return json;
}

AUDYN_INLINE Value from_json(const nlohmann::ordered_json& json, int level) {
    if (level > limits::depth) {
        throw ConfigError(
            concat({"the JSON document is nested deeper than ", std::to_string(limits::depth), " levels"}));
    }
    switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
        return json.get<bool>();
    case nlohmann::ordered_json::value_t::number_integer:
        return json.get<std::int64_t>();
    case nlohmann::ordered_json::value_t::number_unsigned:
        return json.get<std::uint64_t>();
    case nlohmann::ordered_json::value_t::number_float:
        return json.get<double>();
    case nlohmann::ordered_json::value_t::string:
        return json.get<std::string>();
    case nlohmann::ordered_json::value_t::binary:
        return Bytes{{json.get_binary().begin(), json.get_binary().end()}};
    case nlohmann::ordered_json::value_t::null:
    case nlohmann::ordered_json::value_t::discarded:
        return {};
    case nlohmann::ordered_json::value_t::array:
    case nlohmann::ordered_json::value_t::object:
        break;
    }
    Value value = json.is_array() ? Value::list() : Value::dict();
    for (const auto& [key, child] : json.items()) {
        if (json.is_array()) {
            value.append(from_json(child, level + 1));
        } else {
            value.set(Key(key), from_json(child, level + 1));
        }
    }
    return value;
}

} // namespace audyn::config
