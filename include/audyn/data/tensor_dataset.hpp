#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/dataset.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
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
    explicit TensorDataset(std::vector<NamedTensor> tensors);

    [[nodiscard]] int64_t size() const override { return size_; }

    [[nodiscard]] AUDYN_INLINE Sample get(int64_t index, Random&) const override;

    [[nodiscard]] AUDYN_INLINE std::optional<Batch> get_batch(std::span<const int64_t> indices,
                                                              const BatchRandom&) const override;

private:
    struct Column {
        std::string name;
        at::Tensor values;
        std::vector<int64_t> row_shape;
        std::size_t row_bytes;
    };

    void add(std::string name, const at::Tensor& values);

    void check(int64_t index) const;

    /// Copies rows; for the small batches that matter it costs half of `index_select`.
    static at::Tensor gather(const Column& column, std::span<const int64_t> indices);

    static at::Tensor select(const Column& column, std::span<const int64_t> indices);

    int64_t size_ = 0;
    std::vector<Column> columns_;
};

/// A shared `TensorDataset`: `make_tensor_dataset({{"waveform", waveform}, {"label", label}})`.
[[nodiscard]] AUDYN_INLINE std::shared_ptr<TensorDataset>
make_tensor_dataset(std::vector<TensorDataset::NamedTensor> tensors);

} // namespace audyn::data

namespace audyn {
using data::make_tensor_dataset;
using data::TensorDataset;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/data/tensor_dataset.ipp>
#endif
