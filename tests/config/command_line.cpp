#include "support.hpp"

#include <audyn/config/command_line.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using audyn::config::CommandLine;
using config_test::error_of;

namespace {

CommandLine parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/train");
    return audyn::config::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

audyn::config::Program program() {
    audyn::config::Program result;
    result.search_path =
        config_test::search_path({{"config", "lr: 1\nname: x${lr}\ninner: {a: 1}\n"}, {"db/one", ""}, {"db/two", ""}});
    result.version = "3.2.1";
    result.more_help = [] { return "Targets:\n  Denoiser(channels, dropout=0.1)\n"; };
    return result;
}

} // namespace

TEST_CASE("options and overrides in any order") {
    const CommandLine line =
        parse({"a=1", "--config-dir", "conf", "+b=2", "-cn", "other", "--config-path=elsewhere", "~c"});
    CHECK(line.action == CommandLine::Action::run);
    CHECK(line.program == "train");
    CHECK(line.overrides == std::vector<std::string>{"a=1", "+b=2", "~c"});
    CHECK(line.config_dir == "conf");
    CHECK(line.config_path == "elsewhere");
    CHECK(line.config_name == "other");
    CHECK(parse({"--help"}).action == CommandLine::Action::help);
    CHECK(parse({"--version"}).action == CommandLine::Action::version);
    CHECK(parse({"--cfg", "job", "--resolve", "-p", "train"}).shown_package == "train");
}

TEST_CASE("wrong options are refused") {
    CHECK(error_of([] {
              parse({"--config-nmae", "x"});
          }) == "unknown option '--config-nmae'; did you mean '--config-name'?\nAn override has no dashes: key=value. "
                "See --help.");
    CHECK(error_of([] { parse({"--config-dir"}); }) ==
          "the option '--config-dir' needs an argument: --config-dir FOLDER");
    CHECK(error_of([] { parse({"--help=x"}); }) == "the option '--help' takes no argument");
    CHECK(error_of([] { parse({"--cfg", "jobs"}); }) == "--cfg shows job, hydra or all, not 'jobs'");
    CHECK(error_of([] { parse({"--multirun", "a=1,2"}); }) == "the option '--multirun' is not supported yet");
    CHECK(error_of([] { parse({"--resolve"}); }) == "--resolve is for --cfg: add '--cfg job'");
    CHECK(error_of([] {
              static_cast<void>(audyn::config::search_path_of(parse({"--config-dir", "/no/such"}), program()));
          }) == "--config-dir: there is no folder '/no/such'");
}

TEST_CASE("showing the configuration") {
    const auto shown = [](std::vector<const char*> arguments) {
        const CommandLine line = parse(std::move(arguments));
        return audyn::config::config_text(line, audyn::config::compose_from_command_line(line, program()));
    };
    CHECK(shown({"--cfg", "job", "lr=2"}) == "lr: 2\nname: x${lr}\ninner:\n  a: 1\n");
    CHECK(shown({"--cfg", "job", "--resolve", "lr=2"}) == "lr: 2\nname: x2\ninner:\n  a: 1\n");
    CHECK(shown({"--cfg", "job", "--package", "inner"}) == "# @package inner\na: 1\n");
    CHECK(shown({"--cfg", "hydra"}).starts_with("hydra:\n"));
    CHECK(shown({"--cfg", "all"}).starts_with("lr: 1\n"));
}

TEST_CASE("the help lists groups, options, targets and the configuration") {
    const std::string text = audyn::config::help_text(parse({"--help", "lr=5"}), program());
    for (const char* part : {"Usage: train ", "--config-dir, -cd FOLDER", "  db: one, two\n",
                             "Denoiser(channels, dropout=0.1)", "lr: 5\nname: x${lr}\n"}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(audyn::config::version_text(parse({"--version"}), program()) ==
          std::string("train 3.2.1 (Audyn ") + audyn::version + ")\n");
}
