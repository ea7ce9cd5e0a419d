#include "../limited_file_size.hpp"
#include "../temporary_folder.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <torch/types.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace {

using audyn::CheckpointError;
using audyn::StateDict;
using audyn::checkpoint::load;
using audyn::checkpoint::save;
using audyn::state::Bytes;
using audyn::state::List;
using audyn::state::Tuple;

std::string error_of_saving(const std::filesystem::path& path, const StateDict& state) {
    return message_of<CheckpointError>([&] { save(path, state); });
}

} // namespace

TEST_CASE("what is saved is loaded") {
    const TemporaryFolder folder;
    StateDict many;
    for (int i = 0; i < 2000; ++i) {
        many.set("key " + std::to_string(i), i); // more than a byte can number
    }
    const at::Tensor base = torch::rand({4, 5});
    save(folder / "a.pth", StateDict{{"none", nullptr},
                                     {"int", -12345678901},
                                     {"float", 1e-300},
                                     {"bytes", Bytes{std::string("\0\xFF", 2)}},
                                     {"tuple", Tuple{{1, List{true, "x"}, Tuple{}}}},
                                     {"many", many},
                                     {"again", many},
                                     {7, StateDict{}},
                                     {"view", base.select(1, 2)},
                                     {"base", base},
                                     {"long", std::string(100'000, 'x')}});
    const StateDict state = load(folder / "a.pth");
    CHECK(state.at("none").is_none());
    CHECK(state.at("int").as_int() == -12345678901);
    CHECK(state.at("float").as_float() == 1e-300);
    CHECK(state.at("bytes").as_bytes().data == std::string("\0\xFF", 2));
    CHECK(state.at("tuple").is<Tuple>());
    CHECK(state.at("tuple").as_list().at(1).as_list().at(1).as_string() == "x");
    CHECK(state.at("many").as_dict().at("key 1999").as_int() == 1999);
    CHECK(state.at("again").as_dict().at("key 300").as_int() == 300);
    CHECK(state.at(7).as_dict().empty());
    CHECK(state.at("long").as_string() == std::string(100'000, 'x'));
    const at::Tensor loaded = state.at("base").as_tensor();
    CHECK(loaded.equal(base));
    CHECK(state.at("view").as_tensor().storage().is_alias_of(loaded.storage()));
    CHECK(state.at("view").as_tensor().strides() == at::IntArrayRef{5});
}

TEST_CASE("tensors of every dtype come back") {
    const TemporaryFolder folder;
    StateDict state;
    for (const auto dtype :
         {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar, at::kByte,
          at::kBool, at::kComplexFloat, at::kComplexDouble, at::kUInt16, at::kUInt32, at::kUInt64, at::kFloat8_e5m2,
          at::kFloat8_e4m3fn, at::kFloat8_e5m2fnuz, at::kFloat8_e4m3fnuz}) {
        state.set(c10::toString(dtype), torch::arange(5, at::kFloat).to(dtype));
    }
    save(folder / "a.pth", state);
    const StateDict loaded = load(folder / "a.pth");
    CHECK(loaded.size() == state.size());
    for (const auto& [name, value] : state) {
        const at::Tensor& tensor = loaded.at(name).as_tensor();
        CHECK(tensor.dtype() == value.as_tensor().dtype());
        const auto comparable = tensor.is_complex() ? at::kComplexDouble : at::kDouble; // not all dtypes have equal
        CHECK(tensor.to(comparable).equal(value.as_tensor().to(comparable)));
    }
}

TEST_CASE("what the format cannot hold is named, and the earlier file stays") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.pth";
    save(path, StateDict{{"epoch", 1}});
    const auto refuses = [&](const char* words, const audyn::state::Value& value) {
        const std::string message = error_of_saving(path, StateDict{{"model", StateDict{{"w", List{1, value}}}}});
        CAPTURE(message);
        CHECK(message.find("'model.w[1]") != message.npos);
        CHECK(message.find(words) != message.npos);
        CHECK(message.find(path.string()) != message.npos);
    };
    const at::Tensor floats = torch::ones({2});
    refuses("sparse", torch::eye(2).to_sparse());
    refuses("undefined", at::Tensor());
    refuses("without content", torch::ones({2}, torch::kMeta));
    refuses("UTF-8", std::string("\xFF"));
    refuses("UTF-8", std::string("\xED\xA0\x80")); // a surrogate
    refuses("another dtype", Tuple{{floats, floats.view(at::kInt)}});
    audyn::state::Value deep;
    for (int i = 0; i < 1000; ++i) {
        deep = List{deep};
    }
    CHECK(error_of_saving(path, StateDict{{"deep", deep}}).find("nested deeper") != std::string::npos);
    CHECK(load(path).at("epoch").as_int() == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a full disk leaves the earlier file intact and nothing else behind") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "last.pth";
    save(path, StateDict{{"epoch", 1}});
    std::string message;
    {
        const LimitedFileSize limit(100'000);
        message = error_of_saving(path, StateDict{{"epoch", 2}, {"weights", torch::ones({100'000})}});
    }
    CHECK(message.find("cannot save the checkpoint " + path.string()) == 0);
    CHECK(message.find("File too large") != message.npos);
    CHECK(load(path).at("epoch").as_int() == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a place where nothing can be written is named") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    const std::string message = error_of_saving(folder / "file/model/last.pth", StateDict{});
    CHECK(message.find((folder / "file/model").string() + ": Not a directory") != message.npos);
}
