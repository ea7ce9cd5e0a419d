#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::data {

/// One value of a sample or of a batch. Training uses the tensors; the others carry identifiers, lengths and ragged
/// data.
using BatchValue = std::variant<at::Tensor, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                                std::vector<std::string>, std::vector<at::Tensor>>;

/// A small ordered dictionary of named values. Values are addressed by name, or, in the hot path, by a position that
/// was looked up once. Copies share their tensors.
class Batch {
public:
    using Entry = std::pair<std::string, BatchValue>;

    Batch() = default;
    Batch(std::initializer_list<Entry> entries);

    /// Room for `count` values.
    void reserve(std::size_t count) { entries_.reserve(count); }

    /// Sets `name`, in place when it exists, at the end otherwise.
    void set(std::string name, BatchValue value);

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }
    [[nodiscard]] auto begin() { return entries_.begin(); }
    [[nodiscard]] auto end() { return entries_.end(); }

    /// Where `name` lies, or nothing.
    [[nodiscard]] std::optional<std::size_t> position(std::string_view name) const;
    [[nodiscard]] bool contains(std::string_view name) const { return position(name).has_value(); }

    [[nodiscard]] const Entry& entry(std::size_t position) const { return entries_[position]; }

    /// The value of `name`. \throws DataError that lists the names there are.
    [[nodiscard]] const BatchValue& at(std::string_view name) const;

    /// The tensor of `name`. \throws DataError when it does not exist or is not a tensor.
    [[nodiscard]] const at::Tensor& tensor(std::string_view name) const;

    /// The tensor at `position`. \throws DataError when it is not a tensor.
    [[nodiscard]] const at::Tensor& tensor(std::size_t position) const;

    /// The names, separated by commas: for messages.
    [[nodiscard]] std::string names() const;

    /// Number of samples: the first dimension of the first tensor that has one, or 0.
    [[nodiscard]] int64_t batch_size() const;

    /// Moves every tensor to `device`, asynchronously where the source is pinned.
    void to(at::Device device);

    /// Copies every tensor into page-locked memory, from which a transfer to a CUDA device is asynchronous.
    void pin_memory();

private:
    template <class Function>
    void transform(const Function& function) {
        for (Entry& entry : entries_) {
            if (auto* tensor = std::get_if<at::Tensor>(&entry.second)) {
                *tensor = function(*tensor);
            } else if (auto* tensors = std::get_if<std::vector<at::Tensor>>(&entry.second)) {
                for (at::Tensor& item : *tensors) {
                    item = function(item);
                }
            }
        }
    }

    std::vector<Entry> entries_;
};

/// One sample of a dataset: the same dictionary without the batch dimension.
using Sample = Batch;

} // namespace audyn::data

namespace audyn {
using data::Batch;
using data::Sample;
} // namespace audyn

#ifndef AUDYN_COMPILED
#    include <audyn/data/batch.ipp>
#endif
