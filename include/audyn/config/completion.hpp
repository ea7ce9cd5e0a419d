#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

namespace detail {

/// Words of a command line as a shell splits it. The last one, which the cursor is at, may be empty.
[[nodiscard]] AUDYN_INLINE std::vector<std::string> shell_words(std::string_view line);

/// Answers a shell: what the word at the cursor may become; made for one answer. A word that is complete ends in a
/// blank.
class Completer {
public:
    Completer(const CommandLine& command_line, const Program& program);

    [[nodiscard]] std::vector<std::string> run();

private:
    /// Offers `text` when it continues the word.
    void offer(std::string_view word, std::string text);

    static const Option* find_option(std::string_view name);

    /// The option before the word, when the word is its argument.
    [[nodiscard]] const Option* waiting_option() const;

    void offer_options(const std::string& word);

    void offer_values_of(const Option& option, const std::string& before, const std::string& word);

    void offer_overrides(const std::string& word);

    void offer_groups(const std::string& prefix, const std::string& rest, const std::string& end);

    /// Keys of the composed configuration, one level at a time.
    void offer_keys(const std::string& before, const std::string& rest, const std::string& prefix,
                    const std::string& end);

    void offer_values(const std::string& prefix, const std::string& key, const std::string& value);

    [[nodiscard]] std::vector<std::string> known_values(const std::string& key) const;

    [[nodiscard]] std::optional<Value> value_at(const std::string& key) const;

    /// Composes what stands before the word; with mistakes in it, what it would be without them.
    void read_line();

    void compose_line(const CommandLine& line);

    [[nodiscard]] CommandLine parsed_line() const;

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
[[nodiscard]] AUDYN_INLINE std::string completion_answer(const CommandLine& command_line, const Program& program);

/// A script for `eval "$(./train --shell-completion=bash)"`, also for zsh: the shell then asks the program itself,
/// and only this very file, what a word may become.
[[nodiscard]] AUDYN_INLINE std::string completion_script(const CommandLine& command_line);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/completion.ipp>
#endif
