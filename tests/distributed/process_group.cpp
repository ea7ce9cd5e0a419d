#include "../temporary_folder.hpp"

#include <audyn/core/error.hpp>
#include <audyn/distributed/detail/store.hpp>
#include <audyn/distributed/error_file.hpp>
#include <audyn/distributed/failure_watcher.hpp>
#include <audyn/distributed/process_group.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace distributed = audyn::distributed;
using audyn::DistributedError;
using std::chrono::milliseconds;

namespace {

distributed::Environment environment_of(int64_t rank, int64_t world_size) {
    distributed::Environment environment;
    environment.rank = rank;
    environment.world_size = world_size;
    environment.local_rank = rank;
    return environment;
}

/// An environment variable while it lives.
class Variable {
public:
    Variable(std::string name, const std::string& value) : name_(std::move(name)) {
        ::setenv(name_.c_str(), value.c_str(), 1);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_.c_str()); }

private:
    std::string name_;
};

distributed::ProcessGroupOptions alone() {
    distributed::ProcessGroupOptions options;
    options.environment = distributed::Environment{};
    return options;
}

std::string error_of(const std::string& init_method) {
    try {
        distributed::detail::parse_init_method(init_method);
    } catch (const DistributedError& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("init_method names where ranks meet") {
    const auto tcp = distributed::detail::parse_init_method("tcp://node1.cluster:1234");
    CHECK(tcp.host == "node1.cluster");
    CHECK(tcp.port == 1234);
    CHECK(distributed::detail::parse_init_method("tcp://[fe80::1]:77").host == "fe80::1");
    CHECK(distributed::detail::parse_init_method("file:///tmp/x").path == "/tmp/x");
    CHECK(contains(error_of("http://x"), "must be env://, tcp://HOST:PORT or file://PATH, not 'http://x'"));
    CHECK(contains(error_of("tcp://host"), "tcp://HOST:PORT"));
    CHECK(contains(error_of("file://"), "file://PATH"));
    CHECK(contains(error_of("tcp://host:99999"), "at most 65535"));
    CHECK(contains(error_of("tcp://host:x"), "whole number"));
}

TEST_CASE("env:// follows torchrun's rule about who hosts the store") {
    CHECK(contains(error_of("env://"), "MASTER_ADDR is not set"));
    const Variable address("MASTER_ADDR", "10.0.0.1");
    CHECK(contains(error_of("env://"), "MASTER_PORT is not set"));
    const Variable port("MASTER_PORT", "29511");
    const Variable socket("AUDYN_STORE_LISTEN_FD", "5");
    const auto own = distributed::detail::parse_init_method("env://");
    CHECK(own.host == "10.0.0.1");
    CHECK(own.port == 29511);
    CHECK(!own.is_hosted_by_agent);
    CHECK(own.listening_socket == 5);
    const Variable agent("TORCHELASTIC_USE_AGENT_STORE", "True");
    const auto hosted = distributed::detail::parse_init_method("env://");
    CHECK(hosted.is_hosted_by_agent);
    CHECK(!hosted.listening_socket);
}

TEST_CASE("a process group says what is missing from the environment") {
    CHECK_THROWS_WITH_AS(distributed::ProcessGroup(),
                         doctest::Contains("RANK is not set: start the program by its own launch, torchrun"),
                         DistributedError);
    const Variable rank("RANK", "2");
    const Variable world_size("WORLD_SIZE", "2");
    CHECK_THROWS_WITH_AS(distributed::ProcessGroup(), doctest::Contains("got rank 2 and world size 2"),
                         DistributedError);
}

TEST_CASE("collectives of one rank change nothing") {
    const distributed::ProcessGroupScope group(alone());
    CHECK(group->rank() == 0);
    CHECK(group->world_size() == 1);
    CHECK(group->is_main_process());
    at::Tensor tensor = at::arange(6, at::kFloat).view({2, 3}).t();
    const at::Tensor before = tensor.clone();
    for (const auto op : {distributed::ReduceOp::sum, distributed::ReduceOp::mean, distributed::ReduceOp::max}) {
        group->all_reduce(tensor, op);
        CHECK(tensor.equal(before));
    }
    group->broadcast(tensor);
    CHECK(tensor.equal(before));
    const auto gathered = group->all_gather(tensor);
    REQUIRE(gathered.size() == 1);
    CHECK(gathered[0].equal(before));
    CHECK(group->broadcast_text("text") == "text");
    CHECK(group->broadcast_text("").empty());
    group->barrier();
    CHECK(group->main_process_first([] { return 3; }) == 3);
}

TEST_CASE("there is one process group at a time, and the free functions use it") {
    CHECK(distributed::world_size() == 1);
    CHECK(distributed::is_main_process());
    CHECK(distributed::main_process_first([] { return 4; }) == 4);
    {
        const distributed::ProcessGroupScope group(alone());
        CHECK_THROWS_WITH_AS(distributed::init_process_group(alone()), doctest::Contains("called twice"),
                             audyn::UsageError);
        at::Tensor tensor = at::ones({2});
        distributed::all_reduce(tensor);
        distributed::broadcast(tensor);
        distributed::barrier();
        CHECK(distributed::all_gather(tensor).size() == 1);
        CHECK(distributed::process_group() != nullptr);
    }
    CHECK(distributed::process_group() == nullptr);
}

#if !defined(AUDYN_WITH_CUDA)
TEST_CASE("nccl without CUDA is refused with what would work") {
    auto options = alone();
    options.backend = distributed::Backend::nccl;
    CHECK_THROWS_WITH_AS(
        distributed::ProcessGroup{options},
        doctest::Contains("link audyn::cuda (-DAUDYN_CUDA=ON) and a libtorch that was built with CUDA, "
                          "or choose the backend gloo"),
        DistributedError);
}
#endif

TEST_CASE("ranks are named in words") {
    CHECK(distributed::detail::name_ranks({3}) == "rank 3");
    CHECK(distributed::detail::name_ranks({0, 2}) == "ranks 0 and 2");
    CHECK(distributed::detail::name_ranks({0, 2, 5}) == "ranks 0, 2 and 5");
    CHECK(distributed::detail::seconds_text(milliseconds(1500)) == "1.5 s");
    CHECK(distributed::detail::seconds_text(milliseconds(300'000)) == "300.0 s");
}

TEST_CASE("a new attempt does not see the keys of the one before") {
    const auto store = c10::make_intrusive<c10d::HashStore>();
    const auto join = [&](int64_t rank, milliseconds timeout = milliseconds(5000)) {
        return distributed::detail::join_job(*store, environment_of(rank, 2), timeout);
    };
    const auto join_both = [&] {
        std::string second;
        std::thread other([&] { second = join(1); });
        const std::string first = join(0);
        other.join();
        CHECK(first == second);
        return first;
    };
    const std::string first = join_both();
    const std::string second = join_both();
    CHECK(first != second);
    // What rank 1 left in the attempts before does not stand for it.
    CHECK_THROWS_WITH_AS(join(0, milliseconds(50)), doctest::Contains("rank 1 of 2 did not join the job within 0.05 s"),
                         DistributedError);
    CHECK_THROWS_WITH_AS(join(1, milliseconds(50)), doctest::Contains("rank 0 did not join the job within 0.05 s"),
                         DistributedError);
    CHECK(join_both() != second);
}

TEST_CASE("the failure watcher tells the first failure and who is missing") {
    const auto store = c10::make_intrusive<c10d::HashStore>();
    const auto watch = [&](int64_t rank) {
        return std::make_unique<distributed::FailureWatcher>(
            store, environment_of(rank, 3), "the store",
            distributed::FailureWatcherOptions{milliseconds(30), std::chrono::hours(1)});
    };
    auto first = watch(0);
    auto second = watch(1);
    auto third = watch(2);
    first->begin();
    third->begin();
    CHECK(first->absentees().silent.empty());
    CHECK(first->absentees().behind == std::vector<int64_t>{1});
    second->begin();
    first->advance();
    third->advance();
    CHECK(first->absentees().behind == std::vector<int64_t>{1});
    // However often it is told, one that has begun what comes next has come further.
    for (int i = 0; i < 9; ++i) {
        second->advance();
    }
    first->begin();
    third->begin();
    CHECK(first->absentees().behind == std::vector<int64_t>{1});
    second->begin();
    third->stop();
    CHECK(first->absentees().silent == std::vector<int64_t>{2});
    CHECK(first->absentees().behind.empty());
    CHECK(!first->failure());

    CHECK(second->report("boom\nsecond line").rank == 1);
    const auto seen = first->wait_for_failure(milliseconds(2000));
    REQUIRE(seen);
    CHECK(seen->text() == "rank 1 failed: boom\nsecond line");
    // Later ones are consequences.
    CHECK(first->report("connection closed").message == "boom\nsecond line");
    CHECK(watch(2)->report("connection closed").rank == 1);
}

TEST_CASE("the first failure is written where torchrun looks for it") {
    const TemporaryFolder folder;
    const std::string path = (folder / "error.json").string();
    const Variable file("TORCHELASTIC_ERROR_FILE", path);
    {
        const distributed::ProcessGroupScope group(alone());
        CHECK(distributed::report_failure(std::runtime_error("a \"quoted\"\nline")) == "a \"quoted\"\nline");
    }
    const auto written = distributed::parse_error_file(read_file(path));
    REQUIRE(written);
    CHECK(written->type == "std::runtime_error");
    CHECK(written->message == "a \"quoted\"\nline");
}
