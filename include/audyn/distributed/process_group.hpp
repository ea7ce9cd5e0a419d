#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/detail/store.hpp>
#include <audyn/distributed/environment.hpp>
#include <audyn/distributed/failure_watcher.hpp>
#include <audyn/distributed/reduce_op.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Exception.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace audyn::distributed {

/// What carries tensors between ranks. Tensors on the CPU always go through Gloo.
enum class Backend {
    /// NCCL for CUDA, else Gloo.
    automatic,
    gloo,
    nccl,
};

/// Options of `init_process_group`.
struct ProcessGroupOptions {
    Backend backend = Backend::automatic;
    /// Kind of device that the training uses: what `automatic` goes by.
    c10::DeviceType device = c10::DeviceType::CPU;
    /// Where ranks meet: env:// (MASTER_ADDR and MASTER_PORT), tcp://HOST:PORT of rank 0, or file://PATH of a file that
    /// all ranks reach. By env://, rank 0 listens unless TORCHELASTIC_USE_AGENT_STORE says that an agent does, on the
    /// socket AUDYN_STORE_LISTEN_FD where its launcher handed one down.
    std::string init_method = "env://";
    /// After which a rank that waits for others gives up.
    std::chrono::milliseconds timeout{300'000};
    /// Nothing: by RANK, WORLD_SIZE and LOCAL_RANK.
    std::optional<Environment> environment;
    /// Tells jobs apart that share a store. Empty: TORCHELASTIC_RUN_ID.
    std::string run_id;
    FailureWatcherOptions failure_watcher;
};

/// The processes of a job that train together: collectives over all of them, and what happens when one fails.
///
/// Collectives are called by all ranks in one order, each rank from one thread at a time, and take tensors of one shape
/// and type on all ranks. They wait until they are done (on CUDA, until they are queued). \throws DistributedError that
/// names the rank that failed, or the ranks that were missing when the time was over.
class ProcessGroup {
public:
    /// Meets the other ranks. \throws DistributedError naming those that did not come, or what is wrong.
    explicit ProcessGroup(const ProcessGroupOptions& options = {});
    ProcessGroup(const ProcessGroup&) = delete;
    ProcessGroup& operator=(const ProcessGroup&) = delete;
    ~ProcessGroup() { leave(); }

    [[nodiscard]] int64_t rank() const { return environment_.rank; }
    [[nodiscard]] int64_t world_size() const { return environment_.world_size; }
    [[nodiscard]] int64_t local_rank() const { return environment_.local_rank; }
    [[nodiscard]] bool is_main_process() const { return environment_.is_main_process(); }
    [[nodiscard]] const Environment& environment() const { return environment_; }
    [[nodiscard]] std::chrono::milliseconds timeout() const { return timeout_; }

    /// For libtorch's own functions.
    [[nodiscard]] const c10::intrusive_ptr<c10d::ProcessGroup>& c10d() const { return group_; }
    /// Keys and values that all ranks of this attempt of the job share.
    [[nodiscard]] c10d::Store& store() { return *store_; }

    /// Reduces `tensor` over the ranks, in place.
    void all_reduce(at::Tensor& tensor, ReduceOp op = ReduceOp::sum);

    /// The tensors of all ranks, by rank.
    [[nodiscard]] std::vector<at::Tensor> all_gather(const at::Tensor& tensor);

    /// Copies `tensor` of the rank `source` into that of the others.
    void broadcast(at::Tensor& tensor, int64_t source = 0);

    /// The text that the rank `source` gives.
    [[nodiscard]] std::string broadcast_text(const std::string& text, int64_t source = 0);

    /// Waits for all ranks through the store, so that devices are not involved.
    /// \throws DistributedError naming the ranks that did not come within `timeout`, by default that of the group.
    void barrier(std::optional<std::chrono::milliseconds> timeout = {});

    /// Calls `function` on rank 0, and then on the others: for what rank 0 prepares and the others find done.
    /// `timeout`: how long that may take, by default that of the group.
    template <class Function>
    auto main_process_first(Function&& function, std::optional<std::chrono::milliseconds> timeout = {}) {
        if (!is_main_process()) {
            barrier(timeout);
        }
        if constexpr (std::is_void_v<std::invoke_result_t<Function&>>) {
            function();
            if (is_main_process()) {
                barrier(timeout);
            }
        } else {
            auto result = function();
            if (is_main_process()) {
                barrier(timeout);
            }
            return result;
        }
    }

    /// \throws DistributedError when a rank has failed. Costs one atomic read.
    void check() const;

    /// Notes that this rank begins what all ranks do together, by which the missing are told. \throws as `check`.
    void begin();

