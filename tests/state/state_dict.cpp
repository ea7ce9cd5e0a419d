#include <audyn/core/error.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace audyn::state;

TEST_CASE("entries keep their order, and are replaced in place") {
    StateDict state{{"b", 1}, {"a", 2.5}, {7, "seven"}};
    state.set("b", true);
    state.set("c", nullptr);
    std::vector<std::string> keys;
    for (const auto& [key, value] : state) {
        keys.push_back(key.to_string());
    }
    CHECK(keys == std::vector<std::string>{"b", "a", "7", "c"});
    CHECK(state.at("b").as_bool());
    CHECK(state.at(7).as_string() == "seven");
    CHECK(state.at("c").is_none());
    CHECK(state.size() == 4);
    state.erase("a");
    state.erase("not there");
    CHECK(state.size() == 3);
    CHECK_FALSE(state.contains("a"));
}

TEST_CASE("many entries at once are as if set one after the other") {
    std::vector<StateDict::Entry> entries{{"b", 1}, {"a", 2}, {7, 3}, {"b", 4}, {"7", 5}, {7, 6}, {"b", 7}};
    const StateDict state(entries);
    StateDict expected;
    for (const auto& [key, value] : entries) {
        expected.set(key, value);
    }
    REQUIRE(state.size() == 4);
    for (auto i = state.begin(), k = std::as_const(expected).begin(); i != state.end(); ++i, ++k) {
        CHECK(i->first == k->first);
        CHECK(i->second.as_int() == k->second.as_int());
    }
}

TEST_CASE("a number and its text are different keys") {
    StateDict state;
    state.set(1, "number");
    state.set("1", "text");
    CHECK(state.size() == 2);
    CHECK(state.at(1).as_string() == "number");
    CHECK(state.at("1").as_string() == "text");
    CHECK_THROWS_AS((void)Key(1).string(), audyn::StateError);
    CHECK_THROWS_AS((void)Key("1").integer(), audyn::StateError);
    CHECK(Key(int64_t{1} << 40).integer() == int64_t{1} << 40);
}

TEST_CASE("a missing key is named with those that exist") {
    const StateDict state{{"lr", 0.1}, {3, 1}};
    CHECK_THROWS_WITH_AS((void)state.at("eps"), "a state dictionary has no key 'eps'; it has: lr, 3",
                         audyn::StateError);
    CHECK(state.find("eps") == nullptr);
}

TEST_CASE("values are of one kind, and say which") {
    CHECK(Value(3).as_int() == 3);
    CHECK(Value(3).as_float() == 3.0);
    CHECK(Value(0.5).as_float() == 0.5);
    CHECK(Value(at::ones({2})).as_tensor().size(0) == 2);
    CHECK(Value(Bytes{"ab"}).as_bytes().data == "ab");
    CHECK(Value(List{1, "two"}).as_list().at(1).as_string() == "two");
    CHECK(Value(Tuple{{1, 2}}).as_list().size() == 2);
    CHECK(Value("text").is<std::string>());
    CHECK(Value(true).is<bool>());
    CHECK_FALSE(Value(true).is<int64_t>());
    CHECK_THROWS_WITH_AS((void)Value("text").as_int(),
                         "a state dictionary holds a value of kind string where int is needed", audyn::StateError);
    CHECK_THROWS_AS((void)Value(0.5).as_int(), audyn::StateError);
    CHECK_THROWS_AS((void)Value(1).as_bool(), audyn::StateError);
    CHECK_THROWS_AS((void)Value().as_tensor(), audyn::StateError);
}

TEST_CASE("copies share tensors and nothing else") {
    const at::Tensor tensor = at::ones({2});
    StateDict state{{"inner", StateDict{{"tensor", tensor}}}};
    StateDict copy = state;
    std::get<StateDict>(copy.find("inner")->storage()).set("more", 1);
    CHECK_FALSE(state.at("inner").as_dict().contains("more"));
    CHECK(copy.at("inner").as_dict().at("tensor").as_tensor().is_same(tensor));
}
