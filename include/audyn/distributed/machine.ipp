#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/machine.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <string>
#include <system_error>
#include <thread>

namespace audyn::distributed {

namespace detail {

AUDYN_INLINE int64_t core_quota(const std::filesystem::path& file) {
    std::ifstream stream(file);
    int64_t quota = 0;
    int64_t period = 0;
    return stream >> quota >> period && quota > 0 && period > 0 ? (quota + period - 1) / period : 0;
}

AUDYN_INLINE int64_t count_entries(const std::filesystem::path& folder, std::string_view start) {
    std::error_code code;
    int64_t count = 0;
    for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
        const std::string name = entry->path().filename().string();
        count += start.empty() || (name.starts_with(start) && name.size() > start.size() &&
                                   name.find_first_not_of("0123456789", start.size()) == std::string::npos)
                     ? 1
                     : 0;
    }
    return count;
}

AUDYN_INLINE int64_t listed_gpus(std::string_view list) {
    int64_t count = 0;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::size_t start = list.find_first_not_of(' ');
        if (start == std::string_view::npos || list[start] == '-' || list[start] == ',') {
            break;
        }
        ++count;
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    return count;
}

} // namespace detail

AUDYN_INLINE int64_t available_cores() {
    cpu_set_t set;
    int64_t cores =
        ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : int64_t{std::thread::hardware_concurrency()};
    if (const int64_t quota = detail::core_quota("/sys/fs/cgroup/cpu.max"); quota > 0) {
        cores = std::min(cores, quota);
    }
    return std::max<int64_t>(cores, 1);
}

AUDYN_INLINE int64_t visible_gpus() {
    const int64_t devices = detail::count_entries("/dev", "nvidia");
    const int64_t known = detail::count_entries("/proc/driver/nvidia/gpus", "");
    const int64_t present = devices > 0 && known > 0 ? std::min(devices, known) : std::max(devices, known);
    const char* const list = std::getenv("CUDA_VISIBLE_DEVICES");
    return list != nullptr ? std::min(detail::listed_gpus(list), present) : present;
}

} // namespace audyn::distributed
