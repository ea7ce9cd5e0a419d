#include "support.hpp"

#include <audyn/config/config.hpp>
#include <audyn/config/json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using audyn::config::Constant;
using audyn::config::Value;
using config_test::error_of;
using config_test::parse;

namespace {

const std::string training = "train:\n"
                             "  steps:\n"
                             "    epochs: 20\n"
                             "    rate: 1.5\n"
                             "  names: [a, b]\n"
                             "  resume: null\n"
                             "  out: ???\n"
                             "  again: ${.steps}\n";

} // namespace

TEST_CASE("values are read by key, by path and as C++ types") {
    const audyn::Config config = parse(training);
    CHECK(config["train"]["steps"]["epochs"].as<std::int64_t>() == 20);
    CHECK(config.get<int>("train.steps.epochs") == 20);
    CHECK(config.get<double>("train.steps.epochs") == 20.0);
    CHECK(config.get<double>("train.steps.rate") == 1.5);
    CHECK(config.get<std::vector<std::string>>("train.names") == std::vector<std::string>{"a", "b"});
    CHECK(config["train"]["names"][1].as<std::string>() == "b");
    CHECK(config.get<std::string>("train.names.0") == "a");
    CHECK(config.get<std::map<std::string, double>>("train.steps") ==
          std::map<std::string, double>{{"epochs", 20.0}, {"rate", 1.5}});
    CHECK(config.get<int>("train.again.epochs") == 20);
    CHECK(config.get("train.batch_size", 32) == 32);
    CHECK(config.get_optional<std::string>("train.resume") == std::nullopt);
    CHECK(config.get_optional<int>("train.none") == std::nullopt);
    CHECK(config.get<std::optional<int>>("train.steps.epochs") == 20);
    CHECK(config.contains("train.resume"));
    CHECK_FALSE(config.contains("train.steps.epochs.x"));
    CHECK(config["train"]["resume"].is_null());
    CHECK(config["train"]["out"].is_missing());
    CHECK(config.missing_keys() == std::vector<std::string>{"train.out"});
    CHECK(config["train"].keys() == std::vector<std::string>{"steps", "names", "resume", "out", "again"});
    CHECK(config["train"]["names"].elements()[0].path() == "train.names[0]");
    CHECK(config["train"].items()[0].second["rate"].path() == "train.steps.rate");
}

TEST_CASE("whole numbers are integers, and nothing else is converted") {
    const audyn::Config config =
        parse("a: 3.0\nb: 3.5\nc: true\nd: '3'\ne: 300\nf: -1\ng: 99999999999999999999\nh: 5\n");
    CHECK(config.get<int>("a") == 3);
    CHECK(config.get<float>("g") == doctest::Approx(1e20));
    CHECK(error_of([&] { static_cast<void>(config.get<int>("b")); }) ==
          "x.yaml:2:4: 'b' must be an integer, not a number (3.5)\n    b: 3.5\n       ^");
    CHECK(error_of([&] { static_cast<void>(config.get<int>("c")); }) ==
          "x.yaml:3:4: 'c' must be an integer, not a boolean (true)\n    c: true\n       ^");
    CHECK(error_of([&] { static_cast<void>(config.get<double>("d")); }) ==
          "x.yaml:4:4: 'd' must be a number, not a string ('3')\n    d: '3'\n       ^\nRemove the quotes.");
    CHECK(error_of([&] {
              static_cast<void>(config.get<std::int8_t>("e"));
          }).find("'e' is 300, outside the range of -128 to 127") != std::string::npos);
    CHECK(error_of([&] {
              static_cast<void>(config.get<unsigned>("f"));
          }).find("'f' is -1, outside the range of 0 to 4294967295") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(config.get<std::int64_t>("g")); }).find("outside the range") !=
          std::string::npos);
    CHECK(error_of([&] {
              static_cast<void>(config.get<bool>("h"));
          }).find("must be a boolean (true or false), not an integer (5)") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(config.get<std::string>("h")); }) ==
          "x.yaml:8:4: 'h' must be a string, not an integer (5)\n    h: 5\n       ^\nWrite it in quotes if it is meant "
          "as a text.");
}

TEST_CASE("an absent key is told with its neighbours") {
    const audyn::Config config = parse(training);
    CHECK(error_of([&] { static_cast<void>(config["train"]["steps"]["epoch"]); }) ==
          "x.yaml:3:5: 'train.steps' has no key 'epoch'; did you mean 'epochs'?\n        epochs: 20\n        ^");
    CHECK(error_of([&] { static_cast<void>(config.at("train.steps.zzz")); }).ends_with("It has: epochs, rate."));
    CHECK(error_of([&] {
              static_cast<void>(config["train"]["names"][2]);
          }).find("'train.names' has 2 items; there is no item 2") != std::string::npos);
    CHECK(error_of([&] {
              static_cast<void>(config["train"]["resume"]["x"]);
          }).find("'train.resume' is null and has no key 'x'") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(config.get<int>("train.out")); }) ==
          "x.yaml:7:8: 'train.out' is mandatory and was not given ('\?\?\?')\n      out: \?\?\?\n           ^\nGive "
          "it, for example by train.out=VALUE.");
}

