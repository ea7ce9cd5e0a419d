#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::distributed {

namespace detail {

/// A model as a policy meets it: a holder of a module with `forward`.
struct ProbeModuleImpl : torch::nn::Module {
    at::Tensor forward(const at::Tensor& input) { return input; }
};
TORCH_MODULE(ProbeModule);

template <class T>
concept HasEnabled = requires {
    requires std::same_as<const bool, decltype(T::enabled)>;
    typename std::bool_constant<T::enabled>;
};
template <class T>
concept HasRank = requires(const T& policy) {
    { policy.rank() } -> std::convertible_to<int64_t>;
};
template <class T>
concept HasWorldSize = requires(const T& policy) {
    { policy.world_size() } -> std::convertible_to<int64_t>;
};
template <class T>
concept HasLocalRank = requires(const T& policy) {
    { policy.local_rank() } -> std::convertible_to<int64_t>;
};
template <class T>
concept HasIsMainProcess = requires(const T& policy) {
    { policy.is_main_process() } -> std::convertible_to<bool>;
};
template <class T>
concept HasWrap = requires(T& policy, ProbeModule model, const at::Tensor& input) {
    { policy.wrap(model)->forward(input) } -> std::convertible_to<at::Tensor>;
};
template <class T>
concept HasNoSync = requires(T& policy) {
    { policy.no_sync() } -> std::destructible;
};
template <class T>
concept HasAllReduceSum = requires(T& policy, at::Tensor& tensor) {
    policy.all_reduce_sum(tensor);
};
template <class T>
concept HasBroadcast = requires(T& policy, at::Tensor& tensor, int64_t source) {
    policy.broadcast(tensor, source);
};
template <class T>
concept HasAllGather = requires(T& policy, const at::Tensor& tensor) {
    { policy.all_gather(tensor) } -> std::convertible_to<std::vector<at::Tensor>>;
};
template <class T>
concept HasBarrier = requires(T& policy, std::chrono::milliseconds timeout) {
    policy.barrier(timeout);
};

} // namespace detail

/// How the processes of one job train one model: what `Trainer` needs of its DistPolicy.
///
/// - `static constexpr bool enabled`: false compiles everything between ranks away.
/// - `rank()`, `world_size()`, `local_rank()`, `is_main_process()`.
/// - `wrap(model)`: takes a module holder and returns what the step calls as `wrapped->forward(...)`. Several models
///   may be wrapped; each holder given stays the bare module, for its parameters and its state.
/// - `no_sync()`: while the returned object lives, backward passes of all wrapped models keep their gradients local.
/// - `all_reduce_sum(tensor)` in place, `broadcast(tensor, source)` in place, `all_gather(tensor)` -> one per rank.
/// - `barrier(timeout)`: waits for all ranks. \throws DistributedError naming those that did not come.
template <class T>
concept DistPolicy = detail::HasEnabled<T> && detail::HasRank<T> && detail::HasWorldSize<T> &&
    detail::HasLocalRank<T> && detail::HasIsMainProcess<T> && detail::HasWrap<T> && detail::HasNoSync<T> &&
    detail::HasAllReduceSum<T> && detail::HasBroadcast<T> && detail::HasAllGather<T> && detail::HasBarrier<T>;

/// Says by its own name which member `T` lacks; `static_assert(check_dist_policy<T>())`.
template <class T>
consteval bool check_dist_policy() {
    static_assert(detail::HasEnabled<T>, "audyn: the DistPolicy type lacks `static constexpr bool enabled`");
    static_assert(detail::HasRank<T>, "audyn: the DistPolicy type lacks `int64_t rank() const`");
    static_assert(detail::HasWorldSize<T>, "audyn: the DistPolicy type lacks `int64_t world_size() const`");
    static_assert(detail::HasLocalRank<T>, "audyn: the DistPolicy type lacks `int64_t local_rank() const`");
    static_assert(detail::HasIsMainProcess<T>, "audyn: the DistPolicy type lacks `bool is_main_process() const`");
    static_assert(detail::HasWrap<T>,
                  "audyn: the DistPolicy type lacks `wrap(model)` whose result is called as `wrapped->forward(...)`");
    static_assert(detail::HasNoSync<T>, "audyn: the DistPolicy type lacks `no_sync()` that returns a scope object");
    static_assert(detail::HasAllReduceSum<T>, "audyn: the DistPolicy type lacks `void all_reduce_sum(at::Tensor&)`");
    static_assert(detail::HasBroadcast<T>,
                  "audyn: the DistPolicy type lacks `void broadcast(at::Tensor&, int64_t source)`");
    static_assert(detail::HasAllGather<T>,
                  "audyn: the DistPolicy type lacks `std::vector<at::Tensor> all_gather(const at::Tensor&)`");
    static_assert(detail::HasBarrier<T>,
                  "audyn: the DistPolicy type lacks `void barrier(std::chrono::milliseconds timeout)`");
    return DistPolicy<T>;
}

} // namespace audyn::distributed
