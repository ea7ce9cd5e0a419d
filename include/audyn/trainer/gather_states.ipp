#pragma once

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/trainer/gather_states.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace audyn::trainer::detail {

/// A file in memory, so that a state travels between ranks in the format of checkpoints.
class StateInMemory {
public:
    StateInMemory() : descriptor_(::memfd_create("audyn state", MFD_CLOEXEC)) {
        if (descriptor_ < 0) {
            throw Error(std::string("cannot make a file in memory: ") + std::strerror(errno));
        }
    }
    StateInMemory(const StateInMemory&) = delete;
    StateInMemory& operator=(const StateInMemory&) = delete;
    ~StateInMemory() { ::close(descriptor_); }

    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
    [[nodiscard]] core::File open() const { return core::File(path(), O_RDWR); }

private:
    int descriptor_;
};

AUDYN_INLINE at::Tensor to_bytes(const StateDict& state) {
    const StateInMemory memory;
    core::File file = memory.open();
    checkpoint::write(file, state, /*will_be_synced=*/false);
    at::Tensor bytes = at::empty({static_cast<int64_t>(file.size())}, at::kByte);
    file.read_at(bytes.mutable_data_ptr(), static_cast<std::size_t>(bytes.numel()), 0);
    return bytes;
}

AUDYN_INLINE StateDict from_bytes(const at::Tensor& bytes, int64_t size) {
    const StateInMemory memory;
    core::File file = memory.open();
    file.write(bytes.const_data_ptr(), static_cast<std::size_t>(size));
    return checkpoint::load(memory.path());
}

} // namespace audyn::trainer::detail

namespace audyn::trainer {

AUDYN_INLINE std::vector<StateDict> gather_states(const StateDict& own, const AllGather& all_gather) {
    const at::Tensor bytes = detail::to_bytes(own);
    std::vector<int64_t> sizes;
    for (const at::Tensor& size : all_gather(at::full({1}, bytes.numel(), at::kLong))) {
        sizes.push_back(*size.const_data_ptr<int64_t>());
    }
    at::Tensor padded = at::zeros({*std::max_element(sizes.begin(), sizes.end())}, at::kByte);
    padded.narrow(0, 0, bytes.numel()).copy_(bytes);
    std::vector<StateDict> states;
    for (const at::Tensor& other : all_gather(padded)) {
        states.push_back(detail::from_bytes(other, sizes[states.size()]));
    }
    return states;
}

} // namespace audyn::trainer
