#pragma once

#include <audyn/config/compose.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// `compose_*.jsonl`: files and overrides, with the composed configuration or an error.
namespace oracle {

using Json = nlohmann::ordered_json;
namespace config = audyn::config;

/// A folder of its own for one case, removed afterwards.
class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "config_oracle_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code code;
        std::filesystem::remove_all(path_, code);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    void write(const Json& files, const std::string& search_folder) const {
        for (const auto& [name, text] : files.items()) {
            const auto file = path_ / name;
            std::filesystem::create_directories(file.parent_path());
            std::ofstream(file, std::ios::binary) << replaced(text.get<std::string>(), "@SEARCH_DIR@", search_folder);
        }
    }

    static std::string replaced(std::string text, const std::string& from, const std::string& to) {
        for (auto place = text.find(from); place != std::string::npos; place = text.find(from, place + to.size())) {
            text.replace(place, from.size(), to);
        }
        return text;
    }

private:
    std::filesystem::path path_;
};

/// Python's text for a value: what the oracle's own resolver `const` returns.
inline config::Value const_as_text(std::span<const config::Value> arguments, config::ResolverContext&) {
    if (arguments.size() != 1) {
        throw audyn::ConfigError("const takes one argument");
    }
    return config::Value(config::python_text(arguments[0]));
}

/// The oracle's encoding as text; differs for different types and orders of keys.
inline std::string encoded(const config::Value& value, const std::string& search_folder);

inline std::string encoded_text(const std::string& text, const std::string& search_folder) {
    return Json(Folder::replaced(text, search_folder, "@SEARCH_DIR@"))
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline std::string encoded_scalar(const config::Value& value, const std::string& search_folder) {
    using config::Kind;
    switch (value.kind()) {
    case Kind::null:
        return "null";
    case Kind::boolean:
        return *value.get_if<bool>() ? "true" : "false";
    case Kind::big_integer:
        return R"({"$int":")" + config::python_text(value) + "\"}";
    case Kind::floating: {
        const std::string text = config::python_text(value);
        return std::isfinite(*value.get_if<double>()) ? text : R"({"$float":")" + text + "\"}";
    }
    case Kind::bytes:
        return R"({"$bytes":")" + config::detail::encode_base64(value.get_if<config::Bytes>()->data) + "\"}";
    case Kind::string:
        return encoded_text(*value.get_if<std::string>(), search_folder);
    default:
        return config::python_text(value);
    }
}

inline std::string encoded(const config::Value& value, const std::string& search_folder) {
    if (!value.is_container()) {
        return encoded_scalar(value, search_folder);
    }
    bool plain_keys = true;
    for (std::size_t index = 0; value.is_dict() && index < value.size(); ++index) {
        const config::Key& key = value.entries()[index].key;
        plain_keys = plain_keys && key.is_string() && !key.to_string().starts_with('$');
    }
    std::string text;
    for (std::size_t index = 0; index < value.size(); ++index) {
        text += index == 0 ? "" : ",";
        const std::string child = encoded(value.child(index), search_folder);
        if (value.is_list()) {
            text += child;
            continue;
        }
        const std::string key = encoded_scalar(config::Value::from_key(value.entries()[index].key), search_folder);
        text += plain_keys ? key + ":" + child : "[" + key + "," + child + "]";
    }
    if (value.is_list()) {
        return "[" + text + "]";
    }
    return plain_keys ? "{" + text + "}" : R"({"$dict":[)" + text + "]}";
}

/// The recorded value in the same form. Floats are printed as Python prints them.
inline std::string canonical(const Json& json) {
    if (json.is_number_float()) {
        return config::float_text(json.get<double>());
    }
    if (!json.is_structured()) {
        return json.dump();
    }
    std::string text;
    for (const auto& [key, child] : json.items()) {
        text += text.empty() ? "" : ",";
        text += (json.is_object() ? Json(key).dump() + ":" : "") + canonical(child);
    }
    return json.is_object() ? "{" + text + "}" : "[" + text + "]";
}

