#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>
#include <audyn/core/version.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("names keeps the words in order, at compile time") {
    constexpr auto words = audyn::names("waveform", "length");
    static_assert(words.size() == 2);
    static_assert(words[0] == "waveform" && words[1] == "length");
    static_assert(audyn::names().empty());
}

TEST_CASE("every error of the toolkit can be caught as audyn::Error") {
    CHECK_THROWS_AS(throw audyn::ConfigError("x"), audyn::Error);
    CHECK_THROWS_AS(throw audyn::TrainingError("x"), audyn::Error);
    CHECK_THROWS_WITH(throw audyn::DataError("a.wav is truncated"), "a.wav is truncated");
}

TEST_CASE("the version as text is the version as numbers") {
    CHECK(std::string(audyn::version) == std::to_string(AUDYN_VERSION_MAJOR) + "." +
                                             std::to_string(AUDYN_VERSION_MINOR) + "." +
                                             std::to_string(AUDYN_VERSION_PATCH));
}
