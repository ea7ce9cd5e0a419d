#pragma once

#include <audyn/checkpoint/crc32.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/png.hpp>

#include <algorithm>
#include <limits>
#include <string_view>

namespace audyn::logging::detail {

/// PNG and zlib write the most significant byte first.
AUDYN_INLINE void put_big_endian(std::string& text, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += static_cast<char>(value >> shift);
    }
}

AUDYN_INLINE void put_chunk(std::string& png, std::string_view type, std::string_view content) {
    put_big_endian(png, static_cast<uint32_t>(content.size()));
    const std::size_t begin = png.size();
    png += type;
    png += content;
    put_big_endian(png, checkpoint::crc32(png.data() + begin, png.size() - begin));
}

/// zlib's format with stored blocks (RFC 1950, RFC 1951).
AUDYN_INLINE std::string store_zlib(std::string_view content) {
    constexpr std::size_t max_block = 65535;
    std::string text = "\x78\x01";
    uint32_t first = 1;
    uint32_t second = 0;
    for (const char byte : content) {
        first = (first + static_cast<unsigned char>(byte)) % 65521;
        second = (second + first) % 65521;
    }
    while (true) {
        const std::string_view block = content.substr(0, max_block);
        content.remove_prefix(block.size());
        text += content.empty() ? '\x01' : '\x00';
        for (const std::size_t size : {block.size(), ~block.size()}) {
            text += static_cast<char>(size);
            text += static_cast<char>(size >> 8);
        }
        text += block;
        if (content.empty()) {
            break;
        }
    }
    put_big_endian(text, second << 16 | first);
    return text;
}

} // namespace audyn::logging::detail

namespace audyn::logging {

AUDYN_INLINE const Palette& heat_palette() {
    static const Palette palette = [] {
        constexpr std::array<std::array<double, 3>, 5> anchors{
            {{20, 10, 60}, {45, 75, 135}, {30, 140, 130}, {120, 205, 80}, {250, 240, 60}}};
        Palette shades{};
        for (std::size_t i = 0; i < shades.size(); ++i) {
            const double place = static_cast<double>(i * (anchors.size() - 1)) / 255.0;
            const auto below = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
            const double weight = place - static_cast<double>(below);
            for (std::size_t color = 0; color < 3; ++color) {
                const double value = (1 - weight) * anchors[below][color] + weight * anchors[below + 1][color];
                shades[i][color] = static_cast<uint8_t>(value + 0.5);
            }
        }
        return shades;
    }();
    return palette;
}

AUDYN_INLINE std::string encode_png(std::span<const uint8_t> pixels, std::size_t width, const Palette& palette) {
    constexpr std::size_t largest = std::numeric_limits<int32_t>::max(); // of a side, and of a chunk
    if (width == 0 || pixels.empty() || pixels.size() % width != 0 || width > largest || pixels.size() > largest / 2) {
        throw UsageError("no picture of " + std::to_string(pixels.size()) + " pixels in rows of " +
                         std::to_string(width));
    }
    const std::size_t height = pixels.size() / width;
    std::string header;
    detail::put_big_endian(header, static_cast<uint32_t>(width));
    detail::put_big_endian(header, static_cast<uint32_t>(height));
    header += std::string_view("\x08\x03\0\0\0", 5); // 8 bits a pixel, by palette
    std::string colors;
    for (const auto& shade : palette) {
        colors.append(shade.begin(), shade.end());
    }
    std::string rows;
    rows.reserve(pixels.size() + height);
    for (std::size_t row = 0; row < height; ++row) {
        rows += '\0'; // no filter
        const auto content = pixels.subspan(row * width, width);
        rows.append(content.begin(), content.end());
    }
    std::string png("\x89PNG\r\n\x1a\n");
    detail::put_chunk(png, "IHDR", header);
    detail::put_chunk(png, "PLTE", colors);
    detail::put_chunk(png, "IDAT", detail::store_zlib(rows));
    detail::put_chunk(png, "IEND", {});
    return png;
}

} // namespace audyn::logging
