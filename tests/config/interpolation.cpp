#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using audyn::config::Value;
using config_test::error_of;
using config_test::parse;

namespace {

std::string resolved(const std::string& yaml) {
    return audyn::config::python_repr(parse(yaml).to_value(true));
}

} // namespace

TEST_CASE("absolute, relative and nested interpolation, as OmegaConf 2.3 resolves them") {
    const std::vector<std::pair<std::string, std::string>> recorded{
        {"a: x${b}\nb: null", "{'a': 'xNone', 'b': None}"},
        {"a: x${b}\nb: [1,a]", "{'a': \"x[1, 'a']\", 'b': [1, 'a']}"},
        {"a: ${b[0]}\nb: [7]", "{'a': 7, 'b': [7]}"},
        {"a: [\"${..b}\"]\nb: 2", "{'a': [2], 'b': 2}"},
        {"a: [{x: \"${..1}\"}, 9]", "{'a': [{'x': 9}, 9]}"},
        {"a: ${b.${c}}\nb: {x: 1}\nc: x", "{'a': 1, 'b': {'x': 1}, 'c': 'x'}"},
        {"a: \\${b}\nb: 1", "{'a': '${b}', 'b': 1}"},
        {"a: \\\\${b}\nb: 1", "{'a': '\\\\1', 'b': 1}"},
        {"a: ${b.c}\nb: ${d}\nd: {c: 3}", "{'a': 3, 'b': {'c': 3}, 'd': {'c': 3}}"},
        {"a: ${b.c}\nb: {c: [1, \"${..d}\"], d: 2}", "{'a': [1, 2], 'b': {'c': [1, 2], 'd': 2}}"},
        {"a: ${oc.select:zz,5}", "{'a': 5}"},
        {"a: ${oc.dict.values:b}\nb: {x: 1, y: 2}", "{'a': [1, 2], 'b': {'x': 1, 'y': 2}}"},
        {"a: ${oc.env:AUDYN_TEST_UNSET,1}", "{'a': '1'}"},
        {"a: \"${oc.decode:'[1, {x: 2}]'}\"", "{'a': [1, {'x': 2}]}"},
    };
    for (const auto& [yaml, python] : recorded) {
        CAPTURE(yaml);
        CHECK(resolved(yaml) == python);
    }
}

TEST_CASE("what cannot be resolved names the key that holds it and the key that it looks for") {
    const std::vector<std::pair<std::string, std::string>> golden{
        {"train: {lr: 1}\na: ${trian.lr}\n", "x.yaml:2:4: 'a': interpolation key 'trian.lr' not found; did you mean "
                                             "'train'?\n    a: ${trian.lr}\n       ^\nThere is ${train.lr}."},
        {"train: {lr: 1}\na: ${train.rl}\n", "x.yaml:2:4: 'a': interpolation key 'train.rl' not found; did you mean "
                                             "'train.lr'?\n    a: ${train.rl}\n       ^"},
        {"a: ${b}\nb: ${a}\n",
         "x.yaml:1:4: 'a': the interpolation refers to itself: a -> b -> a\n    a: ${b}\n       ^"},
        {"a: ${b}\nb: ???\n", "x.yaml:1:4: 'a': interpolation to the key 'b', whose mandatory value '\?\?\?' is "
                              "missing\n    a: ${b}\n       ^"},
        {"a: ${b.c}\nb: 5\n", "x.yaml:1:4: 'a': interpolation key 'b.c' not found: 'b' is an integer and has no keys\n "
                              "   a: ${b.c}\n       ^"},
        {"a: {b: \"${a}\"}\n", "x.yaml:1:8: 'a.b': the interpolation '${a}' refers to a dictionary or list that "
                               "contains it\n    a: {b: \"${a}\"}\n           ^"},
        {"a: ${oc.envv:HOME}\n", "x.yaml:1:4: 'a': unsupported interpolation type 'oc.envv': there is no such "
                                 "resolver; did you mean 'oc.env'?\n    a: ${oc.envv:HOME}\n       ^"},
    };
    for (const auto& [yaml, message] : golden) {
        CAPTURE(yaml);
        CHECK(error_of([&yaml = yaml] { static_cast<void>(resolved(yaml)); }) == message);
    }
}

TEST_CASE("the program's own resolvers") {
    audyn::config::Resolvers resolvers;
    resolvers.add("times", [](std::span<const Value> arguments, audyn::config::ResolverContext& context) -> Value {
        context.warn("times was used by " + context.key());
        return *arguments[0].get_if<std::int64_t>() * *context.select("factor").get_if<std::int64_t>();
    });
    resolvers.add("fails", [](std::span<const Value>, audyn::config::ResolverContext&) -> Value {
        throw std::runtime_error("no luck");
    });
    const audyn::Config config = parse("a: ${times:${b}}\nb: 3\nfactor: 5\nc: ${fails:}\n", resolvers);
    CHECK(config.get<int>("a") == 15);
    CHECK(config.warnings() == std::vector<std::string>{"times was used by a"});
    CHECK(error_of([&] {
              static_cast<void>(config.get<int>("c"));
          }).find("'c': the resolver 'fails' failed: no luck") != std::string::npos);
}

TEST_CASE("endless growth is refused") {
    std::string yaml = "a0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
    for (int level = 1; level < 12; ++level) {
        yaml += "a" + std::to_string(level) + ": [";
        for (int copy = 0; copy < 10; ++copy) {
            yaml += std::string(copy > 0 ? ", " : "") + "\"${a" + std::to_string(level - 1) + "}\"";
        }
        yaml += "]\n";
    }
    CHECK(error_of([&] { static_cast<void>(resolved(yaml)); }).find("resolving gives more than") != std::string::npos);
    CHECK_FALSE(error_of([] { static_cast<void>(resolved("a: ${oc.select:a}\n")); }).empty());
}
