#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"

#include <audyn/checkpoint/background_writer.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace {

using audyn::StateDict;
using audyn::checkpoint::BackgroundWriter;
using audyn::checkpoint::HostCopy;

double value_in(const std::filesystem::path& path) {
    return audyn::checkpoint::load(path).at("value").as_tensor()[0].item<double>();
}

} // namespace

TEST_CASE("a host copy is independent, keeps what is shared, and is made in the same memory again") {
    HostCopy buffer;
    const at::Tensor whole = at::arange(12, at::kFloat);
    const StateDict state{{"whole", whole},
                          {"view", whole.view({3, 4}).t()},
                          {"list", audyn::state::List{at::full({2}, 7, at::kLong), "text", 3, nullptr}},
                          {"undefined", at::Tensor()},
                          {"nested", StateDict{{"tuple", audyn::state::Tuple{{at::full({}, 1.5)}}}}}};
    const StateDict copy = buffer.copy(state);
    whole.add_(100);
    CHECK(at::equal(copy.at("whole").as_tensor(), at::arange(12, at::kFloat)));
    CHECK(at::equal(copy.at("view").as_tensor(), at::arange(12, at::kFloat).view({3, 4}).t()));
    CHECK(copy.at("view").as_tensor().is_alias_of(copy.at("whole").as_tensor()));
    CHECK(copy.at("list").as_list()[1].as_string() == "text");
    CHECK(copy.at("list").as_list()[3].is_none());
    CHECK(copy.at("nested").as_dict().at("tuple").as_list()[0].as_tensor().item<double>() == 1.5);
    const void* memory = copy.at("whole").as_tensor().const_data_ptr();
    const StateDict second = buffer.copy(state);
    CHECK(second.at("whole").as_tensor().const_data_ptr() == memory);
    CHECK(second.at("whole").as_tensor()[0].item<float>() == 100);
}

TEST_CASE("a file in the background has the values of the call, and a third waits for the first") {
    const TemporaryFolder folder;
    std::latch go(1);
    BackgroundWriter writer;
    const at::Tensor value = at::full({1000}, 1.0);
    const auto wait_for_it = [&go](const StateDict&) { go.wait(); };
    writer.write({folder / "1", folder / "also1"}, {{"value", value}}, wait_for_it);
    CHECK_FALSE(writer.is_busy());
    value.fill_(2.0);
    writer.write({folder / "2"}, {{"value", value}});
    value.fill_(3.0);
    CHECK(writer.is_busy());
    CHECK(writer.take_results().empty());
    auto third = std::async(std::launch::async, [&] { writer.write({folder / "3"}, {{"value", value}}); });
    CHECK(third.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
    go.count_down();
    third.get();
    writer.wait();
    CHECK_FALSE(writer.is_busy());
    const auto results = writer.take_results();
    REQUIRE(results.size() == 4);
    CHECK(results[0].path == folder / "1");
    CHECK(results[3].path == folder / "3");
    CHECK(value_in(folder / "1") == 1.0);
    CHECK(value_in(folder / "also1") == 1.0);
    CHECK(value_in(folder / "2") == 2.0);
    CHECK(value_in(folder / "3") == 3.0);
    CHECK(writer.take_results().empty());
}

TEST_CASE("the end of a background writer waits for what is being written") {
    const TemporaryFolder folder;
    {
        BackgroundWriter writer;
        writer.write({folder / "1"}, {{"value", at::full({1}, 1.0)}},
                     [](const StateDict&) { std::this_thread::sleep_for(std::chrono::milliseconds(50)); });
    }
    CHECK(value_in(folder / "1") == 1.0);
}

TEST_CASE("what prevents a file in the background comes back with its path") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    BackgroundWriter writer;
    const StateDict state{{"value", at::full({1}, 1.0)}};
    const auto error_of = [](const BackgroundWriter::Result& result) {
        return message_of<audyn::Error>([&] { std::rethrow_exception(result.error); });
    };
    writer.write({folder / "file/1"}, state);
    writer.write({folder / "2"}, state, [](const StateDict&) { throw audyn::TrainingError("refused"); });
    writer.write({folder / "3"}, state);
    writer.write({folder / "4"}, {{"value", at::full({1}, 1.0).to_sparse()}});
    writer.wait();
    const auto results = writer.take_results();
    REQUIRE(results.size() == 4);
    CHECK(error_of(results[0]).find("file/1") != std::string::npos);
    CHECK(error_of(results[1]) == "refused");
    CHECK_FALSE(results[2].error);
    CHECK(error_of(results[3]).find("sparse") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "2"));
    CHECK(value_in(folder / "3") == 1.0);
}
