#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"

#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <string>
#include <sys/stat.h>

namespace {

using audyn::core::AtomicFile;
using audyn::core::File;

std::ptrdiff_t files_in(const std::filesystem::path& folder) {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

} // namespace

TEST_CASE("a file is written and read at places") {
    const TemporaryFolder folder;
    File file(folder / "a", O_RDWR | O_CREAT);
    file.write("hello world", 11);
    file.write_at("J", 1, 0);
    CHECK(file.size() == 11);
    std::string text(5, ' ');
    file.read_at(text.data(), 5, 0);
    CHECK(text == "Jello");
    CHECK(message_of<audyn::Error>([&] { file.read_at(text.data(), 5, 8); }).find("ends too early") != text.npos);
    file.write("!", 1);
    file.close();
    CHECK(read_file(folder / "a") == "Jello world!");
}

TEST_CASE("errors of files name the path and the system's reason") {
    const TemporaryFolder folder;
    const std::string missing = message_of<audyn::Error>([&] { File(folder / "none", O_RDONLY); });
    CHECK(missing == "cannot open " + (folder / "none").string() + ": No such file or directory");
    File full("/dev/full", O_WRONLY);
    CHECK(message_of<audyn::Error>([&] { full.write("x", 1); }) == "cannot write /dev/full: No space left on device");
}

TEST_CASE("an atomic file appears as a whole") {
    const TemporaryFolder folder;
    for (const bool durable : {true, false}) {
        const std::filesystem::path path = folder / (durable ? "deep/er/file" : "other/folder/file");
        {
            AtomicFile file(path, durable);
            file.file().write("new", 3);
            CHECK_FALSE(std::filesystem::exists(path));
            file.commit();
        }
        CHECK(read_file(path) == "new");
        {
            AtomicFile file(path, durable);
            file.file().write("newer", 5);
            CHECK(read_file(path) == "new");
            file.commit();
        }
        CHECK(read_file(path) == "newer");
        CHECK(files_in(path.parent_path()) == 1);
    }
}

TEST_CASE("an atomic file that is not committed leaves no trace") {
    const TemporaryFolder folder;
    write_file(folder / "file", "old");
    { AtomicFile(folder / "file").file().write("new", 3); }
    CHECK(read_file(folder / "file") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("an atomic file that does not fit on the disk leaves no trace") {
    const TemporaryFolder folder;
    write_file(folder / "file", "old");
    const std::string content(100'000, 'x');
    const std::string message = message_of<audyn::Error>([&] {
        const LimitedFileSize limit(10'000);
        AtomicFile file(folder / "file");
        file.file().write(content.data(), content.size());
    });
    CHECK(message.find("File too large") != message.npos);
    CHECK(read_file(folder / "file") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("an atomic file gets the permissions that the umask gives") {
    const TemporaryFolder folder;
    const mode_t old_mask = ::umask(027);
    AtomicFile(folder / "file").commit();
    ::umask(old_mask);
    struct stat status {};
    REQUIRE(::stat((folder / "file").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a folder that cannot be made is named") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    const std::string message = message_of<audyn::Error>([&] { AtomicFile(folder / "file/below/x"); });
    CHECK(message.find((folder / "file/below").string() + ": Not a directory") != message.npos);
}

TEST_CASE("folders are made one below the other") {
    const TemporaryFolder folder;
    audyn::core::create_folders(folder / "a/b/c");
    CHECK(std::filesystem::is_directory(folder / "a/b/c"));
    audyn::core::create_folders(folder / "a/b/c");
    audyn::core::create_folders("");
}

TEST_CASE("leftovers of processes that died are removed, and nothing else") {
    const TemporaryFolder folder;
    for (const char* name : {"last.pth.123-0.tmp", "last.pth.4-17.tmp", "best.pth.123-0.tmp", "last.pth",
                             "last.pth.tmp", "last.pth.123-.tmp", "last.pth.x-0.tmp", "last.pth.123-0.tmp.txt"}) {
        write_file(folder / name, "x");
    }
    AtomicFile being_written(folder / "last.pth");
    const std::ptrdiff_t count = 8 + 1;
    REQUIRE(files_in(folder.path()) == count);
    CHECK(audyn::core::remove_leftovers(folder.path(), "last.pth").size() == 2);
    CHECK_FALSE(std::filesystem::exists(folder / "last.pth.123-0.tmp"));
    CHECK_FALSE(std::filesystem::exists(folder / "last.pth.4-17.tmp"));
    CHECK(files_in(folder.path()) == count - 2);
    being_written.commit();
    CHECK(read_file(folder / "last.pth").empty());
    CHECK(audyn::core::remove_leftovers(folder / "none", "last.pth").empty());
}
