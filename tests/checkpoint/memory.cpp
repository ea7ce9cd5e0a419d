#include "../temporary_folder.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <fstream>
#include <string>

namespace {

using audyn::StateDict;

constexpr bool is_sanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#else
    false;
#endif

/// A line of /proc/self/status in bytes: "VmRSS:", memory of this process; "VmHWM:", the most of it so far.
int64_t memory(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == name) {
            int64_t kilobytes = 0;
            status >> kilobytes;
            return 1024 * kilobytes;
        }
    }
    return 0;
}

/// The most memory that `action` takes beyond what there is.
template <class Action>
int64_t peak_of(const Action& action) {
    std::ofstream("/proc/self/clear_refs") << 5; // begins the high-water mark anew
    const int64_t before = memory("VmRSS:");
    action();
    return memory("VmHWM:") - before;
}

} // namespace

TEST_CASE("saving and loading take at most 5 % of the state's size beside it" * doctest::skip(is_sanitized)) {
    const TemporaryFolder folder;
    constexpr int64_t tensor_bytes = 8 << 20;
    constexpr int64_t state_bytes = 25 * tensor_bytes;
    {
        StateDict state;
        for (int i = 0; i < 25; ++i) {
            state.set("weight" + std::to_string(i), at::full({tensor_bytes / 4}, i, at::kFloat));
        }
        CHECK(peak_of([&] { audyn::checkpoint::save(folder / "a.pth", state); }) < state_bytes / 20);
    }
    const int64_t loading = peak_of([&] {
        const StateDict state = audyn::checkpoint::load(folder / "a.pth");
        CHECK(state.at("weight24").as_tensor()[-1].item<float>() == 24.0F);
    });
    CHECK(loading < state_bytes + state_bytes / 20);
    CHECK(loading > state_bytes / 2); // the measurement measures
    const int64_t mapping = peak_of([&] {
        const StateDict state = audyn::checkpoint::load(folder / "a.pth", {.mmap = true});
        CHECK(state.at("weight24").as_tensor()[-1].item<float>() == 24.0F);
    });
    CHECK(mapping < state_bytes / 20);
}
