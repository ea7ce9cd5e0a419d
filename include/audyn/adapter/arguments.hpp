#pragma once

#include <audyn/config/config.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::adapter {

/// The arguments that a node with `_target_` gives to the target's parameters: by name, or by position in `_args_`.
class Arguments {
public:
    /// `parameters`: names of what the target takes, in order. `signature`: how errors show it.
    Arguments(const Config& node, const std::vector<std::string>& parameters, std::string signature);

    /// \throws ConfigError for arguments that the target does not take. Keys in `reserved` are no arguments.
    void check_names(const std::vector<std::string>& reserved) const;

    /// The value given for the parameter at `index`, if there is one. \throws ConfigError when there are two.
    [[nodiscard]] std::optional<Config> find(std::size_t index) const;

    /// \throws ConfigError for a parameter that is not given and has no default.
    [[noreturn]] void throw_missing(const std::string& name, const std::string& type) const;

    /// False where `_recursive_: false` asks to leave nested targets alone.
    [[nodiscard]] bool recursive() const { return node_.get_optional<bool>("_recursive_").value_or(true); }
    [[nodiscard]] std::string hint() const { return "The target is " + signature_ + "."; }

private:
    /// Hydra's own keys.
    static bool is_instruction(std::string_view key);

    /// How Python converts containers means nothing here, but a mistake in it is one.
    void check_instructions() const;

    static bool contains(const std::vector<std::string>& names, const std::string& name);

    const Config& node_;
    const std::vector<std::string>& parameters_;
    std::string signature_;
    std::optional<Config> positional_;
};

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/arguments.ipp>
#endif
