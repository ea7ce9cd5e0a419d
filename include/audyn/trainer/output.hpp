#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/names.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace audyn::trainer {

/// How the tensors of a model's output are arranged: a leaf is a tensor, anything else a list. Leaves of a map or of a
/// struct with `output_names` carry their names.
struct OutputLayout {
    bool is_tensor = true;
    std::string name;
    std::vector<OutputLayout> items;
};

/// Tells how to take a model's output apart. Defined for a tensor, an optional tensor, `std::tuple`, `std::pair`,
/// `std::vector`, maps from names to tensors, and structs that have
/// `static constexpr auto output_names = audyn::names(...)` and `auto tensors() const` giving a tuple in that order.
/// A program may specialise it for a type of its own:
/// `flatten` appends the tensors in a fixed order, `layout` describes the arrangement in the same order.
template <class Output>
struct OutputTraits;

template <>
struct OutputTraits<at::Tensor> {
    static void flatten(const at::Tensor& output, std::vector<at::Tensor>& tensors) { tensors.push_back(output); }
    static OutputLayout layout(const at::Tensor&) { return {}; }
};

template <>
struct OutputTraits<std::optional<at::Tensor>> {
    static void flatten(const std::optional<at::Tensor>& output, std::vector<at::Tensor>& tensors) {
        tensors.push_back(output.value_or(at::Tensor()));
    }
    static OutputLayout layout(const std::optional<at::Tensor>&) { return {}; }
};

template <class Output>
struct OutputTraits<std::vector<Output>> {
    static void flatten(const std::vector<Output>& output, std::vector<at::Tensor>& tensors) {
        for (const Output& item : output) {
            OutputTraits<Output>::flatten(item, tensors);
        }
    }
    static OutputLayout layout(const std::vector<Output>& output) {
        OutputLayout layout{false, {}, {}};
        for (const Output& item : output) {
            layout.items.push_back(OutputTraits<Output>::layout(item));
        }
        return layout;
    }
};

template <class... Outputs>
struct OutputTraits<std::tuple<Outputs...>> {
    static void flatten(const std::tuple<Outputs...>& output, std::vector<at::Tensor>& tensors) {
        std::apply([&](const Outputs&... items) { (OutputTraits<Outputs>::flatten(items, tensors), ...); }, output);
    }
    static OutputLayout layout(const std::tuple<Outputs...>& output) {
        OutputLayout layout{false, {}, {}};
        std::apply(
            [&](const Outputs&... items) { (layout.items.push_back(OutputTraits<Outputs>::layout(items)), ...); },
            output);
        return layout;
    }
};

template <class First, class Second>
struct OutputTraits<std::pair<First, Second>> {
    using AsTuple = std::tuple<First, Second>;
    static void flatten(const std::pair<First, Second>& output, std::vector<at::Tensor>& tensors) {
        OutputTraits<First>::flatten(output.first, tensors);
        OutputTraits<Second>::flatten(output.second, tensors);
    }
    static OutputLayout layout(const std::pair<First, Second>& output) {
        return OutputTraits<AsTuple>::layout(AsTuple(output.first, output.second));
    }
};

namespace detail {

template <class Map>
struct MapOutputTraits {
    static void flatten(const Map& output, std::vector<at::Tensor>& tensors) {
        for (const auto& [name, tensor] : output) {
            tensors.push_back(tensor);
        }
    }
    static OutputLayout layout(const Map& output) {
        OutputLayout layout{false, {}, {}};
        for (const auto& [name, tensor] : output) {
            layout.items.push_back({true, std::string(name), {}});
        }
        return layout;
    }
};

template <class Output>
concept NamedStruct = requires(const Output& output) {
    Output::output_names.size();
    output.tensors();
};

} // namespace detail

template <>
struct OutputTraits<std::map<std::string, at::Tensor>> : detail::MapOutputTraits<std::map<std::string, at::Tensor>> {};

template <>
struct OutputTraits<std::unordered_map<std::string, at::Tensor>>
    : detail::MapOutputTraits<std::unordered_map<std::string, at::Tensor>> {};

template <detail::NamedStruct Output>
struct OutputTraits<Output> {
    static void flatten(const Output& output, std::vector<at::Tensor>& tensors) {
        const auto tuple = output.tensors();
        OutputTraits<std::remove_cvref_t<decltype(tuple)>>::flatten(tuple, tensors);
    }
    static OutputLayout layout(const Output& output) {
        const auto tuple = output.tensors();
        OutputLayout layout = OutputTraits<std::remove_cvref_t<decltype(tuple)>>::layout(tuple);
        for (std::size_t i = 0; i < layout.items.size(); ++i) {
            layout.items[i].name = Output::output_names[i];
        }
        return layout;
    }
};

} // namespace audyn::trainer
