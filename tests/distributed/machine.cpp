#include "../temporary_folder.hpp"

#include <audyn/distributed/machine.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <sched.h>

namespace detail = audyn::distributed::detail;

TEST_CASE("cores are those that the process is bound to") {
    cpu_set_t before;
    REQUIRE(::sched_getaffinity(0, sizeof(before), &before) == 0);
    CHECK(audyn::distributed::available_cores() >= 1);
    CHECK(audyn::distributed::available_cores() <= CPU_COUNT(&before));
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t core = 0; CPU_COUNT(&one) == 0; ++core) {
        if (CPU_ISSET(core, &before)) {
            CPU_SET(core, &one);
        }
    }
    REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(audyn::distributed::available_cores() == 1);
    REQUIRE(::sched_setaffinity(0, sizeof(before), &before) == 0);
}

TEST_CASE("a control group may have time for fewer") {
    const TemporaryFolder folder;
    const auto quota = [&folder](const char* text) {
        write_file(folder / "cpu.max", text);
        return detail::core_quota(folder / "cpu.max");
    };
    CHECK(quota("200000 100000\n") == 2);
    CHECK(quota("150000 100000\n") == 2);
    CHECK(quota("50000 100000\n") == 1);
    CHECK(quota("max 100000\n") == 0);
    CHECK(quota("") == 0);
    CHECK(detail::core_quota(folder / "absent") == 0);
}

TEST_CASE("GPUs are counted without CUDA") {
    CHECK(detail::listed_gpus("") == 0);
    CHECK(detail::listed_gpus("0") == 1);
    CHECK(detail::listed_gpus("2,3, 0") == 3);
    CHECK(detail::listed_gpus("0,-1,1") == 1);
    CHECK(detail::listed_gpus("-1") == 0);
    CHECK(detail::listed_gpus("GPU-8932f937-d72c,GPU-75a1b2c3-1199") == 2);
    const TemporaryFolder folder;
    for (const char* const name : {"nvidia0", "nvidia12", "nvidia", "nvidiactl", "nvidia-uvm", "null"}) {
        write_file(folder / name, "");
    }
    CHECK(detail::count_entries(folder.path(), "nvidia") == 2);
    CHECK(detail::count_entries(folder.path(), "") == 6);
    CHECK(detail::count_entries(folder / "absent", "") == 0);
    ::setenv("CUDA_VISIBLE_DEVICES", "", 1);
    CHECK(audyn::distributed::visible_gpus() == 0);
    ::unsetenv("CUDA_VISIBLE_DEVICES");
}
