#include <audyn/core/glob.hpp>

#include <doctest/doctest.h>

using audyn::core::glob_match;

TEST_CASE("a pattern fits the whole text") {
    CHECK(glob_match("encoder.weight", "encoder.weight"));
    CHECK_FALSE(glob_match("encoder.weight", "encoder.weights"));
    CHECK_FALSE(glob_match("encoder.weights", "encoder.weight"));
    CHECK(glob_match("encoder.*", "encoder.layers.0.weight"));
    CHECK_FALSE(glob_match("encoder.*", "encoder"));
    CHECK(glob_match("*.bias", "a.b.bias"));
    CHECK_FALSE(glob_match("*.bias", "a.b.bias_"));
    CHECK(glob_match("*bias*", "bias"));
    CHECK(glob_match("layers.?.weight", "layers.3.weight"));
    CHECK_FALSE(glob_match("layers.?.weight", "layers.13.weight"));
    CHECK(glob_match("*a*b*", "xxaayybb"));
    CHECK_FALSE(glob_match("*a*b*c", "xxaayybb"));
    CHECK(glob_match("*", ""));
    CHECK(glob_match("", ""));
    CHECK_FALSE(glob_match("", "x"));
    CHECK_FALSE(glob_match("?", ""));
    CHECK_FALSE(glob_match("a.b", "axb")); // a dot is a dot
}
