#include "../temporary_folder.hpp"

#include <audyn/checkpoint/find.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

using audyn::checkpoint::find_checkpoints;
using audyn::checkpoint::format_checkpoint_path;
using audyn::checkpoint::matches_checkpoint_pattern;

TEST_CASE("a pattern matches what it makes") {
    for (const char* pattern : {"model/last.pth", "model/{iteration}.pth", "{epoch:04d}-{iteration}.pth", "{epoch:5}",
                                "a{{b}}{epoch}", "{epoch}/x{iteration}"}) {
        CAPTURE(pattern);
        const std::string path = format_checkpoint_path(pattern, {.iteration = 12, .epoch = 3}).string();
        CHECK(matches_checkpoint_pattern(pattern, path));
        CHECK_FALSE(matches_checkpoint_pattern(pattern, path + "x"));
        CHECK_FALSE(matches_checkpoint_pattern(pattern, "x" + path));
        CHECK_FALSE(matches_checkpoint_pattern(pattern, path.substr(0, path.size() - 2)));
    }
    CHECK_FALSE(matches_checkpoint_pattern("epoch{epoch}.pth", "epoch.pth"));
    CHECK_FALSE(matches_checkpoint_pattern("epoch{epoch}.pth", "epoch7a.pth"));
}

TEST_CASE("a run's checkpoints are found by their patterns, the newest first") {
    const TemporaryFolder folder;
    const auto now = std::filesystem::file_time_type::clock::now();
    const auto make = [&](const std::string& name, int age) {
        std::filesystem::create_directories((folder / name).parent_path());
        write_file(folder / name, "");
        std::filesystem::last_write_time(folder / name, now - std::chrono::seconds(age));
    };
    make("iteration10.pth", 5);
    make("iteration9.pth", 3);
    make("last.pth", 4);
    make("epoch3/best.pth", 1);
    make("epoch3/other.pth", 0);
    make("deep/iteration11.pth", 0);
    make("iteration.pth", 0);
    make("last.pth.12-0.tmp", 0);
    audyn::SaveCheckpoint entries;
    entries.iteration = {10, (folder / "iteration{iteration}.pth").string()};
    entries.last = (folder / "last.pth").string();
    entries.best_epoch = (folder / "epoch{epoch}/best.pth").string();
    const std::vector<std::filesystem::path> expected{folder / "epoch3/best.pth", folder / "iteration9.pth",
                                                      folder / "last.pth", folder / "iteration10.pth"};
    CHECK(find_checkpoints(entries) == expected);
    // Of the same age: last.pth
    std::filesystem::last_write_time(folder / "last.pth", now - std::chrono::seconds(1));
    CHECK(find_checkpoints(entries).front() == folder / "last.pth");
    CHECK(find_checkpoints({}).empty());
    entries.last = (folder / "nowhere/last.pth").string();
    CHECK(find_checkpoints(entries).size() == 3);
}
