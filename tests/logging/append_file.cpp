#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"

#include <audyn/core/error.hpp>
#include <audyn/logging/append_file.hpp>

#include <doctest/doctest.h>

#include <string>

using audyn::logging::AppendFile;

TEST_CASE("an append file goes on behind what is there") {
    const TemporaryFolder folder;
    for (const char* text : {"one ", "two ", "three"}) {
        AppendFile file(folder / "new/log");
        file.append(text);
    }
    CHECK(read_file(folder / "new/log") == "one two three");
}

TEST_CASE("an append file is buffered until flush, or until the buffer is full") {
    const TemporaryFolder folder;
    AppendFile file(folder / "log");
    file.append("a");
    CHECK(read_file(folder / "log").empty());
    file.flush();
    CHECK(read_file(folder / "log") == "a");
    file.append(std::string(1 << 20, 'b'));
    CHECK(read_file(folder / "log").size() == (1 << 20) + 1);
}

TEST_CASE("a full disk is an error that leaves whole records, and what was lost is written when there is room") {
    const TemporaryFolder folder;
    AppendFile file(folder / "log");
    file.append("first record\n");
    file.flush();
    file.append("second record\n");
    {
        const LimitedFileSize limit(20);
        const std::string message = message_of<audyn::Error>([&] { file.flush(); });
        CHECK(message == "cannot write " + (folder / "log").string() + ": File too large");
        CHECK(read_file(folder / "log") == "first record\n");
    }
    file.flush();
    CHECK(read_file(folder / "log") == "first record\nsecond record\n");
    AppendFile full("/dev/full");
    full.append("x");
    CHECK(message_of<audyn::Error>([&] { full.flush(); }) == "cannot write /dev/full: No space left on device");
}
