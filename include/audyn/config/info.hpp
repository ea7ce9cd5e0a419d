#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/defaults.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/show.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

/// Rows under a title, columns padded to the width of their longest cell.
[[nodiscard]] AUDYN_INLINE std::string table_text(std::string_view title,
                                                  const std::vector<std::vector<std::string>>& rows);

namespace detail {

/// What is merged, in order.
[[nodiscard]] AUDYN_INLINE std::string defaults_text(const CompositionDetails& details);

AUDYN_INLINE void add_tree(const DefaultsNode& node, std::size_t indent, std::string& text);

/// Which defaults list asks for what.
[[nodiscard]] AUDYN_INLINE std::string defaults_tree_text(const CompositionDetails& details);

/// Configurations of one place, group by group.
AUDYN_INLINE void add_groups(const ConfigSource& place, const std::string& group,
                             std::map<std::string, std::vector<std::string>>& found);

using Contents = std::map<std::string, std::vector<std::string>>;

[[nodiscard]] AUDYN_INLINE std::string hidden_text(const SearchPath& search_path,
                                                   const std::vector<Contents>& contents);

/// The places in order with what each provides, and what hides what.
[[nodiscard]] AUDYN_INLINE std::string search_path_text(const CompositionDetails& details);

} // namespace detail

/// What `--info` prints about where the configuration comes from. Throws `ConfigError` when it cannot be composed; the
/// search path is shown all the same.
[[nodiscard]] AUDYN_INLINE std::string info_text(const CommandLine& command_line, const Program& program);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/info.ipp>
#endif
