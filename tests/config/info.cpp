#include "support.hpp"

#include <audyn/config/info.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using config_test::error_of;
using config_test::MemorySource;

namespace {

audyn::config::Program program() {
    audyn::config::Program result;
    result.search_path =
        audyn::config::SearchPath()
            .add(std::make_shared<const MemorySource>(
                "own",
                config_test::Files{
                    {"config",
                     "defaults:\n  - db: [a, b]\n  - schedule@train.schedule: cosine\n  - cache: null\n"
                     "  - optional none: x\n  - _self_\n  - override /schedule/part@train.schedule.part: two\n"},
                    {"db/a", "x: 1\n"},
                    {"db/b", "y: 1\n"},
                    {"cache/redis", ""},
                    {"schedule/cosine", "defaults: [part: one, _self_]\nz: 1\n"},
                    {"schedule/part/one", ""},
                    {"schedule/part/two", ""}}))
            .add(std::make_shared<const MemorySource>(
                     "shared", config_test::Files{{"db/a", "x: 2\n"}, {"db/b", "y: 1\n"}, {"db/c", ""}}),
                 "command-line")
            .add(audyn::config::builtin_search_path());
    return result;
}

std::string info(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {"train", "--info"});
    return audyn::config::info_text(
        audyn::config::parse_command_line(static_cast<int>(arguments.size()), arguments.data()), program());
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the defaults list") {
    const std::string text = info({"defaults"});
    CHECK(text.starts_with("Defaults List\n*************\n| Config path "));
    for (const char* part : {"| hydra/config                | hydra               | True   | <root>          | "
                             "built-in hydra/config.yaml                |\n",
                             "| db/a                        | db                  | False  | config          | "
                             "own/db/a.yaml                             |\n",
                             "| schedule/part/two           | train.schedule.part | False  | schedule/cosine | "
                             "own/schedule/part/two.yaml                |\n",
                             "| schedule/cosine             | train.schedule      | True   | config          | "
                             "own/schedule/cosine.yaml                  |\n",
                             "| config                      |                     | True   | <root>          | "
                             "own/config.yaml                           |\n"}) {
        CAPTURE(part);
        CAPTURE(text);
        CHECK(contains(text, part));
    }
}

TEST_CASE("the tree of defaults") {
    const std::string text = info({"defaults-tree"});
    CHECK(text.starts_with("Defaults Tree\n*************\n<root>:\n  hydra/config:\n    hydra/output: default\n"));
    CHECK(text.ends_with("    hydra/env: default\n    _self_\n"
                         "  config:\n"
                         "    db/a\n"
                         "    db/b\n"
                         "    schedule@train.schedule: cosine:\n"
                         "      schedule/part@train.schedule.part: two\n"
                         "      _self_\n"
                         "    cache: null\n"
                         "    none: x\n"
                         "    _self_\n"));
    CHECK(contains(info({"defaults-tree", "~cache"}),
                   "cosine:\n      schedule/part@train.schedule.part: two\n      _self_\n    none: x\n"));
}

TEST_CASE("the search path, what it provides and what hides what") {
    const std::string text = info({"searchpath"});
    for (const char* part :
         {"| hydra        | builtin://built-in hydra ", "| audyn        | builtin://built-in groups ",
          "\nown\n  config\n  cache: redis\n  db: a, b\n  schedule: cosine\n  schedule/part: one, two\n",
          "\nshared\n  db: a, b, c\n",
          "Configurations in several places, of which the first is used:\n"
          "  db/a: own/db/a.yaml hides shared/db/a.yaml\n"
          "  db/b: own/db/b.yaml hides shared/db/b.yaml (the same contents)\n"
          "  config: own/config.yaml hides built-in config.yaml\n"}) {
        CAPTURE(part);
        CAPTURE(text);
        CHECK(contains(text, part));
    }
    CHECK(!contains(text, "_dummy_empty_config_"));
    CHECK(contains(info({"searchpath", "db=nope"}), "It cannot be composed:\n"));
    CHECK(contains(error_of([] { static_cast<void>(info({"defaults", "db=nope"})); }), "could not find 'db/nope'"));
}

TEST_CASE("all of it") {
    const std::string text = info({"all"});
    CHECK(text.starts_with(std::string("train ") + audyn::version + "\n\nConfig search path\n"));
    CHECK(text.find("Defaults Tree") < text.find("Defaults List"));
    CHECK(contains(text, "\nConfig\n******\ndb:\n  x: 1\n  'y': 1\n"));
    CHECK(info({"config"}).starts_with("Config search path\n"));
}

TEST_CASE("a used file that hides a different one is warned about once") {
    const auto config = audyn::config::compose(program().search_path, "config");
    REQUIRE(config.warnings().size() == 1);
    CHECK(config.warnings()[0] ==
          "'own/db/a.yaml' is used and shadows 'shared/db/a.yaml', which has other contents; the "
          "first folder of the search path wins");
}