    /// Notes that it has come further in that: where some already wait, the others may still compute.
    void advance();

    /// What stands behind `error`, met in `what`: another rank's failure, or ranks that are missing. Takes seconds.
    [[nodiscard]] DistributedError explain(const std::string& what, const std::exception& error) const;

    /// Tells the other ranks that this one fails: they end within seconds with an error that names it and `message`.
    /// \returns the job's first failure, which may be another's.
    Failure report_failure(const std::string& message);

private:
    static Environment environment_of_process();

    void check_environment() const;

    /// Makes the stores and the watcher. \returns the store for the backends
    c10::intrusive_ptr<c10d::Store> join(const ProcessGroupOptions& options);

    void make_group(const ProcessGroupOptions& options, const c10::intrusive_ptr<c10d::Store>& store);

    void add_nccl([[maybe_unused]] const c10::intrusive_ptr<c10d::Store>& store);

    /// The network interface that Gloo uses: that of GLOO_SOCKET_IFNAME, else the one that leads to the meeting point.
    [[nodiscard]] std::shared_ptr<::gloo::transport::Device> gloo_device() const;

    static c10d::ReduceOp to_c10d(ReduceOp op);

    template <class Start>
    void wait(const char* what, const Start& start) {
        begin();
        try {
            start()->wait();
        } catch (const std::exception& error) {
            throw explain(what, error);
        }
    }

    template <class Start>
    void in_place(const char* what, at::Tensor& tensor, const Start& start) {
        const at::NoGradGuard no_grad;
        std::vector<at::Tensor> tensors{tensor.detach().contiguous()};
        wait(what, [&] { return start(tensors); });
        if (!tensors[0].is_alias_of(tensor)) {
            tensor.copy_(tensors[0]);
        }
    }

    /// Who holds the store leaves last, so that the others do not take its end for a failure.
    void leave() noexcept;

    /// \returns false when one failed, or went without a word.
    [[nodiscard]] bool wait_for_others_to_leave();

    Environment environment_;
    std::chrono::milliseconds timeout_;
    detail::StoreAddress address_;
    c10::intrusive_ptr<c10d::Store> store_;
    std::optional<FailureWatcher> watcher_;
    c10::intrusive_ptr<c10d::ProcessGroup> group_;
    uint64_t barriers_ = 0;
    bool has_failed_ = false;
};

namespace detail {

/// The process's group. Visible to all shared libraries of a program, so that there is one.
[[gnu::visibility("default")]] inline std::shared_ptr<ProcessGroup> process_group;

/// In what Gloo, NCCL and the stores say of their peers; most of their exceptions have no type of their own.
inline constexpr const char* communication_words[] = {
    "Connection closed", "Connection reset", "Timed out waiting", "gloo/", "NCCL",
    "Broken pipe",       "failed to recv",   "Socket Timeout"};

} // namespace detail

/// Makes the process's group. From the main thread, as `destroy_process_group`.
/// \throws UsageError when there is one already; DistributedError when the ranks cannot meet.
AUDYN_INLINE ProcessGroup& init_process_group(const ProcessGroupOptions& options = {});

/// Leaves the group. Models that are wrapped keep it until they end.
inline void destroy_process_group() {
    detail::process_group.reset();
}

/// The process's group while it lives. Where an exception ends its scope, the other ranks are told.
class ProcessGroupScope {
public:
    /// As `init_process_group`.
    explicit ProcessGroupScope(const ProcessGroupOptions& options = {}) { init_process_group(options); }
    ProcessGroupScope(const ProcessGroupScope&) = delete;
    ProcessGroupScope& operator=(const ProcessGroupScope&) = delete;
    ~ProcessGroupScope();

    ProcessGroup* operator->() const { return detail::process_group.get(); }
    ProcessGroup& operator*() const { return *detail::process_group; }

private:
    int exceptions_ = std::uncaught_exceptions();
};

/// Whether `error` is how c10d tells of a peer that has gone or does not answer: a consequence of something else.
[[nodiscard]] AUDYN_INLINE bool is_communication_error(const std::exception& error);

/// Tells the other ranks of the exception that ends this one. \returns what to print: the exception's message, or what
/// stands behind it.
AUDYN_INLINE std::string report_failure(const std::exception& error);

/// As `ProcessGroup::main_process_first`.
template <class Function>
auto main_process_first(Function&& function, std::optional<std::chrono::milliseconds> timeout = {}) {
    return detail::process_group ? detail::process_group->main_process_first(function, timeout) : function();
}

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/process_group.ipp>
#endif

#include <audyn/distributed/ranks.hpp>
