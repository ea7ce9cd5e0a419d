#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"

#include <audyn/core/error.hpp>
#include <audyn/logging/csv.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace {

using audyn::logging::CsvLogger;
using audyn::logging::Scalar;

void log(CsvLogger& logger, int64_t step, const std::vector<Scalar>& scalars) {
    logger.log_scalars(scalars, step);
    logger.flush();
}

} // namespace

TEST_CASE("a table of scalars") {
    const TemporaryFolder folder;
    CsvLogger logger(folder / "run/metrics.csv");
    CHECK(read_file(logger.path()) == "step\n");
    log(logger, 1, {{"loss", 0.1}, {"lr", 1e-3}});
    log(logger, 2, {{"lr", 5e-4}, {"loss", 1.0}});
    log(logger, 3, {{"loss", -std::nan("")}, {"lr", std::numeric_limits<double>::infinity()}});
    log(logger, 4, {{"loss", 1.0}, {"loss", 2.0}});
    CHECK(read_file(logger.path()) == "step,loss,lr\n1,0.1,0.001\n2,1,5e-04\n3,nan,inf\n4,2,\n");
}

TEST_CASE("a tag that comes later gets a column") {
    const TemporaryFolder folder;
    CsvLogger logger(folder / "metrics.csv");
    log(logger, 1, {{"loss", 1.0}});
    logger.log_scalars(std::array{Scalar{"loss", 2.0}}, 2);
    log(logger, 2, {{"validation, total", 3.0}, {"say \"hi\"", 4.0}});
    log(logger, 3, {{"loss", 5.0}});
    CHECK(read_file(logger.path()) ==
          "step,loss,\"validation, total\",\"say \"\"hi\"\"\"\n1,1,,\n2,2,,\n2,,3,4\n3,5,,\n");
}

TEST_CASE("a resumed run continues the table") {
    const TemporaryFolder folder;
    {
        CsvLogger logger(folder / "metrics.csv");
        log(logger, 1, {{"a, b", 1.0}, {"c", 2.0}});
    }
    write_file(folder / "metrics.csv", read_file(folder / "metrics.csv") + "2,3.5"); // cut short by a crash
    CsvLogger logger(folder / "metrics.csv");
    log(logger, 2, {{"c", 4.0}});
    log(logger, 3, {{"d", 5.0}});
    CHECK(read_file(logger.path()) == "step,\"a, b\",c,d\n1,1,2,\n2,,4,\n3,,,5\n");
}

TEST_CASE("a file that is something else is refused and kept") {
    const TemporaryFolder folder;
    for (const char* content : {"epoch,loss\n1,2\n", "no newline"}) {
        write_file(folder / "metrics.csv", content);
        const std::string message = message_of<audyn::Error>([&] { CsvLogger(folder / "metrics.csv"); });
        CHECK(message.find((folder / "metrics.csv").string() + ": its first column is not 'step'") != message.npos);
        CHECK(read_file(folder / "metrics.csv") == content);
    }
}

TEST_CASE("a full disk is an error, and the table stays whole") {
    const TemporaryFolder folder;
    CsvLogger logger(folder / "metrics.csv");
    log(logger, 1, {{"loss", 1.0}});
    const std::string before = read_file(logger.path());
    {
        const LimitedFileSize limit(before.size() + 2);
        CHECK_THROWS_AS(log(logger, 2, {{"loss", 2.0}}), audyn::Error);
        CHECK(read_file(logger.path()) == before);
    }
    log(logger, 3, {{"loss", 3.0}});
    CHECK(read_file(logger.path()) == "step,loss\n1,1\n2,2\n3,3\n");
}

TEST_CASE("a resumed table loses the rows after its checkpoint") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "metrics.csv";
    const auto add = [](CsvLogger& logger, int64_t step, const char* tag) {
        const std::vector<Scalar> scalars{{tag, static_cast<double>(step)}};
        logger.log_scalars(scalars, step);
    };
    audyn::StateDict state;
    {
        CsvLogger logger(path);
        add(logger, 1, "a");
        add(logger, 2, "a");
        state = logger.state_dict();
        add(logger, 3, "a,b"); // another column
        add(logger, 4, "a");
    }
    write_file(folder / "metrics.csv.7-0.tmp", "left by a crash");
    CsvLogger logger(path);
    CHECK_FALSE(std::filesystem::exists(folder / "metrics.csv.7-0.tmp"));
    audyn::StateDict others = state;
    others.set("csv", "another.csv");
    logger.load_state_dict(others);
    logger.load_state_dict({});
    logger.flush();
    CHECK(read_file(path) == "step,a,\"a,b\"\n1,1,\n2,2,\n3,,3\n4,4,\n");
    logger.load_state_dict(state);
    CHECK(read_file(path) == "step,a,\"a,b\"\n1,1,\n2,2,\n");
    add(logger, 3, "a");
    logger.load_state_dict(state); // rows that are still in the buffer, too
    add(logger, 5, "a");
    logger.flush();
    CHECK(read_file(path) == "step,a,\"a,b\"\n1,1,\n2,2,\n5,5,\n");
    logger.restart();
    CHECK(read_file(path) == "step,a,\"a,b\"\n");
}
