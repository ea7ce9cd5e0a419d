#include "../memory_file.hpp"
#include "../temporary_folder.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ATen.h>
#include <torch/types.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using audyn::CheckpointError;
using audyn::StateDict;
using audyn::checkpoint::load;

/// A file that Python wrote: tests/oracle/checkpoint_fixtures.py.
StateDict fixture(const std::string& name) {
    return load(std::string(AUDYN_TEST_DATA_DIR) + "/checkpoint/data/" + name);
}

std::string error_of_loading(const std::filesystem::path& path) {
    return message_of<CheckpointError>([&] { static_cast<void>(load(path)); });
}

bool same(const audyn::state::Value& a, const audyn::state::Value& b);

bool same(const std::vector<audyn::state::Value>& a, const std::vector<audyn::state::Value>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const audyn::state::Value& x, const audyn::state::Value& y) { return same(x, y); });
}

/// Two values are the same, bit for bit.
bool same(const audyn::state::Value& a, const audyn::state::Value& b) {
    if (a.storage().index() != b.storage().index()) {
        return false;
    }
    if (a.is<at::Tensor>()) {
        return a.as_tensor().dtype() == b.as_tensor().dtype() && a.as_tensor().equal(b.as_tensor());
    }
    if (a.is<audyn::state::List>() || a.is<audyn::state::Tuple>()) {
        return same(a.as_list(), b.as_list());
    }
    if (a.is<StateDict>()) {
        const StateDict& x = a.as_dict();
        const StateDict& y = b.as_dict();
        return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](const auto& i, const auto& k) { return i.first == k.first && same(i.second, k.second); });
    }
    if (a.is<double>()) {
        return std::bit_cast<uint64_t>(a.as_float()) == std::bit_cast<uint64_t>(b.as_float());
    }
    return a.is_none() || (a.is<bool>() && a.as_bool() == b.as_bool()) ||
           (a.is<int64_t>() && a.as_int() == b.as_int()) || (a.is<std::string>() && a.as_string() == b.as_string()) ||
           (a.is<audyn::state::Bytes>() && a.as_bytes() == b.as_bytes());
}

/// The record that holds the byte at `offset`; empty when none does.
std::string record_at(const std::filesystem::path& path, uint64_t offset) {
    const audyn::checkpoint::ZipReader zip(path);
    for (const auto& record : zip.records()) {
        if (offset >= record.offset && offset < record.offset + record.size) {
            return record.name;
        }
    }
    return {};
}

} // namespace

TEST_CASE("a state dictionary of Python's loads in order") {
    const StateDict state = fixture("state_dict.pth");
    std::vector<std::string> names;
    for (const auto& [key, value] : state) {
        names.push_back(key.string());
    }
    CHECK(names == std::vector<std::string>{"linear.weight", "linear.bias", "norm.weight", "norm.bias",
                                            "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"});
    CHECK(state.at("linear.weight").as_tensor().sizes() == at::IntArrayRef{3, 2});
    CHECK(at::allclose(state.at("linear.weight").as_tensor(),
                       torch::tensor({{0.0206, 0.9791}, {2.0181, 2.9794}, {4.0180, 4.9782}}, at::kFloat), 0, 1e-4));
    CHECK(state.at("norm.num_batches_tracked").as_tensor().item<int64_t>() == 3);
}

TEST_CASE("a whole checkpoint of Audyn's loads") {
    const StateDict state = fixture("audyn.pth");
    const StateDict& optimizer = state.at("optimizer").as_dict();
    const StateDict& first = optimizer.at("state").as_dict().at(0).as_dict();
    CHECK(first.at("step").as_tensor().item<float>() == 3.0F);
    CHECK(first.at("exp_avg").as_tensor().sizes() == at::IntArrayRef{3, 2});
    const StateDict& group = optimizer.at("param_groups").as_list().at(0).as_dict();
    CHECK(group.at("lr").as_float() == doctest::Approx(0.001));
    CHECK(group.at("betas").as_list().at(1).as_float() == 0.999);
    CHECK(group.at("fused").is_none());
    CHECK_FALSE(group.at("amsgrad").as_bool());
    CHECK(group.at("params").as_list().at(3).as_int() == 3);
    CHECK(state.at("lr_scheduler").as_dict().at("last_epoch").as_int() == 3);
    CHECK(state.at("scaler").as_dict().at("scale").as_float() == 65536.0);
    CHECK(state.at("iteration_idx").as_int() == 3);
    CHECK(state.at("best_loss").as_float() == std::numeric_limits<double>::infinity());
    CHECK(state.at("resolved_config").as_dict().at("model").as_dict().at("name").as_string() == "Net");
    CHECK(state.at("_metadata").as_dict().at("commit_hash").is_none());
}

