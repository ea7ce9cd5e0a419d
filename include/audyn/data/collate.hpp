#pragma once

#include <audyn/core/error.hpp>
#include <audyn/data/batch.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace audyn::data {

/// Names the k-th sample of a batch, for errors.
using SampleNames = std::function<std::string(std::size_t position)>;

/// Joins the samples of a batch. Called by several worker threads at once.
using Collate = std::function<Batch(std::span<const Sample> samples, const SampleNames& names)>;

namespace detail {

inline std::string describe(const at::Tensor& tensor) {
    std::ostringstream text;
    text << tensor.scalar_type() << " of shape " << tensor.sizes();
    return text.str();
}

/// One value of every sample, all of which are `T`.
template <class T>
std::vector<const T*> same_type(const std::string& name, std::span<const Sample> samples, std::size_t position,
                                const SampleNames& names) {
    std::vector<const T*> values;
    values.reserve(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        // The position is a guess from the first sample that nearly always holds.
        const auto found = position < samples[i].size() && samples[i].entry(position).first == name
                               ? std::optional(position)
                               : samples[i].position(name);
        if (!found || samples[i].size() != samples[0].size()) {
            throw DataError("the samples of a batch must have the same values, but " + names(0) + " has " +
                            samples[0].names() + " and " + names(i) + " has " + samples[i].names());
        }
        const T* value = std::get_if<T>(&samples[i].entry(*found).second);
        if (value == nullptr) {
            throw DataError("the value '" + name + "' has another type in " + names(i) + " than in " + names(0));
        }
        values.push_back(value);
    }
    return values;
}

inline at::Tensor stack(const std::string& name, const std::vector<const at::Tensor*>& values,
                        const SampleNames& names) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(values.size());
    const at::Tensor& first = *values.front();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const at::Tensor& tensor = *values[i];
        if (tensor.sizes() != first.sizes() || tensor.scalar_type() != first.scalar_type()) {
            throw DataError("the value '" + name + "' is " + describe(first) + " in " + names(0) + " and " +
                            describe(tensor) + " in " + names(i) +
                            "; to be stacked they must be equal: crop or pad them, or give the loader a collate");
        }
        tensors.push_back(tensor);
    }
    return at::stack(tensors);
}

template <class T>
at::Tensor to_tensor(const std::vector<const T*>& values) {
    at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, c10::CppTypeToScalarType<T>::value);
    T* target = tensor.mutable_data_ptr<T>();
    for (const T* value : values) {
        *target++ = *value;
    }
    return tensor;
}

} // namespace detail

/// Python's `default_collate` for a dictionary: tensors are stacked along a new first dimension, integers become an
/// int64 tensor, floats a float64 tensor, strings a list; a list of numbers becomes one tensor for each sample.
/// \throws DataError that names the value and two samples when they do not fit each other.
inline Batch default_collate(std::span<const Sample> samples, const SampleNames& names) {
    Batch batch;
    if (samples.empty()) {
        return batch;
    }
    batch.reserve(samples[0].size());
    for (std::size_t position = 0; position < samples[0].size(); ++position) {
        const Batch::Entry& first = samples[0].entry(position);
        const std::string& name = first.first;
        std::visit(
            [&]<class T>(const T&) {
                const auto values = detail::same_type<T>(name, samples, position, names);
                if constexpr (std::is_same_v<T, at::Tensor>) {
                    batch.set(name, detail::stack(name, values, names));
                } else if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, double>) {
                    batch.set(name, detail::to_tensor<T>(values));
                } else if constexpr (std::is_same_v<T, std::string>) {
                    std::vector<std::string> strings;
                    strings.reserve(values.size());
                    for (const std::string* value : values) {
                        strings.push_back(*value);
                    }
                    batch.set(name, std::move(strings));
                } else if constexpr (std::is_same_v<T, std::vector<int64_t>> ||
                                     std::is_same_v<T, std::vector<double>>) {
                    std::vector<at::Tensor> tensors;
                    tensors.reserve(values.size());
                    for (const T* value : values) {
                        tensors.push_back(at::tensor(*value));
                    }
                    batch.set(name, std::move(tensors));
                } else {
                    throw DataError("the value '" + name + "' of " + names(0) +
                                    " is a list that cannot be collated; give the loader a collate");
                }
            },
            first.second);
    }
    return batch;
}

} // namespace audyn::data
