#include "../temporary_folder.hpp"
#include "pseudo_terminal.hpp"

#include <audyn/logging/progress_bar.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string>

namespace {

using audyn::logging::Console;
using audyn::logging::Level;
using audyn::logging::ProgressBar;

/// Advances until the bar redraws itself.
std::string next_line(ProgressBar& bar, PseudoTerminal& terminal, int64_t samples) {
    std::string line;
    while (line.empty()) {
        bar.advance(samples);
        line = terminal.output();
    }
    return line;
}

/// Columns of the last live line, all of whose characters are one column wide.
std::size_t width_of(const std::string& output) {
    const std::string line = output.substr(output.rfind('K') == output.npos ? 0 : output.rfind('K') + 1);
    std::size_t columns = 0;
    for (const char c : line) {
        columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    }
    return columns;
}

} // namespace

TEST_CASE("on a terminal the bar shows where the run stands") {
    ::setenv("TERM", "xterm", 1);
    ::setenv("LC_ALL", "C", 1);
    PseudoTerminal terminal(120);
    Console console({.level = Level::info, .stream = terminal.stream()});
    ProgressBar bar(console);
    bar.start_training(2'000'000'000);
    bar.start_epoch(3, 20, 100'000'000);
    CHECK(terminal.output().find("Epoch 3/20 ------------------------ 0/100000000") == 0);
    bar.set_values(0.53214, 3e-4);
    CHECK(std::regex_match(
        next_line(bar, terminal, 32),
        std::regex(R"(\r\x1b\[KEpoch 3/20 -{24} \d+/100000000  loss 0\.5321  lr 3\.00e-04  [\d.]+[kM]? samples/s)"
                   R"(  ETA \d+:[\d:]+)")));
    bar.start_pass("Validation", 4);
    CHECK(terminal.output() == "\r\x1b[KValidation ------------------------ 0/4");
    bar.finish();
    CHECK(terminal.output() == "\r\x1b[K");
}

TEST_CASE("the bar fills up, and never takes more than a line") {
    ::setenv("TERM", "xterm", 1);
    for (const char* locale : {"C", "de_DE.UTF-8"}) {
        ::setenv("LC_ALL", locale, 1);
        for (const int columns : {10, 40, 60, 80, 200}) {
            PseudoTerminal terminal(columns);
            Console console({.level = Level::info, .stream = terminal.stream()});
            ProgressBar bar(console);
            bar.start_epoch(1, 1, 4, 3);
            const std::string output = terminal.output();
            CAPTURE(output);
            CHECK(width_of(output) < static_cast<std::size_t>(columns));
            CHECK(output.find("Epoch 1/1") == 0);
            if (columns > 40) {
                CHECK(output.find(std::string(locale) == "C" ? "===-" : "\u2501\u2501\u2501\u2500") != output.npos);
            }
        }
    }
    ::unsetenv("LC_ALL");
}

TEST_CASE("the bar redraws at most ten times a second") {
    ::setenv("TERM", "xterm", 1);
    PseudoTerminal terminal;
    Console console({.level = Level::info, .stream = terminal.stream()});
    ProgressBar bar(console);
    const auto start = std::chrono::steady_clock::now();
    bar.start_epoch(1, 1, 1'000'000);
    std::size_t redraws = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        bar.advance(1);
        if (i % 1000 == 0) {
            const std::string output = terminal.output();
            redraws += static_cast<std::size_t>(std::count(output.begin(), output.end(), 'K'));
        }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    CHECK(static_cast<double>(redraws) <= seconds * 10 + 1);
}

TEST_CASE("elsewhere the bar draws nothing and still measures") {
    const TemporaryFolder folder;
    std::FILE* stream = std::fopen((folder / "out").c_str(), "w");
    {
        Console console({.level = Level::info, .stream = stream});
        ProgressBar bar(console);
        bar.start_training(10);
        bar.start_epoch(1, 1, 10);
        for (int i = 0; i < 10; ++i) {
            bar.advance(32);
        }
        CHECK(bar.samples_per_second() > 0.0);
    }
    std::fclose(stream);
    CHECK(read_file(folder / "out").empty());
}
