#include <audyn/audio/audio_file.hpp>
#include <audyn/audio/audio_folder.hpp>
#include <audyn/core/error.hpp>
#include <audyn/data/data_loader.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>
#include <sndfile.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace audyn::audio;
using audyn::Batch;
using audyn::DataError;
using audyn::DataLoader;
using audyn::DataLoaderOptions;
using audyn::data::Random;

namespace fs = std::filesystem;

namespace {

/// A folder that goes with its object.
class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "audyn_audio_XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// 16-bit samples: frame f of channel c is (begin + f + 1000 * c) / 32768.
void write_ramp(const fs::path& path, int frames, int channels = 1, int begin = 0, int sample_rate = 8000) {
    fs::create_directories(path.parent_path());
    SF_INFO info{};
    info.samplerate = sample_rate;
    info.channels = channels;
    info.format = (path.extension() == ".flac" ? SF_FORMAT_FLAC : SF_FORMAT_WAV) | SF_FORMAT_PCM_16;
    SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
    REQUIRE(file != nullptr);
    std::vector<int16_t> samples;
    for (int frame = 0; frame < frames; ++frame) {
        for (int channel = 0; channel < channels; ++channel) {
            samples.push_back(static_cast<int16_t>(begin + frame + 1000 * channel));
        }
    }
    CHECK(sf_writef_short(file, samples.data(), frames) == frames);
    sf_close(file);
}

at::Tensor ramp(int64_t begin, int64_t frames) {
    return at::arange(begin, begin + frames, at::kFloat) / 32768.0;
}

void write_bytes(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_bytes(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Function>
std::string message_of(const Function& function) {
    try {
        function();
    } catch (const DataError& error) {
        return error.what();
    }
    return "no DataError";
}

Batch get_batch(const AudioFolderDataset& dataset, const std::vector<int64_t>& indices, int64_t epoch = 0) {
    const audyn::data::RandomSource source(0, epoch);
    return dataset.get_batch(indices, audyn::data::BatchRandom(source, indices)).value();
}

} // namespace

TEST_CASE("audio_file: WAV and FLAC, whole or in part") {
    const Folder folder;
    for (const char* name : {"mono.wav", "mono.flac"}) {
        CAPTURE(name);
        write_ramp(folder / name, 500);
        const AudioInfo header = info(folder / name);
        CHECK(header.sample_rate == 8000);
        CHECK(header.num_frames == 500);
        CHECK(header.num_channels == 1);
        const Audio whole = load(folder / name);
        CHECK(whole.sample_rate == 8000);
        CHECK(at::equal(whole.waveform, ramp(0, 500).unsqueeze(0)));
        CHECK(at::equal(load(folder / name, 120, 40).waveform, ramp(120, 40).unsqueeze(0)));
        CHECK(at::equal(load(folder / name, 490, 40).waveform, ramp(490, 10).unsqueeze(0)));
        CHECK(load(folder / name, 500).waveform.sizes() == at::IntArrayRef({1, 0}));
        CHECK_THROWS_AS((void)load(folder / name, 501), DataError);
        CHECK_THROWS_AS((void)load(folder / name, -1), DataError);
    }
    for (const char* name : {"stereo.wav", "stereo.flac"}) {
        write_ramp(folder / name, 300, 2, 7);
        CHECK(at::equal(load(folder / name, 10, 50).waveform, at::stack({ramp(17, 50), ramp(1017, 50)})));
    }
}

TEST_CASE("audio_file: errors name the file and the reason") {
    const Folder folder;
    const auto message = [&](const std::string& name) { return message_of([&] { (void)load(folder / name); }); };
    CHECK(message("absent.wav") == (folder / "absent.wav").string() + ": No such file or directory");
    write_bytes(folder / "text.wav", "this is no audio, it is a text that goes on for a while");
    CHECK(message("text.wav").starts_with((folder / "text.wav").string() + ": "));
    write_bytes(folder / "empty.wav", "");
    CHECK(message("empty.wav") != "no DataError");

    write_ramp(folder / "whole.wav", 1000);
    const std::string wav = read_bytes(folder / "whole.wav");
    write_bytes(folder / "cut.wav", wav.substr(0, wav.size() - 500));
    CHECK(message("cut.wav") ==
          (folder / "cut.wav").string() + ": is truncated: its header promises 2000 bytes of audio, it holds 1500");
    write_bytes(folder / "header.wav", wav.substr(0, 40));
    CHECK(message("header.wav") != "no DataError");

    write_ramp(folder / "whole.flac", 20000);
    const std::string flac = read_bytes(folder / "whole.flac");
    write_bytes(folder / "cut.flac", flac.substr(0, flac.size() / 2));
    const std::string cut = message("cut.flac");
    CHECK(cut.starts_with((folder / "cut.flac").string() + ": ends after "));
    CHECK(cut.find("of 20000 frames") != std::string::npos);
}

TEST_CASE("audio_file: chunks around the audio are passed over, odd sizes and padding included") {
    const Folder folder;
    write_ramp(folder / "plain.wav", 100);
    std::string wav = read_bytes(folder / "plain.wav");
    REQUIRE(wav.substr(36, 4) == "data");
    const std::string odd_chunk = std::string("junk\x03\0\0\0abc\0", 12);
    const std::string large_chunk = std::string("note\x2C\x01\0\0", 8) + std::string(300, 'x');
    write_bytes(folder / "chunks.wav", wav.substr(0, 36) + odd_chunk + large_chunk + wav.substr(36) + odd_chunk);
    CHECK(at::equal(load(folder / "chunks.wav").waveform, ramp(0, 100).unsqueeze(0)));
    write_bytes(folder / "cut.wav", wav.substr(0, 36) + odd_chunk + large_chunk + wav.substr(36, 100));
    CHECK(message_of([&] { (void)load(folder / "cut.wav"); }).find("is truncated") != std::string::npos);
}

TEST_CASE("audio_folder: classes are the sorted folders, files are found below them") {
    const Folder folder;
    write_ramp(folder / "dog/b.wav", 10);
    write_ramp(folder / "dog/a/c.flac", 20);
    write_ramp(folder / "cat/x.WAV", 30);
    write_bytes(folder / "dog/notes.txt", "not audio");
    write_bytes(folder / ".hidden/y.wav", "not a class");
    write_ramp(folder / "loose.wav", 10);

    const AudioFolderDataset dataset(folder.path());
    CHECK(dataset.class_names() == std::vector<std::string>{"cat", "dog"});
    REQUIRE(dataset.size() == 3);
    CHECK(dataset.path(0) == folder / "cat/x.WAV");
    CHECK(dataset.path(1) == folder / "dog/a/c.flac");
    CHECK(dataset.path(2) == folder / "dog/b.wav");
    CHECK(dataset.label(0) == 0);
    CHECK(dataset.label(2) == 1);
    CHECK(dataset.sample_name(2) == (folder / "dog/b.wav").string());

    Random random(0);
    const audyn::Sample sample = dataset.get(1, random);
    CHECK(at::equal(sample.tensor("waveform"), ramp(0, 20).unsqueeze(0)));
    CHECK(std::get<int64_t>(sample.at("label")) == 1);
    CHECK(std::get<std::string>(sample.at("filename")) == "dog/a/c.flac");
    CHECK_THROWS_AS((void)dataset.get(3, random), DataError);
}

TEST_CASE("audio_folder: segments are cropped and padded with zeros, alone and in batches") {
    const Folder folder;
    write_ramp(folder / "a/long.wav", 100, 2, 5);
    write_ramp(folder / "a/short.wav", 6, 2, 5);
    const auto waveform = [&](Crop crop, int64_t length, int64_t epoch = 0) {
        const AudioFolderDataset dataset(folder.path(), AudioFolderOptions().segment_length(length).crop(crop));
        const Batch batch = get_batch(dataset, {0, 1}, epoch);
        CHECK(at::equal(batch.tensor("label"), at::zeros({2}, at::kLong)));
        for (int64_t i = 0; i < 2; ++i) { // One by one it is the same.
            Random random = audyn::data::RandomSource(0, epoch).for_sample(i);
            CHECK(at::equal(dataset.get(i, random).tensor("waveform"), batch.tensor("waveform")[i]));
        }
        CHECK(std::get<std::vector<std::string>>(batch.at("filename")) ==
              std::vector<std::string>{"a/long.wav", "a/short.wav"});
        return batch.tensor("waveform");
    };
    const at::Tensor start = waveform(Crop::start, 10);
    CHECK(start.sizes() == at::IntArrayRef({2, 2, 10}));
    CHECK(at::equal(start[0], at::stack({ramp(5, 10), ramp(1005, 10)})));
    CHECK(at::equal(start[1], at::constant_pad_nd(at::stack({ramp(5, 6), ramp(1005, 6)}), {0, 4})));
    CHECK(at::equal(waveform(Crop::center, 10)[0][0], ramp(5 + 45, 10)));

    std::set<float> offsets;
    for (int64_t epoch = 0; epoch < 200; ++epoch) {
        const at::Tensor crop = waveform(Crop::random, 97, epoch)[0][0] * 32768.0;
        CHECK(crop.diff().eq(1.0).all().item<bool>());
        offsets.insert(crop[0].item<float>());
    }
    CHECK(offsets == std::set<float>{5, 6, 7, 8}); // Both ends are reached.
}

TEST_CASE("audio_folder: what cannot be used is named") {
    const Folder folder;
    const auto message = [](const fs::path& root) { return message_of([&] { AudioFolderDataset dataset(root); }); };
    CHECK(message(folder / "absent") == "the data folder " + (folder / "absent").string() + " does not exist");
    write_bytes(folder / "file", "x");
    CHECK(message(folder / "file") == "the data folder " + (folder / "file").string() + " is not a folder");
    CHECK(message(folder.path()).starts_with("the data folder " + folder.path().string() + " has no WAV or FLAC"));

    write_ramp(folder / "a/fast.wav", 10, 1, 0, 16000);
    write_ramp(folder / "a/slow.wav", 10);
    write_ramp(folder / "a/stereo.wav", 10, 2);
    const AudioFolderDataset dataset(folder.path(), AudioFolderOptions().sample_rate(8000).segment_length(5));
    CHECK(message_of([&] {
              (void)get_batch(dataset, {1, 0});
          }) == (folder / "a/fast.wav").string() + ": has a sample rate of 16000 Hz where 8000 is needed");
    CHECK(message_of([&] {
              (void)get_batch(dataset, {1, 2});
          }) ==
          (folder / "a/stereo.wav").string() + ": has 2 channels where " + (folder / "a/slow.wav").string() + " has 1");
    CHECK_THROWS_AS(AudioFolderDataset(folder.path(), AudioFolderOptions().segment_length(0)), audyn::UsageError);
}

TEST_CASE("audio_folder: a loader gives the same batches for any number of workers, and skips when asked") {
    const Folder folder;
    for (int i = 0; i < 30; ++i) {
        write_ramp(folder / (std::string("c") + std::to_string(i % 3) + "/f" + std::to_string(i) + ".wav"), 20 + 7 * i);
    }
    write_bytes(folder / "c1/broken.wav", "RIFF");
    const auto dataset =
        std::make_shared<AudioFolderDataset>(folder.path(), AudioFolderOptions().segment_length(64).crop(Crop::random));
    const auto read = [&](int workers) {
        std::vector<std::string> warnings;
        DataLoader loader(
            dataset, DataLoaderOptions().batch_size(4).shuffle(true).num_workers(workers).skip_unreadable(true).warn(
                         [&](const std::string& warning) { warnings.push_back(warning); }));
        std::vector<at::Tensor> waveforms;
        loader.start_epoch(3);
        while (const auto batch = loader.next()) {
            waveforms.push_back(batch->tensor("waveform"));
        }
        REQUIRE(warnings.size() == 1);
        CHECK(warnings[0].find("broken.wav") != std::string::npos);
        return at::cat(waveforms);
    };
    const at::Tensor expected = read(0);
    CHECK(expected.sizes() == at::IntArrayRef({30, 1, 64}));
    CHECK(at::equal(read(1), expected));
    CHECK(at::equal(read(3), expected));

    for (const int workers : {0, 2}) {
        DataLoader strict(dataset, DataLoaderOptions().batch_size(31).num_workers(workers));
        strict.start_epoch(0);
        CHECK(message_of([&] { (void)strict.next(); }).starts_with((folder / "c1/broken.wav").string() + ": "));
    }
}
