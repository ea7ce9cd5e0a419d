#include "../temporary_folder.hpp"
#include "fixture.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/collate.hpp>
#include <audyn/data/function_dataset.hpp>
#include <audyn/logging/png.hpp>
#include <audyn/trainer/generator.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::Generator;
using audyn::GeneratorOptions;
using audyn::trainer::FileNamePattern;
using audyn::trainer::OutputFile;
using audyn::trainer::write_tensor;

/// Samples with texts and numbers that tell them apart.
audyn::DataLoader loader(int64_t size = 10, int64_t distinct = 1000,
                         audyn::data::Collate collate = audyn::data::default_collate) {
    auto dataset = std::make_shared<audyn::data::FunctionDataset>(
        size, [distinct](int64_t index, audyn::data::Random&) -> audyn::Sample {
            return {{"features", fixture::features()[index]},
                    {"name", "sample" + std::to_string(index % distinct)},
                    {"index", index}};
        });
    return audyn::DataLoader(std::move(dataset), audyn::DataLoaderOptions().batch_size(4).collate(std::move(collate)));
}

GeneratorOptions options(const TemporaryFolder& folder, std::vector<OutputFile> files) {
    return GeneratorOptions()
        .folder(folder.path())
        .identifiers({{"name", "name"}, {"number", "index"}})
        .files(std::move(files))
        .progress_bar(false);
}

at::Tensor read_tensor(const std::filesystem::path& path) {
    return audyn::checkpoint::load_value(path).as_tensor();
}

/// A network with an inference of its own, as a vocoder or a speech recogniser has.
struct DoublingImpl : fixture::NetworkImpl {
    std::pair<at::Tensor, at::Tensor> inference(const at::Tensor& features) {
        is_training_in_inference = is_training();
        return {2 * forward(features), features.sum(1)};
    }
    bool is_training_in_inference = true;
};
TORCH_MODULE(Doubling);

/// The files below `folder`.
std::size_t count_files(const TemporaryFolder& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
        count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
}

} // namespace

TEST_CASE("a generator writes each sample's output and reference under its identifiers") {
    const TemporaryFolder folder;
    auto network = fixture::make_network(0.5);
    Generator<fixture::Network> generator(
        network, options(folder, {{"output", FileNamePattern("{name}/{number}{{}}.pth"), write_tensor},
                                  {"features", FileNamePattern("{name}_in.pth"), write_tensor, true,
                                   [](const at::Tensor& value) { return value.slice(0, 1) + 1; }}}));
    auto samples = loader();
    CHECK(generator.run(samples) == 10);
    CHECK(count_files(folder) == 20);
    CHECK(network->is_training()); // as before
    network->eval();
    const at::Tensor expected = network(fixture::features());
    for (int64_t i = 0; i < 10; ++i) {
        const std::string name = "sample" + std::to_string(i);
        const at::Tensor output = read_tensor(folder / (name + "/" + std::to_string(i) + "{}.pth"));
        CHECK(at::allclose(output, expected[i]));
        CHECK_FALSE(output.requires_grad());
        CHECK(output.storage().nbytes() == output.nbytes()); // not the whole batch
        CHECK(at::equal(read_tensor(folder / (name + "_in.pth")), fixture::features()[i].slice(0, 1) + 1));
    }
}

TEST_CASE("a transform changes its own file alone, and a view is written without the rest") {
    const TemporaryFolder folder;
    const auto file = [](const std::string& path, audyn::trainer::OutputTransform transform) {
        return OutputFile{"features", FileNamePattern(path), write_tensor, true, std::move(transform)};
    };
    Generator<fixture::Network> generator(
        fixture::make_network(),
        options(folder, {file("{name}_one.pth", [](at::Tensor value) { return value.add_(1).slice(0, 0, 1); }),
                         file("{name}.pth", {})}));
    auto samples = loader();
    generator.run(samples);
    const at::Tensor one = read_tensor(folder / "sample5_one.pth");
    CHECK(at::equal(one, fixture::features()[5].slice(0, 0, 1) + 1));
    CHECK(one.storage().nbytes() == one.nbytes());
    CHECK(at::equal(read_tensor(folder / "sample5.pth"), fixture::features()[5]));
}

TEST_CASE("a reference may be of different lengths, but needs a value for each sample") {
    const TemporaryFolder folder;
    const auto collate = [](std::span<const audyn::Sample> samples, const audyn::data::SampleNames& names) {
        audyn::Batch batch = audyn::data::default_collate(samples, names);
        std::vector<at::Tensor> ragged;
        for (int64_t i = 0; i < static_cast<int64_t>(samples.size()); ++i) {
            ragged.push_back(at::full({i + 1}, 7));
        }
        batch.set("ragged", std::move(ragged));
        batch.set("mean", at::ones({1}));
        return batch;
    };
    const auto run = [&](const std::string& reference) {
        Generator<fixture::Network> generator(
            fixture::make_network(), options(folder, {{reference, FileNamePattern("{name}.pth"), write_tensor, true}}));
        auto samples = loader(10, 1000, collate);
        generator.run(samples);
    };
    run("ragged");
    CHECK(at::equal(read_tensor(folder / "sample6.pth"), at::full({3}, 7)));
    CHECK_THROWS_WITH_AS(run("mean"), doctest::Contains("'mean', which has 1 elements along its first dimension"),
                         audyn::UsageError);
}

