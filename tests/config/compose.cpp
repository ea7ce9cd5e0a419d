#include "support.hpp"

#include <audyn/config/builtin.hpp>
#include <audyn/config/text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using config_test::compose;
using config_test::error_of;
using config_test::Files;

namespace {

const Files files{{"config", "defaults:\n  - optimizer: adam\n  - _self_\nseed: 1\n"},
                  {"optimizer/adam", "lr: 1e-3\nname: adam\n"},
                  {"optimizer/sgd", "lr: 0.1\nname: sgd\nmomentum: 0.9\n"},
                  {"extra/deep/x", "# @package _global_\ndeep: true\n"}};

std::string repr(const audyn::Config& config) {
    return audyn::config::python_repr(config.to_value());
}

std::string failure(const std::vector<std::string>& overrides) {
    return error_of([&] { static_cast<void>(compose(files, overrides)); });
}

} // namespace

TEST_CASE("groups, values, additions and deletions") {
    CHECK(repr(compose(files)) == "{'optimizer': {'lr': 0.001, 'name': 'adam'}, 'seed': 1}");
    CHECK(repr(compose(files, {"optimizer=sgd", "optimizer.lr=0.2", "seed=null"})) ==
          "{'optimizer': {'lr': 0.2, 'name': 'sgd', 'momentum': 0.9}, 'seed': None}");
    CHECK(repr(compose(files, {"+optimizer.eps=1e-8", "~seed", "+extra/deep=x"})) ==
          "{'optimizer': {'lr': 0.001, 'name': 'adam', 'eps': 1e-08}, 'deep': True}");
    CHECK(repr(compose(files, {"~optimizer", "++a.b=[1,{c: d}]"})) == "{'seed': 1, 'a': {'b': [1, {'c': 'd'}]}}");
}

TEST_CASE(
    "files merge key by key: lists are replaced, a missing value changes nothing, an interpolation is filled in") {
    const auto merged = [](const std::string& first, const std::string& second) {
        return repr(compose({{"config", "defaults: [a, b, _self_]\n"}, {"a", first}, {"b", second}}));
    };
    CHECK(merged("a: {x: 1, y: 2}\n", "a: {y: 3, z: 4}\n") == "{'a': {'x': 1, 'y': 3, 'z': 4}}");
    CHECK(merged("a: [1, 2, 3]\n", "a: [9]\n") == "{'a': [9]}");
    CHECK(merged("a: 1\n", "a: ???\n") == "{'a': 1}");
    CHECK(merged("a: {x: 1}\n", "a: null\n") == "{'a': None}");
    CHECK(merged("a: ${b}\nb: {x: 1}\n", "a: {y: 2}\n") == "{'a': {'x': 1, 'y': 2}, 'b': {'x': 1}}");
    CHECK(merged("b: 1\na: 2\n", "a: 3\nc: 4\nb: 5\n") == "{'b': 5, 'a': 3, 'c': 4}");
}

TEST_CASE("every value knows the place that set it") {
    const audyn::Config config = compose(files, {"optimizer.lr=0.2"});
    CHECK(config.at("seed").location().to_string() == "conf/config.yaml:4:7");
    CHECK(config.at("optimizer.name").location().to_string() == "conf/optimizer/adam.yaml:2:7");
    CHECK(config.at("optimizer.lr").location().is_override());
    CHECK(config.at("seed").location().is_file());
}

TEST_CASE("what the run was asked for") {
    const audyn::Config config = compose(files, {"optimizer=sgd", "hydra.run.dir=/tmp/x"});
    CHECK(config.hydra().get<std::string>("run.dir") == "/tmp/x");
    CHECK(config.hydra().get<std::vector<std::string>>("overrides.task") == std::vector<std::string>{"optimizer=sgd"});
    CHECK(config.hydra().get<std::string>("runtime.choices.optimizer") == "sgd");
    CHECK_FALSE(config.contains("hydra"));
}

