#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::config {

/// What a program was asked to do, from its arguments.
struct CommandLine {
    enum class Action {
        run,
        multirun,
        help,
        version,
        show_config, ///< `--cfg job|hydra|all`
        difference,  ///< `--cfg diff`
        info,
        completion_script,
        completion_query
    };

    /// What a program that starts this one as a part of something larger tells it: a sweep its jobs, a launcher its
    /// workers. These options are no part of the user's command line and not in `--help`.
    struct Job {
        std::optional<std::int64_t> number; ///< `--job-number`: of the sweep's jobs, from 0
        std::optional<std::string> folder;  ///< `--job-folder`: instead of what `hydra.run.dir` or `hydra.sweep` say
        std::optional<std::int64_t> start;  ///< `--job-start`: what `${now:...}` means, in seconds since 1970
        [[nodiscard]] bool is_part() const { return number || folder || start; }
    };

    Action action = Action::run;
    std::string program; ///< `argv[0]` without its folder
    std::string path;    ///< `argv[0]`
    std::vector<std::string> overrides;
    std::string command; ///< the word before the overrides, where the program knows such words
    std::optional<std::string> config_dir;
    std::optional<std::string> config_path;
    std::optional<std::string> config_name;
    std::string shown;                 ///< of `--cfg`: job, hydra or all
    std::vector<std::string> compared; ///< of `--cfg diff`: one or two configurations
    bool resolve = false;              ///< `--resolve`
    std::string shown_package;         ///< of `--package`: show only this part
    std::string info;                  ///< of `--info`
    std::string shell;                 ///< of `--shell-completion`
    std::string completed_line;        ///< the command line up to the cursor, of a completion script's question
    Job job;
};

namespace detail {

struct Option {
    std::string_view name;
    std::string_view short_name;
    std::string_view argument; ///< empty for a flag
    std::string_view help;     ///< empty for one that only programs use
};

[[nodiscard]] AUDYN_INLINE std::span<const Option> options();

inline constexpr std::array<std::string_view, 4> shown_parts{"job", "hydra", "all", "diff"};
inline constexpr std::array<std::string_view, 5> info_parts{"all", "config", "defaults", "defaults-tree", "searchpath"};
inline constexpr std::array<std::string_view, 2> shells{"bash", "zsh"};

/// Reads arguments one after another.
class CommandLineParser {
public:
    explicit CommandLineParser(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

    [[nodiscard]] CommandLine run();

private:
    using Action = CommandLine::Action;

    void option(const std::string& argument);

    static ConfigError unknown(const std::string& name);

    /// The argument of `--info` may be left out: what follows is then an override or an option.
    std::string info_argument();

    static bool is_override(const std::string& argument);

    void apply(std::string_view name, std::string value);

    void part_of_something(std::string_view name, std::string value);

    void show(std::string what);

    /// A configuration to compare; the name of a run's folder may contain a `=`.
    static bool is_operand(const std::string& argument);

    static void require_one_of(std::string_view option, const std::string& value,
                               std::span<const std::string_view> known);

    /// Help and version win over everything; two other actions contradict each other.
    void act(std::string_view option, Action action);

    void check() const;

    std::vector<std::string> arguments_;
    std::size_t next_ = 1;
    std::string acted_by_;
    CommandLine result_;
};

} // namespace detail

/// Reads a program's arguments. Throws `ConfigError` for an unknown option, with the nearest known one.
[[nodiscard]] inline CommandLine parse_command_line(int argc, const char* const* argv) {
    return detail::CommandLineParser(std::vector<std::string>(argv, argv + argc)).run();
}

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/command_line.ipp>
#endif
