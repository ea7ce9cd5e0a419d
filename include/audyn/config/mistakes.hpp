#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::config {

/// Several mistakes of one configuration, told at once.
class ConfigErrors : public ConfigError {
public:
    /// `mistakes` are whole messages, at least two; `more` were found and are not among them.
    explicit ConfigErrors(std::vector<std::string> mistakes, std::size_t more = 0)
        : ConfigError(report(mistakes, more)), mistakes_(std::move(mistakes)) {}

    [[nodiscard]] const std::vector<std::string>& mistakes() const { return mistakes_; }

private:
    static std::string report(const std::vector<std::string>& mistakes, std::size_t more) {
        std::string text = concat({std::to_string(mistakes.size() + more), " mistakes in the configuration"});
        if (more > 0) {
            text += concat({"; the first ", std::to_string(mistakes.size()), ":"});
        }
        for (std::size_t index = 0; index < mistakes.size(); ++index) {
            text += concat({"\n\n", std::to_string(index + 1), ". ", mistakes[index]});
        }
        return text;
    }

    std::vector<std::string> mistakes_;
};

/// Collects mistakes, so that one report can tell all of them:
///
///     Mistakes mistakes;
///     mistakes.attempt([&] { check(config["model"]); });
///     mistakes.attempt([&] { check(config["optimizer"]); });
///     mistakes.throw_if_any();
///
/// A mistake that is found twice is told once; of very many only the first are kept, and the number of the others. Not
/// thread-safe.
class Mistakes {
public:
    /// Runs `action`; true unless it throws a `ConfigError`, which is kept. Other exceptions pass through.
    template <class Action>
    bool attempt(Action&& action) {
        try {
            std::forward<Action>(action)();
            return true;
        } catch (const ConfigErrors& errors) {
            for (const std::string& mistake : errors.mistakes()) {
                add(mistake);
            }
        } catch (const ConfigError& error) {
            add(error.what());
        }
        return false;
    }

    void add(std::string mistake) {
        if (std::ranges::find(texts_, mistake) == texts_.end()) {
            texts_.size() < most ? texts_.push_back(std::move(mistake)) : static_cast<void>(++more_);
        }
    }
    void add(const Mistakes& others) {
        for (const std::string& mistake : others.texts_) {
            add(mistake);
        }
        more_ += others.more_;
    }

    [[nodiscard]] bool empty() const { return texts_.empty(); }

    /// Throws the one mistake as a `ConfigError`, several as `ConfigErrors`.
    void throw_if_any() const {
        if (texts_.size() == 1) {
            throw ConfigError(texts_.front());
        }
        if (!texts_.empty()) {
            throw ConfigErrors(texts_, more_);
        }
    }

private:
    static constexpr std::size_t most = 50;

    std::vector<std::string> texts_;
    std::size_t more_ = 0;
};

} // namespace audyn::config
