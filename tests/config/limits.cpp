#include "support.hpp"

#include <audyn/config/json.hpp>
#include <audyn/config/override.hpp>

#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <utility>
#include <vector>

using config_test::error_of;
using config_test::Files;
using config_test::parse;

namespace {

std::string repeated(const std::string& piece, int times) {
    std::string text;
    for (int count = 0; count < times; ++count) {
        text += piece;
    }
    return text;
}

/// Lists of ten references each to the level below: 10^levels values when all are copied.
std::string laughs(int levels, const std::string& name, const std::string& reference, const std::string& end) {
    std::string text = "a0: " + name + "0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int level = 1; level < levels; ++level) {
        const std::string number = std::to_string(level);
        const std::string below = reference + std::to_string(level - 1) + end;
        text += "a" + number + ": " + name + number + " [" + below + repeated(", " + below, 9) + "]\n";
    }
    return text;
}

/// A line of the error of `action`, which must come soon: hostile input may cost memory in proportion, not more.
template <class Action>
std::string soon(const Action& action) {
    const std::clock_t start = std::clock();
    const std::string error = error_of(action);
    CHECK((std::clock() - start) / CLOCKS_PER_SEC < 60);
    CHECK(error.size() < 6'000);
    return error.substr(0, error.find('\n'));
}

} // namespace

TEST_CASE("hostile YAML ends in an error") {
    CHECK(soon([] { parse("a: " + std::string(300, '[') + std::string(300, ']')); }) ==
          "x.yaml:1:259: nested deeper than 256 levels");
    CHECK(soon([] { parse("a: " + std::string(8'000'000, '[')); }) ==
          "x.yaml:1:10004: more than 10000 brackets are open here");
    CHECK(soon([] { parse("a: " + repeated("{a: ", 100'000)); }) ==
          "x.yaml:1:40004: more than 10000 brackets are open here");
    CHECK(soon([] { parse("a: " + std::string(9'000'000, 'x')); }) == "x.yaml: the text is larger than 8388608 bytes");
    CHECK(soon([] { parse(repeated("- ", 100'000)); }).find("nested deeper than") != std::string::npos);
    CHECK_FALSE(soon([] { parse(repeated("? ", 100'000)); }).empty());
    CHECK_FALSE(soon([] { parse("a: " + std::string(200'001, '\'')); }).empty());
    CHECK(soon([] { parse(laughs(12, "&a", "*a", "")); }).find("aliases count each time") != std::string::npos);
}

TEST_CASE("hostile overrides end in an error") {
    const auto parse_override = [](const std::string& text) { static_cast<void>(audyn::config::parse_override(text)); };
    CHECK(soon([&] {
              parse_override("a=" + std::string(10'000'000, '['));
          }).ends_with("...': longer than 1048576 bytes"));
    CHECK(soon([&] { parse_override("a=" + std::string(1'000'000, '[')); }).ends_with("...': nested too deeply"));
    CHECK(soon([&] { parse_override("a=" + repeated("{a:", 100'000)); }).ends_with("nested too deeply"));
    CHECK(soon([&] { parse_override("a=" + repeated("int(", 100'000)); }).ends_with("nested too deeply"));
    CHECK(soon([&] { parse_override("a=" + std::string(1'000'000, '"')); }).size() > 0);
    CHECK(soon([&] { parse_override(std::string(1'000'000, '+')); }).size() > 0);
    CHECK(soon([&] { parse_override("a=" + repeated("x,", 100'000) + "x"); }).empty());
    CHECK(soon([] {
              static_cast<void>(config_test::compose({{"config", "a: 1\n"}}, {"a" + repeated(".a", 100'000) + "=1"}));
          }).find("nested deeper than 256 levels") != std::string::npos);
    CHECK(soon([] {
              static_cast<void>(config_test::compose({{"config", "b: 1\n"}}, {"+a" + repeated(".a", 100'000) + "=1"}));
          }).find("nested deeper than 256 levels") != std::string::npos);
    CHECK(soon([] {
              static_cast<void>(config_test::compose(
                  {{"config", "defaults: [b@a" + repeated(".a", 100'000) + "]\n"}, {"b", "c: 1\n"}}));
          }).find("nested deeper than 256 levels") != std::string::npos);
}

TEST_CASE("hostile JSON ends in an error") {
    const auto json = nlohmann::ordered_json::parse(std::string(100'000, '[') + std::string(100'000, ']'));
    CHECK(soon([&json] { static_cast<void>(audyn::config::from_json(json)); }) ==
          "the JSON document is nested deeper than 256 levels");
}

TEST_CASE("hostile interpolations end in an error") {
    const auto resolve = [](const std::string& yaml) { static_cast<void>(parse(yaml).to_value(true)); };
    CHECK(soon([&] { resolve("a: " + repeated("${", 100'000)); }) ==
          "x.yaml:1:20005: more than 10000 brackets are open here");
    CHECK(soon([&] { resolve("a: '" + repeated("${", 5'000) + "'"); }).ends_with("is wrong: nested too deeply"));
    CHECK(soon([&] { resolve("a: '" + repeated("${f:[", 4'000) + "'"); }).ends_with("is wrong: nested too deeply"));
    CHECK(soon([&] { resolve("a: \"${oc.decode:'" + repeated("[", 9'000) + "'}\"\n"); }).find("nested too deeply") !=
          std::string::npos);
    CHECK(soon([&] { resolve(laughs(12, "", "\"${a", "}\"")); }) ==
          "x.yaml:7:5: 'a6': resolving gives a text longer than 16777216 bytes");
    std::string chain = "a0: ${a1}\n";
    for (int link = 1; link < 1000; ++link) {
        chain += "a" + std::to_string(link) + ": ${a" + std::to_string(link + 1) + "}\n";
    }
    CHECK(soon([&] { resolve(chain + "a1000: 1\n"); }) == "744 mistakes in the configuration; the first 50:");
    std::string doubled;
    for (int level = 1; level < 60; ++level) {
        const std::string below = "${a" + std::to_string(level - 1) + "}";
        doubled += "a" + std::to_string(level) + ": " + below + below + "\n";
    }
    CHECK(soon([&] { resolve("a0: " + std::string(1000, 'x') + "\n" + doubled); }) ==
          "x.yaml:16:6: 'a15': resolving gives a text longer than 16777216 bytes");
    CHECK(soon([&] { resolve("a0: ''\n" + doubled); }) ==
          "x.yaml:2:5: 'a1': resolving follows more than 2000000 interpolations");
}

TEST_CASE("hostile defaults lists end in an error") {
    Files files{{"config", "defaults: [f0, f0@x]\n"}};
    for (int level = 0; level < 60; ++level) {
        const std::string next = "f" + std::to_string(level + 1);
        files.emplace_back("f" + std::to_string(level), "defaults: [" + next + ", " + next + "@x]\n");
    }
    files.emplace_back("f60", "a: 1\n");
    CHECK(soon([&] { static_cast<void>(config_test::compose(files)); }).find("the defaults lists have more than") !=
          std::string::npos);
    CHECK(soon([] {
              static_cast<void>(
                  config_test::compose({{"config", "defaults: [a, a@x]\n"}, {"a", "defaults: [/a@p, /a@q]\n"}}));
          }).find("in a circle: a -> a") != std::string::npos);
}
