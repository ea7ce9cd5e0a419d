#include "../config/support.hpp"

#include <audyn/adapter/distributed.hpp>
#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using audyn::adapter::launch_options;
using audyn::distributed::LaunchOptions;
using audyn::distributed::Role;

audyn::Config compose(const std::vector<std::string>& overrides) {
    return audyn::config::compose(audyn::config::builtin_search_path(), "config", overrides);
}

/// What is wrong with one value of `system.distributed`.
std::string error_with(const std::string& option, const std::string& value) {
    return config_test::error_of([&] {
        static_cast<void>(
            launch_options(config_test::parse("system:\n  distributed:\n    " + option + ": " + value + "\n")));
    });
}

} // namespace

TEST_CASE("the built-in systems say how training is distributed") {
    struct Case {
        std::string system;
        std::optional<bool> enable;
        std::string backend;
        std::string accelerator;
        std::optional<bool> amp;
    };
    const std::vector<Case> cases{{"default", std::nullopt, "-", "-", std::nullopt},
                                  {"cpu", false, "-", "cpu", false},
                                  {"cpu_amp", false, "-", "cpu", true},
                                  {"cpu_ddp", true, "gloo", "cpu", false},
                                  {"cpu_ddp_amp", true, "gloo", "cpu", true},
                                  {"cuda", std::nullopt, "-", "cuda", false},
                                  {"cuda_amp", std::nullopt, "-", "cuda", true},
                                  {"cuda_ddp", true, "nccl", "cuda", false},
                                  {"cuda_ddp_amp", true, "nccl", "cuda", true}};
    for (const Case& one : cases) {
        CAPTURE(one.system);
        const audyn::Config config = compose({"system=" + one.system});
        const LaunchOptions options = launch_options(config);
        const bool distributes = one.enable == true;
        CHECK(options.enable == one.enable);
        CHECK(options.backend.value_or("-") == one.backend);
        CHECK(config.get_optional<std::string>("system.accelerator").value_or("-") == one.accelerator);
        CHECK(config.get_optional<bool>("system.amp.enable") == one.amp);
        CHECK(options.max_restarts == (distributes ? 3 : 0));
        CHECK(options.rdzv_backend.value_or("-") == (distributes ? "c10d" : "-"));
        CHECK(options.init_method.value_or("-") == (distributes ? "env://" : "-"));
        CHECK(!options.nodes);
        CHECK(!options.nproc_per_node);
        CHECK(!options.node_rank);
        CHECK(!options.rdzv_id);
        CHECK(!options.rdzv_endpoint);
        CHECK(options.timeout == std::chrono::seconds(300));
    }
}

TEST_CASE("options are read from the configuration") {
    const LaunchOptions options = launch_options(config_test::parse(R"yaml(
system:
  distributed:
    enable: true
    nodes: 2
    nproc_per_node: 4
    node_rank: 1
    backend: gloo
    init_method: tcp://node1:29500
    rdzv_id: 77
    rdzv_backend: static
    rdzv_endpoint: node1:29400
    max_restarts: 5
    timeout: 0.5
)yaml"));
    CHECK(options.enable == true);
    CHECK(options.nodes == 2);
    CHECK(options.nproc_per_node == 4);
    CHECK(options.node_rank == 1);
    CHECK(options.backend == "gloo");
    CHECK(options.init_method == "tcp://node1:29500");
    CHECK(options.rdzv_id == "77");
    CHECK(options.rdzv_backend == "static");
    CHECK(options.rdzv_endpoint == "node1:29400");
    CHECK(options.max_restarts == 5);
    CHECK(options.timeout == std::chrono::milliseconds(500));
    CHECK(!launch_options(config_test::parse("a: 1")).is_enabled());
}

TEST_CASE("values that cannot be are told with key and place") {
    CHECK(error_with("nodes", "0") == "x.yaml:3:12: 'system.distributed.nodes' must be at least 1, not 0\n"
                                      "        nodes: 0\n"
                                      "               ^");
    for (const auto& [option, value, words] : std::vector<std::array<std::string, 3>>{
             {"enable", "maybe", "must be a boolean"},
             {"nproc_per_node", "-1", "must be at least 1, not -1"},
             {"nproc_per_node", "two", "must be an integer"},
             {"node_rank", "-1", "must be at least 0"},
             {"backend", "ncl", "names an unknown backend 'ncl'; did you mean 'nccl'"},
             {"init_method", "env", "must be env://, tcp://HOST:PORT or file://PATH, not 'env'"},
             {"init_method", "tcp://node1", "must be env://"},
             {"init_method", "file://", "must be env://"},
             {"rdzv_backend", "etcd", "names an unknown rdzv_backend 'etcd'"},
             {"rdzv_endpoint", "[1]", "must be a string"},
             {"max_restarts", "-1", "must be at least 0"},
             {"timeout", "0", "must be a number of seconds above 0"},
             {"timeout", ".nan", "must be a number of seconds above 0"},
             {"timeout", "soon", "must be a number"}}) {
        const std::string error = error_with(option, value);
        CHECK_MESSAGE(error.find("x.yaml:3:") == 0, error);
        CHECK_MESSAGE(error.find("'system.distributed." + option + "' " + words) != std::string::npos, error);
    }
}

TEST_CASE("what the environment contradicts is told with its key") {
    audyn::distributed::Environment environment;
    environment.world_size = 2;
    environment.started_by = audyn::distributed::StartedBy::slurm;
    CHECK(audyn::adapter::role_of(compose({}), environment) == Role::worker);
    const std::string error = config_test::error_of(
        [&] { static_cast<void>(audyn::adapter::role_of(compose({"system=cpu"}), environment)); });
    CHECK(error.find("'system.distributed.enable' is false, but srun started this program as one of 2 processes") !=
          std::string::npos);
}

TEST_CASE("a missing option is told with its key where there is no place") {
    audyn::adapter::LaunchContext context;
    context.arguments = {"train", audyn::distributed::print_option};
    const audyn::Config config = config_test::parse("system: {distributed: {nodes: 2}}");
    CHECK(config_test::error_of([&] { static_cast<void>(audyn::adapter::launch(config, context, {})); }) ==
          "'system.distributed.rdzv_endpoint' is needed with several nodes: HOST:PORT of one of them, the same on all");
}
