#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>

namespace audyn::data {

AUDYN_INLINE Batch::Batch(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) {
        set(entry.first, entry.second);
    }
}

AUDYN_INLINE void Batch::set(std::string name, BatchValue value) {
    if (const auto existing = position(name)) {
        entries_[*existing].second = std::move(value);
    } else {
        entries_.emplace_back(std::move(name), std::move(value));
    }
}

AUDYN_INLINE std::optional<std::size_t> Batch::position(std::string_view name) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].first == name) {
            return i;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE const BatchValue& Batch::at(std::string_view name) const {
    if (const auto found = position(name)) {
        return entries_[*found].second;
    }
    throw DataError("the batch has no value '" + std::string(name) + "'; it has: " + names());
}

AUDYN_INLINE const at::Tensor& Batch::tensor(std::string_view name) const {
    if (const auto* tensor = std::get_if<at::Tensor>(&at(name))) {
        return *tensor;
    }
    throw DataError("the value '" + std::string(name) + "' of the batch is not a tensor");
}

AUDYN_INLINE const at::Tensor& Batch::tensor(std::size_t position) const {
    if (const auto* tensor = std::get_if<at::Tensor>(&entries_[position].second)) {
        return *tensor;
    }
    throw DataError("the value '" + entries_[position].first + "' of the batch is not a tensor");
}

AUDYN_INLINE std::string Batch::names() const {
    std::string text;
    for (const Entry& entry : entries_) {
        text += (text.empty() ? "" : ", ") + entry.first;
    }
    return text;
}

AUDYN_INLINE int64_t Batch::batch_size() const {
    for (const Entry& entry : entries_) {
        if (const auto* tensor = std::get_if<at::Tensor>(&entry.second); tensor && tensor->dim() > 0) {
            return tensor->size(0);
        }
    }
    return 0;
}

AUDYN_INLINE void Batch::to(at::Device device) {
    transform([device](const at::Tensor& tensor) { return tensor.to(device, tensor.scalar_type(), true); });
}

AUDYN_INLINE void Batch::pin_memory() {
    transform([](const at::Tensor& tensor) { return tensor.pin_memory(); });
}

} // namespace audyn::data
