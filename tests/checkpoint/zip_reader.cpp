#include "../memory_file.hpp"
#include "../temporary_folder.hpp"

#include <audyn/checkpoint/zip_reader.hpp>
#include <audyn/checkpoint/zip_writer.hpp>
#include <audyn/core/error.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using audyn::CheckpointError;
using audyn::checkpoint::ZipReader;
using audyn::checkpoint::ZipWriter;

void write_archive(const std::filesystem::path& path, const std::vector<std::string>& contents) {
    audyn::core::File file(path, O_WRONLY | O_CREAT | O_TRUNC);
    ZipWriter zip(file, "top");
    for (std::size_t i = 0; i < contents.size(); ++i) {
        zip.add(std::to_string(i), contents[i]);
    }
    zip.finish();
}

std::string error_of_reading(const std::filesystem::path& path) {
    return message_of<CheckpointError>([&] { ZipReader(path).verify_rest(); });
}

} // namespace

TEST_CASE("an archive gives back its records, aligned to 64 bytes") {
    const TemporaryFolder folder;
    const std::vector<std::string> contents{"", "a", std::string(63, 'b'), std::string(64, 'c'),
                                            std::string(700'001, 'd')};
    write_archive(folder / "a.zip", contents);
    ZipReader zip(folder / "a.zip");
    REQUIRE(zip.records().size() == contents.size());
    for (std::size_t i = 0; i < contents.size(); ++i) {
        ZipReader::Record* record = zip.find("top/" + std::to_string(i));
        REQUIRE(record != nullptr);
        CHECK(record->offset % 64 == 0);
        CHECK(zip.read(*record) == contents[i]);
    }
    CHECK(zip.find("top/9") == nullptr);
}

TEST_CASE("a record must get as many bytes as announced") {
    const TemporaryFolder folder;
    audyn::core::File file(folder / "a.zip", O_WRONLY | O_CREAT);
    ZipWriter zip(file, "top");
    zip.begin("x", 5);
    zip.append("abcd", 4);
    CHECK_THROWS_AS(zip.end(), CheckpointError);
}

TEST_CASE("more records than 16 bits can count need zip64") {
    const TemporaryFolder folder;
    {
        audyn::core::File file(folder / "many.zip", O_WRONLY | O_CREAT);
        ZipWriter zip(file, "top");
        for (int i = 0; i < 66'000; ++i) {
            zip.add(std::to_string(i), std::to_string(i));
        }
        zip.finish();
    }
    ZipReader zip(folder / "many.zip");
    CHECK(zip.records().size() == 66'000);
    CHECK(zip.read(*zip.find("top/65999")) == "65999");
}

TEST_CASE("records that are large or far need zip64") {
    const TemporaryFolder folder;
    {
        audyn::core::File file(folder / "large.zip", O_WRONLY | O_CREAT);
        ZipWriter zip(file, "top", /*zip64_from=*/100);
        zip.add("near and small", "abc");
        zip.add("far", "def");
        zip.add("far and large", std::string(100, 'x'));
        zip.finish();
    }
    const std::string bytes = read_file(folder / "large.zip");
    CHECK(bytes.find("PK\x06\x06") != std::string::npos);
    CHECK(bytes.find("PK\x06\x07") != std::string::npos);
    ZipReader zip(folder / "large.zip");
    REQUIRE(zip.records().size() == 3);
    CHECK(zip.read(*zip.find("top/near and small")) == "abc");
    CHECK(zip.read(*zip.find("top/far")) == "def");
    CHECK(zip.read(*zip.find("top/far and large")) == std::string(100, 'x'));
    CHECK(zip.find("top/far and large")->offset % 64 == 0);
    const MemoryFile file;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        std::string damaged = bytes;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        file.set(damaged);
        CAPTURE(bit);
        if (error_of_reading(file.path()).empty()) {
            ZipReader reader(file.path());
            REQUIRE(reader.records().size() == 3);
            REQUIRE(reader.read(*reader.find("top/far and large")) == std::string(100, 'x'));
        }
    }
}

TEST_CASE("foreign and broken files are told apart") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "file";
    const auto error_of = [&](const std::string& content) {
        write_file(path, content);
        return error_of_reading(path);
    };
    CHECK(error_of("") == path.string() + ": the file is empty");
    CHECK(error_of("x").find("truncated or damaged") != std::string::npos);
    CHECK(error_of("RIFF....WAVEfmt ").find("it is not a checkpoint") != std::string::npos);
    CHECK(error_of("\x80\x02\x8a\x0al\xfc\x9c").find("before 1.6") != std::string::npos);

    write_archive(path, {"abc", "defg"});
    const std::string whole = read_file(path);
    CHECK(error_of(whole).empty());
    std::string damaged = whole;
    damaged[whole.find("abc")] ^= 1;
    CHECK(error_of(damaged) ==
          path.string() + ": the record 'top/0' is damaged: its content does not have the checksum that was stored "
                          "with it");
    CHECK(error_of(whole + "x").find("truncated or damaged") != std::string::npos);
}

TEST_CASE("every truncation is detected, and every flipped bit that could change a record") {
    const TemporaryFolder folder;
    write_archive(folder / "file", {"abc", std::string(200, 'x')});
    const std::string whole = read_file(folder / "file");
    const MemoryFile file;
    const std::filesystem::path path = file.path();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        file.set(whole.substr(0, size));
        REQUIRE_FALSE(error_of_reading(path).empty());
    }
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        file.set(damaged);
        CAPTURE(bit);
        if (error_of_reading(path).empty()) {
            ZipReader zip(path);
            REQUIRE(zip.records().size() == 2);
            REQUIRE(zip.read(*zip.find("top/0")) == "abc");
            REQUIRE(zip.read(*zip.find("top/1")) == std::string(200, 'x'));
        }
    }
}

TEST_CASE("records that overlap are refused") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "file";
    write_archive(path, {"same", "same"});
    std::string bytes = read_file(path);
    // The directory's second entry gets the place and the name of the first, and the first another name: its header
    // is then at odds with it, which is found too.
    const std::size_t second = bytes.rfind("PK\x01\x02");
    const std::size_t first = bytes.rfind("PK\x01\x02", second - 1);
    bytes.replace(second + 42, 4, bytes, first + 42, 4);
    write_file(path, bytes);
    CHECK_FALSE(error_of_reading(path).empty());
    bytes[second + 46 + 4] = '0';
    write_file(path, bytes);
    CHECK(error_of_reading(path).find("'top/0' exists twice") != std::string::npos);
}
