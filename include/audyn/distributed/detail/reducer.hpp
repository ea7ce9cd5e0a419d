#pragma once

#include <audyn/distributed/detail/bucket_indices.hpp>

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

// What differs between versions of libtorch in c10d's Reducer and in the graph's nodes, chosen by the types themselves.
namespace audyn::distributed::detail {

/// What a Reducer is made from.
struct ReducerArguments {
    std::vector<at::Tensor> parameters;
    BucketIndices buckets;
    c10::intrusive_ptr<c10d::ProcessGroup> group;
    std::vector<bool> expect_sparse;
    int64_t bucket_bytes_cap;
    int64_t first_bucket_bytes_cap;
    bool find_unused_parameters;
    bool gradient_as_bucket_view;
    std::unordered_map<std::size_t, std::string> names;
};

template <class Reducer, class... Extra>
inline constexpr bool takes_extra =
    std::is_constructible_v<Reducer, std::vector<at::Tensor>, BucketIndices, c10::intrusive_ptr<c10d::ProcessGroup>,
                            std::vector<bool>, int64_t, bool, bool, std::unordered_map<std::size_t, std::string>,
                            int64_t, Extra...>;

template <class Reducer, class... Extra>
std::shared_ptr<Reducer> make_reducer_with(ReducerArguments arguments, Extra... extra) {
    return std::make_shared<Reducer>(std::move(arguments.parameters), std::move(arguments.buckets),
                                     std::move(arguments.group), std::move(arguments.expect_sparse),
                                     arguments.bucket_bytes_cap, arguments.find_unused_parameters,
                                     arguments.gradient_as_bucket_view, std::move(arguments.names),
                                     arguments.first_bucket_bytes_cap, std::move(extra)...);
}

template <class Reducer = c10d::Reducer>
std::shared_ptr<Reducer> make_reducer(ReducerArguments arguments) {
    using Caps = std::vector<int64_t>;
    if constexpr (takes_extra<Reducer, bool, bool, Caps>) { // from 2.13 on
        return make_reducer_with<Reducer>(std::move(arguments), false, false, Caps());
    } else if constexpr (takes_extra<Reducer, bool, bool>) { // from 2.8 on
        return make_reducer_with<Reducer>(std::move(arguments), false, false);
    } else {
        static_assert(takes_extra<Reducer>, "audyn: this libtorch's c10d::Reducer has a constructor that is not known");
        return make_reducer_with<Reducer>(std::move(arguments));
    }
}

/// How a tensor holds the node that made it: shared_ptr, or intrusive_ptr from about 2.13 on.
using NodePointer = std::remove_cvref_t<decltype(std::declval<const at::Tensor&>().grad_fn())>;

template <class Node, class Pointer = NodePointer>
Pointer make_node() {
    if constexpr (std::is_constructible_v<Pointer, std::shared_ptr<Node>>) {
        return std::shared_ptr<Node>(new Node, [](auto* node) { deleteNode(node); });
    } else {
        return c10::make_intrusive<Node>();
    }
}

} // namespace audyn::distributed::detail
