#pragma once

#include <audyn/adapter/distributed.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <string_view>
#include <utility>

namespace audyn::adapter {

namespace detail {

inline const std::string distributed_group = "system.distributed";

[[nodiscard]] inline std::optional<Config> find_option(const Config& config, const std::string& name) {
    auto node = config.find(distributed_group + "." + name);
    return node && !node->is_null() ? node : std::nullopt;
}

[[nodiscard]] inline std::optional<int64_t> integer_option(const Config& config, const std::string& name,
                                                           int64_t least) {
    const auto node = find_option(config, name);
    if (!node) {
        return std::nullopt;
    }
    const auto number = node->as<int64_t>();
    if (number < least) {
        throw node->error(
            config::concat({"must be at least ", std::to_string(least), ", not ", std::to_string(number)}));
    }
    return number;
}

/// One of `known`.
[[nodiscard]] inline std::optional<std::string> choice_option(const Config& config, const std::string& name,
                                                              const std::vector<std::string>& known) {
    const auto node = find_option(config, name);
    if (!node) {
        return std::nullopt;
    }
    auto choice = node->as<std::string>();
    if (std::ranges::find(known, choice) == known.end()) {
        throw node->error_unknown(name, choice, known);
    }
    return choice;
}

[[nodiscard]] inline std::optional<std::string> init_method_option(const Config& config) {
    const auto node = find_option(config, "init_method");
    if (!node) {
        return std::nullopt;
    }
    auto method = node->as<std::string>();
    const auto has = [&method](std::string_view start) { return method.starts_with(start); };
    if (method != "env://" && !(has("tcp://") && method.find(':', 6) != std::string::npos) &&
        !(has("file://") && method.size() > 7)) {
        throw node->error(config::concat({"must be env://, tcp://HOST:PORT or file://PATH, not '", method, "'"}));
    }
    return method;
}

/// Text, or a number as one writes it for a job's id.
[[nodiscard]] inline std::optional<std::string> text_option(const Config& config, const std::string& name) {
    const auto node = find_option(config, name);
    if (!node) {
        return std::nullopt;
    }
    return node->is_number() ? std::to_string(node->as<int64_t>()) : node->as<std::string>();
}

[[nodiscard]] inline std::chrono::milliseconds seconds_option(const Config& config, const std::string& name,
                                                              std::chrono::milliseconds otherwise) {
    const auto node = find_option(config, name);
    if (!node) {
        return otherwise;
    }
    const auto seconds = node->as<double>();
    if (!(seconds > 0.0) || seconds > 1e9) {
        throw node->error("must be a number of seconds above 0");
    }
    return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(seconds * 1000.0)));
}

/// The error about an option, at the place of its key.
[[nodiscard]] inline ConfigError option_error(const Config& config, const distributed::OptionError& error) {
    const std::string key = config::concat({distributed_group, ".", error.option()});
    const auto node = config.find(key);
    return node ? node->error(error.reason()) : ConfigError(config::concat({"'", key, "' ", error.reason()}));
}

} // namespace detail

AUDYN_INLINE distributed::LaunchOptions launch_options(const Config& config) {
    distributed::LaunchOptions options;
    options.enable = config.get_optional<bool>("system.distributed.enable");
    options.nodes = detail::integer_option(config, "nodes", 1);
    options.nproc_per_node = detail::integer_option(config, "nproc_per_node", 1);
    options.node_rank = detail::integer_option(config, "node_rank", 0);
    options.backend = detail::choice_option(config, "backend", {"gloo", "nccl"});
    options.init_method = detail::init_method_option(config);
    options.rdzv_id = detail::text_option(config, "rdzv_id");
    options.rdzv_backend = detail::choice_option(config, "rdzv_backend", {"c10d", "static"});
    options.rdzv_endpoint = detail::text_option(config, "rdzv_endpoint");
    options.max_restarts = detail::integer_option(config, "max_restarts", 0).value_or(options.max_restarts);
    options.timeout = detail::seconds_option(config, "timeout", options.timeout);
    return options;
}

AUDYN_INLINE distributed::Role role_of(const Config& config, const distributed::Environment& environment) {
    try {
        return distributed::role_of(launch_options(config), environment);
    } catch (const distributed::OptionError& error) {
        throw detail::option_error(config, error);
    }
}

AUDYN_INLINE std::optional<int> launch(const Config& config, const LaunchContext& context,
                                       const distributed::Environment& environment) {
    distributed::LaunchRequest request;
    request.options = launch_options(config);
    request.arguments = context.arguments;
    request.print_only = std::ranges::find(context.arguments, distributed::print_option) != context.arguments.end();
    const auto is_start = [](const std::string& argument) { return argument.starts_with("--job-start"); };
    if (std::ranges::none_of(context.arguments, is_start)) {
        request.worker_arguments.push_back("--job-start=" + std::to_string(std::time(nullptr)));
    }
    const auto accelerator = config.get_optional<std::string>("system.accelerator");
    const bool may_use_gpus = !accelerator || accelerator == "cuda" || accelerator == "gpu";
    request.uses_gpus = may_use_gpus && (accelerator || context.gpu_count() > 0);
    request.gpu_count = context.gpu_count;
    request.torch_version = context.torch_version;
    try {
        return distributed::launch(std::move(request), environment);
    } catch (const distributed::OptionError& error) {
        throw detail::option_error(config, error);
    }
}

} // namespace audyn::adapter