inline void set_environment(const Json& test) {
    if (!test.contains("env")) {
        return;
    }
    for (const auto& [name, value] : test["env"].items()) {
        if (value.is_null()) {
            ::unsetenv(name.c_str());
        } else {
            ::setenv(name.c_str(), value.get<std::string>().c_str(), 1);
        }
    }
}

/// Words in single quotes that a recorded message has and ours lacks; for the errors whose text is Hydra's own.
inline std::string lacking_names(const Json& error, const std::string& ours) {
    static const std::vector<std::string> classes{"ConfigCompositionException", "MissingConfigException",
                                                  "InterpolationKeyError", "InterpolationToMissingValueError",
                                                  "UnsupportedInterpolationType"};
    if (std::find(classes.begin(), classes.end(), error["class"].get<std::string>()) == classes.end()) {
        return "";
    }
    const std::string message = error["message"];
    for (std::size_t open = message.find('\''); open != std::string::npos;) {
        const auto close = message.find('\'', open + 1);
        if (close == std::string::npos) {
            break;
        }
        std::string name = message.substr(open + 1, close - open - 1);
        name.erase(0, name.starts_with(": ") ? 2 : 0); // a group that has no name
        if (ours.find(name) == std::string::npos) {
            return "the message lacks '" + name + "': " + ours;
        }
        open = message.find('\'', close + 1);
    }
    return "";
}

inline std::string check_resolved(const Json& test, const config::Config& composed, const std::string& search_folder) {
    std::string error;
    std::optional<config::Value> resolved;
    try {
        resolved = composed.to_value(true);
    } catch (const audyn::ConfigError& failure) {
        error = failure.what();
    }
    if (test.contains("resolve_error")) {
        if (resolved) {
            return "resolves, but should not: " + test["resolve_error"]["message"].get<std::string>();
        }
        return lacking_names(test["resolve_error"], error);
    }
    if (!resolved) {
        return "cannot be resolved: " + error;
    }
    const Json& wanted = test["resolved"].get<bool>() ? test["result"] : test["result_resolved"];
    const std::string given = encoded(*resolved, search_folder);
    return given == canonical(wanted) ? "" : "resolved is " + given + ", not " + canonical(wanted);
}

/// Empty when the case composes and resolves as recorded; else what differs.
inline std::string check_composition(const Json& test) {
    const Folder primary;
    const Folder second;
    const std::string search_folder = second.path().string();
    primary.write(test["files"], search_folder);
    config::SearchPath search_path;
    search_path.add_folder(primary.path());
    if (test.contains("search_path_files")) {
        second.write(test["search_path_files"], search_folder);
        if (!test.contains("search_path_how")) {
            search_path.add_folder(second.path());
        }
    }
    set_environment(test);
    std::vector<std::string> overrides;
    for (const auto& text : test["overrides"]) {
        overrides.push_back(Folder::replaced(text.get<std::string>(), "@SEARCH_DIR@", search_folder));
    }
    const auto name =
        test["config_name"].is_null() ? std::nullopt : std::optional(test["config_name"].get<std::string>());
    config::Resolvers resolvers;
    resolvers.add("const", const_as_text);
    std::optional<config::Config> composed;
    std::string error;
    try {
        composed = config::compose(search_path, name, overrides, resolvers);
    } catch (const audyn::ConfigError& failure) {
        error = failure.what();
    }
    if (test.contains("error")) {
        if (composed) {
            return "composes, but should not: " + test["error"]["class"].get<std::string>() + ": " +
                   test["error"]["message"].get<std::string>();
        }
        return lacking_names(test["error"], error);
    }
    if (!composed) {
        return "cannot be composed: " + error;
    }
    const std::string given = encoded(composed->to_value(), search_folder);
    if (given != canonical(test["result"])) {
        return "is " + given + ", not " + canonical(test["result"]);
    }
    if (test.contains("yaml") && composed->to_yaml() != test["yaml"].get<std::string>()) {
        return "prints as\n" + composed->to_yaml() + "not as\n" + test["yaml"].get<std::string>();
    }
    if (test.contains("missing") && Json(composed->missing_keys()).size() != test["missing"].size()) {
        return "has other missing keys";
    }
    return check_resolved(test, *composed, search_folder);
}

} // namespace oracle
