// expect: lacks `int64_t rank() const`
#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/single_process.hpp>

struct Policy : audyn::distributed::SingleProcess {
    void rank() const;
};

static_assert(audyn::distributed::check_dist_policy<Policy>());
