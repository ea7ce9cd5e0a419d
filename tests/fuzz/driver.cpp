/// Runs a fuzz target where the compiler has no libFuzzer: replays the files of the given folders, then mutations of
/// them. `[-runs=N] [-seed=N] [-max_len=N] [--target=NAME] FOLDER...`, as libFuzzer reads it. An input that breaks the
/// target is left in `crash-input`.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" [[gnu::weak]] int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

struct Options {
    std::size_t runs = 10'000; ///< in all, seeds included
    std::size_t seed = 1;
    std::size_t max_length = 4096;
    std::vector<std::filesystem::path> folders;
};

Options read_options(int argc, char** argv) {
    Options options;
    const auto number = [](std::string_view argument, std::string_view name, std::size_t& value) {
        if (!argument.starts_with(name)) {
            return false;
        }
        argument.remove_prefix(name.size());
        const auto [end, code] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
        if (code != std::errc{} || end != argument.data() + argument.size()) {
            throw std::runtime_error(std::string(name) + " needs a number");
        }
        return true;
    };
    for (int index = 1; index < argc; ++index) {
        const std::string_view argument = argv[index];
        if (!number(argument, "-runs=", options.runs) && !number(argument, "-seed=", options.seed) &&
            !number(argument, "-max_len=", options.max_length) && !argument.starts_with("-")) {
            options.folders.emplace_back(argument);
        }
    }
    return options;
}

std::vector<std::string> read_seeds(const Options& options) {
    std::vector<std::filesystem::path> files;
    for (const auto& folder : options.folders) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> seeds;
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    if (seeds.empty()) {
        throw std::runtime_error("there are no seeds in the folders given");
    }
    return seeds;
}

class Mutator {
public:
    Mutator(const std::vector<std::string>& seeds, const Options& options)
        : seeds_(seeds), max_length_(options.max_length), random_(options.seed) {}

    std::string next() {
        std::string text = pick(seeds_);
        for (std::size_t step = 1 + below(4); step > 0; --step) {
            mutate(text);
        }
        text.resize(std::min(text.size(), max_length_));
        return text;
    }

private:
    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }
    const std::string& pick(const std::vector<std::string>& texts) { return texts[below(texts.size())]; }

    void mutate(std::string& text) {
        const std::size_t place = below(text.size() + 1);
        const std::size_t length = std::min(below(16), text.size() - place);
        switch (below(6)) {
        case 0: // one byte becomes another
            if (place < text.size()) {
                text[place] = static_cast<char>(below(256));
            }
            break;
        case 1: // a piece is lost
            text.erase(place, length);
            break;
        case 2: // a piece comes again
            text.insert(place, std::string(text, place, length));
            break;
        case 3: { // a piece of another seed comes in
            const std::string& other = pick(seeds_);
            const std::size_t start = below(other.size() + 1);
            text.insert(place, other, start, below(32));
            break;
        }
        case 4: { // a character of the languages comes in, perhaps often
            constexpr std::string_view characters = "\n\t :,'\"{}[]()$\\=+~@#&*!|>-?._/<%0123456789ae\xC3\xA9";
            text.insert(place, 1 + (below(8) == 0 ? below(1000) : 0), characters[below(characters.size())]);
            break;
        }
        default: // the tail of another seed
            text = text.substr(0, place) + pick(seeds_).substr(0, max_length_);
            break;
        }
    }

    const std::vector<std::string>& seeds_;
    std::size_t max_length_;
    std::mt19937_64 random_;
};

void run_one(const std::string& input) {
    // Written before, since a sanitizer ends the program without a chance to do it.
    std::ofstream("crash-input", std::ios::binary) << input;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (LLVMFuzzerInitialize != nullptr) {
            LLVMFuzzerInitialize(&argc, &argv);
        }
        const Options options = read_options(argc, argv);
        const std::vector<std::string> seeds = read_seeds(options);
        std::size_t runs = 0;
        for (const std::string& seed : seeds) {
            run_one(seed.substr(0, options.max_length));
            ++runs;
        }
        Mutator mutator(seeds, options);
        for (; runs < options.runs; ++runs) {
            run_one(mutator.next());
        }
        std::filesystem::remove("crash-input");
        std::printf("%zu runs, %zu of them seeds\n", runs, seeds.size());
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
}
