// Composition in process: Audyn's built-in tree with 10 overrides (target: below 2 ms), and trees of 100, 333 and 1,000
// files with 100 keys each, composed and resolved (target: below 1 s for the largest, growing linearly).
// Usage: config [BLOCKS]
#include "paired.hpp"

#include <audyn/config/builtin.hpp>
#include <audyn/config/compose.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

/// A folder of one group for each file; of its 100 keys 10 are interpolations, half of them to another file.
class Tree {
public:
    explicit Tree(int files)
        : folder_(std::filesystem::temp_directory_path() / ("audyn_config_" + std::to_string(files))) {
        std::filesystem::create_directories(folder_);
        std::ofstream primary(folder_ / "config.yaml");
        primary << "defaults:\n";
        for (int number = 0; number < files; ++number) {
            const std::string group = name(number);
            primary << "  - " << group << ": a\n";
            std::filesystem::create_directories(folder_ / group);
            write(folder_ / group / "a.yaml", (number + 1) % files);
        }
        primary << "  - _self_\n";
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void compose() const {
        audyn::config::SearchPath search_path;
        search_path.add_folder(folder_);
        const auto config = audyn::config::compose(search_path, "config", {name(0) + ".part1.key1=5"});
        const audyn::config::Value resolved = config.to_value(true);
        if (resolved.size() == 0) {
            std::abort();
        }
    }

private:
    static std::string name(int number) { return "group" + std::to_string(number); }

    static void write(const std::filesystem::path& path, int neighbour) {
        std::ofstream file(path);
        for (int part = 0; part < 10; ++part) {
            file << "part" << part << ":\n";
            for (int key = 0; key < 9; ++key) {
                file << "  key" << key << ": "
                     << (key % 3 == 0   ? "some text"
                         : key % 3 == 1 ? "1e-3"
                                        : "[1, 2]")
                     << "\n";
            }
            file << "  key9: " << (part % 2 == 0 ? "${.key1}" : "${" + name(neighbour) + ".part0.key0}/x") << "\n";
        }
    }

    std::filesystem::path folder_;
};

/// Seconds on the clock and of this process.
struct Times {
    benchmark::Estimate clock;
    double processor;
};

Times time_of(int blocks, const std::function<void()>& action) {
    std::vector<double> clock;
    std::vector<double> processor;
    action();
    for (int block = 0; block < blocks; ++block) {
        const std::clock_t start = std::clock();
        clock.push_back(benchmark::seconds(action));
        processor.push_back(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return {benchmark::estimate(clock), benchmark::median(processor)};
}

void run(int blocks) {
    const std::vector<std::string> overrides{"system=cpu_amp",
                                             "optimizer=adamw",
                                             "lr_scheduler=cosine",
                                             "criterion=cross_entropy",
                                             "train.steps.epochs=20",
                                             "optimizer.lr=3e-4",
                                             "train.output.exp_dir=out",
                                             "data.root=wav",
                                             "system.seed=7",
                                             "train.dataloader.train.batch_size=32"};
    const auto builtin = time_of(10 * blocks, [&] {
        static_cast<void>(audyn::config::compose(audyn::config::builtin_search_path(), "config", overrides));
    });
    std::printf("built-in tree, 10 overrides: %.3f ms (95 %% interval %.3f to %.3f; target: below 2)\n",
                builtin.clock.median * 1e3, builtin.clock.low * 1e3, builtin.clock.high * 1e3);
    for (const int files : {100, 333, 1000}) {
        const Tree tree(files);
        const auto time = time_of(blocks, [&tree] { tree.compose(); });
        std::printf(
            "%4d files, %6d keys: %.3f s (95 %% interval %.3f to %.3f), %.3f s of the processor, %.2f us a key%s\n",
            files, files * 100, time.clock.median, time.clock.low, time.clock.high, time.processor,
            time.processor * 1e6 / (files * 100), files == 1000 ? " (target: below 1 s)" : "");
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        run(argc > 1 ? std::atoi(argv[1]) : 30);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
}
