#pragma once

#include <audyn/config/diagnostic.hpp>
#include <audyn/config/element.hpp>
#include <audyn/config/override.hpp>
#include <audyn/config/override_functions.hpp>
#include <audyn/config/search_path.hpp>
#include <audyn/config/value.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <cstddef>
#include <fnmatch.h>
#include <string>
#include <string_view>
#include <vector>

namespace audyn::config {

namespace detail {

/// Jobs of one sweep at most; more is a mistake.
inline constexpr std::size_t most_jobs = 100'000;

[[nodiscard]] AUDYN_INLINE std::string escaped_text(std::string_view text);

/// In the quotes it came in; a quote in it gets a backslash, and backslashes before a quote are doubled.
[[nodiscard]] AUDYN_INLINE std::string quoted_text(std::string_view text, char quote);

/// An element as an override says it, so that parsing gives the same again.
[[nodiscard]] AUDYN_INLINE std::string element_text(const Element& element);

/// A decimal number with a fixed number of places, rounded to 28 significant digits after each addition as Python's
/// `decimal` does, so that a range meets the same numbers: 0.1 three times is 0.3.
class Decimal {
public:
    /// `places` after the point, few enough that all numbers of the range have less than 38 digits.
    Decimal(double number, int places);

    Decimal& operator+=(const Decimal& step);

    [[nodiscard]] bool operator<(const Decimal& other) const { return digits_ < other.digits_; }

    [[nodiscard]] double value() const;

private:
    __extension__ typedef __int128 Wide;

    Wide digits_ = 0;
    int places_;
};

/// Turns the values of one sweeping override into texts.
class SweepValues {
public:
    AUDYN_INLINE SweepValues(const Override& override, const SearchPath& search_path);

    [[nodiscard]] std::vector<std::string> run() const;

private:
    [[nodiscard]] ConfigError error(std::string_view reason) const { return error_at(override_.location(), reason); }

    [[nodiscard]] std::vector<std::string> range() const;

    static std::vector<std::string> integers(const std::vector<Element>& bounds);

    [[nodiscard]] std::vector<std::string> decimals(double start, double stop, double step) const;

    [[nodiscard]] std::vector<std::string> glob() const;

    const Override& override_;
    const SearchPath& search_path_;
};

} // namespace detail

/// The jobs of a sweep, each as its overrides: all combinations of the values that the overrides name, in Hydra's order
/// (the last key changes fastest; a key that is given twice keeps its first place and its last values). Throws
/// `ConfigError` for a sweep without end or without a value.
[[nodiscard]] AUDYN_INLINE std::vector<std::vector<std::string>> sweep_jobs(const std::vector<std::string>& overrides,
                                                                            const SearchPath& search_path);

} // namespace audyn::config

#ifndef AUDYN_COMPILED
#    include <audyn/config/sweep.ipp>
#endif
