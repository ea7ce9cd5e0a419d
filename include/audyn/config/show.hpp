#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/interpolation.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace audyn::config {

namespace detail {

/// A copy with values instead of interpolations. Where one leads to a mandatory value that was not given, so does the
/// copy.
[[nodiscard]] AUDYN_INLINE Value resolved_or_missing(const Value& node, Environment& environment);

/// The same of the node at `path`, which exists.
[[nodiscard]] AUDYN_INLINE Value resolved_part(const Value& root, std::string_view path, Environment& environment);

} // namespace detail

/// What `--cfg job|hydra|all` prints: the composed configuration, the run's own tree, or both; only what is below
/// `--package`, and values instead of interpolations with `--resolve`. Throws `ConfigError`.
[[nodiscard]] AUDYN_INLINE std::string config_text(const CommandLine& command_line, const Config& config);

namespace detail {

[[nodiscard]] AUDYN_INLINE std::string usage_of_options();

AUDYN_INLINE void list_groups(const SearchPath& search_path, const std::string& group, std::string& text);

inline constexpr std::string_view overrides_help = R"(Overrides:
  group=option     choose a file of a group; group@key=option for the one at that key
  key.inner=value  set a value: 3, 1e-3, true, null, text, 'quoted text', [a,b], {a: 1}, '${other.key}'
  +key=value       add a key, or with a group a choice that the defaults list lacks
  ++key=value      add a key or set it
  ~key             remove a key or a group's choice
)";

inline constexpr std::string_view sweep_help = R"(Several runs (--multirun):
  key=a,b          each of these values; several keys give all combinations, the last one changing fastest
  key=range(1,5)   1, 2, 3, 4; range(start,stop,step)
  group=glob(*)    all options of a group whose names match; glob([a*,b*],exclude=c)
  Jobs run one after another, each in a process and a folder of its own (hydra.sweep.dir, hydra.sweep.subdir).
  A job that fails does not stop the others unless hydra.sweeper.stop_on_failure=true.

The folder of a run is hydra.run.dir; hydra.job.chdir=true makes it the working directory, and what was composed
is written to its hydra.output_subdir (null: nowhere).
)";

[[nodiscard]] AUDYN_INLINE std::string completion_help(const std::string& path);

/// `$NAME` by its value and `$$` by a dollar, as Python's `string.Template` does; an unknown name stays.
[[nodiscard]] AUDYN_INLINE std::string fill_template(std::string_view text,
                                                     const std::map<std::string, std::string, std::less<>>& values);

} // namespace detail

/// What `--help` prints: usage, options, the groups with their options, the program's own part, and the composed
/// configuration. A configuration may add to it by `hydra.help.header` and `hydra.help.footer`, or say it all by
/// `hydra.help.template` with $FLAGS_HELP, $APP_CONFIG_GROUPS and $CONFIG.
[[nodiscard]] inline std::string help_text(const CommandLine& command_line, const Program& program) {
    std::string groups;
    detail::list_groups(search_path_of(command_line, program), "", groups);
    std::string composed;
    std::string header;
    std::string footer;
    try {
        const Config config = compose_from_command_line(command_line, program);
        composed = config.to_yaml();
        const Config help = with_hydra(config).at("hydra.help");
        header = help.get<std::string>("header", "");
        footer = help.get<std::string>("footer", "");
        if (const auto text = help.get_optional<std::string>("template"); text && !text->empty()) {
            return detail::fill_template(
                *text,
                {{"FLAGS_HELP", detail::usage_of_options()}, {"APP_CONFIG_GROUPS", groups}, {"CONFIG", composed}});
        }
    } catch (const ConfigError& error) {
        composed = concat({"It cannot be composed:\n", error.what(), "\n"});
    }
    const auto paragraph = [](const std::string& text) {
        return text.empty() ? "" : concat({text, text.ends_with('\n') ? "\n" : "\n\n"});
    };
    return concat({paragraph(header), "Usage: ", command_line.program, " [OPTION]... [OVERRIDE]...\n\n",
                   detail::overrides_help, "\nOptions:\n", detail::usage_of_options(), "\n", detail::sweep_help, "\n",
                   detail::completion_help(command_line.path), "\nGroups and their options:\n", groups,
                   program.more_help ? concat({"\n", program.more_help()}) : "",
                   "\nConfiguration (with the overrides given):\n", composed, footer.empty() ? "" : "\n", footer});
}

/// What `--version` prints.
[[nodiscard]] AUDYN_INLINE std::string version_text(const CommandLine& command_line, const Program& program);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/show.ipp>
#endif
