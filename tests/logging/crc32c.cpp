#include <audyn/logging/crc32c.hpp>

#include <doctest/doctest.h>

#include <string>

using audyn::logging::crc32c;
using audyn::logging::masked_crc32c;

// RFC 3720, B.4
TEST_CASE("crc32c equals the values of RFC 3720") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xE3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
}

// tensorboard.compat.tensorflow_stub.pywrap_tensorflow.masked_crc32c
TEST_CASE("masked crc32c equals TensorBoard's") {
    CHECK(masked_crc32c("123456789") == 0xC78AB0E5);
    CHECK(masked_crc32c("") == 0xA282EAD8);
}
