#pragma once

#include <audyn/config/completion.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <utility>

namespace audyn::config::detail {

AUDYN_INLINE std::vector<std::string> shell_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t index = 0; index < line.size(); ++index) {
        const char character = line[index];
        if (quote != 0) {
            character == quote ? static_cast<void>(quote = 0) : static_cast<void>(word += character);
        } else if (character == '\'' || character == '"') {
            quote = character;
            in_word = true;
        } else if (character == ' ' || character == '\t') {
            if (in_word || !word.empty()) {
                words.push_back(std::exchange(word, ""));
            }
            in_word = false;
        } else if (character == '\\' && index + 1 < line.size()) {
            word += line[++index];
        } else {
            word += character;
        }
    }
    words.push_back(word);
    return words;
}

AUDYN_INLINE Completer::Completer(const CommandLine& command_line, const Program& program)
    : program_(program), words_(shell_words(command_line.completed_line)) {}

AUDYN_INLINE std::vector<std::string> Completer::run() {
    if (words_.size() < 2) {
        return {};
    }
    const std::string word = words_.back();
    if (const Option* const option = waiting_option()) {
        offer_values_of(*option, "", word);
    } else if (word.starts_with('-')) {
        offer_options(word);
    } else {
        offer_overrides(word);
    }
    return {found_.begin(), found_.end()};
}

AUDYN_INLINE void Completer::offer(std::string_view word, std::string text) {
    const auto is_safe = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-+./=@~,: ").find(c) != std::string_view::npos;
    };
    if (text.starts_with(word) && std::ranges::all_of(text, is_safe)) {
        found_.insert(std::move(text));
    }
}

AUDYN_INLINE const Option* Completer::find_option(std::string_view name) {
    const auto found = std::ranges::find_if(
        options(), [name](const Option& option) { return option.name == name || option.short_name == name; });
    return found == options().end() ? nullptr : &*found;
}

AUDYN_INLINE const Option* Completer::waiting_option() const {
    const Option* const option = words_.size() > 2 ? find_option(words_[words_.size() - 2]) : nullptr;
    return option != nullptr && !option->argument.empty() ? option : nullptr;
}

AUDYN_INLINE void Completer::offer_options(const std::string& word) {
    const auto equal = word.find('=');
    if (equal != std::string::npos) {
        if (const Option* const option = find_option(word.substr(0, equal))) {
            offer_values_of(*option, word.substr(0, equal + 1), word);
        }
        return;
    }
    for (const Option& option : options()) {
        if (!option.help.empty()) {
            offer(word, concat({option.name, " "}));
        }
    }
}

AUDYN_INLINE void Completer::offer_values_of(const Option& option, const std::string& before, const std::string& word) {
    const auto offer_all = [&](const auto& values) {
        for (const auto& value : values) {
            offer(word, concat({before, value, " "}));
        }
    };
    if (option.name == "--cfg") {
        offer_all(shown_parts);
    } else if (option.name == "--info") {
        offer_all(info_parts);
    } else if (option.name == "--shell-completion") {
        offer_all(shells);
    } else if (option.name == "--config-name") {
        read_line();
        offer_all(search_path_.options(""));
    } else if (option.name == "--package") {
        read_line();
        offer_keys(before, word.substr(before.size()), "", " ");
    }
}

AUDYN_INLINE void Completer::offer_overrides(const std::string& word) {
    read_line();
    const std::size_t start = std::min(word.find_first_not_of("+~"), word.size());
    const std::string prefix = word.substr(0, start);
    const std::string rest = word.substr(start);
    const auto equal = rest.find('=');
    if (equal != std::string::npos) {
        offer_values(prefix, rest.substr(0, equal), rest.substr(equal + 1));
        return;
    }
    const std::string end = prefix == "~" ? " " : "=";
    if (rest.find('.') == std::string::npos) {
        offer_groups(prefix, rest, end);
    }
    offer_keys(prefix, rest, prefix, end);
}

AUDYN_INLINE void Completer::offer_groups(const std::string& prefix, const std::string& rest, const std::string& end) {
    const auto slash = rest.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : rest.substr(0, slash);
    for (const std::string& inner : search_path_.groups(parent)) {
        const std::string group = parent.empty() ? inner : concat({parent, "/", inner});
        if (group == "hydra" && !rest.starts_with('h')) {
            continue;
        }
        if (!search_path_.options(group).empty()) {
            offer(prefix + rest, concat({prefix, group, end}));
        }
        if (!search_path_.groups(group).empty()) {
            offer(prefix + rest, concat({prefix, group, "/"}));
        }
    }
    for (const std::string& choice : choices_) {
        offer(prefix + rest, concat({prefix, choice, end}));
    }
}

