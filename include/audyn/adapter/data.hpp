#pragma once

#include <audyn/adapter/targets.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/mistakes.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/data_loader.hpp>
#include <audyn/data/dataset.hpp>
#include <audyn/data/loader.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace audyn::adapter {

/// What a loader needs beside its own arguments.
struct LoaderContext {
    std::shared_ptr<const data::Dataset> dataset;
    uint64_t seed = 0;
    data::DataLoaderOptions::Warn warn;
    /// This process's part: for training shares are equal, for evaluation each sample counts once.
    int64_t rank = 0;
    int64_t world_size = 1;
    bool is_for_evaluation = false;
};

/// What a loader's target builds: the dataset comes from elsewhere.
using LoaderFactory = std::function<std::shared_ptr<data::Loader>(const LoaderContext&)>;

/// A dataset with the loader that reads it, ready to be made.
struct LoaderNode {
    std::string name;
    Config dataset;
    Config loader;
};

/// Adds PyTorch's DataLoader.
AUDYN_INLINE void add_data_targets(Targets& targets);

/// The loaders of one kind ("train", "validation", "test"): `dataset.KIND` is a target, or a group of named targets.
/// `dataloader.KIND` serves all of them, unless it is such a group itself.
[[nodiscard]] AUDYN_INLINE std::vector<LoaderNode> loader_nodes(const Config& config, const std::string& kind);

AUDYN_INLINE void check_loader(const LoaderNode& node, const Targets& targets, config::Mistakes& mistakes);

/// Builds the dataset and its loader. \throws ConfigError, DataError
[[nodiscard]] AUDYN_INLINE std::shared_ptr<data::Loader> build_loader(const LoaderNode& node, const Targets& targets,
                                                                      LoaderContext context);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/data.ipp>
#endif
