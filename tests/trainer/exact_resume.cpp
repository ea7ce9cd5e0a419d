// A run that was interrupted at an iteration and resumed is, bit for bit, the run that was not.

#include "exactness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace exactness;

audyn::distributed::SingleProcess single_process() {
    return {};
}

void check_exactness(const std::string& name) {
    const auto variant =
        std::find_if(variants.begin(), variants.end(), [&](const Variant& one) { return one.name == name; });
    REQUIRE(variant != variants.end());
    for (const std::string& wrong : inexact(*variant, single_process, [] { return TemporaryFolder(); })) {
        FAIL_CHECK(wrong);
    }
}

} // namespace

TEST_CASE("a resumed run is exact: plain") {
    check_exactness("plain");
}
TEST_CASE("a resumed run is exact: gradient accumulation") {
    check_exactness("gradient accumulation");
}
TEST_CASE("a resumed run is exact: float16 with loss scaling") {
    check_exactness("float16 with loss scaling");
}
TEST_CASE("a resumed run is exact: bfloat16") {
    check_exactness("bfloat16");
}
TEST_CASE("a resumed run is exact: scheduler by iteration") {
    check_exactness("scheduler by iteration");
}
TEST_CASE("a resumed run is exact: scheduler by epoch") {
    check_exactness("scheduler by epoch");
}
TEST_CASE("a resumed run is exact: two parameter groups") {
    check_exactness("two parameter groups");
}
TEST_CASE("a resumed run is exact: four workers") {
    check_exactness("four workers");
}
TEST_CASE("a resumed run is exact: plateau") {
    check_exactness("plateau");
}
TEST_CASE("a resumed run is exact: OneCycleLR") {
    check_exactness("OneCycleLR");
}
TEST_CASE("a resumed run is exact: exponential moving average") {
    check_exactness("exponential moving average");
}
TEST_CASE("a resumed run is exact: stochastic weight averaging") {
    check_exactness("stochastic weight averaging");
}
TEST_CASE("a resumed run is exact: LBFGS") {
    check_exactness("LBFGS");
}
TEST_CASE("a resumed run is exact: multi") {
    check_exactness("multi");
}
TEST_CASE("a resumed run is exact: gan") {
    check_exactness("gan");
}
TEST_CASE("a resumed run is exact: gan with two discriminator steps") {
    check_exactness("gan with two discriminator steps");
}
TEST_CASE("a resumed run is exact: all together, written in the background") {
    check_exactness("all together, written in the background");
}

TEST_CASE("a run that ended within a validation or by an exception is resumed exactly") {
    const Variant supervised{.name = "disturbed", .accumulation = 2, .interval = audyn::SchedulerInterval::epoch};
    const Variant gan{.name = "disturbed", .interval = audyn::SchedulerInterval::epoch, .gan = true};
    const auto check = [](const Variant& variant, Disturbance disturbance, int64_t iterations) {
        const TemporaryFolder undisturbed;
        const Outcome whole = train(variant, single_process, undisturbed.path(), false);
        const TemporaryFolder folder;
        const Outcome begun = train(variant, single_process, folder.path(), false, disturbance);
        CHECK((begun.is_interrupted || begun.has_failed));
        CHECK(begun.state.at("iteration_idx").as_int() == iterations);
        const Outcome resumed = train(variant, single_process, folder.path(), true);
        CHECK(difference(whole, resumed) == "");
    };
    check(supervised, {Kind::signal_in_validation, 1}, 6);
    check(supervised, {Kind::error_in_validation, 2}, 9);
    // In the second batch of an iteration: dropout has drawn, and the statistics have moved.
    check(supervised, {Kind::unreadable, 23 + 4 * 3 + 2}, 4);
    check(gan, {Kind::signal_in_validation, 1}, 12);
    check(gan, {Kind::unreadable, 23 + 4 * 3 + 2}, 9);
}

TEST_CASE("a finished run that is resumed trains nothing and writes nothing") {
    const auto is_untouched = [](const Variant& variant, std::optional<int64_t> iterations) {
        const TemporaryFolder folder;
        train(variant, single_process, folder.path(), false, Disturbance(), iterations);
        const std::string last = read_file(folder / "last.pth");
        const std::string best = read_file(folder / "best.pth");
        const std::string rows = read_file(folder / "metrics.csv");
        const auto time = std::filesystem::last_write_time(folder / "last.pth");
        const Outcome resumed = train(variant, single_process, folder.path(), true, Disturbance(), iterations);
        CHECK(resumed.reads == 0);
        CHECK(read_file(folder / "last.pth") == last);
        CHECK(read_file(folder / "best.pth") == best);
        CHECK(read_file(folder / "metrics.csv") == rows);
        CHECK(std::filesystem::last_write_time(folder / "last.pth") == time);
    };
    is_untouched({.name = "whole epochs"}, {});
    is_untouched({.name = "ends within an epoch"}, 8);
    is_untouched({.name = "ends with an epoch"}, 12);
}