TEST_CASE("every kind of value of Python's loads") {
    const StateDict state = fixture("values.pth");
    CHECK(state.at("none").is_none());
    const std::vector<int64_t> expected{
        0, 255, 65536, -1, int64_t{1} << 31, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(state.at("ints").as_list().at(i).as_int() == expected[i]);
    }
    CHECK(state.at("floats").is<audyn::state::Tuple>());
    CHECK(state.at("floats").as_list().at(0).as_float() == 0.1);
    CHECK(state.at("floats").as_list().at(1).as_float() == -std::numeric_limits<double>::infinity());
    CHECK(state.at("text").as_string() == "Gr\xC3\xBC\xC3\x9F"
                                          "e \xF0\x9F\x8E\xB5");
    CHECK(state.at("data").as_bytes().data == std::string("\x00\x7F\x80\xFF", 4));
    CHECK(state.at("no_data").as_bytes().data.empty());
    CHECK(state.at("size").as_list().at(1).as_int() == 3);
    CHECK(state.at("dtype").as_string() == "torch.bfloat16");
    CHECK(state.at("device").as_string() == "cuda:1");
    CHECK(state.at("nested").as_dict().at(3).as_dict().at("deep").as_list().at(2).as_list().at(0).as_bool());
}

TEST_CASE("tensors of Python's load with dtype, shape, strides and shared memory") {
    const StateDict state = fixture("values.pth");
    const at::Tensor base = state.at("base").as_tensor();
    CHECK(base.equal(torch::arange(6, at::kFloat).reshape({2, 3})));
    CHECK(state.at("transposed").as_tensor().equal(base.t()));
    CHECK(state.at("row").as_tensor().equal(base[1].slice(0, 1)));
    base[1][1] = 100.0;
    CHECK(state.at("transposed").as_tensor()[1][1].item<float>() == 100.0F);
    CHECK(state.at("row").as_tensor()[0].item<float>() == 100.0F);
    CHECK(state.at("scalar").as_tensor().dim() == 0);
    CHECK(state.at("scalar").as_tensor().item<int64_t>() == 7);
    CHECK(state.at("empty").as_tensor().sizes() == at::IntArrayRef{0, 3});
    CHECK(state.at("parameter").as_tensor().sum().item<float>() == 2.0F);
    CHECK((state.at("half").as_tensor().scalar_type() == at::kBFloat16));
    CHECK(state.at("half").as_tensor().item<float>() == 1.5F);
    CHECK((state.at("bytes_dtype").as_tensor().scalar_type() == at::kUInt16));
    CHECK(state.at("bytes_dtype").as_tensor().to(at::kLong)[1].item<int64_t>() == 65535);
    CHECK(state.at("conjugated").as_tensor().is_conj());
    CHECK(at::imag(state.at("conjugated").as_tensor().resolve_conj()).item<float>() == -2.0F);
}

TEST_CASE("a file in the format from before 1.6 loads") {
    const StateDict state = fixture("before_1_6.pth");
    CHECK(state.at("x").as_int() == 1);
    const StateDict legacy = fixture("legacy.pth");
    const at::Tensor base = legacy.at("base").as_tensor();
    CHECK(base.equal(torch::arange(6, at::kFloat).reshape({2, 3})));
    CHECK(legacy.at("transposed").as_tensor().is_alias_of(base));
    CHECK(legacy.at("transposed").as_tensor().equal(base.t()));
    CHECK(legacy.at("count").as_tensor().item<int64_t>() == 7);
    CHECK(legacy.at("empty").as_tensor().sizes() == at::IntArrayRef{0, 3});
    CHECK((legacy.at("small").as_tensor().scalar_type() == at::kFloat8_e5m2));
    CHECK(legacy.at("small").as_tensor().to(at::kFloat)[1].item<float>() == 1.5F);
}

TEST_CASE("a damaged file in the format from before 1.6 is an error and no crash") {
    const MemoryFile file;
    const std::filesystem::path path = file.path();
    const std::string whole = read_file(std::string(AUDYN_TEST_DATA_DIR) + "/checkpoint/data/legacy.pth");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        file.set(whole.substr(0, size));
        REQUIRE(error_of_loading(path).find(path.string()) != std::string::npos);
    }
    std::mt19937 random(0);
    int detected = 0;
    for (int round = 0; round < 1000; ++round) { // without checksums most flips go unseen, but none may crash
        const std::size_t bit = random() % (8 * whole.size());
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        file.set(damaged);
        detected += error_of_loading(path).empty() ? 0 : 1;
    }
    CHECK(detected > 300);
}

