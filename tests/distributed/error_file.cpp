#include "../temporary_folder.hpp"

#include <audyn/core/error.hpp>
#include <audyn/distributed/error_file.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using audyn::distributed::error_file_text;
using audyn::distributed::parse_error_file;
using audyn::distributed::WorkerError;
using audyn::distributed::write_error_file;

} // namespace

TEST_CASE("an error file has torchrun's format") {
    const auto json =
        nlohmann::json::parse(error_file_text({"TrainingError", "no \"finite\" loss", 1'700'000'000'123'456'789}));
    CHECK(json["message"]["message"] == "TrainingError: no \"finite\" loss");
    CHECK(json["message"]["extraInfo"]["timestamp"] == "1700000000");
    CHECK(json["message"]["extraInfo"]["py_callstack"] == json["message"]["message"]);
    CHECK(json.size() == 1);
}

TEST_CASE("an error file is read back") {
    const auto error = parse_error_file(error_file_text({"TrainingError", "a\n\xff", 1'700'000'000'123'456'789}));
    REQUIRE(error);
    CHECK(error->type == "TrainingError");
    CHECK(error->message == "a\n\xef\xbf\xbd");
    CHECK(error->time == 1'700'000'000'123'456'789);
    CHECK(error->to_string() == "TrainingError: a\n\xef\xbf\xbd");
    CHECK(parse_error_file(error_file_text({"", "text", 1}))->message == "text");
}

TEST_CASE("an error file of Python's torch is read") {
    const auto error = parse_error_file(
        R"({"message": {"message": "ValueError: x", "extraInfo": {"py_callstack": "...", "timestamp": "1700000000"}}})");
    REQUIRE(error);
    CHECK(error->to_string() == "ValueError: x");
    CHECK(error->time == 1'700'000'000'000'000'000);
    CHECK(parse_error_file(R"({"message": "text"})")->message == "text");
    for (const char* const bad :
         {"", "{", "[]", "3", "{}", R"({"message": 3})", R"({"message": {}})", R"({"message": {"message": 3}})"}) {
        CHECK_MESSAGE(!parse_error_file(bad), bad);
    }
    for (const char* const odd :
         {R"({"message": {"message": "x", "extraInfo": 3}})",
          R"({"message": {"message": "x", "extraInfo": {"timestamp": 3, "type": 4}}})",
          R"({"message": {"message": "x", "extraInfo": {"timestamp": "99999999999999999"}}})"}) {
        CHECK_MESSAGE(parse_error_file(odd)->time == 0, odd);
    }
}

TEST_CASE("the first error of a process is written") {
    const TemporaryFolder folder;
    const std::string path = (folder / "error.json").string();
    const pid_t child = ::fork();
    if (child == 0) {
        ::unsetenv("TORCHELASTIC_ERROR_FILE");
        write_error_file("Nowhere", "x");
        ::setenv("TORCHELASTIC_ERROR_FILE", path.c_str(), 1);
        write_error_file(audyn::TrainingError("first"));
        write_error_file(std::runtime_error("second"));
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    const auto error = parse_error_file(read_file(path));
    REQUIRE(error);
    CHECK(error->to_string() == "TrainingError: first");
    CHECK(error->time > 1'700'000'000'000'000'000);
    CHECK(audyn::distributed::error_type(std::bad_alloc()) == "std::bad_alloc");
}
