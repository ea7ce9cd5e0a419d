#include "../memory_file.hpp"
#include "../temporary_folder.hpp"

#include <audyn/checkpoint/safetensors.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <torch/types.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::CheckpointError;
using audyn::StateDict;
using audyn::checkpoint::load_safetensors;
using audyn::checkpoint::save_safetensors;

std::string error_of_loading(const std::filesystem::path& path) {
    return message_of<CheckpointError>([&] { static_cast<void>(load_safetensors(path)); });
}

/// A file with this header and content.
std::string file_of(const std::string& header, const std::string& content) {
    const uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + content;
}

} // namespace

TEST_CASE("a safetensors file has the bytes that the format prescribes") {
    const TemporaryFolder folder;
    save_safetensors(folder / "a.safetensors", StateDict{{"small", torch::tensor({1, 2}, at::kByte)},
                                                         {"b", torch::tensor({1.0F}).reshape({1, 1})},
                                                         {"a", torch::tensor(1.5F)}});
    const std::string header = R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                               R"("b":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},)"
                               R"("small":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}})";
    const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    CHECK(read_file(folder / "a.safetensors") == file_of(padded, std::string("\0\0\xC0\x3F\0\0\x80\x3F\x01\x02", 10)));
}

TEST_CASE("tensors of every dtype of safetensors come back, whatever their strides") {
    const TemporaryFolder folder;
    const at::Tensor base = torch::arange(6, at::kFloat).reshape({2, 3});
    StateDict state{{"transposed", base.t()},
                    {"base", base},
                    {"conjugated", torch::complex(torch::ones({2}), torch::ones({2})).conj()},
                    {"empty", torch::empty({0, 3})},
                    {"Gr\xC3\xBC\xC3\x9F\"e", torch::ones({1})}};
    for (const auto& entry : audyn::checkpoint::detail::safetensors_dtypes) {
        state.set(std::string(entry.name), base.to(entry.dtype));
    }
    save_safetensors(folder / "a.safetensors", state);
    const StateDict loaded = load_safetensors(folder / "a.safetensors");
    CHECK(loaded.size() == state.size());
    for (const auto& [name, value] : state) {
        CAPTURE(name.to_string());
        const at::Tensor& tensor = loaded.at(name).as_tensor();
        CHECK(tensor.dtype() == value.as_tensor().dtype());
        const auto comparable = tensor.is_complex() ? at::kComplexDouble : at::kDouble; // not all dtypes have equal
        CHECK(tensor.to(comparable).equal(value.as_tensor().to(comparable)));
    }
}

TEST_CASE("what safetensors cannot hold is named") {
    const TemporaryFolder folder;
    const auto refuses = [&](const audyn::state::Value& value, const char* words) {
        const std::string message = message_of<CheckpointError>([&] {
            save_safetensors(folder / "a.safetensors", StateDict{{"model.x", value}});
        });
        CAPTURE(message);
        CHECK(message.find("'model.x'") != std::string::npos);
        CHECK(message.find(words) != std::string::npos);
    };
    refuses(3, "int");
    refuses(at::Tensor(), "undefined");
    refuses(torch::eye(2).to_sparse(), "sparse");
    refuses(torch::ones({1}, at::kComplexDouble), "ComplexDouble");
    CHECK_FALSE(std::filesystem::exists(folder / "a.safetensors"));
}

TEST_CASE("a safetensors file that lies is refused") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.safetensors";
    const auto error_of = [&](const std::string& content) {
        write_file(path, content);
        return error_of_loading(path);
    };
    const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return R"({"x":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
    };
    CHECK(error_of(file_of(tensor("U8", "[4]", "[0,4]"), "abcd")).empty());
    CHECK(error_of("abc").find("too short") != std::string::npos);
    CHECK(error_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").find("longer than the file") != std::string::npos);
    CHECK(error_of(file_of("[1]", "")).find("JSON object") != std::string::npos);
    CHECK(error_of(file_of(std::string(1'000'000, '['), "")).find("JSON object") != std::string::npos);
    CHECK(error_of(file_of(tensor("X8", "[4]", "[0,4]"), "abcd")).find("'x' has an unknown dtype") !=
          std::string::npos);
    for (const auto& [shape, offsets] : std::vector<std::pair<std::string, std::string>>{
             {"[5]", "[0,4]"},
             {"[5]", "[0,5]"},
             {"[4]", "[4,0]"},
             {"[4]", "[0]"},
             {"[4]", "[1,5]"},
             {"[4]", "[-4,0]"},
             {"[4.0]", "[0,4]"},
             {"4", "[0,4]"},
             {"[4611686018427387904,4]", "[0,0]"},
             {"[18446744073709551615]", "[0,4]"},
         }) {
        CAPTURE(shape + " " + offsets);
        CHECK(error_of(file_of(tensor("U8", shape, offsets), "abcd")).find("'x'") != std::string::npos);
    }
    CHECK(error_of(file_of(tensor("U8", "[4]", "[0,4]"), "abcdef")).find("longer than its tensors") !=
          std::string::npos);
    CHECK(error_of(file_of(tensor("U8", "[2]", "[2,4]"), "abcd")).find("holes") != std::string::npos);
}

TEST_CASE("a damaged safetensors file is an error or loads, and never crashes") {
    const TemporaryFolder folder;
    save_safetensors(folder / "a.safetensors", StateDict{{"x", torch::arange(5)}, {"y", torch::ones({2, 3})}});
    const std::string whole = read_file(folder / "a.safetensors");
    const MemoryFile file;
    const std::filesystem::path path = file.path();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        file.set(whole.substr(0, size));
        REQUIRE_FALSE(error_of_loading(path).empty());
    }
    std::mt19937 random(0);
    for (int round = 0; round < 2000; ++round) {
        std::string damaged = whole;
        const std::size_t bit = random() % (8 * whole.size());
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        file.set(damaged);
        static_cast<void>(error_of_loading(path));
    }
}
