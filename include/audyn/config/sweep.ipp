#pragma once

#include <audyn/config/sweep.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>

namespace audyn::config::detail {

AUDYN_INLINE std::string escaped_text(std::string_view text) {
    constexpr std::string_view special = "\\()[]{}:=, \t";
    std::string result;
    for (const char character : text) {
        if (special.find(character) != std::string_view::npos) {
            result += '\\';
        }
        result += character;
    }
    return result;
}

AUDYN_INLINE std::string quoted_text(std::string_view text, char quote) {
    std::string result(1, quote);
    std::size_t slashes = 0;
    for (const char character : text) {
        if (character == quote) {
            result.append(slashes, '\\');
            result += '\\';
        }
        slashes = character == '\\' ? slashes + 1 : 0;
        result += character;
    }
    result.append(slashes, '\\');
    return result + quote;
}

AUDYN_INLINE std::string element_text(const Element& element) {
    std::vector<std::string> parts;
    for (std::size_t index = 0; index < element.items.size(); ++index) {
        const std::string key = element.type == Element::Type::dict ? element_text(element.keys[index]) + ":" : "";
        parts.push_back(key + element_text(element.items[index]));
    }
    switch (element.type) {
    case Element::Type::list:
        return concat({"[", join(parts, ","), "]"});
    case Element::Type::dict:
        return concat({"{", join(parts, ","), "}"});
    case Element::Type::quoted:
        return quoted_text(*element.value.get_if<std::string>(), element.quote);
    default:
        break;
    }
    if (const auto* text = element.value.get_if<std::string>()) {
        return escaped_text(*text);
    }
    return element.value.is_null() ? "null" : python_text(element.value);
}

AUDYN_INLINE Decimal::Decimal(double number, int places) : places_(places) {
    std::array<char, 400> text{};
    const int length = std::snprintf(text.data(), text.size(), "%.*f", places, number);
    for (const char character : std::string_view(text.data(), static_cast<std::size_t>(length))) {
        if (character >= '0' && character <= '9') {
            digits_ = digits_ * 10 + (character - '0');
        }
    }
    digits_ = text[0] == '-' ? -digits_ : digits_;
}

AUDYN_INLINE Decimal& Decimal::operator+=(const Decimal& step) {
    digits_ += step.digits_;
    Wide limit = 1;
    for (int digit = 0; digit < 28; ++digit) {
        limit *= 10;
    }
    Wide unit = 1;
    while ((digits_ < 0 ? -digits_ : digits_) / unit >= limit) {
        unit *= 10;
    }
    const Wide rest = digits_ % unit;
    const Wide twice = 2 * (rest < 0 ? -rest : rest);
    digits_ -= rest;
    if (twice > unit || (twice == unit && (digits_ / unit) % 2 != 0)) {
        digits_ += rest < 0 ? -unit : unit;
    }
    return *this;
}

AUDYN_INLINE double Decimal::value() const {
    std::string text;
    Wide rest = digits_ < 0 ? -digits_ : digits_;
    for (; rest > 0; rest /= 10) {
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    }
    return std::strtod(
        concat({digits_ < 0 ? "-" : "", text.empty() ? "0" : text, "e-", std::to_string(places_)}).c_str(), nullptr);
}

AUDYN_INLINE SweepValues::SweepValues(const Override& override, const SearchPath& search_path)
    : override_(override), search_path_(search_path) {}

AUDYN_INLINE std::vector<std::string> SweepValues::run() const {
    const Element& element = *override_.element;
    std::vector<std::string> values;
    switch (element.type) {
    case Element::Type::choice:
        for (const Element& item : element.items) {
            values.push_back(element_text(item));
        }
        break;
    case Element::Type::range:
        values = range();
        break;
    case Element::Type::glob:
        values = glob();
        break;
    default:
        throw error("an interval has endlessly many values; for a sweep name some, as in range(start,stop,step) or "
                    "choice(a,b)");
    }
    if (element.shuffle) {
        std::shuffle(values.begin(), values.end(), std::random_device());
    }
    return values;
}

AUDYN_INLINE std::vector<std::string> SweepValues::range() const {
    const std::vector<Element>& bounds = override_.element->items;
    const bool whole = std::ranges::all_of(bounds, [](const Element& bound) {
        return bound.value.get_if<std::int64_t>() != nullptr || bound.value.get_if<bool>() != nullptr;
    });
    const double start = grammar::functions::number_of(bounds[0]);
    const double stop = grammar::functions::number_of(bounds[1]);
    const double step = grammar::functions::number_of(bounds[2]);
    if (!std::isfinite(start) || !std::isfinite(stop) || !std::isfinite(step) || step == 0) {
        throw error("a range needs finite numbers and a step that is not 0");
    }
    if ((stop - start) / step > static_cast<double>(most_jobs)) {
        throw error(concat({"the range has more than ", std::to_string(most_jobs), " values"}));
    }
    std::vector<std::string> values = whole ? integers(bounds) : decimals(start, stop, step);
    if (values.empty()) {
        throw error("the range is empty");
    }
    return values;
}

AUDYN_INLINE std::vector<std::string> SweepValues::integers(const std::vector<Element>& bounds) {
    const auto integer = [&bounds](std::size_t index) {
        return static_cast<std::int64_t>(grammar::functions::number_of(bounds[index]));
    };
    std::vector<std::string> values;
    for (std::int64_t value = integer(0); integer(2) > 0 ? value < integer(1) : value > integer(1);
         value += integer(2)) {
        values.push_back(std::to_string(value));
    }
    return values;
}

AUDYN_INLINE std::vector<std::string> SweepValues::decimals(double start, double stop, double step) const {
    const double largest = std::max({std::abs(start), std::abs(stop), std::abs(step), 1.0});
    const int before_point = static_cast<int>(std::log10(largest)) + 2;
    if (before_point > 20) {
        throw error("the numbers of a range may have at most 20 digits before the point");
    }
    const int places = 37 - before_point;
    Decimal value(start, places);
    const Decimal end(stop, places);
    const Decimal change(step, places);
    std::vector<std::string> values;
    while (step > 0 ? value < end : end < value) {
        values.push_back(float_text(value.value()));
        value += change;
    }
    return values;
}

AUDYN_INLINE std::vector<std::string> SweepValues::glob() const {
    const std::vector<std::string> options = search_path_.options(override_.key);
    if (options.empty()) {
        throw error(concat({"there is no group '", override_.key, "' whose options could be tried",
                            did_you_mean(override_.key, search_path_.groups(""))}));
    }
    const auto matches = [](const Element& patterns, const std::string& name) {
        return std::ranges::any_of(patterns.items, [&name](const Element& pattern) {
            const std::string text = python_text(pattern.value);
            return ::fnmatch(text.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
        });
    };
    std::vector<std::string> values;
    for (const std::string& option : options) {
        if (matches(override_.element->items[0], option) && !matches(override_.element->items[1], option)) {
            values.push_back(option);
        }
    }
    if (values.empty()) {
        throw error_at(override_.location(), concat({"no option of '", override_.key, "' matches"}),
                       concat({"Available options: ", join(options)}));
    }
    return values;
}

} // namespace audyn::config::detail

namespace audyn::config {

AUDYN_INLINE std::vector<std::vector<std::string>> sweep_jobs(const std::vector<std::string>& overrides,
                                                              const SearchPath& search_path) {
    std::vector<std::pair<std::string, std::vector<std::string>>> axes;
    for (const std::string& text : overrides) {
        const Override override = parse_override(text);
        constexpr std::array<std::string_view, 4> prefixes{"", "+", "++", "~"};
        const std::string key = concat({prefixes[static_cast<std::size_t>(override.type)], override.key_element()});
        std::vector<std::string> values =
            override.is_sweep()
                ? detail::SweepValues(override, search_path).run()
                : std::vector<std::string>{override.element ? detail::element_text(*override.element) : "null"};
        for (std::string& value : values) {
            value = concat({key, "=", value});
        }
        const auto known = std::ranges::find(axes, key, [](const auto& axis) { return axis.first; });
        known == axes.end() ? static_cast<void>(axes.emplace_back(key, std::move(values)))
                            : static_cast<void>(known->second = std::move(values));
    }
    std::vector<std::vector<std::string>> jobs{{}};
    for (const auto& [key, values] : axes) {
        if (jobs.size() * values.size() > detail::most_jobs) {
            throw ConfigError(concat({"the sweep has more than ", std::to_string(detail::most_jobs), " jobs"}));
        }
        std::vector<std::vector<std::string>> extended;
        for (const auto& job : jobs) {
            for (const std::string& value : values) {
                extended.push_back(job);
                extended.back().push_back(value);
            }
        }
        jobs = std::move(extended);
    }
    return jobs;
}

} // namespace audyn::config
