#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/tensor_dataset.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

namespace audyn::data {

AUDYN_INLINE TensorDataset::TensorDataset(std::vector<NamedTensor> tensors) {
    for (NamedTensor& tensor : tensors) {
        add(std::move(tensor.first), tensor.second);
    }
    if (columns_.empty()) {
        throw UsageError("a TensorDataset needs at least one tensor");
    }
}

AUDYN_INLINE Sample TensorDataset::get(int64_t index, Random&) const {
    check(index);
    Sample sample;
    sample.reserve(columns_.size());
    for (const Column& column : columns_) {
        sample.set(column.name, column.values.select(0, index));
    }
    return sample;
}

AUDYN_INLINE std::optional<Batch> TensorDataset::get_batch(std::span<const int64_t> indices, const BatchRandom&) const {
    for (const int64_t index : indices) {
        check(index);
    }
    Batch batch;
    batch.reserve(columns_.size());
    for (const Column& column : columns_) {
        batch.set(column.name, column.values.is_cpu() ? gather(column, indices) : select(column, indices));
    }
    return batch;
}

AUDYN_INLINE void TensorDataset::add(std::string name, const at::Tensor& values) {
    if (values.dim() == 0) {
        throw UsageError("the tensors of a TensorDataset need a first dimension that counts the samples; '" + name +
                         "' is a scalar");
    }
    if (!columns_.empty() && values.size(0) != size_) {
        throw UsageError("the tensors of a TensorDataset must have the same first dimension, but '" + name +
                         "' has shape " + c10::str(values.sizes()) + " and '" + columns_[0].name + "' has " +
                         std::to_string(size_) + " samples");
    }
    size_ = values.size(0);
    const auto row_elements = size_ == 0 ? 0 : values.numel() / size_;
    columns_.push_back({std::move(name), values.detach().contiguous(), values.sizes().slice(1).vec(),
                        static_cast<std::size_t>(row_elements) * values.element_size()});
}

AUDYN_INLINE void TensorDataset::check(int64_t index) const {
    if (index < 0 || index >= size_) {
        throw DataError("sample " + std::to_string(index) + " does not exist: the dataset has " +
                        std::to_string(size_) + " samples");
    }
}

AUDYN_INLINE at::Tensor TensorDataset::gather(const Column& column, std::span<const int64_t> indices) {
    c10::SmallVector<int64_t, 6> shape{static_cast<int64_t>(indices.size())};
    shape.append(column.row_shape.begin(), column.row_shape.end());
    at::Tensor rows = at::empty(shape, column.values.options());
    auto* target = static_cast<char*>(rows.mutable_data_ptr());
    const auto* source = static_cast<const char*>(column.values.const_data_ptr());
    for (const int64_t index : indices) {
        std::memcpy(target, source + static_cast<std::size_t>(index) * column.row_bytes, column.row_bytes);
        target += column.row_bytes;
    }
    return rows;
}

AUDYN_INLINE at::Tensor TensorDataset::select(const Column& column, std::span<const int64_t> indices) {
    const at::Tensor index =
        at::from_blob(const_cast<int64_t*>(indices.data()), {static_cast<int64_t>(indices.size())}, at::kLong);
    return column.values.index_select(0, index.to(column.values.device()));
}

AUDYN_INLINE std::shared_ptr<TensorDataset> make_tensor_dataset(std::vector<TensorDataset::NamedTensor> tensors) {
    return std::make_shared<TensorDataset>(std::move(tensors));
}

} // namespace audyn::data
