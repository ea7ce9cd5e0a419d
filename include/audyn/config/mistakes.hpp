#pragma once

#include <audyn/core/error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace audyn::config {

/// Collects the mistakes of a configuration, so that one report tells them all.
class Mistakes {
public:
    /// Calls `check`; a ConfigError that leaves it is kept.
    template <class Check>
    void attempt(const Check& check) {
        try {
            check();
        } catch (const ConfigError& error) {
            messages_.emplace_back(error.what());
        }
    }

    /// \throws ConfigError with all that was kept, if anything was.
    void throw_if_any() const {
        if (messages_.empty()) {
            return;
        }
        std::string text;
        for (const std::string& message : messages_) {
            text += (text.empty() ? "" : "\n") + message;
        }
        throw ConfigError(text);
    }

private:
    std::vector<std::string> messages_;
};

} // namespace audyn::config
