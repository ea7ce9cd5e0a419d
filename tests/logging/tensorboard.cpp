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
          "brain.Event:2"
          "\x52\x07\x0a\x05"
          "audyn");
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

TEST_CASE("a resumed run takes back the events after its checkpoint, and no files of others") {
    const TemporaryFolder folder;
    const auto log = [](TensorBoardLogger& logger, int64_t step) {
        const std::array scalars{Scalar{"a", 1.0}};
        logger.log_scalars(scalars, step);
    };
    write_file(folder / "events.out.tfevents.0000000001.other.1.0", "written by another program, and long enough");
    std::string before;
    std::filesystem::path first_path;
    {
        TensorBoardLogger earlier(folder.path());
        log(earlier, 1);
    }
    audyn::StateDict state;
    {
        TensorBoardLogger first(folder.path());
        first_path = first.path();
        log(first, 1);
        state = first.state_dict();
        first.flush();
        before = read_file(first.path());
        log(first, 2);
    }
    std::filesystem::path second_path;
    {
        TensorBoardLogger second(folder.path());
        second_path = second.path();
        second.load_state_dict(state);
        log(second, 2);
        CHECK(second.state_dict().at("files").as_dict().size() == 3);
    }
    CHECK(read_file(first_path) == before);

    TensorBoardLogger third(folder.path());
    third.load_state_dict(state);
    CHECK(!std::filesystem::exists(second_path));
    CHECK(read_file(first_path) == before);
    const auto files = [&] {
        return std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator());
    };
    CHECK(files() == 4);

    state.set("tensorboard", "another folder");
    third.load_state_dict(state);
    CHECK(files() == 4);
    third.restart();
    CHECK(files() == 2);
}
