#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

namespace detail {

/// Words of a command line as a shell splits it. The last one, which the cursor is at, may be empty.
[[nodiscard]] inline std::vector<std::string> shell_words(std::string_view line) {
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

/// Answers a shell: what the word at the cursor may become; made for one answer. A word that is complete ends in a
/// blank.
class Completer {
public:
    Completer(const CommandLine& command_line, const Program& program)
        : program_(program), words_(shell_words(command_line.completed_line)) {}

    [[nodiscard]] std::vector<std::string> run() {
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

private:
    /// Offers `text` when it continues the word.
    void offer(std::string_view word, std::string text) {
        const auto is_safe = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view("_-+./=@~,: ").find(c) != std::string_view::npos;
        };
        if (text.starts_with(word) && std::ranges::all_of(text, is_safe)) {
            found_.insert(std::move(text));
        }
    }

    static const Option* find_option(std::string_view name) {
        const auto found = std::ranges::find_if(
            options(), [name](const Option& option) { return option.name == name || option.short_name == name; });
        return found == options().end() ? nullptr : &*found;
    }

    /// The option before the word, when the word is its argument.
    [[nodiscard]] const Option* waiting_option() const {
        const Option* const option = words_.size() > 2 ? find_option(words_[words_.size() - 2]) : nullptr;
        return option != nullptr && !option->argument.empty() ? option : nullptr;
    }

    void offer_options(const std::string& word) {
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

    void offer_values_of(const Option& option, const std::string& before, const std::string& word) {
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

    void offer_overrides(const std::string& word) {
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

    void offer_groups(const std::string& prefix, const std::string& rest, const std::string& end) {
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

    /// Keys of the composed configuration, one level at a time.
    void offer_keys(const std::string& before, const std::string& rest, const std::string& prefix,
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

    void offer_values(const std::string& prefix, const std::string& key, const std::string& value) {
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

    [[nodiscard]] std::vector<std::string> known_values(const std::string& key) const {
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

    [[nodiscard]] std::optional<Value> value_at(const std::string& key) const {
        try {
            const auto node = config_ ? config_->find(key) : std::nullopt;
            return node ? std::optional(node->is_missing() ? Value("\?\?\?") : node->resolved().to_value())
                        : std::nullopt;
        } catch (const ConfigError&) {
            return std::nullopt; // a key that cannot be read has nothing to offer
        }
    }

    /// Composes what stands before the word; with mistakes in it, what it would be without them.
    void read_line() {
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

    void compose_line(const CommandLine& line) {
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

    [[nodiscard]] CommandLine parsed_line() const {
        std::vector<std::string> before(words_.begin(), words_.end() - (waiting_option() != nullptr ? 2 : 1));
        try {
            return CommandLineParser(before).run();
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

    const Program& program_;
    std::vector<std::string> words_;
    SearchPath search_path_;
    std::optional<Config> config_;
    std::vector<std::string> choices_; ///< of groups at another key: `group@key`
    std::set<std::string> found_;
};

inline constexpr std::string_view bash_script = R"bash(_audyn_programs+=('@PROGRAM@')
_audyn_complete() {
    local program known line before IFS=$'\n'
    program=$(type -P -- "${COMP_WORDS[0]/#\~\//$HOME/}") || return
    for known in "${_audyn_programs[@]}"; do
        [[ $program -ef $known ]] && break
    done
    [[ $program -ef $known ]] || return
    line=${COMP_LINE:0:COMP_POINT}
    COMPREPLY=($("$program" --complete="$line" 2>/dev/null))
    # Bash replaces only what follows the last character that breaks words, such as '=' or ':'.
    line=${line##*[ ]}
    before=${line%"${line##*["$COMP_WORDBREAKS"]}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o nospace -o default -F _audyn_complete '@NAME@'
)bash";

inline constexpr std::string_view zsh_script = R"zsh((( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
typeset -ga _audyn_programs
_audyn_programs+=('@PROGRAM@')
_audyn_complete() {
    local program known
    local -a found
    program=${${~words[1]}:c}
    for known in $_audyn_programs; do
        [[ $program -ef $known ]] && break
    done
    [[ $program -ef $known ]] || { _default; return }
    found=("${(@f)$($program --complete="${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    found=(${found:#})
    if (( ! $#found )); then
        [[ $PREFIX == *=* ]] && compset -P '*='
        _files
        return
    fi
    compadd -- ${${(M)found:#* }% }
    compadd -S '' -- ${found:#* }
}
compdef _audyn_complete '@NAME@'
)zsh";

} // namespace detail

/// What the word at the cursor may become, one a line; asked by the script of `--shell-completion`.
[[nodiscard]] inline std::string completion_answer(const CommandLine& command_line, const Program& program) {
    std::string text;
    for (const std::string& candidate : detail::Completer(command_line, program).run()) {
        text += concat({candidate, "\n"});
    }
    return text;
}

/// A script for `eval "$(./train --shell-completion=bash)"`, also for zsh: the shell then asks the program itself,
/// and only this very file, what a word may become.
[[nodiscard]] inline std::string completion_script(const CommandLine& command_line) {
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