TEST_CASE("editing, handles, copies") {
    audyn::Config config = parse(training);
    const audyn::Config old = config["train"]["steps"];
    config.set("train.steps.epochs", 3);
    config.set("new.inner.list", std::vector<int>{1, 2});
    config.set("train.names.0", "z");
    config.erase("train.resume");
    CHECK(config.get<int>("train.steps.epochs") == 3);
    CHECK(old.get<int>("epochs") == 3);
    CHECK(config.get<int>("new.inner.list.1") == 2);
    CHECK(config.get<std::string>("train.names.0") == "z");
    CHECK_FALSE(config.contains("train.resume"));
    config.set("train.steps", 1);
    CHECK(old.get<double>("rate") == 1.5);
    CHECK(config["train"]["steps"].location().to_string() == "the program");
    config.resolve_all();
    CHECK(config.to_yaml().find("again: 1") != std::string::npos);
}

TEST_CASE("printing, JSON, attachments") {
    audyn::Config config = parse("b: 1\na: [1, {x: null}]\ns: 'true'\nr: ${b}\n");
    CHECK(config.to_yaml() == "b: 1\na:\n- 1\n- x: null\ns: 'true'\nr: ${b}\n");
    CHECK(config.to_yaml(true) == "b: 1\na:\n- 1\n- x: null\ns: 'true'\nr: 1\n");
    CHECK(audyn::config::to_json(config).dump() == R"({"b":1,"a":[1,{"x":null}],"s":"true","r":1})");
    CHECK(audyn::config::from_json(nlohmann::ordered_json::parse(R"({"z":[1,2.5,"x"],"y":null})")) == [] {
        Value list = Value::list();
        list.append(1);
        list.append(2.5);
        list.append("x");
        Value dict = Value::dict();
        dict.set("z", std::move(list));
        dict.set("y", Value());
        return dict;
    }());
    CHECK(config.attachment<int>() == nullptr);
    config.attach(std::make_shared<int>(7));
    CHECK(*config["a"].attachment<int>() == 7);
}

TEST_CASE("a configuration goes to JSON and comes back") {
    const audyn::Config config =
        parse("b: {z: 1, a: [true, null, 2.5, \"${b.z}\"]}\nbig: 99999999999999999999\n5: five\n");
    const auto json = audyn::config::to_json(config);
    CHECK(json.dump() == R"({"b":{"z":1,"a":[true,null,2.5,1]},"big":1e+20,"5":"five"})");
    const audyn::Config again(audyn::config::from_json(audyn::config::to_json(config, false)));
    CHECK(again.get<int>("b.a.3") == 1);
    CHECK(again["b"]["a"][3].is_interpolation());
    CHECK(again["b"].keys() == std::vector<std::string>{"z", "a"});
}

TEST_CASE("texts of several lines are printed so that they read back") {
    for (const std::string text :
         {"x\ny", "x\n", "\n", "x\n\n\n", " x\n  y\n", "a: b\n# c", "\ttab\n", "\xE2\x80\xA8"}) {
        CAPTURE(text);
        Value dict = Value::dict();
        dict.set("k", text);
        CHECK(parse(audyn::config::emit_yaml(dict)).get<std::string>("k") == text);
    }
    CHECK(parse("a: \"x \\\n  y\n\n  z\"\n").get<std::string>("a") == "x y\nz");
    CHECK(parse("a: 'it''s\n  two'\n").get<std::string>("a") == "it's two");
}

TEST_CASE("dictionaries and lists are walked in order") {
    const audyn::Config config = parse("z: 1\na: 2\nm: [5, 3, 4]\n");
    std::string walked;
    for (const auto& [key, value] : config.items()) {
        walked += key + (value.is_list() ? "[]" : std::to_string(value.as<int>()));
    }
    for (const audyn::Config& element : config["m"].elements()) {
        walked += std::to_string(element.as<int>());
    }
    CHECK(walked == "z1a2m[]534");
    CHECK(config.get("z", 7) == 1);
    CHECK(config.get("y", std::vector<int>{7}) == std::vector<int>{7});
    CHECK(config.get<std::optional<std::string>>("none", "x") == "x");
    CHECK(error_of([&] { static_cast<void>(config.get("m", 7)); }).find("must be an integer, not a list") !=
          std::string::npos);
}

TEST_CASE("constants are kept apart from strings") {
    audyn::config::Resolvers resolvers;
    resolvers.add_constant("torch.bfloat16").add_constant("my.vocab_size", 84);
    const audyn::Config config =
        parse("dtype: ${const:torch.bfloat16}\nnext: ${const:torch.bfloat16 + 1}\nsize: ${const:my.vocab_size + 2}\n"
              "bad: ${const:torch.bfloat61}\n",
              resolvers);
    CHECK(config.get<Constant>("dtype") == Constant{"torch.bfloat16", std::int64_t{0}});
    CHECK(config.get<Constant>("next") == Constant{"torch.bfloat16", std::int64_t{1}});
    CHECK(config.get<int>("size") == 86);
    CHECK(error_of([&] {
              static_cast<void>(config.get<std::string>("dtype"));
          }).find("'dtype' must be a string, not a constant (torch.bfloat16)") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(config["bad"].is_constant()); }) ==
          "x.yaml:4:6: 'bad': unknown constant 'torch.bfloat61'; did you mean 'torch.bfloat16'?\n    bad: "
          "${const:torch.bfloat61}\n         ^");
}
