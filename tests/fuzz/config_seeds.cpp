/// Writes the seed corpora of the configuration's fuzz targets, from the recorded cases of the oracle:
/// `FOLDER OVERRIDES.jsonl COMPOSE.jsonl`.
#include "input.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>

namespace {

using Json = nlohmann::ordered_json;

/// A folder of inputs, each text once.
class Corpus {
public:
    explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void add(const std::string& text) {
        if (known_.insert(text).second) {
            std::ofstream(folder_ / std::to_string(known_.size()), std::ios::binary) << text;
        }
    }

private:
    std::filesystem::path folder_;
    std::set<std::string> known_;
};

void each_case(const std::string& file, const std::function<void(const Json&)>& use) {
    std::ifstream stream(file);
    if (!stream) {
        throw std::runtime_error("cannot read " + file);
    }
    for (std::string line; std::getline(stream, line);) {
        if (const Json test = Json::parse(line); !test.contains("header")) {
            use(test);
        }
    }
}

void add_interpolations(const Json& value, Corpus& corpus) {
    if (value.is_string() && value.get<std::string>().find("${") != std::string::npos) {
        corpus.add(value.get<std::string>());
    }
    if (value.is_structured()) {
        for (const auto& child : value) {
            add_interpolations(child, corpus);
        }
    }
}

void write(const std::filesystem::path& folder, const std::string& overrides, const std::string& compositions) {
    Corpus override(folder / "override");
    Corpus yaml(folder / "yaml");
    Corpus interpolation(folder / "interpolation");
    Corpus composition(folder / "composition");
    each_case(overrides, [&](const Json& test) { override.add(test["in"].get<std::string>()); });
    each_case(compositions, [&](const Json& test) {
        fuzz::Composition parts;
        for (const auto& [name, text] : test["files"].items()) {
            const std::string content = text.get<std::string>();
            yaml.add(content);
            parts.files.emplace_back(name.substr(0, name.rfind('.')), content);
        }
        for (const auto& text : test["overrides"]) {
            parts.overrides.push_back(text.get<std::string>());
        }
        composition.add(fuzz::write_composition(parts));
        if (test.contains("result")) {
            add_interpolations(test["result"], interpolation);
        }
    });
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 4) {
            throw std::runtime_error("usage: config_seeds FOLDER OVERRIDES.jsonl COMPOSE.jsonl");
        }
        write(argv[1], argv[2], argv[3]);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return EXIT_FAILURE;
    }
}
