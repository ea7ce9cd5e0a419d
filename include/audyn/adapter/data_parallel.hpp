#pragma once

#include <audyn/config/config.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/distributed_data_parallel.hpp>

namespace audyn::adapter {

/// `train.ddp_kwargs`: the arguments of Python's DistributedDataParallel, and `communication_hook`: null,
/// fp16_compression, bf16_compression or power_sgd. \throws ConfigError for others
[[nodiscard]] AUDYN_INLINE distributed::DistributedDataParallelOptions ddp_options(const Config& config);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/data_parallel.ipp>
#endif