TEST_CASE("a file of a big-endian machine is refused") {
    const TemporaryFolder folder;
    {
        audyn::core::File file(folder / "big.pth", O_WRONLY | O_CREAT);
        audyn::checkpoint::ZipWriter zip(file, "archive");
        zip.add("data.pkl", "\x80\x02}.");
        zip.add("byteorder", "big");
        zip.finish();
    }
    CHECK(error_of_loading(folder / "big.pth").find("'archive/byteorder' says 'big'") != std::string::npos);
}

TEST_CASE("tensors of a mapped file lie in it, and may be changed") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.pth";
    audyn::checkpoint::save(path, StateDict{{"x", torch::arange(1000)}, {"y", torch::full({3}, 0.5)}, {"n", 7}});
    const std::string before = read_file(path);
    for (const bool verify : {true, false}) {
        at::Tensor x;
        {
            StateDict state = load(path, {.mmap = true, .verify = verify});
            CHECK(state.at("n").as_int() == 7);
            CHECK(state.at("y").as_tensor().equal(torch::full({3}, 0.5)));
            x = state.at("x").as_tensor();
        }
        CHECK(x.equal(torch::arange(1000))); // it alone keeps the mapping
        CHECK(reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 64 == 0);
        x.add_(1);
        CHECK(x[999].item<int64_t>() == 1000);
        CHECK(read_file(path) == before);
        audyn::checkpoint::save(path, StateDict{{"x", torch::zeros({1000}, at::kLong)}}); // another file under the name
        CHECK(x[999].item<int64_t>() == 1000);
        write_file(path, before);
    }
}

TEST_CASE("a mapped file is verified unless that is turned off, and always where it is not mapped") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.pth";
    audyn::checkpoint::save(path, StateDict{{"y", torch::full({100}, 7.0)}});
    std::string bytes = read_file(path);
    const float seven = 7.0F;
    bytes[bytes.find(std::string(reinterpret_cast<const char*>(&seven), 4)) + 3] ^= 0x40;
    write_file(path, bytes);
    const auto error_of = [&](const audyn::checkpoint::LoadOptions& options) {
        return message_of<CheckpointError>([&] { static_cast<void>(load(path, options)); });
    };
    CHECK(error_of({.mmap = true}).find("'archive/data/0' is damaged") != std::string::npos);
    CHECK(error_of({.verify = false}).find("'archive/data/0' is damaged") != std::string::npos);
    CHECK(error_of({.mmap = true, .verify = false}).empty());
}

TEST_CASE("what no state dictionary can hold is refused by name") {
    CHECK(message_of<CheckpointError>([] { fixture("sparse.pth"); }).find("_rebuild_sparse_tensor") !=
          std::string::npos);
    const std::string missing = message_of<CheckpointError>([] { fixture("none.pth"); });
    CHECK(missing.find("none.pth: No such file or directory") != std::string::npos);
}

TEST_CASE("a damaged record is named") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.pth";
    audyn::checkpoint::save(path, StateDict{{"x", torch::arange(100)}, {"y", torch::full({100}, 7.0)}});
    std::string bytes = read_file(path);
    const float seven = 7.0F;
    bytes[bytes.find(std::string(reinterpret_cast<const char*>(&seven), 4)) + 3] ^= 0x40;
    write_file(path, bytes);
    CHECK(error_of_loading(path) == "cannot load the checkpoint: " + path.string() +
                                        ": the record 'archive/data/1' is damaged: its content does not have the "
                                        "checksum that was stored with it");
}

