#pragma once

#include <audyn/adapter/data_parallel.hpp>
#include <audyn/adapter/entries.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/communication_hooks.hpp>

#include <string>
#include <utility>
#include <vector>

namespace audyn::adapter {

AUDYN_INLINE distributed::DistributedDataParallelOptions ddp_options(const Config& config) {
    distributed::DistributedDataParallelOptions options;
    const auto node = config.find("train.ddp_kwargs");
    if (!node || node->is_null()) {
        return options;
    }
    const std::vector<std::pair<std::string, distributed::CommunicationHookFactory>> hooks{
        {"fp16_compression", distributed::fp16_compression()},
        {"bf16_compression", distributed::bf16_compression()},
        {"power_sgd", distributed::power_sgd()}};
    const auto find_hook = [&hooks](const Config& value) {
        const auto name = value.as<std::string>();
        std::vector<std::string> known;
        for (const auto& [known_name, hook] : hooks) {
            if (name == known_name) {
                return hook;
            }
            known.push_back(known_name);
        }
        throw value.error_unknown("communication hook", name, known);
    };
    const EntryReaders readers{
        {"broadcast_buffers", [&](const Config& value) { options.broadcast_buffers = value.as<bool>(); }},
        {"bucket_cap_mb", [&](const Config& value) { options.bucket_cap_mb = value.as<double>(); }},
        {"find_unused_parameters", [&](const Config& value) { options.find_unused_parameters = value.as<bool>(); }},
        {"gradient_as_bucket_view", [&](const Config& value) { options.gradient_as_bucket_view = value.as<bool>(); }},
        {"static_graph", [&](const Config& value) { options.static_graph = value.as<bool>(); }},
        {"communication_hook", [&](const Config& value) { options.communication_hook = find_hook(value); }}};
    read_entries(*node, readers, "argument of DistributedDataParallel");
    return options;
}

} // namespace audyn::adapter
