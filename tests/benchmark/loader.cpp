// Samples a second of DataLoader over AudioFolderDataset, against a plain loop of two threads around libsndfile that
// reads the same kind of batches and gives them to nobody. Usage: loader DATA_FOLDER [--loader-only [EPOCHS]]
#include "paired.hpp"

#include <audyn/audio/audio_folder.hpp>
#include <audyn/data/data_loader.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int64_t segment_length = 16000; // 2 s
constexpr int64_t batch_size = 32;
constexpr int threads = 2;

void read_crop(const std::string& path, std::mt19937& random, float* target) {
    SF_INFO info{};
    SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
    const sf_count_t surplus = std::max<sf_count_t>(info.frames - segment_length, 0);
    if (surplus > 0) {
        sf_seek(file, std::uniform_int_distribution<sf_count_t>(0, surplus)(random), SEEK_SET);
    }
    const sf_count_t read = sf_readf_float(file, target, std::min<sf_count_t>(info.frames, segment_length));
    std::fill(target + read, target + segment_length, 0.0F);
    sf_close(file);
}

void plain_epoch(std::vector<std::string>& paths, uint32_t seed) {
    std::mt19937 shuffling(seed);
    std::shuffle(paths.begin(), paths.end(), shuffling);
    std::vector<std::thread> workers;
    for (int worker = 0; worker < threads; ++worker) {
        workers.emplace_back([&paths, seed, worker] {
            std::mt19937 random(seed * threads + static_cast<uint32_t>(worker));
            std::vector<float> batch(batch_size * segment_length);
            const auto size = static_cast<int64_t>(paths.size());
            for (int64_t begin = worker * batch_size; begin < size; begin += threads * batch_size) {
                for (int64_t i = begin; i < std::min(begin + batch_size, size); ++i) {
                    read_crop(paths[static_cast<std::size_t>(i)], random, batch.data() + (i - begin) * segment_length);
                }
            }
        });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
}

void loader_epoch(audyn::DataLoader& loader, int64_t epoch) {
    loader.start_epoch(epoch);
    while (loader.next()) {
    }
}

void run(const std::string& folder, bool loader_only, int epochs) {
    using namespace audyn;
    const auto dataset = std::make_shared<audio::AudioFolderDataset>(
        folder, audio::AudioFolderOptions().segment_length(segment_length).crop(audio::Crop::random));
    DataLoader loader(dataset, DataLoaderOptions().batch_size(batch_size).shuffle(true).num_workers(threads));
    std::vector<std::string> paths;
    for (int64_t i = 0; i < dataset->size(); ++i) {
        paths.push_back(dataset->path(i).string());
    }
    const auto samples = static_cast<double>(dataset->size());
    int64_t epoch = 0;
    const auto read_by_loader = [&] { loader_epoch(loader, epoch++); };
    if (loader_only) {
        read_by_loader();
        for (int i = 0; i < epochs; ++i) {
            std::printf("%.0f samples/s\n", samples / benchmark::seconds(read_by_loader));
        }
        return;
    }
    uint32_t seed = 0;
    const benchmark::Paired paired = benchmark::measure(
        epochs, [&] { plain_epoch(paths, seed++); }, read_by_loader);
    const auto time = paired.ratio();
    std::printf("plain loop %.0f samples/s, loader %.0f samples/s\n", samples / benchmark::median(paired.first),
                samples / benchmark::median(paired.second));
    // The ratio of speeds is the inverse of that of times.
    std::printf("loader / plain loop: %.3f, 95 %% interval %.3f to %.3f (target: at least 0.7)\n", 1.0 / time.median,
                1.0 / time.high, 1.0 / time.low);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s DATA_FOLDER [--loader-only [EPOCHS]]\n", argv[0]);
        return EXIT_FAILURE;
    }
    try {
        run(argv[1], argc > 2 && std::string_view(argv[2]) == "--loader-only", argc > 3 ? std::atoi(argv[3]) : 30);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
}
