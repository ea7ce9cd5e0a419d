#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/error_file.hpp>
#include <audyn/distributed/process_group.hpp>

#if defined(AUDYN_WITH_CUDA) && defined(USE_C10D_NCCL)
#    include <ATen/Context.h>
#    include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace audyn::distributed {

AUDYN_INLINE ProcessGroup::ProcessGroup(const ProcessGroupOptions& options)
    : environment_(options.environment ? *options.environment : environment_of_process()), timeout_(options.timeout) {
    check_environment();
    const c10::intrusive_ptr<c10d::Store> store = join(options);
    make_group(options, store);
}

AUDYN_INLINE void ProcessGroup::all_reduce(at::Tensor& tensor, ReduceOp op) {
    in_place("all_reduce", tensor, [&](std::vector<at::Tensor>& tensors) {
        c10d::AllreduceOptions options;
        options.reduceOp = to_c10d(op);
        return group_->allreduce(tensors, options);
    });
    if (op == ReduceOp::mean) {
        const at::NoGradGuard no_grad;
        tensor.div_(world_size());
    }
}

AUDYN_INLINE std::vector<at::Tensor> ProcessGroup::all_gather(const at::Tensor& tensor) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> inputs{tensor.detach().contiguous()};
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int64_t i = 0; i < world_size(); ++i) {
        outputs[0].push_back(at::empty_like(inputs[0]));
    }
    wait("all_gather", [&] { return group_->allgather(outputs, inputs); });
    return outputs[0];
}

AUDYN_INLINE void ProcessGroup::broadcast(at::Tensor& tensor, int64_t source) {
    in_place("broadcast", tensor, [&](std::vector<at::Tensor>& tensors) {
        c10d::BroadcastOptions options;
        options.rootRank = source;
        return group_->broadcast(tensors, options);
    });
}

AUDYN_INLINE std::string ProcessGroup::broadcast_text(const std::string& text, int64_t source) {
    at::Tensor size = at::empty({1}, at::kLong);
    size.mutable_data_ptr<int64_t>()[0] = static_cast<int64_t>(text.size());
    broadcast(size, source);
    at::Tensor bytes = at::empty({size.item<int64_t>()}, at::kByte);
    if (rank() == source) {
        std::memcpy(bytes.mutable_data_ptr<uint8_t>(), text.data(), text.size());
    }
    if (bytes.numel() > 0) {
        broadcast(bytes, source);
    }
    const auto* data = reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>());
    return {data, static_cast<std::size_t>(bytes.numel())};
}

