#pragma once

#include <audyn/checkpoint/host_copy.hpp>
#include <audyn/core/inline.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdint>
#include <cstring>

namespace audyn::checkpoint {

AUDYN_INLINE StateDict HostCopy::copy(const StateDict& state) {
    const at::NoGradGuard no_grad;
    used_ = 0;
    copies_.clear();
    StateDict result = copy_dict(state);
    storages_.resize(used_);
    if (device_) {
        const c10::impl::VirtualGuardImpl guard(device_->type());
        guard.getStream(*device_).synchronize();
    }
    return result;
}

AUDYN_INLINE state::Value HostCopy::copy_value(const state::Value& value) {
    return std::visit([this](const auto& item) { return copy_item(item); }, value.storage());
}

AUDYN_INLINE state::Value HostCopy::copy_item(const at::Tensor& tensor) {
    if (!tensor.defined() || tensor.layout() != at::kStrided || !tensor.has_storage() || tensor.is_meta()) {
        return tensor;
    }
    const at::Tensor plain = tensor.resolve_conj().resolve_neg();
    at::Tensor result = at::empty({0}, plain.options().device(at::kCPU));
    result.set_(copy_storage(plain.storage()), plain.storage_offset(), plain.sizes(), plain.strides());
    return result;
}

AUDYN_INLINE std::vector<state::Value> HostCopy::copy_items(const std::vector<state::Value>& items) {
    std::vector<state::Value> result;
    result.reserve(items.size());
    for (const state::Value& item : items) {
        result.push_back(copy_value(item));
    }
    return result;
}

AUDYN_INLINE StateDict HostCopy::copy_dict(const StateDict& dict) {
    StateDict result;
    for (const auto& [key, value] : dict) {
        result.set(key, copy_value(value));
    }
    return result;
}

AUDYN_INLINE c10::Storage HostCopy::copy_storage(const c10::Storage& storage) {
    const auto known = copies_.find(storage.unsafeGetStorageImpl());
    if (known != copies_.end()) {
        return known->second;
    }
    const c10::Storage& host = host_storage(storage);
    if (storage.device().is_cpu()) {
        if (storage.nbytes() > 0) {
            std::memcpy(host.mutable_data(), storage.data(), storage.nbytes());
        }
    } else {
        bytes_of(host).copy_(bytes_of(storage), /*non_blocking=*/true);
        device_ = storage.device();
    }
    copies_.emplace(storage.unsafeGetStorageImpl(), host);
    return host;
}

AUDYN_INLINE const c10::Storage& HostCopy::host_storage(const c10::Storage& like) {
    const std::size_t index = used_++;
    if (index == storages_.size()) {
        storages_.emplace_back();
    }
    c10::Storage& host = storages_[index];
    if (!host || host.nbytes() != like.nbytes()) {
        // Page-locked memory takes what comes from a GPU without a copy between.
        const auto options = at::TensorOptions(at::kByte).pinned_memory(like.device().is_cuda());
        host = at::empty({static_cast<int64_t>(like.nbytes())}, options).storage();
    }
    return host;
}

AUDYN_INLINE at::Tensor HostCopy::bytes_of(const c10::Storage& storage) {
    at::Tensor bytes = at::empty({0}, at::TensorOptions(at::kByte).device(storage.device()));
    bytes.set_(storage, 0, {static_cast<int64_t>(storage.nbytes())}, {1});
    return bytes;
}

} // namespace audyn::checkpoint
