#pragma once

#include <audyn/config/difference.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <system_error>
#include <utility>

namespace audyn::config {

AUDYN_INLINE std::string flow_text(const Value& value) {
    std::vector<std::string> parts;
    for (std::size_t index = 0; index < value.size(); ++index) {
        const std::string key = value.is_dict() ? concat({value.entries()[index].key.to_string(), ": "}) : "";
        parts.push_back(key + flow_text(value.child(index)));
    }
    if (value.is_container()) {
        return concat({value.is_list() ? "[" : "{", join(parts), value.is_list() ? "]" : "}"});
    }
    if (const auto* text = value.get_if<std::string>()) {
        const auto read = scalar::plain(*text);
        const bool same = read && read->is_string() && repr(*text).size() == text->size() + 2;
        const bool plain = same && text->find_first_of(",[]{}#'\"") == std::string::npos &&
                           text->find(": ") == std::string::npos && text->front() != ' ' && text->back() != ' ';
        return plain || value.is_interpolation() ? *text : repr(*text);
    }
    if (const auto* boolean = value.get_if<bool>()) {
        return *boolean ? "true" : "false";
    }
    return value.is_null() ? "null" : python_text(value);
}

} // namespace audyn::config

namespace audyn::config::detail {

AUDYN_INLINE Comparison::Comparison(const Config& left, const Config& right, bool resolve)
    : left_(left), right_(right), left_tree_(left.to_value(resolve)), right_tree_(right.to_value(resolve)) {}

AUDYN_INLINE std::vector<Difference> Comparison::run() {
    compare(left_tree_, right_tree_);
    return std::move(differences_);
}

AUDYN_INLINE void Comparison::compare(const Value& left, const Value& right) {
    if (left.is_dict() && right.is_dict()) {
        compare_dicts(left, right);
    } else if (left.is_list() && right.is_list() && left.size() == right.size()) {
        for (std::size_t index = 0; index < left.size(); ++index) {
            compare(left.child(index), right.child(index));
        }
    } else if (!same(left, right) && !same_when_resolved(left, right)) {
        differences_.push_back({left.path(), side(left), side(right)});
    }
}

AUDYN_INLINE void Comparison::compare_dicts(const Value& left, const Value& right) {
    for (const Value::Entry& entry : left.entries()) {
        const auto index = right.index_of_key(entry.key);
        index == Value::npos ? only_in(*entry.value, true) : compare(*entry.value, right.child(index));
    }
    for (const Value::Entry& entry : right.entries()) {
        if (left.index_of_key(entry.key) == Value::npos) {
            only_in(*entry.value, false);
        }
    }
}

AUDYN_INLINE void Comparison::only_in(const Value& value, bool in_left) {
    if (value.is_dict() && value.size() > 0) {
        for (const Value::Entry& entry : value.entries()) {
            only_in(*entry.value, in_left);
        }
        return;
    }
    Difference difference{value.path(), std::nullopt, std::nullopt};
    (in_left ? difference.left : difference.right) = side(value);
    differences_.push_back(std::move(difference));
}

AUDYN_INLINE bool Comparison::same(const Value& left, const Value& right) {
    const bool by_name =
        (left.kind() == Kind::constant && right.is_string()) || (left.is_string() && right.kind() == Kind::constant);
    return left == right || (by_name && python_text(left) == python_text(right));
}

AUDYN_INLINE bool Comparison::same_when_resolved(const Value& left, const Value& right) const {
    if (left.is_interpolation() == right.is_interpolation()) {
        return false;
    }
    try {
        const auto first = left_.find(left.path());
        const auto second = right_.find(right.path());
        return first && second && same(first->to_value(true), second->to_value(true));
    } catch (const ConfigError&) {
        return false; // what cannot be resolved differs from a value
    }
}

AUDYN_INLINE Config recorded_config(const std::filesystem::path& file, const Resolvers& resolvers) {
    Config config = config_from_file(file, resolvers);
    std::error_code code;
    const std::filesystem::path hydra = file.parent_path() / "hydra.yaml";
    if (file.filename() != "hydra.yaml" && std::filesystem::is_regular_file(hydra, code)) {
        config.environment().hydra = config_from_file(hydra, resolvers).to_value();
    }
    return config;
}

AUDYN_INLINE Compared compared_side(const std::string& name, const CommandLine& command_line, const Program& program) {
    std::error_code code;
    std::filesystem::path file = name;
    if (std::filesystem::is_regular_file(file / ".hydra" / "config.yaml", code)) {
        file = file / ".hydra" / "config.yaml";
    }
    if (!std::filesystem::is_regular_file(file, code)) {
        const SearchPath search_path = search_path_of(command_line, program);
        if (std::filesystem::exists(file, code) && !search_path.has_config(name)) {
            throw ConfigError(concat({"'", name, "' is neither a configuration nor the folder of a run (there is no ",
                                      (file / ".hydra" / "config.yaml").string(), ")"}));
        }
        return {concat({"configuration '", name, "'"}),
                compose_from_command_line(command_line, program, name, command_line.overrides)};
    }
    if (file.extension() == ".yaml") {
        return {file.string(), recorded_config(file, program.resolvers)};
    }
    if (auto stored = program.stored_config ? program.stored_config(file) : std::nullopt) {
        return {concat({"the configuration in ", file.string()}), Config(std::move(*stored))};
    }
    throw ConfigError(concat({"'", file.string(), "' holds no configuration: it is no .yaml file",
                              program.stored_config ? " and no checkpoint with one" : ""}));
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::vector<Difference> differences(const Config& left, const Config& right, bool resolve) {
    return detail::Comparison(left, right, resolve).run();
}

AUDYN_INLINE std::string difference_text(const CommandLine& command_line, const Program& program) {
    const detail::Compared left = detail::compared_side(command_line.compared[0], command_line, program);
    const detail::Compared right =
        command_line.compared.size() > 1
            ? detail::compared_side(command_line.compared[1], command_line, program)
            : detail::Compared{"the composed configuration", compose_from_command_line(command_line, program)};
    const std::string& package = command_line.shown_package;
    const auto is_shown = [&package](const std::string& key) {
        return package.empty() || key == package || key.starts_with(package + ".") || key.starts_with(package + "[");
    };
    const auto line = [](char sign, const std::optional<Difference::Side>& side) {
        return side ? concat({"  ", std::string(1, sign), " ", side->value,
                              side->location.is_known() ? concat({"  (", side->location.to_string(), ")"}) : "", "\n"})
                    : "";
    };
    std::string text = concat({"--- ", left.title, "\n+++ ", right.title, "\n"});
    std::size_t count = 0;
    for (const Difference& difference : differences(left.config, right.config, command_line.resolve)) {
        if (is_shown(difference.key)) {
            text += concat({difference.key, "\n", line('-', difference.left), line('+', difference.right)});
            ++count;
        }
    }
    return concat({text,
                   count == 0   ? "No key differs."
                   : count == 1 ? "1 key differs."
                                : concat({std::to_string(count), " keys differ."}),
                   "\n"});
}

} // namespace audyn::config
