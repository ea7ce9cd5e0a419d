#pragma once

#include <audyn/core/error.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace audyn::config {

/// Several mistakes of one configuration, told at once.
class ConfigErrors : public ConfigError {
public:
    /// `mistakes` are whole messages, at least two; `more` were found and are not among them.
    explicit ConfigErrors(std::vector<std::string> mistakes, std::size_t more = 0);

    [[nodiscard]] const std::vector<std::string>& mistakes() const { return mistakes_; }

private:
    static std::string report(const std::vector<std::string>& mistakes, std::size_t more);

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

    void add(std::string mistake);
    void add(const Mistakes& others);

    [[nodiscard]] bool empty() const { return texts_.empty(); }

    /// Throws the one mistake as a `ConfigError`, several as `ConfigErrors`.
    void throw_if_any() const;

private:
    static constexpr std::size_t most = 50;

    std::vector<std::string> texts_;
    std::size_t more_ = 0;
};

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/mistakes.ipp>
#endif
