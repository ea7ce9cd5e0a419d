#include "support.hpp"

#include <audyn/config/command_line.hpp>
#include <audyn/config/show.hpp>

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
    CHECK(parse({"-m", "a=1,2"}).action == CommandLine::Action::multirun);
    CHECK(parse({"--cfg", "job", "--help"}).action == CommandLine::Action::help);
    CHECK(parse({"--help", "--cfg", "job"}).action == CommandLine::Action::help);
    CHECK(parse({"-sc", "install=bash"}).shell == "bash");
    const CommandLine job = parse({"--job-number=3", "--job-folder", "/x", "--job-start=5"});
    CHECK(job.action == CommandLine::Action::run);
    CHECK(job.job.number == 3);
    CHECK(job.job.folder == "/x");
    CHECK(job.job.start == 5);
}

TEST_CASE("the argument of --info may be left out, and --cfg diff takes one or two") {
    CHECK(parse({"--info"}).info == "all");
    CHECK(parse({"--info", "a=1"}).info == "all");
    CHECK(parse({"--info", "a=1"}).overrides == std::vector<std::string>{"a=1"});
    CHECK(parse({"-i", "defaults-tree", "a=1"}).info == "defaults-tree");
    const CommandLine one = parse({"--cfg", "diff", "other", "a=1", "b=2"});
    CHECK(one.action == CommandLine::Action::difference);
    CHECK(one.compared == std::vector<std::string>{"other"});
    CHECK(one.overrides == std::vector<std::string>{"a=1", "b=2"});
    const CommandLine two = parse({"--cfg=diff", "one", "two", "--resolve"});
    CHECK(two.compared == std::vector<std::string>{"one", "two"});
    CHECK(two.resolve);
}

TEST_CASE("wrong options are refused") {
    CHECK(error_of([] {
              parse({"--config-nmae", "x"});
          }) == "unknown option '--config-nmae'; did you mean '--config-name'?\nAn override has no dashes: key=value. "
                "See --help.");
    CHECK(error_of([] { parse({"--config-dir"}); }) ==
          "the option '--config-dir' needs an argument: --config-dir FOLDER");
    CHECK(error_of([] { parse({"--help=x"}); }) == "the option '--help' takes no argument");
    CHECK(error_of([] { parse({"--cfg", "jobs"}); }) == "--cfg takes job, hydra, all or diff, not 'jobs'");
    CHECK(error_of([] { parse({"--info=plugins"}); }) ==
          "--info takes all, config, defaults, defaults-tree or searchpath, not 'plugins'");
    CHECK(error_of([] { parse({"-sc", "fish"}); }) == "--shell-completion takes bash or zsh, not 'fish'");
    CHECK(error_of([] { parse({"--multirun", "--cfg", "job"}); }) == "--multirun and --cfg cannot be combined");
    CHECK(error_of([] { parse({"--job-number=x"}); }) == "--job-number takes a number, not 'x'");
    CHECK(error_of([] { parse({"--cfg", "diff", "a=1"}); }).starts_with("--cfg diff needs one or two configurations"));
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
    CHECK(shown({"--cfg", "hydra"}).find("lr: 1") == std::string::npos);
    CHECK(shown({"--cfg", "hydra"}).find("  help:") == std::string::npos);
    CHECK(shown({"--cfg", "hydra", "-p", "hydra.sweep"}) ==
          "# @package hydra.sweep\ndir: multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}\nsubdir: ${hydra.job.num}\n");
    CHECK(shown({"--cfg", "hydra", "-p", "hydra.job.name"}) == "train\n");
    const std::string all = shown({"--cfg", "all"});
    CHECK(all.starts_with("hydra:\n  run:\n"));
    CHECK(all.ends_with("\nlr: 1\nname: x${lr}\ninner:\n  a: 1\n"));
    CHECK(shown({"--cfg", "job", "-p", "inner.a"}) == "1\n");
    CHECK(shown({"--cfg", "job", "-p", "_global_"}).starts_with("lr: 1\n"));
    CHECK(error_of([&shown] {
              shown({"--cfg", "job", "-p", "iner"});
          }).find("did you mean 'inner'?") != std::string::npos);
    CHECK(shown({"--cfg", "hydra", "-p", "hydra.sweep.subdir", "--resolve"}) == "\?\?\?\n");
    CHECK(shown({"--cfg", "job", "--resolve", "+more=${lr}", "+must=\?\?\?", "+inner.list=[${must},x${must},1]"})
              .ends_with("  list:\n  - \?\?\?\n  - \?\?\?\n  - 1\nmore: 1\nmust: \?\?\?\n"));
    CHECK(error_of([&shown] { shown({"--cfg", "job", "--resolve", "name=${nowhere}"}); }) != "");
    // The run's own tree may refer to the configuration.
    CHECK(shown({"--cfg", "hydra", "-p", "hydra.run", "--resolve", "hydra.run.dir=runs/${name}"}) ==
          "# @package hydra.run\ndir: runs/x1\n");
}

TEST_CASE("the help lists groups, options, targets and the configuration") {
    const std::string text = audyn::config::help_text(parse({"--help", "lr=5"}), program());
    for (const char* part : {"Usage: train ", "--config-dir, -cd FOLDER", "hydra.sweeper.stop_on_failure=true",
                             "eval \"$(/usr/bin/train --shell-completion=bash)\"", "  db: one, two\n",
                             "Denoiser(channels, dropout=0.1)", "lr: 5\nname: x${lr}\n"}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find("--job-number") == std::string::npos);
    CHECK(audyn::config::version_text(parse({"--version"}), program()) ==
          std::string("train 3.2.1 (Audyn ") + audyn::version + ")\n");
}

TEST_CASE("a configuration may say the help itself") {
    const auto help = [](std::vector<const char*> arguments) {
        return audyn::config::help_text(parse(std::move(arguments)), program());
    };
    CHECK(help({"--help", "hydra.help.header='All about lr ${lr}'", "hydra.help.footer=end"})
              .starts_with("All about lr 1\n\nUsage: train "));
    CHECK(help({"--help", "hydra.help.footer=end"}).ends_with("\n\nend"));
    CHECK(help({"--help", "hydra.help.template='[$CONFIG]$$5 $OTHER'"})
              .starts_with("[lr: 1\nname: x${lr}\ninner:\n  a: 1\n]$5 $OTHER"));
}
