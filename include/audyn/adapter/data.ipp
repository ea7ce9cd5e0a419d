#pragma once

#include <audyn/adapter/data.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/data/sampler.hpp>

#include <optional>
#include <utility>

namespace audyn::adapter::detail {

/// Of training: validation counts each sample once.
AUDYN_INLINE data::UnevenShares uneven_shares(const std::string& name) {
    if (name == "pad") {
        return data::UnevenShares::pad;
    }
    if (name == "drop") {
        return data::UnevenShares::drop;
    }
    if (name == "join") {
        return data::UnevenShares::keep;
    }
    throw UsageError("uneven_shares must be 'pad', 'drop' or 'join', got '" + name + "'");
}

} // namespace audyn::adapter::detail

namespace audyn::adapter {

AUDYN_INLINE void add_data_targets(Targets& targets) {
    targets.add_function<LoaderFactory>(
        "torch.utils.data.DataLoader",
        constructor<int64_t, bool, bool, int, std::optional<int>, bool, bool, std::string, Unsupported, Unsupported,
                    Unsupported>(arg("batch_size") = 1, arg("shuffle") = false, arg("drop_last") = false,
                                 arg("num_workers") = 0, arg("prefetch_factor") = std::optional<int>(),
                                 arg("pin_memory") = false, arg("skip_unreadable") = false,
                                 arg("uneven_shares") = "pad", arg("collate_fn") = Unsupported(),
                                 arg("persistent_workers") = Unsupported(), arg("timeout") = Unsupported()),
        [](int64_t batch_size, bool shuffle, bool drop_last, int num_workers, std::optional<int> prefetch_factor,
           bool pin_memory, bool skip_unreadable, const std::string& uneven_shares, Unsupported, Unsupported,
           Unsupported) -> LoaderFactory {
            const data::UnevenShares uneven = detail::uneven_shares(uneven_shares);
            auto options = data::DataLoaderOptions()
                               .batch_size(batch_size)
                               .shuffle(shuffle)
                               .drop_last(drop_last)
                               .num_workers(num_workers)
                               .prefetch_factor(prefetch_factor.value_or(2))
                               .pin_memory(pin_memory)
                               .skip_unreadable(skip_unreadable);
            return [options, uneven](const LoaderContext& context) {
                data::DataLoaderOptions own = options;
                own.seed(context.seed).warn(context.warn);
                own.shard(
                    {context.rank, context.world_size, context.is_for_evaluation ? data::UnevenShares::keep : uneven});
                return std::make_shared<data::DataLoader>(context.dataset, own);
            };
        });
}

AUDYN_INLINE std::vector<LoaderNode> loader_nodes(const Config& config, const std::string& kind) {
    const auto dataset = config.find("dataset." + kind);
    // The built-in default stands for "none": it is PyTorch's abstract class.
    if (!dataset || dataset->is_null() ||
        (dataset->contains("_target_") && dataset->at("_target_").location().is_builtin())) {
        return {};
    }
    const auto loader = config.find("dataloader." + kind);
    if (!loader || loader->is_null()) {
        throw config.error("`" + config.path() + ".dataset." + kind + "` is set, but `" + config.path() +
                           ".dataloader." + kind + "` is not");
    }
    if (dataset->is_dict() && dataset->contains("_target_")) {
        return {{kind, *dataset, *loader}};
    }
    std::vector<LoaderNode> nodes;
    for (const auto& [name, node] : dataset->items()) {
        nodes.push_back({name, node, loader->contains("_target_") ? *loader : loader->at(name)});
    }
    return nodes;
}

AUDYN_INLINE void check_loader(const LoaderNode& node, const Targets& targets, config::Mistakes& mistakes) {
    mistakes.attempt([&] { targets.check<std::shared_ptr<data::Dataset>>(node.dataset); });
    mistakes.attempt([&] { targets.check<LoaderFactory>(node.loader); });
}

AUDYN_INLINE std::shared_ptr<data::Loader> build_loader(const LoaderNode& node, const Targets& targets,
                                                        LoaderContext context) {
    const auto factory = targets.build<LoaderFactory>(node.loader);
    context.dataset = targets.build<std::shared_ptr<data::Dataset>>(node.dataset);
    try {
        return factory(context);
    } catch (const UsageError& error) {
        throw node.loader.error(error.what());
    }
}

} // namespace audyn::adapter
