#include "support.hpp"

#include <audyn/config/bind.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

using config_test::error_of;
using config_test::parse;

namespace {

struct Stage {
    std::int64_t epochs = 0;
    double lr = 1e-3;
    static constexpr auto config_members() {
        using audyn::config::member;
        return audyn::config::members(member("epochs", &Stage::epochs).required(), member("lr", &Stage::lr));
    }
};

struct Options {
    std::string name = "run";
    std::optional<double> clip;
    Stage first;
    std::vector<Stage> stages;
    std::map<std::string, Stage> named;
    std::vector<int> sizes{1, 2};
    bool amp = false;
    static constexpr auto config_members() {
        using audyn::config::member;
        return audyn::config::members(member("name", &Options::name), member("clip", &Options::clip),
                                      member("first", &Options::first), member("stages", &Options::stages),
                                      member("named", &Options::named), member("sizes", &Options::sizes),
                                      member("amp", &Options::amp).required());
    }
};

/// Somebody else's struct.
struct Point {
    double x = 0.0;
    double y = 0.0;
};

} // namespace

template <>
struct audyn::config::Members<Point> {
    static constexpr auto get() { return members(member("x", &Point::x), member("y", &Point::y)); }
};

TEST_CASE("a struct is filled from a dictionary, with structs in it") {
    const auto options = parse("name: big\nclip: 1\namp: true\nfirst: {epochs: 1}\nstages: [{epochs: 2, lr: 0.5}, "
                               "\"${first}\"]\nnamed: {a.b: {epochs: 3}}\nsizes: []\n")
                             .as<Options>();
    CHECK(options.name == "big");
    CHECK(options.clip == 1.0);
    CHECK(options.amp);
    CHECK(options.first.epochs == 1);
    CHECK(options.first.lr == 1e-3);
    REQUIRE(options.stages.size() == 2);
    CHECK(options.stages[0].lr == 0.5);
    CHECK(options.stages[1].epochs == 1);
    CHECK(options.named.at("a.b").epochs == 3);
    CHECK(options.sizes.empty());
}

TEST_CASE("what is absent keeps the struct's own initialiser") {
    const auto options = parse("amp: false\nclip: null\nname: \?\?\?\n").as<Options>();
    CHECK(options.name == "run");
    CHECK_FALSE(options.clip.has_value());
    CHECK(options.sizes == std::vector<int>{1, 2});
    Options mine;
    mine.name = "mine";
    audyn::config::bind(parse("amp: true\n"), mine);
    CHECK(mine.name == "mine");
    CHECK(mine.amp);
}

TEST_CASE("structs that cannot be changed are described from outside") {
    const auto points = parse("a: {x: 1, y: 2}\nb: {y: 3}\n").as<std::map<std::string, Point>>();
    CHECK(points.at("a").x == 1.0);
    CHECK(points.at("b").y == 3.0);
    CHECK(parse("p: null\n").get_optional<Point>("p") == std::nullopt);
    CHECK(parse("p: {x: 4}\n").get<std::optional<Point>>("p")->x == 4.0);
}

TEST_CASE("all mistakes of a struct are told at once, each at its key or value") {
    const auto config = parse("nmae: big\nclip: high\nfirst: {epochs: 1.5, Lr: 1}\nstages: [{epochs: 2}, {lr: 1}]\n"
                              "named: 5\nzzz: 1\n");
    CHECK(error_of([&] { static_cast<void>(config.as<Options>()); }) ==
          "8 mistakes in the configuration\n\n"
          "1. x.yaml:1:1: 'nmae' is not known; did you mean 'name'?\n    nmae: big\n    ^\n\n"
          "2. x.yaml:6:1: 'zzz' is not known\n    zzz: 1\n    ^\n"
          "Known are: name, clip, first, stages, named, sizes, amp.\n\n"
          "3. x.yaml:2:7: 'clip' must be a number, not a string ('high')\n    clip: high\n          ^\n\n"
          "4. x.yaml:3:22: 'first.Lr' is not known; did you mean 'lr'?\n    first: {epochs: 1.5, Lr: 1}\n"
          "                         ^\n\n"
          "5. x.yaml:3:17: 'first.epochs' must be an integer, not a number (1.5)\n    first: {epochs: 1.5, Lr: 1}\n"
          "                    ^\n\n"
          "6. x.yaml:4:23: 'stages[1]' lacks the key 'epochs'\n    stages: [{epochs: 2}, {lr: 1}]\n"
          "                          ^\n\n"
          "7. x.yaml:5:8: 'named' must be a dictionary, not an integer (5)\n    named: 5\n           ^\n\n"
          "8. x.yaml:1:1: the configuration lacks the key 'amp'\n    nmae: big\n    ^");
    CHECK(error_of([] { static_cast<void>(parse("p: [1]\n").get<Point>("p")); }) ==
          "x.yaml:1:4: 'p' must be a dictionary with the keys x, y, not a list\n    p: [1]\n       ^");
    CHECK(error_of([] { static_cast<void>(parse("amp: \?\?\?\n").as<Options>()); }) ==
          "x.yaml:1:6: 'amp' is mandatory and was not given ('\?\?\?')\n    amp: \?\?\?\n         ^\n"
          "Give it, for example by amp=VALUE.");
}

TEST_CASE("the override that brought a wrong key is named") {
    const auto config = config_test::compose({{"config", "amp: true\n"}}, {"+first={epochs: 1, lrr: 2}"});
    CHECK(error_of([&] { static_cast<void>(config.as<Options>()); }) ==
          "override '+first={epochs: 1, lrr: 2}': 'first.lrr' is not known; did you mean 'lr'?\n"
          "    +first={epochs: 1, lrr: 2}\n                       ^");
}
