// expect: lacks `void barrier(std::chrono::milliseconds timeout)`
#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/single_process.hpp>

struct Policy : audyn::distributed::SingleProcess {
    void barrier() = delete;
};

static_assert(audyn::distributed::check_dist_policy<Policy>());
