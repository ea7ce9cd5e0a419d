#include "support.hpp"

#include <audyn/config/sweep.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using audyn::config::sweep_jobs;
using config_test::error_of;

namespace {

using Jobs = std::vector<std::vector<std::string>>;

Jobs jobs(const std::vector<std::string>& overrides) {
    return sweep_jobs(overrides, config_test::search_path({{"db/mysql", ""}, {"db/pg", ""}, {"db/base", ""}}));
}

std::vector<std::string> values(const std::string& override) {
    std::vector<std::string> result;
    for (const auto& job : jobs({override})) {
        result.push_back(job.at(0));
    }
    return result;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("jobs are all combinations, the last key changing fastest") {
    CHECK(jobs({"a=1,2", "b=x", "+c=choice(u,v)"}) ==
          Jobs{{"a=1", "b=x", "+c=u"}, {"a=1", "b=x", "+c=v"}, {"a=2", "b=x", "+c=u"}, {"a=2", "b=x", "+c=v"}});
    CHECK(jobs({}) == Jobs{{}});
    CHECK(jobs({"a=1,2", "b=3", "a=4"}) == Jobs{{"a=4", "b=3"}});
}

// What Hydra 1.3.2 prints for the same overrides.
TEST_CASE("values are written so that they read the same again") {
    CHECK(jobs({"~flag", "~db=mysql", "++n={a:1,b: [x,\"y z\"]}", "name=\"q,r\"", "db@x.y=mysql"}) ==
          Jobs{{"~flag=null", "~db=mysql", "++n={a:1,b:[x,\"y z\"]}", "name=\"q,r\"", "db@x.y=mysql"}});
    CHECK(
        values("a=true,FALSE,null,1e-3,1E20,a b,a\\,b,'it\\'s',\"x\\\\\"") ==
        Texts{"a=True", "a=False", "a=null", "a=0.001", "a=1e+20", "a=a\\ b", "a=a\\,b", "a='it\\'s'", "a=\"x\\\\\""});
    CHECK(values("a=${b.c}x,y") == Texts{"a=$\\{b.c\\}x", "a=y"});
    CHECK(values("a=") == Texts{"a="});
}

TEST_CASE("ranges") {
    CHECK(values("a=range(1,4)") == Texts{"a=1", "a=2", "a=3"});
    CHECK(values("a=range(3)") == Texts{"a=0", "a=1", "a=2"});
    CHECK(values("a=range(5,0,-2)") == Texts{"a=5", "a=3", "a=1"});
    CHECK(values("a=range(0,0.5,0.1)") == Texts{"a=0.0", "a=0.1", "a=0.2", "a=0.3", "a=0.4"});
    CHECK(values("a=range(-0.3,0.31,0.1)") == Texts{"a=-0.3", "a=-0.19999999999999998", "a=-0.09999999999999998",
                                                    "a=2.7755575615655784e-17", "a=0.10000000000000003",
                                                    "a=0.20000000000000004", "a=0.30000000000000004"});
    CHECK(values("a=range(0,1e-3,1e-4)") == Texts{"a=0.0", "a=0.0001", "a=0.0002", "a=0.00030000000000000003",
                                                  "a=0.0004", "a=0.0005", "a=0.0006000000000000001", "a=0.0007",
                                                  "a=0.0008", "a=0.0009000000000000001"});
    CHECK(values("a=range(1.1,20,3.3)") ==
          Texts{"a=1.1", "a=4.4", "a=7.7", "a=11.0", "a=14.299999999999999", "a=17.599999999999998"});
    CHECK(values("a=range(1e3,1000.35,0.1)") == Texts{"a=1000.0", "a=1000.1", "a=1000.2", "a=1000.3"});
}

TEST_CASE("globs take a group's options") {
    CHECK(values("db=glob(*)") == Texts{"db=base", "db=mysql", "db=pg"});
    CHECK(values("db=glob([m*,p?],exclude=pg)") == Texts{"db=mysql"});
    CHECK(values("+db@x=glob('[!b]*')") == Texts{"+db@x=mysql", "+db@x=pg"});
}

TEST_CASE("a shuffled sweep has the same jobs") {
    const auto shuffled = values("a=shuffle(range(0,50))");
    CHECK(std::set<std::string>(shuffled.begin(), shuffled.end()).size() == 50);
    CHECK(!std::ranges::is_sorted(shuffled, {}, [](const std::string& text) { return std::stoi(text.substr(2)); }));
}

TEST_CASE("sweeps without values or end are refused") {
    const auto error = [](const std::string& override) { return error_of([&] { jobs({override}); }); };
    CHECK(error("a=interval(0,1)").find("endlessly many values") != std::string::npos);
    CHECK(error("a=range(3,3)").find("the range is empty") != std::string::npos);
    CHECK(error("a=range(0,1,0)").find("a step that is not 0") != std::string::npos);
    CHECK(error("a=range(0,1000000)").find("more than 100000 values") != std::string::npos);
    CHECK(error("a=range(0,1e300,1e299)").find("20 digits") != std::string::npos);
    CHECK(error("bd=glob(*)").find("there is no group 'bd' whose options could be tried; did you mean 'db'?") !=
          std::string::npos);
    CHECK(error("db=glob(x*)").find("Available options: base, mysql, pg") != std::string::npos);
    CHECK(error_of([] { jobs({"a=range(0,1000)", "b=range(0,1000)"}); }) == "the sweep has more than 100000 jobs");
}
