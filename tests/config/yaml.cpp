#include "support.hpp"

#include <audyn/config/emit.hpp>
#include <audyn/config/text.hpp>
#include <audyn/config/yaml.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using config_test::error_of;
using config_test::parse;

namespace {

std::string repr(const std::string& yaml) {
    return audyn::config::python_repr(parse(yaml).to_value());
}

} // namespace

TEST_CASE("plain scalars have the types of YAML 1.1 as OmegaConf reads them") {
    // value and Python's repr, as Hydra 1.3.2 printed them
    const std::vector<std::pair<std::string, std::string>> recorded{{"1e-3", "0.001"},
                                                                    {"1E3", "1000.0"},
                                                                    {".5", "0.5"},
                                                                    {"-.5", "'-.5'"},
                                                                    {"1_000", "1000"},
                                                                    {"0x1F", "31"},
                                                                    {"0o17", "'0o17'"},
                                                                    {"017", "15"},
                                                                    {"0b101", "5"},
                                                                    {"1:30", "90"},
                                                                    {"1:30.5", "90.5"},
                                                                    {"on", "True"},
                                                                    {"NO", "False"},
                                                                    {"y", "'y'"},
                                                                    {"tRue", "'tRue'"},
                                                                    {"~", "None"},
                                                                    {"", "None"},
                                                                    {".inf", "inf"},
                                                                    {"inf", "'inf'"},
                                                                    {"08", "'08'"},
                                                                    {"1.", "1.0"},
                                                                    {"1.e3", "1000.0"},
                                                                    {"2001-01-01", "'2001-01-01'"},
                                                                    {"!!str 5", "'5'"},
                                                                    {"!!int \"5\"", "5"},
                                                                    {"\"5\"", "'5'"},
                                                                    {"12345678901234567890", "12345678901234567890"},
                                                                    {"!!binary aGk=", "b'hi'"}};
    for (const auto& [yaml, python] : recorded) {
        CAPTURE(yaml);
        CHECK(repr("k: " + yaml) == "{'k': " + python + "}");
    }
}

TEST_CASE("merge keys, anchors and odd roots") {
    CHECK(repr("a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n") == "{'a': {'b': 1}, 'c': {'b': 2}}");
    CHECK(repr("a: &a {x: 1, y: 1}\nb: &b {y: 2}\nc:\n  <<: [*a, *b]\n") ==
          "{'a': {'x': 1, 'y': 1}, 'b': {'y': 2}, 'c': {'y': 1, 'x': 1}}");
    CHECK(repr("") == "{}");
    CHECK(repr("hello") == "{'hello': None}");
    CHECK(repr("- 1\n- 2\n") == "[1, 2]");
    CHECK(repr("\xEF\xBB\xBF"
               "a: 1\r\nb: 2\r\n") == "{'a': 1, 'b': 2}");
}

TEST_CASE("mistakes are shown with file, line, column and a caret") {
    const std::vector<std::pair<std::string, std::string>> golden{
        {"a: 1\nb:\n\tc: 1\n",
         "x.yaml:3:1: a tab is not allowed here: indent and separate with spaces\n    \tc: 1\n    ^"},
        {"a: 1\n b: 2\n", "x.yaml:2:2: this line is indented deeper than the line above it, which has a value already\n"
                          "     b: 2\n     ^"},
        {"lr: 1\nsteps: 2\nlr: 3\n",
         "x.yaml:3:1: the key 'lr' is given twice in one dictionary, first in line 1\n    lr: 3\n    ^"},
        {"a: &r [1, *r]\n",
         "x.yaml:1:11: the alias refers to a node that contains it\n    a: &r [1, *r]\n              ^"},
        {"name: \"caf\xC3\xA9\ntail: 1\n", "x.yaml:1:7: the quote is not closed\n    name: \"caf\xC3\xA9\n          ^"},
        {"lr: ${optimizer.lr\n", "x.yaml:1:19: the interpolation '${optimizer.lr' is wrong: it ends too early; is a "
                                 "'}', ']' or quote missing?\n    lr: ${optimizer.lr\n                      ^"},
        {"a: 1\n---\nb: 2\n",
         "x.yaml:2:1: the file has more than one document ('---')\n    ---\n    ^\nPut each into a file of its own."},
        {"value: !mine 5\n", "x.yaml:1:8: unknown tag '!mine'\n    value: !mine 5\n           ^"},
        {"l: [1,,2]\n", "x.yaml:1:7: an item is missing before this comma\n    l: [1,,2]\n          ^"},
        {"\xC3\xA9: @\n",
         "x.yaml:1:4: a value cannot begin with '@': quote it if it is meant as a text\n    \xC3\xA9: @\n       ^"},
    };
    for (const auto& [yaml, message] : golden) {
        CAPTURE(yaml);
        CHECK(error_of([&yaml = yaml] { parse(yaml); }) == message);
    }
}

TEST_CASE("hostile input ends in an error") {
    std::string deep(100'000, '[');
    CHECK_FALSE(error_of([&deep] { parse("a: " + deep); }).empty());

    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int level = 1; level < 12; ++level) {
        const std::string before = "*a" + std::to_string(level - 1);
        laughs += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + before;
        for (int copy = 1; copy < 10; ++copy) {
            laughs += ", " + before;
        }
        laughs += "]\n";
    }
    CHECK(error_of([&laughs] { parse(laughs); }).find("aliases count each time") != std::string::npos);
    CHECK_FALSE(error_of([] { parse("a: \xFF\n"); }).empty());
    CHECK_FALSE(error_of([] { parse(std::string("a: \0b\n", 6)); }).empty());
}

TEST_CASE("every escape of a quoted scalar is the character that YAML says") {
    const auto text = [](const std::string& yaml) {
        return config_test::parse("a: " + yaml + "\n").get<std::string>("a");
    };
    CHECK(text(R"("x\N\_\L\Py")") == "x\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9y");
    CHECK(text(R"("\x41\u00e9\U0001F600\t\"\\\/")") == "A\xC3\xA9\xF0\x9F\x98\x80\t\"\\/");
    CHECK(text(R"('\N\_')") == "\\N\\_");
}

TEST_CASE("bytes are read again from what is printed, as a value, as a key and after a long key") {
    const std::string long_key(130, 'k');
    for (const std::string& yaml :
         {std::string("a: !!binary aGk="), std::string("a: !!binary ''"), std::string("!!binary aGk=: 1"),
          "? " + long_key + "\n: !!binary aGk=\nb: 1", "? " + long_key + "\n: !!binary ''\nb: 1",
          "? !!binary " + std::string(160, 'A') + "\n: !!binary aGk=\nb: [!!binary aGk=]"}) {
        const std::string printed = audyn::config::emit_yaml(parse(yaml).to_value());
        CHECK(audyn::config::emit_yaml(parse(printed).to_value()) == printed);
        CHECK(repr(printed) == repr(yaml));
    }
    CHECK(audyn::config::emit_yaml(parse("a: !!binary aGk=\nb: !!binary ''").to_value()) ==
          "a: !!binary |\n  aGk=\nb: !!binary \"\"\n");
    CHECK(error_of([] { parse("a:\n- !!binary |\n  aGk=\n"); }).find("x.yaml:2:1: a tag before a block") == 0);
}
