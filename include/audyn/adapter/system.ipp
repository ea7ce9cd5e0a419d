#pragma once

#include <audyn/adapter/constants.hpp>
#include <audyn/adapter/distributed.hpp>
#include <audyn/adapter/system.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/ranks.hpp>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

namespace audyn::adapter {

AUDYN_INLINE void refuse(const Config& config, const std::string& key, const std::string& advice) {
    const auto node = config.find(key);
    if (!node || node->is_null() || (node->is_bool() && !node->as<bool>()) ||
        ((node->is_dict() || node->is_list()) && node->size() == 0)) {
        return;
    }
    throw node->error("`" + key + "` is not supported; " + advice);
}

} // namespace audyn::adapter

namespace audyn::adapter::detail {

AUDYN_INLINE at::Device cuda_device(const Config& node) {
    if (!at::globalContext().hasCUDA()) {
        throw node.error(at::detail::getCUDAHooks().hasCUDART()
                             ? "there is no CUDA device on this machine; choose system=cpu (or system.accelerator=cpu)"
                             : "this program was built without CUDA; link it to audyn::cuda, or choose system=cpu "
                               "(or system.accelerator=cpu)");
    }
    const int64_t devices = at::detail::getCUDAHooks().deviceCount();
    if (distributed::local_rank() >= devices) {
        throw node.error("process " + std::to_string(distributed::local_rank()) + " of this machine finds " +
                         std::to_string(devices) +
                         " CUDA devices; set system.distributed.nproc_per_node to their number");
    }
    return {at::kCUDA, static_cast<c10::DeviceIndex>(distributed::local_rank())};
}

AUDYN_INLINE at::Device mps_device(const Config& node) {
    if (!at::globalContext().hasMPS()) {
        throw node.error("there is no MPS device on this machine; choose system=cpu (or system.accelerator=cpu)");
    }
    return {at::kMPS, 0};
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE at::Device device(const Config& config) {
    const auto node = config.find("system.accelerator");
    if (!node || node->is_null()) {
        return at::globalContext().hasCUDA() ? detail::cuda_device(config) : at::Device(at::kCPU);
    }
    const auto name = node->as<std::string>();
    if (name == "cpu") {
        return at::kCPU;
    }
    if (name == "cuda" || name == "gpu") {
        return detail::cuda_device(*node);
    }
    if (name == "mps") {
        return detail::mps_device(*node);
    }
    throw node->error_unknown("accelerator", name, {"cpu", "cuda", "gpu", "mps"});
}

AUDYN_INLINE std::optional<at::ScalarType> amp_dtype(const Config& config) {
    if (!config.get_optional<bool>("system.amp.enable").value_or(false)) {
        return std::nullopt;
    }
    const auto node = config.find("system.amp.dtype");
    if (!node || node->is_null()) {
        return device(config).is_cuda() ? at::kHalf : at::kBFloat16;
    }
    const at::ScalarType dtype = as_dtype(*node);
    if (dtype != at::kHalf && dtype != at::kBFloat16) {
        throw node->error("mixed precision knows torch.float16 and torch.bfloat16");
    }
    return dtype;
}

AUDYN_INLINE uint64_t seed_of_rank(const Config& config) {
    constexpr uint64_t odd = 0x9E3779B97F4A7C15; // spreads neighbouring ranks over all bits
    return seed(config) ^ (odd * static_cast<uint64_t>(distributed::rank()));
}

AUDYN_INLINE void setup_config(const Config& config) {
    if (launch_options(config).is_enabled() && !distributed::process_group()) {
        throw config.at("system.distributed")
            .error("asks for several processes: compose the configuration by audyn::main, which starts them, or call "
                   "distributed::init_process_group before setup_config");
    }
    refuse(config, "system.compile.enable", "libtorch has no torch.compile; set it to null");
    static_cast<void>(device(config));
    static_cast<void>(amp_dtype(config));
    at::Context& context = at::globalContext();
    context.setBenchmarkCuDNN(config.get_optional<bool>("system.cudnn.benchmark").value_or(false));
    context.setDeterministicCuDNN(config.get_optional<bool>("system.cudnn.deterministic").value_or(false));
    if (const auto threads = config.get_optional<int>("system.num_threads")) {
        if (*threads < 1) {
            throw config.at("system.num_threads").error("at least one thread is needed");
        }
        at::set_num_threads(*threads);
    }
    at::manual_seed(seed(config));
}

} // namespace audyn::adapter