TEST_CASE("2,000 flipped bits and 500 truncations are detected, or change no value") {
    const TemporaryFolder folder;
    const MemoryFile memory;
    const std::filesystem::path path = memory.path();
    const at::Tensor tied = torch::arange(20, at::kFloat);
    StateDict ours = fixture("audyn.pth");
    ours.set("tied", tied);
    ours.set("part", tied.slice(0, 5));
    ours.set("bytes", audyn::state::Bytes{"abc"});
    ours.set("half", torch::ones({7}, at::kHalf));
    audyn::checkpoint::save(folder / "ours.pth", ours);
    const std::string theirs = std::string(AUDYN_TEST_DATA_DIR) + "/checkpoint/data/audyn.pth";
    for (const std::filesystem::path& file : {folder / "ours.pth", std::filesystem::path(theirs)}) {
        CAPTURE(file);
        const std::string whole = read_file(file);
        const StateDict state = load(file);
        std::mt19937 random(0);
        int detected = 0;
        int named = 0;
        for (int round = 0; round < 2500; ++round) {
            std::string damaged = whole;
            const bool is_truncated = round % 5 == 0;
            const std::size_t bit = random() % (8 * whole.size());
            if (is_truncated) {
                damaged.resize(random() % whole.size());
            } else {
                damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
            }
            memory.set(damaged);
            const std::string error = error_of_loading(path);
            const std::string record = is_truncated ? std::string() : record_at(file, bit / 8);
            CAPTURE(round);
            if (!error.empty()) {
                ++detected;
                REQUIRE(error.find(path.string()) != std::string::npos);
            } else {
                REQUIRE_FALSE(is_truncated);
                REQUIRE(record.empty());
                REQUIRE(same(load(path), state));
            }
            if (!record.empty()) {
                ++named;
                REQUIRE(error.find("the record '" + record + "' is damaged") != std::string::npos);
            }
            // Unverified and mapped, damage may go unseen, but never crashes.
            static_cast<void>(
                message_of<CheckpointError>([&] { static_cast<void>(load(path, {.mmap = true, .verify = false})); }));
        }
        CHECK(detected > 1000);
        CHECK(named > 500);
    }
}

TEST_CASE("files of torch 2.7, 2.10 and 2.15 load, in both formats") {
    for (const std::string name :
         {"torch_2.7", "torch_2.7_legacy", "torch_2.10", "torch_2.10_legacy", "torch_2.15", "torch_2.15_legacy"}) {
        CAPTURE(name);
        const StateDict state = fixture(name + ".pth"); // tests/oracle/checkpoint_versions.py
        CHECK(state.size() == 19);
        const StateDict& model = state.at("model").as_dict();
        CHECK(at::allclose(model.at("first.weight").as_tensor().flatten().slice(0, 0, 2),
                           torch::tensor({0.0206, 0.9791}, at::kFloat), 0, 1e-4));
        CHECK(model.at("norm.num_batches_tracked").as_tensor().item<int64_t>() == 3);
        const StateDict& optimizer = state.at("optimizer").as_dict();
        CHECK(optimizer.at("state").as_dict().at(0).as_dict().at("step").as_tensor().item<float>() == 3.0F);
        CHECK(optimizer.at("param_groups").as_list().at(0).as_dict().at("betas").as_list().at(1).as_float() == 0.999);
        CHECK(state.at("lr_scheduler").as_dict().at("last_epoch").as_int() == 3);
        CHECK(state.at("lr_scheduler").as_dict().at("milestones").as_dict().at(4).as_int() == 1);
        CHECK(state.at("scaler").as_dict().at("scale").as_float() == 65536.0);
        CHECK(state.at("iteration_idx").as_int() == 3);
        CHECK(state.at("best_loss").as_float() == std::numeric_limits<double>::infinity());
        const at::Tensor base = state.at("base").as_tensor();
        CHECK(base.equal(torch::arange(6, at::kFloat).reshape({2, 3})));
        CHECK(state.at("row").as_tensor().is_alias_of(base));
        CHECK(state.at("row").as_tensor().equal(base[1].slice(0, 1)));
        CHECK(state.at("parameter").as_tensor().equal(torch::ones({2})));
        CHECK(state.at("bfloat16").as_tensor().equal(torch::full({1}, 1.5, at::kBFloat16)));
        CHECK((state.at("float8").as_tensor().scalar_type() == at::kFloat8_e4m3fn));
        CHECK(state.at("float8").as_tensor().to(at::kFloat).equal(torch::tensor({1.5F, -2.0F})));
        CHECK(state.at("uint16").as_tensor().to(at::kLong).equal(torch::tensor({1, 65535}, at::kLong)));
        CHECK(at::imag(state.at("complex").as_tensor().resolve_conj()).item<float>() == -2.0F);
        CHECK(state.at("size").as_list().at(1).as_int() == 3);
        CHECK(state.at("dtype").as_string() == "torch.bfloat16");
        CHECK(state.at("device").as_string() == "cuda:1");
        CHECK(state.at("bytes").as_bytes().data == std::string("\x00\x7F\x80\xFF", 4));
        CHECK(state.at("big").as_list().at(2).as_int() == std::numeric_limits<int64_t>::min());
        CHECK(state
                  .at("Gr\xC3\xBC\xC3\x9F"
                      "e \xF0\x9F\x8E\xB5")
                  .as_list()
                  .at(2)
                  .as_float() == 0.1);
    }
}
