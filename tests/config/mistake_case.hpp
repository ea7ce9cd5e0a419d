#pragma once

#include "../temporary_folder.hpp"

#include <audyn/config/command_line.hpp>
#include <audyn/config/config.hpp>
#include <audyn/config/program.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A mistake that people make, with what they are told: a file of sections that begin with `--- NAME`.
///
///     A sentence that says what the user did.
///     --- conf/config.yaml       a file; `(escaped)` after its name allows \t, \r, \xNN
///     --- command                arguments of the program, one a line
///     --- then                   what the program does: resolve, check, `read KEY as TYPE`
///     --- error                  the whole message
///     --- warnings               the warnings, one after another
///
/// The folders `conf` and `more` are the program's search path, in this order.
namespace mistakes {

struct Case {
    std::vector<std::pair<std::string, std::string>> files;
    std::vector<std::string> command;
    std::vector<std::string> then;
    std::string error;
    std::string warnings;
};

inline std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (text[index] != '\\' || index + 1 == text.size()) {
            result += text[index];
            continue;
        }
        const char kind = text[++index];
        if (kind == 'x') {
            result += static_cast<char>(std::stoi(std::string(text.substr(index + 1, 2)), nullptr, 16));
            index += 2;
        } else {
            result += kind == 't' ? '\t' : kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind;
        }
    }
    return result;
}

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

inline Case read_case(const std::string& text) {
    std::vector<std::pair<std::string, std::string>> sections;
    for (const std::string& line : lines_of(text)) {
        if (line.starts_with("--- ")) {
            sections.emplace_back(line.substr(4), "");
        } else if (!sections.empty()) {
            sections.back().second += line + "\n";
        }
    }
    Case result;
    for (auto& [name, content] : sections) {
        constexpr std::string_view escaped = " (escaped)";
        if (name == "command") {
            result.command = lines_of(content);
        } else if (name == "then") {
            result.then = lines_of(content);
        } else if (name == "error") {
            result.error = content;
        } else if (name == "warnings") {
            result.warnings = content;
        } else if (name.ends_with(escaped)) {
            content.pop_back();
            result.files.emplace_back(name.substr(0, name.size() - escaped.size()), unescaped(content));
        } else {
            result.files.emplace_back(name, content);
        }
    }
    return result;
}

inline void act(const std::string& action, const audyn::Config& config) {
    static const std::map<std::string, void (*)(const audyn::Config&), std::less<>> readers{
        {"bool", [](const audyn::Config& node) { static_cast<void>(node.as<bool>()); }},
        {"int", [](const audyn::Config& node) { static_cast<void>(node.as<int>()); }},
        {"double", [](const audyn::Config& node) { static_cast<void>(node.as<double>()); }},
        {"string", [](const audyn::Config& node) { static_cast<void>(node.as<std::string>()); }},
        {"constant", [](const audyn::Config& node) { static_cast<void>(node.as<audyn::config::Constant>()); }},
        {"list", [](const audyn::Config& node) { static_cast<void>(node.as<std::vector<std::int64_t>>()); }},
    };
    if (action == "resolve") {
        static_cast<void>(config.to_value(true));
    } else if (action == "check") {
        config.check_values();
    } else if (const auto as = action.rfind(" as "); action.starts_with("read ") && as != std::string::npos) {
        readers.at(action.substr(as + 4))(config.at(action.substr(5, as - 5)));
    } else {
        throw std::runtime_error("unknown action: " + action);
    }
}

/// What the program of this case says: its error and its warnings, each with its last line ended.
inline std::pair<std::string, std::string> run(const Case& mistake) {
    const TemporaryFolder folder;
    for (const auto& [name, content] : mistake.files) {
        std::filesystem::create_directories((folder / name).parent_path());
        write_file(folder / name, content);
    }
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    std::string error;
    std::string warnings;
    try {
        audyn::config::Program program;
        program.resolvers.add_constant("torch.float16").add_constant("torch.bfloat16");
        program.search_path = {};
        for (const char* place : {"conf", "more"}) {
            if (std::filesystem::exists(place)) {
                program.search_path.add_folder(place);
            }
        }
        std::vector<const char*> arguments{"train"};
        for (const std::string& argument : mistake.command) {
            arguments.push_back(argument.c_str());
        }
        const auto line = audyn::config::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
        const audyn::Config config = audyn::config::compose_from_command_line(line, program);
        for (const std::string& warning : config.warnings()) {
            warnings += warning + "\n";
        }
        for (const std::string& action : mistake.then) {
            act(action, config);
        }
    } catch (const audyn::ConfigError& failure) {
        error = std::string(failure.what()) + "\n";
    }
    std::filesystem::current_path(before);
    return {error, warnings};
}

} // namespace mistakes
