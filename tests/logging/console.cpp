#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"
#include "pseudo_terminal.hpp"

#include <audyn/core/error.hpp>
#include <audyn/logging/console.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <regex>
#include <string>

namespace {

using audyn::logging::Console;
using audyn::logging::ConsoleOptions;
using audyn::logging::Level;

/// A stream that is not a terminal.
struct Stream {
    explicit Stream(const std::filesystem::path& path_)
        : path(path_), file(std::fopen(path_.c_str(), "w"), &std::fclose) {}
    [[nodiscard]] std::string output() const {
        std::fflush(file.get());
        return read_file(path);
    }
    std::filesystem::path path;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file;
};

} // namespace

TEST_CASE("a console's lines have the format of Hydra's job log") {
    const TemporaryFolder folder;
    const Stream stream(folder / "out");
    Console console({.level = Level::info, .file = folder / "run/train.log", .stream = stream.file.get()});
    console.debug("hidden");
    console.info("hello");
    console.warning("careful");
    console.error("two\nlines");
    const std::regex expected(R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]\[BaseTrainer\]\[INFO\] - hello\n)"
                              R"(\[.{23}\]\[BaseTrainer\]\[WARNING\] - careful\n)"
                              R"(\[.{23}\]\[BaseTrainer\]\[ERROR\] - two\nlines\n)");
    CHECK(std::regex_match(stream.output(), expected));
    CHECK(read_file(folder / "run/train.log") == stream.output());
    CHECK_FALSE(console.is_terminal());
}

TEST_CASE("a log file is continued") {
    const TemporaryFolder folder;
    const Stream stream(folder / "out");
    write_file(folder / "train.log", "before\n");
    Console({.level = Level::info, .file = folder / "train.log", .stream = stream.file.get()}).info("after");
    const std::string log = read_file(folder / "train.log");
    CHECK(log.find("before\n[") == 0);
    CHECK(log.find("- after\n") != log.npos);
}

TEST_CASE("processes other than the main one drop information") {
    const TemporaryFolder folder;
    const Stream stream(folder / "out");
    Console console({.level = Level::info, .main_process = false, .stream = stream.file.get()});
    console.info("hidden");
    CHECK(stream.output().empty());
    CHECK_FALSE(console.enabled(Level::info));
    console.warning("shown");
    CHECK(stream.output().find("shown") != std::string::npos);
    Console talkative({.level = Level::debug, .main_process = false, .stream = stream.file.get()});
    talkative.info("all of it");
    CHECK(stream.output().find("all of it") != std::string::npos);
}

TEST_CASE("the variable LOGLEVEL chooses the level") {
    ::unsetenv("LOGLEVEL");
    CHECK(audyn::logging::level_from_environment() == Level::info);
    ::setenv("LOGLEVEL", "DEBUG", 1);
    CHECK(audyn::logging::level_from_environment() == Level::debug);
    ::setenv("LOGLEVEL", "ERROR", 1);
    CHECK(ConsoleOptions().level == Level::error);
    ::setenv("LOGLEVEL", "loud", 1);
    CHECK(message_of<audyn::ConfigError>([] {
              static_cast<void>(audyn::logging::level_from_environment());
          }).find("LOGLEVEL is 'loud'; choose DEBUG") != std::string::npos);
    ::unsetenv("LOGLEVEL");
}

TEST_CASE("a log file that cannot be written is reported once and does not end the run") {
    const TemporaryFolder folder;
    const Stream stream(folder / "out");
    Console console({.level = Level::info, .file = "/dev/full", .stream = stream.file.get()});
    console.info("one");
    console.info("two");
    const std::string output = stream.output();
    const std::string report = "cannot write /dev/full: No space left on device";
    CHECK(output.find(report) != output.npos);
    CHECK(output.find(report) == output.rfind(report));
    CHECK(output.find("- two\n") != output.npos);
    CHECK_THROWS_AS(Console({.file = "/proc/none/x", .stream = stream.file.get()}), audyn::Error);
}

TEST_CASE("on a terminal, messages are printed above the live line") {
    ::setenv("TERM", "xterm", 1);
    PseudoTerminal terminal(77);
    Console console({.level = Level::info, .stream = terminal.stream()});
    CHECK(console.is_terminal());
    CHECK(console.columns() == 77);
    console.set_live_line("50 %");
    CHECK(terminal.output() == "50 %");
    console.info("message");
    const std::string output = terminal.output();
    CHECK(output.find("\r\x1b[K[") == 0);
    CHECK(output.ends_with(" - message\r\n50 %"));
    console.set_live_line("60 %");
    CHECK(terminal.output() == "\r\x1b[K60 %");
    console.clear_live_line();
    CHECK(terminal.output() == "\r\x1b[K");
    console.info("last");
    CHECK(terminal.output().find("\x1b") == std::string::npos);
}

TEST_CASE("elsewhere there is no live line") {
    const TemporaryFolder folder;
    const Stream stream(folder / "out");
    Console console({.level = Level::info, .stream = stream.file.get()});
    console.set_live_line("50 %");
    console.clear_live_line();
    CHECK(stream.output().empty());
    ::setenv("TERM", "dumb", 1);
    PseudoTerminal terminal;
    CHECK_FALSE(Console({.level = Level::info, .stream = terminal.stream()}).is_terminal());
    ::setenv("TERM", "xterm", 1);
}