AUDYN_INLINE void ProcessGroup::barrier(std::optional<std::chrono::milliseconds> timeout) {
    if (world_size() == 1) {
        return;
    }
    begin();
    const std::string name = "barrier/" + std::to_string(barriers_++);
    const auto key_of = [&](int64_t rank) { return name + "/" + std::to_string(rank); };
    const std::chrono::milliseconds limit = timeout.value_or(timeout_);
    const auto deadline = std::chrono::steady_clock::now() + limit;
    try {
        store_->set(key_of(rank()), "1");
        if (store_->add(name, 1) == world_size()) {
            store_->set(name + "/done", "1");
        }
        for (std::chrono::microseconds pause{100}; !store_->check({name + "/done"});
             pause = std::min(pause * 2, std::chrono::microseconds(10'000))) {
            check();
            if (std::chrono::steady_clock::now() > deadline) {
                std::vector<int64_t> missing;
                for (int64_t other = 0; other < world_size(); ++other) {
                    if (!store_->check({key_of(other)})) {
                        missing.push_back(other);
                    }
                }
                throw DistributedError("barrier: " + detail::name_ranks(missing) + " did not come within " +
                                       detail::seconds_text(limit));
            }
            std::this_thread::sleep_for(pause);
        }
        store_->deleteKey(key_of(rank()));
    } catch (const Error&) {
        throw;
    } catch (const std::exception& error) {
        throw explain("barrier", error);
    }
}

AUDYN_INLINE void ProcessGroup::check() const {
    if (watcher_) {
        if (const auto failure = watcher_->failure()) {
            throw DistributedError(failure->text());
        }
    }
}

AUDYN_INLINE void ProcessGroup::begin() {
    check();
    if (watcher_) {
        watcher_->begin();
    }
}

AUDYN_INLINE void ProcessGroup::advance() {
    if (watcher_) {
        watcher_->advance();
    }
}

AUDYN_INLINE DistributedError ProcessGroup::explain(const std::string& what, const std::exception& error) const {
    const std::string message = detail::message_of(error);
    if (!watcher_) {
        return DistributedError(what + ": " + message);
    }
    const Absentees absentees = watcher_->absentees(); // ends with a failure, too
    if (const auto failure = watcher_->wait_for_failure(std::chrono::milliseconds(absentees.is_known ? 0 : 700))) {
        return DistributedError(failure->text());
    }
    std::string reason;
    const auto add = [&](const std::vector<int64_t>& ranks, const char* one, const char* many) {
        if (!ranks.empty()) {
            reason += detail::name_ranks(ranks) + (ranks.size() == 1 ? one : many) + "; ";
        }
    };
    add(absentees.silent, " gives no sign of life", " give no sign of life");
    add(absentees.behind, " has not come to it", " have not come to it");
    if (!absentees.is_known) {
        reason = "rank 0, or the agent that holds the store, gives no sign of life; ";
    }
    return DistributedError(what + " on rank " + std::to_string(rank()) + ": " + reason + message);
}

AUDYN_INLINE Failure ProcessGroup::report_failure(const std::string& message) {
    has_failed_ = true;
    if (watcher_) {
        return watcher_->report(message);
    }
    write_error_file({}, message);
    return {rank(), message};
}

AUDYN_INLINE Environment ProcessGroup::environment_of_process() {
    Environment environment;
    if (!detail::environment_variable("RANK")) {
        environment = Environment::detect();
        if (environment.started_by != StartedBy::nothing) {
            return environment;
        }
    }
    environment.rank = detail::required_count("RANK");
    environment.world_size = detail::required_count("WORLD_SIZE");
    const auto local_rank = detail::environment_variable("LOCAL_RANK");
    environment.local_rank = local_rank ? detail::parse_count(*local_rank, "LOCAL_RANK") : environment.rank;
    return environment;
}

AUDYN_INLINE void ProcessGroup::check_environment() const {
    if (world_size() < 1 || rank() < 0 || rank() >= world_size()) {
        throw DistributedError("a process group needs 0 <= rank < world size, got rank " + std::to_string(rank()) +
                               " and world size " + std::to_string(world_size()));
    }
}

AUDYN_INLINE c10::intrusive_ptr<c10d::Store> ProcessGroup::join(const ProcessGroupOptions& options) {
    const bool is_alone = world_size() == 1;
    if (is_alone) {
        store_ = c10::make_intrusive<c10d::HashStore>();
        return store_;
    }
    const bool is_engine_s = options.init_method == "env://" && !environment_.master_addr.empty();
    address_ = is_engine_s ? detail::address_of(environment_) : detail::parse_init_method(options.init_method);
    std::string run_id = !options.run_id.empty()
                             ? options.run_id
                             : detail::environment_variable("TORCHELASTIC_RUN_ID").value_or(environment_.run_id);
    run_id = run_id.empty() ? "none" : run_id;
    const auto with_prefix = [](const std::string& prefix, detail::StorePointer store) {
        auto prefixed = c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(store));
        return detail::StorePointer(std::move(prefixed));
    };
    const std::string job = "audyn/" + run_id;
    const auto base = detail::connect_store(address_, environment_, timeout_, true);
    const std::string attempt = detail::join_job(*with_prefix(job, base), environment_, timeout_);
    const std::string prefix = job + "/" + attempt;
    store_ = with_prefix(prefix, base);
    watcher_.emplace(with_prefix(prefix, detail::connect_store(address_, environment_, timeout_, false)), environment_,
                     "the job's store (" + address_.text() + ")", options.failure_watcher);
    return store_;
}

AUDYN_INLINE void ProcessGroup::make_group(const ProcessGroupOptions& options,
                                           const c10::intrusive_ptr<c10d::Store>& store) {
    const bool wants_nccl = options.backend == Backend::nccl ||
                            (options.backend == Backend::automatic && options.device == c10::DeviceType::CUDA);
    const int rank_number = static_cast<int>(rank());
    const int size = static_cast<int>(world_size());
    try {
        group_ = c10::make_intrusive<c10d::ProcessGroup>(c10::make_intrusive<c10d::PrefixStore>("group", store),
                                                         rank_number, size);
        auto gloo_options = c10d::ProcessGroupGloo::Options::create(timeout_);
        gloo_options->devices.push_back(gloo_device());
        gloo_options->threads = 2;
        auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store),
                                                                rank_number, size, gloo_options);
        const c10::intrusive_ptr<c10d::Backend> backend(gloo);
        group_->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, backend);
        if (options.device != c10::DeviceType::CPU && !wants_nccl) {
            group_->setBackend(options.device, c10d::ProcessGroup::BackendType::GLOO, backend);
        }
        group_->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
        if (wants_nccl) {
            add_nccl(store);
        }
        group_->setGroupName("audyn");
    } catch (const Error&) {
        throw;
    } catch (const std::exception& error) {
        throw explain("the process group", error);
    }
}

AUDYN_INLINE void ProcessGroup::add_nccl([[maybe_unused]] const c10::intrusive_ptr<c10d::Store>& store) {
#if defined(AUDYN_WITH_CUDA) && defined(USE_C10D_NCCL)
    if (!at::hasCUDA()) {
        throw DistributedError("the backend nccl needs GPUs, and this machine has no GPU that libtorch can use; choose "
                               "the backend gloo");
    }
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout_;
    auto nccl =
        c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                    static_cast<int>(rank()), static_cast<int>(world_size()), options);
    group_->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                       c10::intrusive_ptr<c10d::Backend>(nccl));
    group_->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
