#include "../temporary_folder.hpp"
#include "support.hpp"

#include <audyn/config/difference.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

using audyn::Config;
using audyn::config::Difference;
using audyn::config::differences;
using config_test::error_of;
using config_test::parse;

namespace {

/// `KEY: LEFT -> RIGHT`, one for each difference.
std::vector<std::string> texts(const Config& left, const Config& right, bool resolve = false) {
    std::vector<std::string> result;
    for (const Difference& difference : differences(left, right, resolve)) {
        const auto side = [](const std::optional<Difference::Side>& given) {
            return given ? given->value : "(absent)";
        };
        result.push_back(difference.key + ": " + side(difference.left) + " -> " + side(difference.right));
    }
    return result;
}

using Texts = std::vector<std::string>;

std::string shown(std::vector<const char*> arguments, const audyn::config::Program& program) {
    arguments.insert(arguments.begin(), "train");
    return audyn::config::difference_text(
        audyn::config::parse_command_line(static_cast<int>(arguments.size()), arguments.data()), program);
}

audyn::config::Program program() {
    audyn::config::Program result;
    result.search_path = config_test::search_path({{"config", "defaults:\n  - optimizer: adam\n  - _self_\nseed: 1\n"},
                                                   {"other", "defaults:\n  - optimizer: sgd\n  - _self_\nseed: 1\n"},
                                                   {"optimizer/adam", "name: adam\nlr: 0.1\n"},
                                                   {"optimizer/sgd", "name: sgd\nlr: 0.1\nmomentum: 0\n"}});
    return result;
}

} // namespace

TEST_CASE("keys that differ") {
    CHECK(texts(parse("a: 1\nb: {c: 2, d: [1, 2]}"), parse("b: {d: [1, 2], c: 2}\na: 1")).empty());
    CHECK(texts(parse("a: 1\nb: {c: 2, d: [1, 2]}\ne: {f: 1, g: {}}"),
                parse("a: '1'\nb: {c: 3, d: [1, 5]}\nh: {i: [a b]}")) ==
          Texts{"a: 1 -> '1'", "b.c: 2 -> 3", "b.d[1]: 2 -> 5", "e.f: 1 -> (absent)", "e.g: {} -> (absent)",
                "h.i: (absent) -> [a b]"});
    CHECK(texts(parse("a: [1, 2]\nb: {c: 1}"), parse("a: [1]\nb: null")) ==
          Texts{"a: [1, 2] -> [1]", "b: {c: 1} -> null"});
    CHECK(texts(parse("a: 1"), parse("a: 1.0")) == Texts{"a: 1 -> 1.0"});
    CHECK(texts(parse("a: ' x'\nb: yes\nc: 'a, b'\nd: \"\\n\""), parse("{}")) ==
          Texts{"a: ' x' -> (absent)", "b: true -> (absent)", "c: 'a, b' -> (absent)", "d: '\\n' -> (absent)"});
}

TEST_CASE("an interpolation equals the value that it gives") {
    const Config written = parse("a: 1\nb: ${a}\nc: ${missing}\nd: ${a}");
    const Config resolved = parse("a: 1\nb: 1\nc: 1\nd: 2");
    CHECK(texts(written, resolved) == Texts{"c: ${missing} -> 1", "d: ${a} -> 2"});
    CHECK(texts(resolved, written) == Texts{"c: 1 -> ${missing}", "d: 2 -> ${a}"});
    CHECK(texts(parse("a: 1\nb: ${a}"), parse("a: 2\nb: ${a}")) == Texts{"a: 1 -> 2"});
    CHECK(texts(parse("a: 1\nb: ${a}"), parse("a: 2\nb: ${a}"), true) == Texts{"a: 1 -> 2", "b: 1 -> 2"});
    audyn::config::Resolvers resolvers;
    resolvers.add_constant("torch.bfloat16");
    CHECK(texts(parse("a: ${const:torch.bfloat16}", resolvers), parse("a: torch.bfloat16")).empty());
    CHECK(texts(parse("a: ${const:torch.bfloat16}", resolvers), parse("a: torch.float16")).size() == 1);
}

TEST_CASE("each side of a difference names its place") {
    CHECK(shown({"--cfg", "diff", "config", "other"}, program()) ==
          "--- configuration 'config'\n+++ configuration 'other'\n"
          "optimizer.name\n  - adam  (conf/optimizer/adam.yaml:1:7)\n  + sgd  (conf/optimizer/sgd.yaml:1:7)\n"
          "optimizer.momentum\n  + 0  (conf/optimizer/sgd.yaml:3:11)\n2 keys differ.\n");
    CHECK(shown({"--cfg", "diff", "config", "seed=3"}, program()) ==
          "--- configuration 'config'\n+++ the composed configuration\nNo key differs.\n");
    CHECK(shown({"--cfg", "diff", "other", "config", "-p", "optimizer.name"}, program()).ends_with("1 key differs.\n"));
    CHECK(error_of([] {
              static_cast<void>(shown({"--cfg", "diff", "confg"}, program()));
          }).find("cannot find the primary configuration 'confg'; did you mean 'config'?") != std::string::npos);
}

TEST_CASE("files, folders of runs and files of the program's own kind are compared") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "run=1/.hydra");
    write_file(folder / "run=1/.hydra/config.yaml", "optimizer: {name: adam, lr: 0.1}\nseed: ${hydra:job.num}\n");
    write_file(folder / "run=1/.hydra/hydra.yaml", "hydra: {job: {num: 1}}\n");
    const std::string run = (folder / "run=1").string();
    CHECK(shown({"--cfg", "diff", run.c_str()}, program()) ==
          "--- " + run + "/.hydra/config.yaml\n+++ the composed configuration\nNo key differs.\n");

    const std::string file = (folder / "model.pth").string();
    write_file(file, "tensors");
    audyn::config::Program own = program();
    CHECK(error_of([&] {
              static_cast<void>(shown({"--cfg", "diff", file.c_str()}, own));
          }) == "'" + file + "' holds no configuration: it is no .yaml file");
    own.stored_config = [](const std::filesystem::path&) { return parse("seed: 2").to_value(); };
    CHECK(shown({"--cfg", "diff", file.c_str(), "~optimizer"}, own)
              .find("seed\n  - 2  (x.yaml:1:7)\n  + 1  (conf/config.yaml:4:7)\n") != std::string::npos);
    CHECK(error_of([&] {
              static_cast<void>(shown({"--cfg", "diff", folder.path().c_str()}, own));
          }).find("is neither a configuration nor the folder of a run") != std::string::npos);
}