AUDYN_INLINE void Completer::offer_keys(const std::string& before, const std::string& rest, const std::string& prefix,
                                        const std::string& end) {
    const auto dot = rest.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : rest.substr(0, dot);
    const std::optional<Value> node = value_at(parent);
    for (std::size_t index = 0; node && index < node->size(); ++index) {
        const std::string key = node->is_dict() ? node->entries()[index].key.to_string() : std::to_string(index);
        if (parent.empty() && key == "hydra" && !rest.starts_with('h')) {
            continue;
        }
        const bool goes_on = node->child(index).is_container() && node->child(index).size() > 0;
        const std::string full = parent.empty() ? key : concat({parent, ".", key});
        if (goes_on) {
            offer(before + rest, concat({before, full, "."}));
        }
        if (!goes_on || prefix == "~") {
            offer(before + rest, concat({before, full, end}));
        }
    }
}

AUDYN_INLINE void Completer::offer_values(const std::string& prefix, const std::string& key, const std::string& value) {
    const auto comma = value.rfind(',');
    const std::string earlier = comma == std::string::npos ? "" : value.substr(0, comma + 1);
    const std::string before = concat({prefix, key, "=", earlier});
    const std::string word = concat({prefix, key, "=", value});
    const std::string group = key.substr(0, key.find('@'));
    const std::vector<std::string> names =
        search_path_.has_group(group) ? search_path_.options(group) : std::vector<std::string>();
    for (const std::string& name : names) {
        offer(word, concat({before, name, " "}));
    }
    if (names.empty()) {
        for (const std::string& known : known_values(key)) {
            offer(word, concat({before, known, " "}));
        }
    }
}

AUDYN_INLINE std::vector<std::string> Completer::known_values(const std::string& key) const {
    if ((key == "_target_" || key.ends_with("._target_")) && program_.target_names) {
        return program_.target_names();
    }
    const std::optional<Value> node = value_at(key);
    if (!node || node->is_container() || node->is_missing()) {
        return {};
    }
    if (node->kind() == Kind::boolean) {
        return {"true", "false"};
    }
    return {node->is_null() ? "null" : python_text(*node)};
}

AUDYN_INLINE std::optional<Value> Completer::value_at(const std::string& key) const {
    try {
        const auto node = config_ ? config_->find(key) : std::nullopt;
        return node ? std::optional(node->is_missing() ? Value("\?\?\?") : node->resolved().to_value()) : std::nullopt;
    } catch (const ConfigError&) {
        return std::nullopt; // a key that cannot be read has nothing to offer
    }
}

AUDYN_INLINE void Completer::read_line() {
    CommandLine line = parsed_line();
    try {
        search_path_ = search_path_of(line, program_);
    } catch (const ConfigError&) {
        search_path_ = program_.search_path; // the folder is wrong; the built-in groups are there
    }
    for (const bool with_overrides : {true, false}) {
        if (!with_overrides) {
            line.overrides.clear();
        }
        try {
            compose_line(line);
            return;
        } catch (const ConfigError&) {
            continue; // without a configuration groups are offered still
        }
    }
}

AUDYN_INLINE void Completer::compose_line(const CommandLine& line) {
    CompositionDetails details;
    ComposeOptions options;
    options.sweep = true;
    options.details = &details;
    const Config config = compose_from_command_line(line, program_, options);
    search_path_ = details.search_path;
    config_ = with_hydra(config);
    for (const std::string& key : config.hydra().at("runtime.choices").keys()) {
        if (key.find('@') != std::string::npos) {
            choices_.push_back(key);
        }
    }
}

AUDYN_INLINE CommandLine Completer::parsed_line() const {
    std::vector<std::string> before(words_.begin(), words_.end() - (waiting_option() != nullptr ? 2 : 1));
    try {
        CommandLine line = CommandLineParser(before).run();
        take_command(line, program_);
        return line;
    } catch (const ConfigError&) {
        // Among the options something is missing; the folders still count.
        std::vector<std::string> folders{before[0]};
        for (std::size_t index = 1; index < before.size(); ++index) {
            const Option* const option = find_option(before[index].substr(0, before[index].find('=')));
            if (option == nullptr || !option->name.starts_with("--config-")) {
                continue;
            }
            folders.push_back(before[index]);
            if (before[index].find('=') == std::string::npos && index + 1 < before.size()) {
                folders.push_back(before[++index]);
            }
        }
        return before.size() == folders.size() ? CommandLine() : CommandLineParser(folders).run();
    }
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::string completion_answer(const CommandLine& command_line, const Program& program) {
    std::string text;
    for (const std::string& candidate : detail::Completer(command_line, program).run()) {
        text += concat({candidate, "\n"});
    }
    return text;
}

AUDYN_INLINE std::string completion_script(const CommandLine& command_line) {
    std::string text(command_line.shell == "bash" ? detail::bash_script : detail::zsh_script);
    const auto quoted = [](std::string_view value) {
        std::string result;
        for (const char character : value) {
            character == '\'' ? result += "'\\''" : result += character;
        }
        return result;
    };
    const auto fill = [&text](std::string_view name, const std::string& value) {
        text.replace(text.find(name), name.size(), value);
    };
    fill("@PROGRAM@", quoted(std::filesystem::read_symlink("/proc/self/exe").string()));
    fill("@NAME@", quoted(command_line.program));
    return text;
}

} // namespace audyn::config
