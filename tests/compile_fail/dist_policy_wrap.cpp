// expect: lacks `wrap(model)` whose result is called as `wrapped->forward(...)`
#include <audyn/distributed/concepts.hpp>
#include <audyn/distributed/single_process.hpp>

struct Policy : audyn::distributed::SingleProcess {
    template <class Model>
    void wrap(Model model);
};

static_assert(audyn::distributed::check_dist_policy<Policy>());
