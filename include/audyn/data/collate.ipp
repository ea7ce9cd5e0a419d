#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/data/collate.hpp>

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <sstream>
#include <type_traits>
#include <utility>

namespace audyn::data::detail {

AUDYN_INLINE std::string describe(const at::Tensor& tensor) {
    std::ostringstream text;
    text << tensor.scalar_type() << " of shape " << tensor.sizes();
    return text.str();
}

AUDYN_INLINE at::Tensor stack(const std::string& name, const std::vector<const at::Tensor*>& values,
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

} // namespace audyn::data::detail

namespace audyn::data {

AUDYN_INLINE Batch default_collate(std::span<const Sample> samples, const SampleNames& names) {
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
