#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#    include <immintrin.h>
#endif

namespace audyn::checkpoint {

namespace detail {

/// tables[k][b]: the checksum's state after byte b followed by k zero bytes.
inline constexpr auto crc32_tables = [] {
    std::array<std::array<uint32_t, 256>, 16> tables{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
        }
        tables[0][i] = value;
    }
    for (std::size_t k = 1; k < tables.size(); ++k) {
        for (std::size_t i = 0; i < 256; ++i) {
            tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xFF];
        }
    }
    return tables;
}();

/// Sixteen bytes at a time by sixteen independent look-ups, then one by one. Takes and gives the inverted state.
[[nodiscard]] inline uint32_t crc32_by_tables(uint32_t state, const unsigned char* data, std::size_t size) {
    const auto& tables = crc32_tables;
    for (; size >= 16; data += 16, size -= 16) {
        uint32_t first = 0;
        std::memcpy(&first, data, sizeof first);
        first ^= state;
        state = tables[15][first & 0xFF] ^ tables[14][(first >> 8) & 0xFF] ^ tables[13][(first >> 16) & 0xFF] ^
                tables[12][first >> 24];
        for (std::size_t i = 4; i < 16; ++i) {
            state ^= tables[15 - i][data[i]];
        }
    }
    for (; size > 0; ++data, --size) {
        state = (state >> 8) ^ tables[0][(state ^ *data) & 0xFF];
    }
    return state;
}

#if defined(__x86_64__)
#    define AUDYN_CLMUL __attribute__((target("pclmul,sse4.1")))

[[nodiscard]] AUDYN_CLMUL inline __m128i load128(const unsigned char* data) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
}

/// Moves `value` over the distance that `constants` stand for and adds `next`.
[[nodiscard]] AUDYN_CLMUL inline __m128i fold(__m128i value, __m128i constants, __m128i next) {
    const __m128i low = _mm_clmulepi64_si128(value, constants, 0x00);
    const __m128i high = _mm_clmulepi64_si128(value, constants, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// The remainder of 128 bits, by Barrett's reduction.
[[nodiscard]] AUDYN_CLMUL inline uint32_t reduce(__m128i value) {
    const __m128i to_96_and_64_bits = _mm_set_epi64x(0x00CCAA009E, 0x01751997D0);
    const __m128i to_32_bits = _mm_set_epi64x(0, 0x0163CD6124);
    const __m128i polynomial_and_inverse = _mm_set_epi64x(0x01F7011641, 0x01DB710641);
    const __m128i low_words = _mm_setr_epi32(-1, 0, -1, 0);

    __m128i folded = _mm_clmulepi64_si128(value, to_96_and_64_bits, 0x10);
    value = _mm_xor_si128(_mm_srli_si128(value, 8), folded);
    folded = _mm_srli_si128(value, 4);
    value = _mm_clmulepi64_si128(_mm_and_si128(value, low_words), to_32_bits, 0x00);
    value = _mm_xor_si128(value, folded);

    folded = _mm_clmulepi64_si128(_mm_and_si128(value, low_words), polynomial_and_inverse, 0x10);
    folded = _mm_clmulepi64_si128(_mm_and_si128(folded, low_words), polynomial_and_inverse, 0x00);
    return static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(value, folded), 1));
}

/// By carry-less multiplication, four times 128 bits at once ("Fast CRC Computation for Generic Polynomials Using
/// PCLMULQDQ Instruction", Gopal et al., Intel 2009; the constants are those of the reflected polynomial).
/// `size` is a multiple of 16 and at least 64. Takes and gives the inverted state.
[[nodiscard]] AUDYN_CLMUL inline uint32_t crc32_by_clmul(uint32_t state, const unsigned char* data, std::size_t size) {
    const __m128i over_512_bits = _mm_set_epi64x(0x01C6E41596, 0x0154442BD4);
    const __m128i over_128_bits = _mm_set_epi64x(0x00CCAA009E, 0x01751997D0);
    __m128i lane0 = _mm_xor_si128(load128(data), _mm_cvtsi32_si128(static_cast<int>(state)));
    __m128i lane1 = load128(data + 16);
    __m128i lane2 = load128(data + 32);
    __m128i lane3 = load128(data + 48);
    for (data += 64, size -= 64; size >= 64; data += 64, size -= 64) {
        lane0 = fold(lane0, over_512_bits, load128(data));
        lane1 = fold(lane1, over_512_bits, load128(data + 16));
        lane2 = fold(lane2, over_512_bits, load128(data + 32));
        lane3 = fold(lane3, over_512_bits, load128(data + 48));
    }
    __m128i lane = fold(fold(fold(lane0, over_128_bits, lane1), over_128_bits, lane2), over_128_bits, lane3);
    for (; size >= 16; data += 16, size -= 16) {
        lane = fold(lane, over_128_bits, load128(data));
    }
    return reduce(lane);
}

#    undef AUDYN_CLMUL
#endif

} // namespace detail

/// The CRC-32 of zip files (zlib's `crc32`), continued from `crc`, which is that of the bytes before.
[[nodiscard]] inline uint32_t crc32(const void* data, std::size_t size, uint32_t crc = 0) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    uint32_t state = ~crc;
#if defined(__x86_64__)
    static const bool has_clmul = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
    if (has_clmul && size >= 64) {
        const std::size_t folded = size & ~std::size_t{15};
        state = detail::crc32_by_clmul(state, bytes, folded);
        bytes += folded;
        size -= folded;
    }
#endif
    return ~detail::crc32_by_tables(state, bytes, size);
}

} // namespace audyn::checkpoint
