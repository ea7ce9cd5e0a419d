#include "../temporary_folder.hpp"

#include <audyn/logging/tensorboard.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using audyn::logging::Scalar;
using audyn::logging::TensorBoardLogger;
using namespace std::string_literals;

namespace {

constexpr std::size_t record_header = 8 + 4; // length and its checksum
constexpr std::size_t record_footer = 4;
constexpr std::size_t wall_time = 1 + 8;

} // namespace

// tensorboard.summary.writer.record_writer.RecordWriter of b"abc"
TEST_CASE("a record has TFRecord's frame") {
    CHECK(audyn::logging::detail::tfrecord("abc") == "\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0e"
                                                     "abc\x6e\x57\xf1\x21"s);
}

TEST_CASE("an event file holds the version and then the scalars, as protobuf writes them") {
    const TemporaryFolder folder;
    TensorBoardLogger logger(folder.path());
    const std::string version = read_file(logger.path());
    CHECK(version.substr(record_header + wall_time, version.size() - record_header - wall_time - record_footer) ==
          "\x1a\x0d"
          "brain.Event:2");
    const std::array scalars{Scalar{"a", 0.5}, Scalar{"b", -1.0}};
    logger.log_scalars(scalars, 300);
    logger.log_scalars({}, 301);
    logger.flush();
    const std::string event = read_file(logger.path()).substr(version.size());
    // event_pb2.Event(step=300, summary=Summary(value=[...])).SerializeToString(), behind the time of writing
    CHECK(event.substr(record_header + wall_time, event.size() - record_header - wall_time - record_footer) ==
          "\x10\xac\x02\x2a\x14\x0a\x08\x0a\x01\x61\x15\0\0\0\x3f\x0a\x08\x0a\x01\x62\x15\0\0\x80\xbf"s);
}

TEST_CASE("two event files of one process have names of their own, in order") {
    const TemporaryFolder folder;
    const TensorBoardLogger first(folder / "runs");
    const TensorBoardLogger second(folder / "runs");
    CHECK(first.path() != second.path());
    CHECK(first.path().filename().string().find("events.out.tfevents.") == 0);
    CHECK(first.path().filename().string().ends_with(".0"));
}
