#pragma once

#include <audyn/adapter/entries.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>

namespace audyn::adapter {

AUDYN_INLINE void read_entries(const Config& group, const EntryReaders& readers, const std::string& what) {
    for (const auto& [name, entry] : group.items()) {
        const auto reader = std::find_if(readers.begin(), readers.end(),
                                         [&, key = std::string(name)](const auto& one) { return one.first == key; });
        if (reader == readers.end()) {
            std::vector<std::string> known;
            for (const auto& one : readers) {
                known.push_back(one.first);
            }
            throw entry.error_unknown(what, name, known);
        }
        if (!entry.is_null()) {
            reader->second(entry);
        }
    }
}

} // namespace audyn::adapter

namespace audyn::adapter::detail {

AUDYN_INLINE void check_entry_keys(const Config& entry, const std::vector<std::string>& known) {
    for (const std::string& key : entry.keys()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            throw entry.find_key(key)->error("names an unknown key '" + key + "'" + config::did_you_mean(key, known),
                                             "There are: " + config::join(known, ", ") + ".");
        }
    }
}

} // namespace audyn::adapter::detail
