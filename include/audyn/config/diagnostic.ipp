#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/core/inline.hpp>

#include <string>

namespace audyn::config {

AUDYN_INLINE ConfigError error_at(const Location& location, std::string_view reason, std::string_view hint) {
    std::string message = location.is_known() ? concat({location.to_string(), ": "}) : "";
    message += reason;
    if (const std::string excerpt = location.excerpt(); !excerpt.empty()) {
        message += concat({"\n", excerpt});
    }
    if (const std::string chain = location.chain(); !chain.empty()) {
        message += concat({"\n", chain});
    }
    if (!hint.empty()) {
        message += "\n";
        message += hint;
    }
    return ConfigError(message);
}

} // namespace audyn::config
