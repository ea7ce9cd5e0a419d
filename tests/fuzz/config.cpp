/// Fuzz targets of the configuration layer: `--target=yaml|override|interpolation|composition`. Whatever the input is,
/// a `ConfigError` or a result must come, and what a result prints must be read as the same again.
#include "../config/support.hpp"
#include "input.hpp"

#include <audyn/config/compose.hpp>
#include <audyn/config/emit.hpp>
#include <audyn/config/override.hpp>
#include <audyn/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace config = audyn::config;

void require(bool condition, const char* what, const std::string& detail) {
    if (!condition) {
        std::fprintf(stderr, "%s:\n%s\n", what, detail.c_str());
        std::abort();
    }
}

config::Value read(std::string text) {
    return config::parse_yaml(
        std::make_shared<const config::Source>(config::Source{config::Origin::file, "x.yaml", std::move(text)}));
}

void yaml(std::string_view input) {
    const std::string printed = config::emit_yaml(read(std::string(input)));
    if (printed.find("\xC2\x85") != std::string::npos) {
        return; // PyYAML, and so we, print this line break as it is and read it as a common one
    }
    try {
        const std::string again = config::emit_yaml(read(printed));
        require(again == printed, "printed differently the second time", printed + "\n---\n" + again);
    } catch (const audyn::ConfigError& error) {
        require(false, "what was printed cannot be read", printed + "\n---\n" + error.what());
    }
}

void override(std::string_view input) {
    const config::Override parsed = config::parse_override(std::string(input));
    require(parsed.text == input && parsed.value_position <= input.size(), "lost text", parsed.text);
    static_cast<void>(config::python_repr(parsed.value()));
}

void interpolation(std::string_view input) {
    config::Config tree = config_test::parse("number: 1\nlist: [1, {inner: \"${number}\"}]\nself: ${self}\n"
                                             "missing: \?\?\?\ndict: {key: text, other: \"${..number}\"}\n");
    tree.set("dict.value", config::Value(input));
    static_cast<void>(tree.at("dict.value").to_yaml(true));
}

void composition(std::string_view input) {
    const fuzz::Composition parts = fuzz::parse_composition(input);
    const config::Config composed = config_test::compose(parts.files, parts.overrides);
    static_cast<void>(composed.to_yaml());
    static_cast<void>(composed.to_yaml(true));
}

struct Target {
    std::string_view name;
    void (*run)(std::string_view input);
};

constexpr std::array<Target, 4> targets{
    {{"yaml", yaml}, {"override", override}, {"interpolation", interpolation}, {"composition", composition}}};

const Target* chosen = targets.data();

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view option = "--target=";
    for (int index = 1; index < *argc; ++index) {
        const std::string_view argument = (*argv)[index];
        for (const Target& target : targets) {
            if (argument.starts_with(option) && argument.substr(option.size()) == target.name) {
                chosen = &target;
            }
        }
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        chosen->run({reinterpret_cast<const char*>(data), size});
    } catch (const audyn::ConfigError& error) {
        require(*error.what() != '\0', "an error without a message", "");
    }
    return 0;
}
