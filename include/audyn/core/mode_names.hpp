#pragma once

#include <audyn/core/error.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace audyn::core {

/// The values of an option that is chosen by name, as Python spells them.
template <class Mode, std::size_t count>
struct ModeNames {
    const char* option;
    std::array<std::pair<const char*, Mode>, count> names;

    [[nodiscard]] const char* name(Mode mode) const {
        std::size_t index = 0;
        while (index + 1 < count && names[index].second != mode) {
            ++index;
        }
        return names[index].first;
    }

    /// \throws Exception that names what there is.
    template <class Exception = UsageError>
    [[nodiscard]] Mode mode(std::string_view name) const {
        std::string known;
        for (std::size_t i = 0; i < count; ++i) {
            if (name == names[i].first) {
                return names[i].second;
            }
            known += std::string(i == 0 ? "'" : i + 1 == count ? " or '" : ", '") + names[i].first + "'";
        }
        throw Exception(std::string(option) + " must be " + known + ", got '" + std::string(name) + "'");
    }
};

} // namespace audyn::core
