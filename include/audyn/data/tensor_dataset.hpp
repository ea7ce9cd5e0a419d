#pragma once

#include <audyn/core/error.hpp>
#include <audyn/data/dataset.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace audyn::data {

/// Named tensors whose first dimension counts the samples; Python's `TensorDataset`, with names. Batches are read as a
/// whole. The tensors may lie on any device.
class TensorDataset : public Dataset {
public:
    using NamedTensor = std::pair<std::string, at::Tensor>;

    /// \throws UsageError when there are no tensors, or their first dimensions differ.
    explicit TensorDataset(std::vector<NamedTensor> tensors) {
        for (NamedTensor& tensor : tensors) {
            add(std::move(tensor.first), tensor.second);
        }
        if (columns_.empty()) {
            throw UsageError("a TensorDataset needs at least one tensor");
        }
    }

    [[nodiscard]] int64_t size() const override { return size_; }

    [[nodiscard]] Sample get(int64_t index, Random&) const override {
        check(index);
        Sample sample;
        sample.reserve(columns_.size());
        for (const Column& column : columns_) {
            sample.set(column.name, column.values.select(0, index));
        }
        return sample;
    }

    [[nodiscard]] std::optional<Batch> get_batch(std::span<const int64_t> indices, const BatchRandom&) const override {
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

private:
    struct Column {
        std::string name;
        at::Tensor values;
        std::vector<int64_t> row_shape;
        std::size_t row_bytes;
    };

    void add(std::string name, const at::Tensor& values) {
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

    void check(int64_t index) const {
        if (index < 0 || index >= size_) {
            throw DataError("sample " + std::to_string(index) + " does not exist: the dataset has " +
                            std::to_string(size_) + " samples");
        }
    }

    /// Copies rows; for the small batches that matter it costs half of `index_select`.
    static at::Tensor gather(const Column& column, std::span<const int64_t> indices) {
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

    static at::Tensor select(const Column& column, std::span<const int64_t> indices) {
        const at::Tensor index =
            at::from_blob(const_cast<int64_t*>(indices.data()), {static_cast<int64_t>(indices.size())}, at::kLong);
        return column.values.index_select(0, index.to(column.values.device()));
    }

    int64_t size_ = 0;
    std::vector<Column> columns_;
};

/// A shared `TensorDataset`: `make_tensor_dataset({{"waveform", waveform}, {"label", label}})`.
[[nodiscard]] inline std::shared_ptr<TensorDataset>
make_tensor_dataset(std::vector<TensorDataset::NamedTensor> tensors) {
    return std::make_shared<TensorDataset>(std::move(tensors));
}

} // namespace audyn::data

namespace audyn {
using data::make_tensor_dataset;
using data::TensorDataset;
} // namespace audyn