#else
    throw DistributedError("the backend nccl is not part of this program: link audyn::cuda (-DAUDYN_CUDA=ON) and a "
                           "libtorch that was built with CUDA, or choose the backend gloo");
#endif
}

AUDYN_INLINE std::shared_ptr<::gloo::transport::Device> ProcessGroup::gloo_device() const {
    if (const auto interface = detail::environment_variable("GLOO_SOCKET_IFNAME")) {
        return c10d::ProcessGroupGloo::createDeviceForInterface(*interface);
    }
    if (world_size() == 1) {
        return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
    }
    if (address_.path.empty()) {
        if (const auto own = detail::local_address_towards(address_.host, address_.port)) {
            return c10d::ProcessGroupGloo::createDeviceForHostname(*own);
        }
    }
    return c10d::ProcessGroupGloo::createDefaultDevice();
}

AUDYN_INLINE c10d::ReduceOp ProcessGroup::to_c10d(ReduceOp op) {
    switch (op) {
    case ReduceOp::min:
        return c10d::ReduceOp::MIN;
    case ReduceOp::max:
        return c10d::ReduceOp::MAX;
    case ReduceOp::product:
        return c10d::ReduceOp::PRODUCT;
    case ReduceOp::sum:
    case ReduceOp::mean: // divided afterwards, since Gloo has none
        break;
    }
    return c10d::ReduceOp::SUM;
}

AUDYN_INLINE void ProcessGroup::leave() noexcept {
    if (!watcher_) {
        return;
    }
    try {
        const bool is_host = is_main_process() && !address_.is_hosted_by_agent && address_.path.empty();
        bool is_orderly = !has_failed_ && !watcher_->failure() && std::uncaught_exceptions() == 0;
        if (is_orderly && is_host) {
            is_orderly = wait_for_others_to_leave();
        }
        if (!is_orderly && is_host) {
            watcher_->wait_until_known();
        }
        watcher_->stop();
        if (is_orderly && !is_host) {
            store_->set("left/" + std::to_string(rank()), "1");
        }
    } catch (const std::exception&) { // The others have gone; there is nothing to wait for.
    }
}

AUDYN_INLINE bool ProcessGroup::wait_for_others_to_leave() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + timeout_;
    std::vector<int64_t> present;
    for (int64_t other = 1; other < world_size(); ++other) {
        present.push_back(other);
    }
    const auto has_left = [&](int64_t other) { return store_->check({"left/" + std::to_string(other)}); };
    for (auto next_question = Clock::now() + std::chrono::seconds(1);;) {
        std::erase_if(present, has_left);
        if (present.empty() || Clock::now() > deadline) {
            return true;
        }
        if (Clock::now() > next_question) {
            const Absentees absentees = watcher_->absentees();
            std::erase_if(present, has_left);
            const bool one_is_silent = std::any_of(present.begin(), present.end(), [&](int64_t other) {
                return std::find(absentees.silent.begin(), absentees.silent.end(), other) != absentees.silent.end();
            });
            if (one_is_silent || watcher_->failure()) {
                return false;
            }
            next_question = Clock::now() + std::chrono::seconds(1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

AUDYN_INLINE ProcessGroup& init_process_group(const ProcessGroupOptions& options) {
    if (detail::process_group) {
        throw UsageError("init_process_group was called twice; call destroy_process_group before");
    }
    detail::process_group = std::make_shared<ProcessGroup>(options);
    return *detail::process_group;
}

AUDYN_INLINE ProcessGroupScope::~ProcessGroupScope() {
    if (std::uncaught_exceptions() > exceptions_ && detail::process_group) {
        detail::process_group->report_failure("an exception ended it");
    }
    destroy_process_group();
}

AUDYN_INLINE bool is_communication_error(const std::exception& error) {
    if (dynamic_cast<const c10::DistError*>(&error) != nullptr || error_type(error).starts_with("gloo::")) {
        return true;
    }
    const std::string text = detail::message_of(error);
    return std::any_of(std::begin(detail::communication_words), std::end(detail::communication_words),
                       [&](const char* word) { return text.find(word) != std::string::npos; });
}

AUDYN_INLINE std::string report_failure(const std::exception& error) {
    const std::shared_ptr<ProcessGroup> group = detail::process_group;
    std::string message = detail::message_of(error);
    const bool is_consequence = group && dynamic_cast<const Error*>(&error) == nullptr && is_communication_error(error);
    if (is_consequence) {
        message = group->explain("training", error).what();
        write_error_file("DistributedError", message);
    } else if (dynamic_cast<const c10::Error*>(&error) != nullptr) {
        write_error_file("c10::Error", message); // its what() holds a stack trace
    } else {
        write_error_file(error);
    }
    if (!group) {
        return message;
    }
    const Failure first = group->report_failure(message);
    return first.rank == group->rank() ? message : first.text();
}

} // namespace audyn::distributed
