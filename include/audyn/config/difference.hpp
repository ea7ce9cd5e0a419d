#pragma once

#include <audyn/config/command_line.hpp>
#include <audyn/config/compose.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/location.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/scalar.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/inline.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace audyn::config {

/// A key that two configurations have differently.
struct Difference {
    struct Side {
        std::string value; ///< on one line
        Location location;
    };

    std::string key;           ///< full, such as `train.stages[1].lr`
    std::optional<Side> left;  ///< nothing where the key is absent
    std::optional<Side> right; ///< nothing where the key is absent
};

/// A value on one line of YAML; texts that YAML would read as something else are quoted.
[[nodiscard]] AUDYN_INLINE std::string flow_text(const Value& value);

namespace detail {

/// Compares two trees; made for one comparison.
class Comparison {
public:
    Comparison(const Config& left, const Config& right, bool resolve);

    [[nodiscard]] std::vector<Difference> run();

private:
    void compare(const Value& left, const Value& right);

    void compare_dicts(const Value& left, const Value& right);

    void only_in(const Value& value, bool in_left);

    /// A file keeps a constant by its name.
    static bool same(const Value& left, const Value& right);

    /// One side may come from a file that keeps values where the other keeps interpolations.
    [[nodiscard]] bool same_when_resolved(const Value& left, const Value& right) const;

    static Difference::Side side(const Value& value) { return {flow_text(value), value.location()}; }

    Config left_;
    Config right_;
    Value left_tree_;
    Value right_tree_;
    std::vector<Difference> differences_;
};

/// A configuration to compare, and what to call it.
struct Compared {
    std::string title;
    Config config;
};

/// A file that a run left, with the run's own tree if that lies beside it.
[[nodiscard]] AUDYN_INLINE Config recorded_config(const std::filesystem::path& file, const Resolvers& resolvers);

[[nodiscard]] AUDYN_INLINE Compared compared_side(const std::string& name, const CommandLine& command_line,
                                                  const Program& program);

} // namespace detail

/// What differs, key by key, in the order of `left`. Two values that are written differently but are equal where only
/// one is an interpolation do not differ. With `resolve` all values are compared after interpolation.
[[nodiscard]] AUDYN_INLINE std::vector<Difference> differences(const Config& left, const Config& right,
                                                               bool resolve = false);

/// What `--cfg diff A B` prints: each key that differs, with the places that set it on both sides. `A` and `B` are
/// configurations of the search path, composed with the overrides given; files; folders of runs; checkpoints. Without
/// `B` the right side is the composed configuration. Throws `ConfigError`.
[[nodiscard]] AUDYN_INLINE std::string difference_text(const CommandLine& command_line, const Program& program);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/difference.ipp>
#endif
