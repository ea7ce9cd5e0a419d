#include <audyn/core/error.hpp>
#include <audyn/logging/png.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

uint32_t big_endian(const std::string& text, std::size_t place) {
    uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | static_cast<uint8_t>(text.at(place + i));
    }
    return value;
}

/// Bit by bit, as the specification of PNG defines it.
uint32_t crc(const std::string& text) {
    uint32_t remainder = 0xffffffff;
    for (const char byte : text) {
        remainder ^= static_cast<uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit) {
            remainder = (remainder & 1) != 0 ? remainder >> 1 ^ 0xedb88320 : remainder >> 1;
        }
    }
    return ~remainder;
}

/// The chunks by type, whose checksums are right.
std::map<std::string, std::string> chunks(const std::string& png) {
    CHECK(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    std::map<std::string, std::string> all;
    std::string last;
    for (std::size_t place = 8; place < png.size();) {
        const std::size_t size = big_endian(png, place);
        last = png.substr(place + 4, 4);
        all[last] = png.substr(place + 8, size);
        CHECK(big_endian(png, place + 8 + size) == crc(last + all[last]));
        place += 12 + size;
    }
    CHECK(last == "IEND");
    return all;
}

/// What a zlib stream of stored blocks holds.
std::string stored(const std::string& stream, int& blocks) {
    CHECK((static_cast<uint8_t>(stream.at(0)) * 256 + static_cast<uint8_t>(stream.at(1))) % 31 == 0);
    const auto little_endian = [&](std::size_t place) {
        return static_cast<std::size_t>(static_cast<uint8_t>(stream.at(place)) |
                                        static_cast<uint8_t>(stream.at(place + 1)) << 8);
    };
    std::string content;
    std::size_t place = 2;
    for (bool is_last = false; !is_last; ++blocks) {
        is_last = stream.at(place) == 1;
        const std::size_t size = little_endian(place + 1);
        CHECK(little_endian(place + 3) == 0xffff - size);
        content += stream.substr(place + 5, size);
        place += 5 + size;
    }
    CHECK(place + 4 == stream.size());
    uint32_t first = 1;
    uint32_t second = 0;
    for (const char byte : content) {
        first = (first + static_cast<uint8_t>(byte)) % 65521;
        second = (second + first) % 65521;
    }
    CHECK(big_endian(stream, place) == (second << 16 | first));
    return content;
}

} // namespace

TEST_CASE("a picture is a PNG file, however many blocks its pixels take") {
    for (const std::size_t height : {1, 3, 217, 218, 500}) { // 217 rows and 218 lie around the size of a block
        const std::size_t width = 300;
        Bytes pixels;
        for (std::size_t i = 0; i < width * height; ++i) {
            pixels.push_back(static_cast<uint8_t>(i * i % 251));
        }
        const auto parts = chunks(audyn::logging::encode_png(pixels, width, audyn::logging::heat_palette()));
        CHECK(big_endian(parts.at("IHDR"), 0) == width);
        CHECK(big_endian(parts.at("IHDR"), 4) == height);
        CHECK(parts.at("IHDR").substr(8) == std::string("\x08\x03\0\0\0", 5));
        CHECK(parts.at("PLTE").size() == 768);
        int blocks = 0;
        const std::string rows = stored(parts.at("IDAT"), blocks);
        CHECK(blocks == static_cast<int>((height * (width + 1) + 65534) / 65535));
        REQUIRE(rows.size() == height * (width + 1));
        Bytes read;
        for (std::size_t row = 0; row < height; ++row) {
            CHECK(rows[row * (width + 1)] == 0);
            for (std::size_t column = 1; column <= width; ++column) {
                read.push_back(static_cast<uint8_t>(rows[row * (width + 1) + column]));
            }
        }
        CHECK(read == pixels);
    }
}

TEST_CASE("pixels that make no rows are no picture") {
    const Bytes pixels(6);
    const audyn::logging::Palette& palette = audyn::logging::heat_palette();
    CHECK_THROWS_AS(static_cast<void>(audyn::logging::encode_png(pixels, 4, palette)), audyn::UsageError);
    CHECK_THROWS_AS(static_cast<void>(audyn::logging::encode_png(pixels, 0, palette)), audyn::UsageError);
    CHECK_THROWS_AS(static_cast<void>(audyn::logging::encode_png(Bytes(), 4, palette)), audyn::UsageError);
}
