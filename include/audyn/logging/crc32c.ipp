#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/crc32c.hpp>

#include <array>

namespace audyn::logging {

AUDYN_INLINE uint32_t crc32c(std::string_view data) {
    static constexpr std::array<uint32_t, 256> table = [] {
        std::array<uint32_t, 256> values{};
        for (uint32_t i = 0; i < values.size(); ++i) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0U);
            }
            values[i] = value;
        }
        return values;
    }();
    uint32_t crc = 0xFFFFFFFFU;
    for (const char byte : data) {
        crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
    }
    return ~crc;
}

AUDYN_INLINE uint32_t masked_crc32c(std::string_view data) {
    const uint32_t crc = crc32c(data);
    return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

} // namespace audyn::logging
