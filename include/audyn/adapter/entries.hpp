#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

/// How each entry of a group is read.
using EntryReaders = std::vector<std::pair<std::string, std::function<void(const Config&)>>>;

/// Reads the entries of `group`; null is no setting. `what` is how an entry is called in errors.
/// \throws ConfigError for an entry that has no reader
AUDYN_INLINE void read_entries(const Config& group, const EntryReaders& readers, const std::string& what);

namespace detail {

/// The keys of an entry that has only some. \throws ConfigError for any other
AUDYN_INLINE void check_entry_keys(const Config& entry, const std::vector<std::string>& known);

} // namespace detail

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/entries.ipp>
#endif
