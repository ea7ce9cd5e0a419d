#include "support.hpp"

#include <audyn/config/mistakes.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using audyn::config::ConfigErrors;
using audyn::config::Mistakes;
using config_test::error_of;

namespace {

[[noreturn]] void fail(const char* text) {
    throw audyn::ConfigError(text);
}

} // namespace

TEST_CASE("one mistake is thrown as it is, several as one report") {
    Mistakes mistakes;
    CHECK(mistakes.attempt([] {}));
    CHECK_NOTHROW(mistakes.throw_if_any());
    CHECK_FALSE(mistakes.attempt([] { fail("a: wrong"); }));
    CHECK(error_of([&] { mistakes.throw_if_any(); }) == "a: wrong");
    CHECK_FALSE(mistakes.attempt([] { fail("a: wrong"); })); // told already
    CHECK_FALSE(mistakes.attempt([] { fail("b: wrong\n  too"); }));
    CHECK(error_of([&] { mistakes.throw_if_any(); }) ==
          "2 mistakes in the configuration\n\n1. a: wrong\n\n2. b: wrong\n  too");
    CHECK_THROWS_AS(mistakes.attempt([] { throw std::runtime_error("not ours"); }), std::runtime_error);
}

TEST_CASE("a report in a report becomes one") {
    Mistakes outer;
    outer.add("first");
    outer.attempt([] {
        Mistakes inner;
        inner.add("second");
        inner.add("third");
        inner.throw_if_any();
    });
    try {
        outer.throw_if_any();
        FAIL("nothing was thrown");
    } catch (const ConfigErrors& errors) {
        CHECK(errors.mistakes() == std::vector<std::string>{"first", "second", "third"});
    }
}

TEST_CASE("of very many mistakes the first are told, and how many there are") {
    Mistakes mistakes;
    for (int number = 0; number < 1000; ++number) {
        mistakes.add("mistake " + std::to_string(number));
    }
    const std::string text = error_of([&] { mistakes.throw_if_any(); });
    CHECK(text.starts_with("1000 mistakes in the configuration; the first 50:\n\n1. mistake 0\n"));
    CHECK(text.ends_with("50. mistake 49"));
}

TEST_CASE("all that is wrong with a configuration's values is told at once") {
    const auto config = config_test::compose({{"config", "defaults: [{a: x}, _self_]\nn: ${a.y}\nm: ${n}\n"},
                                              {"a/x", "y: \?\?\?\nz: ${oc.env:AUDYN_TEST_UNSET}\nok: 1\n"}});
    const std::string text = error_of([&] { config.check_values(); });
    CHECK(text.starts_with("3 mistakes in the configuration\n\n1. conf/a/x.yaml:1:4: 'a.y' is mandatory"));
    CHECK(text.find("2. conf/a/x.yaml:2:4: 'a.z': the environment variable 'AUDYN_TEST_UNSET' is not set\n"
                    "    z: ${oc.env:AUDYN_TEST_UNSET}\n       ^\n"
                    "  in the defaults list of conf/config.yaml:1:12\n") != std::string::npos);
    CHECK(text.find("3. conf/config.yaml:2:4: 'n': interpolation to the key 'a.y'") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(config.to_value(true)); }).starts_with("2 mistakes in the configuration"));
    CHECK_NOTHROW(config.at("a.ok").check_values());
}

TEST_CASE("all files and overrides of a composition are looked at") {
    const std::string text = error_of([] {
        static_cast<void>(config_test::compose({{"config", "defaults:\n  - a: x\n  - b: nope\n  - c: x\n"},
                                                {"a/x", "k: [1\n"},
                                                {"b/x", ""},
                                                {"c/x", "k: 1\nk: 2\n"}}));
    });
    CHECK(text.starts_with("3 mistakes in the configuration\n\n1. conf/a/x.yaml:1:4: the '[' is not closed"));
    CHECK(text.find("2. conf/config.yaml:3:8: could not find 'b/nope'") != std::string::npos);
    CHECK(text.find("3. conf/c/x.yaml:2:1: the key 'k' is given twice") != std::string::npos);
}
