#pragma once

#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

namespace audyn::checkpoint {

/// Copies states to host memory that it keeps: a second copy of a state of the same layout allocates nothing. Tensors
/// that share memory share it in the copy too. Not thread-safe.
class HostCopy {
public:
    /// A copy of `state`, valid until the next call. Waits for the devices that tensors come from.
    [[nodiscard]] StateDict copy(const StateDict& state);

private:
    [[nodiscard]] state::Value copy_value(const state::Value& value);

    template <class Plain>
    [[nodiscard]] state::Value copy_item(const Plain& item) {
        if constexpr (std::is_same_v<Plain, std::monostate>) {
            return {};
        } else {
            return item;
        }
    }
    [[nodiscard]] state::Value copy_item(const state::List& list) { return copy_items(list); }
    [[nodiscard]] state::Value copy_item(const state::Tuple& tuple) { return state::Tuple{copy_items(tuple.items)}; }
    [[nodiscard]] state::Value copy_item(const StateDict& dict) { return copy_dict(dict); }

    /// What has no memory of its own to copy (undefined, sparse, ...) stays what it is; the writer names and refuses
    /// it.
    [[nodiscard]] state::Value copy_item(const at::Tensor& tensor);

    [[nodiscard]] std::vector<state::Value> copy_items(const std::vector<state::Value>& items);

    [[nodiscard]] StateDict copy_dict(const StateDict& dict);

    [[nodiscard]] c10::Storage copy_storage(const c10::Storage& storage);

    /// The next of the kept storages, made anew when its size is another.
    [[nodiscard]] const c10::Storage& host_storage(const c10::Storage& like);

    [[nodiscard]] static at::Tensor bytes_of(const c10::Storage& storage);

    std::vector<c10::Storage> storages_;
    std::size_t used_ = 0;
    std::unordered_map<const c10::StorageImpl*, c10::Storage> copies_;
    std::optional<c10::Device> device_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/host_copy.ipp>
#endif
