#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/detail/worker_process.hpp>
#include <audyn/distributed/torchrun.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace audyn::distributed {

AUDYN_INLINE std::string shell_quoted(std::string_view word) {
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"; // as Python's shlex.quote
    if (!word.empty() && word.find_first_not_of(harmless) == std::string_view::npos) {
        return std::string(word);
    }
    std::string text = "'";
    for (const char character : word) {
        text += character == '\'' ? std::string("'\"'\"'") : std::string(1, character);
    }
    return text + "'";
}

AUDYN_INLINE std::string shell_command(const std::vector<std::string>& words) {
    std::vector<std::string> quoted;
    std::ranges::transform(words, std::back_inserter(quoted), shell_quoted);
    return config::join(quoted, " ");
}

namespace detail {

/// Checks HOST:PORT; the port may be left out where there is a default.
inline void check_endpoint(const std::string& endpoint, bool needs_port) {
    const std::size_t colon = endpoint.rfind(':');
    const std::string_view port =
        colon == std::string::npos ? std::string_view() : std::string_view(endpoint).substr(colon + 1);
    int number = 0;
    const auto end = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool has_port = colon != std::string::npos;
    const bool is_good = end.ec == std::errc() && end.ptr == port.data() + port.size() && number > 0 && number < 65536;
    if (endpoint.empty() || colon == 0 || (has_port ? !is_good : needs_port)) {
        throw OptionError("rdzv_endpoint", config::concat({"must be HOST:PORT, not '", endpoint, "'"}));
    }
}

/// From the option, or else the variables by which job managers and torchrun's own users tell it.
[[nodiscard]] inline std::string static_node_rank(const LaunchOptions& options) {
    std::optional<std::string> rank;
    if (options.node_rank) {
        rank = std::to_string(*options.node_rank);
    }
    std::string source = "node_rank";
    for (const char* const variable : {"SLURM_NODEID", "PET_NODE_RANK"}) {
        if (const char* const value = std::getenv(variable); !rank && value != nullptr) {
            rank = value;
            source = variable;
        }
    }
    if (!rank) {
        throw OptionError("node_rank", "is needed with rdzv_backend static: the number of this machine, from 0; or the "
                                       "environment variable SLURM_NODEID or PET_NODE_RANK");
    }
    int64_t number = -1;
    const auto end = std::from_chars(rank->data(), rank->data() + rank->size(), number);
    if (end.ptr != rank->data() + rank->size() || number < 0 || number >= options.node_count()) {
        throw OptionError("node_rank", config::concat({"must be a number from 0 to ",
                                                       std::to_string(options.node_count() - 1), ", not '", *rank, "'",
                                                       source == "node_rank" ? "" : " (from " + source + ")"}));
    }
    return *rank;
}

} // namespace detail

AUDYN_INLINE std::vector<std::string> torchrun_command(const LaunchOptions& options, int64_t nproc_per_node,
                                                       const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"torchrun", "--no-python"};
    const auto add = [&command](const char* option, const std::string& value) {
        command.emplace_back(option);
        command.push_back(value);
    };
    add("--nnodes", std::to_string(options.node_count()));
    add("--nproc-per-node", std::to_string(nproc_per_node));
    if (options.node_count() > 1) {
        const std::string backend = options.rdzv_backend.value_or("c10d");
        if (!options.rdzv_endpoint) {
            throw OptionError("rdzv_endpoint",
                              "is needed with several nodes: HOST:PORT of one of them, the same on all");
        }
        detail::check_endpoint(*options.rdzv_endpoint, backend == "static");
        add("--rdzv-backend", backend);
        add("--rdzv-endpoint", *options.rdzv_endpoint);
        if (options.rdzv_id) {
            add("--rdzv-id", *options.rdzv_id);
        }
        if (backend == "static") {
            add("--node-rank", detail::static_node_rank(options));
        }
    } else {
        command.emplace_back("--standalone");
    }
    if (options.max_restarts > 0) {
        add("--max-restarts", std::to_string(options.max_restarts));
    }
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

