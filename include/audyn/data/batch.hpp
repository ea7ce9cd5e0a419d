#pragma once

#include <audyn/core/error.hpp>

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
    Batch(std::initializer_list<Entry> entries) {
        for (const Entry& entry : entries) {
            set(entry.first, entry.second);
        }
    }

    /// Room for `count` values.
    void reserve(std::size_t count) { entries_.reserve(count); }

    /// Sets `name`, in place when it exists, at the end otherwise.
    void set(std::string name, BatchValue value) {
        if (const auto existing = position(name)) {
            entries_[*existing].second = std::move(value);
        } else {
            entries_.emplace_back(std::move(name), std::move(value));
        }
    }

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }
    [[nodiscard]] auto begin() { return entries_.begin(); }
    [[nodiscard]] auto end() { return entries_.end(); }

    /// Where `name` lies, or nothing.
    [[nodiscard]] std::optional<std::size_t> position(std::string_view name) const {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].first == name) {
                return i;
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] bool contains(std::string_view name) const { return position(name).has_value(); }

    [[nodiscard]] const Entry& entry(std::size_t position) const { return entries_[position]; }

    /// The value of `name`. \throws DataError that lists the names there are.
    [[nodiscard]] const BatchValue& at(std::string_view name) const {
        if (const auto found = position(name)) {
            return entries_[*found].second;
        }
        throw DataError("the batch has no value '" + std::string(name) + "'; it has: " + names());
    }

    /// The tensor of `name`. \throws DataError when it does not exist or is not a tensor.
    [[nodiscard]] const at::Tensor& tensor(std::string_view name) const {
        if (const auto* tensor = std::get_if<at::Tensor>(&at(name))) {
            return *tensor;
        }
        throw DataError("the value '" + std::string(name) + "' of the batch is not a tensor");
    }

    /// The tensor at `position`. \throws DataError when it is not a tensor.
    [[nodiscard]] const at::Tensor& tensor(std::size_t position) const {
        if (const auto* tensor = std::get_if<at::Tensor>(&entries_[position].second)) {
            return *tensor;
        }
        throw DataError("the value '" + entries_[position].first + "' of the batch is not a tensor");
    }

    /// The names, separated by commas: for messages.
    [[nodiscard]] std::string names() const {
        std::string text;
        for (const Entry& entry : entries_) {
            text += (text.empty() ? "" : ", ") + entry.first;
        }
        return text;
    }

    /// Number of samples: the first dimension of the first tensor that has one, or 0.
    [[nodiscard]] int64_t batch_size() const {
        for (const Entry& entry : entries_) {
            if (const auto* tensor = std::get_if<at::Tensor>(&entry.second); tensor && tensor->dim() > 0) {
                return tensor->size(0);
            }
        }
        return 0;
    }

    /// Moves every tensor to `device`, asynchronously where the source is pinned.
    void to(at::Device device) {
        transform([device](const at::Tensor& tensor) { return tensor.to(device, tensor.scalar_type(), true); });
    }

    /// Copies every tensor into page-locked memory, from which a transfer to a CUDA device is asynchronous.
    void pin_memory() {
        transform([](const at::Tensor& tensor) { return tensor.pin_memory(); });
    }

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