TEST_CASE("mistakes are told kindly") {
    CHECK(failure({"optimizer.lrr=1"}) ==
          "override 'optimizer.lrr=1': could not override 'optimizer.lrr': 'optimizer' has no key 'lrr'; did you mean "
          "'optimizer.lr'?\n"
          "    optimizer.lrr=1\n              ^\nTo add a new key, write +optimizer.lrr=1");
    CHECK(failure({"optimzer=sgd"}).find("the configuration has no key 'optimzer'; did you mean 'optimizer'?") !=
          std::string::npos);
    CHECK(failure({"optimizer=sdg"}) ==
          "override 'optimizer=sdg': could not find 'optimizer/sdg'; did you mean 'sgd'?\n"
          "    optimizer=sdg\n              ^\n  in the defaults list of conf/config.yaml:2:5\n"
          "Options of 'optimizer': adam, sgd");
    CHECK(failure({"seed=1,2"}).find("To use them as a list, write seed=[1,2]\n") != std::string::npos);
    CHECK(failure({"+seed=2"}).find("an item is already at 'seed'") != std::string::npos);
    CHECK(failure({"~sed"}).find("'sed' does not exist; did you mean 'seed'?") != std::string::npos);
    CHECK(failure({"optimizer@x=sgd"}).find("did you mean to override optimizer?") != std::string::npos);
    CHECK(error_of([] {
              static_cast<void>(compose({{"config", "defaults:\n  - optimiser: adam\n"}, {"optimizer/adam", ""}}));
          }) == "conf/config.yaml:2:5: could not find 'optimiser/adam': there is no group 'optimiser'; did you mean "
                "'optimizer'?\n      - optimiser: adam\n        ^\nSearch path:\n    conf");
    CHECK(error_of([] {
              static_cast<void>(compose({{"config", "defaults:\n  - a\n"}, {"a", "defaults:\n  - /config\n"}}));
          }).find("in a circle") != std::string::npos);
    CHECK(error_of([] {
              static_cast<void>(
                  compose({{"config", "defaults:\n  - a\n  - b\n"}, {"a", "x: {y: 1}\n"}, {"b", "x: [1]\n"}}));
          }) == "conf/b.yaml:1:4: 'x': a list cannot be merged into a dictionary\n    x: [1]\n       ^\n"
                "  in the defaults list of conf/config.yaml:3:5\nIt is a dictionary at conf/a.yaml:1:4.");
}

TEST_CASE("the first place of the search path wins, options come from all") {
    audyn::config::SearchPath path =
        config_test::search_path({{"db/a", "x: 1\n"}, {"config", "defaults: [{db: a}, _self_]\n"}});
    path.add(config_test::search_path({{"db/a", "x: 2\n"}, {"db/b", "x: 3\n"}}));
    CHECK(repr(audyn::config::compose(path, "config")) == "{'db': {'x': 1}}");
    CHECK(repr(audyn::config::compose(path, "config", {"db=b"})) == "{'db': {'x': 3}}");
    CHECK(error_of([&] {
              static_cast<void>(audyn::config::compose(path, "config", {"db=c"}));
          }).find("Options of 'db': a, b") != std::string::npos);
    CHECK(error_of([&] { static_cast<void>(audyn::config::compose(path, "confg")); }).find("did you mean 'config'?") !=
          std::string::npos);
}

TEST_CASE("the built-in groups compose, each of them, and can be resolved") {
    const audyn::config::SearchPath path = audyn::config::builtin_search_path();
    const audyn::Config config = audyn::config::compose(path, "config");
    CHECK_NOTHROW(static_cast<void>(config.to_value(true)));
    CHECK(config.get<int>("train.steps.iterations") == 100000);
    CHECK(config.at("train.steps.iterations").location().is_builtin());
    CHECK(config.get<std::string>("train.output.save_checkpoint.last.path") == "./exp/model/last.pth");
    for (const std::string group :
         {"system", "train", "train/dataset", "train/dataloader", "train/clip_gradient", "train/record", "test/dataset",
          "optimizer", "lr_scheduler", "criterion", "model", "data", "preprocess"}) {
        for (const std::string& option : path.options(group)) {
            CAPTURE(group);
            CAPTURE(option);
            CHECK_NOTHROW(static_cast<void>(audyn::config::compose(path, "config", {group + "=" + option})));
        }
    }
    const audyn::Config chosen =
        audyn::config::compose(path, "config", {"system=cuda_ddp_amp", "train.steps.epochs=4", "optimizer=adamw"});
    CHECK(chosen.get<bool>("system.amp.enable"));
    CHECK(chosen.get<std::string>("system.distributed.backend") == "nccl");
    CHECK_FALSE(chosen.at("train.steps.epochs").location().is_builtin());
}