TEST_CASE("a model's inference serves in place of forward, by the names of the mapping") {
    const TemporaryFolder folder;
    at::manual_seed(1);
    Doubling network;
    auto chosen = options(folder, {{"logits", FileNamePattern("{name}.pth"), write_tensor},
                                   {"sum", FileNamePattern("{name}_sum.pth"), write_tensor}});
    chosen.key_mapping({{{"features", "features"}}, audyn::OutputNames{"logits", "sum"}});
    Generator<Doubling> generator(network, chosen);
    auto samples = loader();
    CHECK(generator.run(samples) == 10);
    CHECK_FALSE(network->is_training_in_inference);
    CHECK(at::allclose(read_tensor(folder / "sample3.pth"), 2 * network->forward(fixture::features())[3]));
    CHECK(at::allclose(read_tensor(folder / "sample3_sum.pth"), fixture::features()[3].sum()));
}

TEST_CASE("inference runs under autocast where that is asked for") {
    const TemporaryFolder folder;
    auto network = fixture::make_network();
    const std::vector<OutputFile> files{{"output", FileNamePattern("{name}.pth"), write_tensor}};
    Generator<fixture::Network> generator(network, options(folder, files).autocast(at::kBFloat16));
    auto samples = loader();
    generator.run(samples);
    const at::Tensor half = read_tensor(folder / "sample2.pth");
    CHECK((half.scalar_type() == at::kBFloat16));
    const at::Tensor whole = network(fixture::features())[2];
    CHECK(at::allclose(half.to(at::kFloat), whole, 2e-2, 2e-2));
    CHECK_FALSE(at::equal(half.to(at::kFloat), whole));
}

TEST_CASE("what would lose an output is an error") {
    const TemporaryFolder folder;
    const auto run = [&](std::vector<OutputFile> files, audyn::DataLoader samples) {
        Generator<fixture::Network>(fixture::make_network(), options(folder, std::move(files))).run(samples);
    };
    const auto file = [](const std::string& output, const std::string& path, bool is_reference = false) {
        return std::vector<OutputFile>{{output, FileNamePattern(path), write_tensor, is_reference}};
    };
    using audyn::DataError;
    using audyn::UsageError;
    CHECK_THROWS_WITH_AS(run(file("output", "{name}.pth"), loader(10, 7)), doctest::Contains("sample0.pth"),
                         UsageError);
    CHECK_THROWS_WITH_AS(run({}, loader()), doctest::Contains("nothing would be written"), UsageError);
    CHECK_THROWS_WITH_AS(run(file("output", "all.pth"), loader()), doctest::Contains("those are: name, number"),
                         UsageError);
    CHECK_THROWS_WITH_AS(run(file("output", "{nam}.pth"), loader()), doctest::Contains("'nam'"), UsageError);
    CHECK_THROWS_WITH_AS(run(file("logits", "{name}.pth"), loader()),
                         doctest::Contains("outputs of the model are: output"), UsageError);
    CHECK_THROWS_WITH_AS(run(file("wave", "{name}.pth", true), loader()), doctest::Contains("'wave'"), UsageError);
    CHECK_THROWS_WITH_AS(run(file("output", "../{name}.pth"), loader()), doctest::Contains("below the folder"),
                         DataError);
    CHECK_THROWS_AS(FileNamePattern("{name"), UsageError);
    CHECK_THROWS_AS(FileNamePattern("name}"), UsageError);
    CHECK_THROWS_AS(FileNamePattern("{}"), UsageError);
    CHECK_THROWS_WITH_AS(run(file("output", "{name}.pth"), loader(0)), doctest::Contains("nothing to infer"),
                         DataError);
}

TEST_CASE("a picture needs a spectrogram") {
    const TemporaryFolder folder;
    using audyn::trainer::write_spectrogram;
    const auto picture = [](std::vector<uint8_t> pixels) {
        return audyn::logging::encode_png(pixels, 3, audyn::logging::heat_palette());
    };
    // -1 to 1 are the shades 0 to 255, and the first bin is the last row
    write_spectrogram(folder / "a.png", at::tensor({-1.0, 0.0, 0.5, 1.0, -0.5, -1.0}).view({1, 2, 3}));
    CHECK(read_file(folder / "a.png") == picture({255, 64, 0, 0, 128, 191}));
    write_spectrogram(folder / "a.png", at::full({2, 3}, 7));
    CHECK(read_file(folder / "a.png") == picture({0, 0, 0, 0, 0, 0}));
    CHECK_THROWS_AS(write_spectrogram(folder / "b.png", at::ones({12})), audyn::DataError);
    CHECK_THROWS_AS(write_spectrogram(folder / "b.png", at::full({2, 2}, std::nan(""))), audyn::DataError);
    CHECK_FALSE(std::filesystem::exists(folder / "b.png"));
}