AUDYN_INLINE std::optional<std::filesystem::path> find_program(const std::string& name) {
    const char* const path = std::getenv("PATH");
    std::string_view folders = path != nullptr ? path : "/usr/bin:/bin";
    while (true) {
        const std::size_t colon = folders.find(':');
        const std::filesystem::path folder = folders.substr(0, colon);
        const std::filesystem::path file = (folder.empty() ? std::filesystem::path(".") : folder) / name;
        std::error_code code;
        if (std::filesystem::is_regular_file(file, code) && ::access(file.c_str(), X_OK) == 0) {
            return file;
        }
        if (colon == std::string_view::npos) {
            return std::nullopt;
        }
        folders.remove_prefix(colon + 1);
    }
}

namespace detail {

/// The words that start a script's interpreter; empty when it has none.
[[nodiscard]] inline std::vector<std::string> interpreter_of(const std::filesystem::path& script) {
    std::ifstream stream(script, std::ios::binary);
    std::string line;
    std::vector<std::string> words;
    if (!std::getline(stream, line) || !line.starts_with("#!")) {
        return words;
    }
    // pip writes a script of the shell where the interpreter's path is long or has blanks:
    // '''exec' "/path/python" "$0" "$@"
    std::string second;
    std::getline(stream, second);
    if (second.starts_with("'''exec' ")) {
        std::string path = second.substr(9);
        const bool is_quoted = path.starts_with('"');
        path = path.substr(is_quoted ? 1 : 0, path.find(is_quoted ? '"' : ' ', 1) - (is_quoted ? 1 : 0));
        return {path};
    }
    std::size_t begin = 2;
    while ((begin = line.find_first_not_of(" \t\r", begin)) != std::string::npos) {
        const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        begin = end;
    }
    return words;
}

AUDYN_INLINE std::string minor_version(const std::string& version) {
    const std::size_t first = version.find('.');
    const std::size_t second = first == std::string::npos ? first : version.find_first_not_of("0123456789", first + 1);
    return version.substr(0, second);
}

} // namespace detail

AUDYN_INLINE std::optional<std::string> torchrun_version(const std::filesystem::path& torchrun) {
    std::vector<std::string> command = detail::interpreter_of(torchrun);
    if (command.empty()) {
        return std::nullopt;
    }
    command.insert(command.end(), {"-c", "import importlib.metadata as m; print(m.version('torch'))"});
    const std::string line = shell_command(command) + " 2>/dev/null";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(::popen(line.c_str(), "r"), &::pclose);
    std::array<char, 256> buffer{};
    if (!output || std::fgets(buffer.data(), static_cast<int>(buffer.size()), output.get()) == nullptr) {
        return std::nullopt;
    }
    std::string version = buffer.data();
    version.erase(version.find_last_not_of(" \r\n") + 1);
    return version.empty() ? std::nullopt : std::optional(version);
}

AUDYN_INLINE void execute_torchrun(std::vector<std::string> command, const std::string& linked_version) {
    const std::string text = shell_command(command);
    const auto torchrun = find_program(command[0]);
    if (!torchrun) {
        throw DistributedError(config::concat(
            {"torchrun, which starts the processes of several machines, is not on this one's PATH. It comes with "
             "Python's torch",
             linked_version.empty() ? "" : config::concat({" ", detail::minor_version(linked_version)}),
             "; srun and mpirun serve as well. On each node the command is",
             std::ranges::find(command, "--node-rank") != command.end() ? " (with the node's own --node-rank)" : "",
             ":\n  ", text}));
    }
    const auto version = torchrun_version(*torchrun);
    if (!version) {
        std::cerr << "warning: it is not known to which version of torch '" << torchrun->string() << "' belongs\n";
    } else if (!linked_version.empty() && detail::minor_version(*version) != detail::minor_version(linked_version)) {
        throw DistributedError(config::concat({"'", torchrun->string(), "' belongs to torch ", *version,
                                               ", but this program is linked to libtorch ", linked_version,
                                               "; they must have the same minor version"}));
    }
    std::cerr << text << std::endl;
    std::cout.flush();
    ::execv(torchrun->c_str(), detail::PointerList(command).get());
    throw std::system_error(errno, std::generic_category(), "'" + torchrun->string() + "' cannot be started");
}

} // namespace audyn::distributed
