#include <audyn/checkpoint/crc32.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::checkpoint::crc32;

std::string pattern(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += static_cast<char>(i * 7 + 3);
    }
    return text;
}

} // namespace

TEST_CASE("crc32 equals zlib's") {
    CHECK(crc32("123456789", 9) == 0xCBF43926);
    CHECK(crc32("", 0) == 0);
    // zlib.crc32(bytes((i * 7 + 3) & 255 for i in range(n)))
    const std::vector<std::pair<std::size_t, uint32_t>> recorded{{63, 0xB7350C2A},   {64, 0xCBD9ECF0},
                                                                 {65, 0x6D195777},   {100, 0xAA316B09},
                                                                 {1000, 0x17BC2A46}, {65537, 0x3201663C}};
    for (const auto& [size, expected] : recorded) {
        CAPTURE(size);
        CHECK(crc32(pattern(size).data(), size) == expected);
        CHECK(~audyn::checkpoint::detail::crc32_by_tables(
                  ~0U, reinterpret_cast<const unsigned char*>(pattern(size).data()), size) == expected);
    }
}

TEST_CASE("crc32 goes on from any place") {
    const std::string text = pattern(700);
    const uint32_t whole = crc32(text.data(), text.size());
    for (std::size_t split = 0; split <= text.size(); ++split) {
        const uint32_t head = crc32(text.data(), split);
        REQUIRE(crc32(text.data() + split, text.size() - split, head) == whole);
    }
}
