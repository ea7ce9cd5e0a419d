#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How the inputs of the composition target are written.
namespace fuzz {

using Files = std::vector<std::pair<std::string, std::string>>;

struct Composition {
    Files files;
    std::vector<std::string> overrides;
};

/// Sections begin with a line `@@override` or `@@file NAME`; an override is the text up to the next section.
inline Composition parse_composition(std::string_view text) {
    Composition result;
    while (!text.empty()) {
        const auto next = text.find("\n@@", 1);
        std::string_view section = text.substr(0, next);
        text = next == std::string_view::npos ? std::string_view() : text.substr(next + 1);
        const auto line_end = section.find('\n');
        const std::string_view head = section.substr(0, line_end);
        section = line_end == std::string_view::npos ? std::string_view() : section.substr(line_end + 1);
        if (head.starts_with("@@file ")) {
            result.files.emplace_back(head.substr(7), section);
        } else {
            result.overrides.emplace_back(section);
        }
    }
    return result;
}

inline std::string write_composition(const Composition& composition) {
    std::string text;
    for (const std::string& override : composition.overrides) {
        text += "@@override\n" + override + "\n";
    }
    for (const auto& [name, content] : composition.files) {
        text += "@@file " + name + "\n" + content + "\n";
    }
    return text;
}

} // namespace fuzz
