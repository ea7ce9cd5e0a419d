#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/batch.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace audyn::data {

/// Names the k-th sample of a batch, for errors.
using SampleNames = std::function<std::string(std::size_t position)>;

/// Joins the samples of a batch. Called by several worker threads at once.
using Collate = std::function<Batch(std::span<const Sample> samples, const SampleNames& names)>;

namespace detail {

AUDYN_INLINE std::string describe(const at::Tensor& tensor);

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

AUDYN_INLINE at::Tensor stack(const std::string& name, const std::vector<const at::Tensor*>& values,
                              const SampleNames& names);

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
AUDYN_INLINE Batch default_collate(std::span<const Sample> samples, const SampleNames& names);

} // namespace audyn::data

#ifndef AUDYN_COMPILED
#    include <audyn/data/collate.ipp>
#endif
