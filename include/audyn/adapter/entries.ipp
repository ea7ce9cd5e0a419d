#pragma once

#include <audyn/adapter/entries.hpp>
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
