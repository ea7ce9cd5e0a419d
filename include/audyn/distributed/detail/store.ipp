#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/detail/store.hpp>

namespace audyn::distributed::detail {

AUDYN_INLINE std::string message_of(const std::exception& error) {
    const auto* c10_error = dynamic_cast<const c10::Error*>(&error);
    std::string text = c10_error != nullptr ? c10_error->what_without_backtrace() : error.what();
    if (const std::size_t trace = text.find("\nException raised from"); trace != std::string::npos) {
        text.resize(trace);
    }
    return text;
}

AUDYN_INLINE std::string name_ranks(const std::vector<int64_t>& ranks) {
    std::string text = ranks.size() == 1 ? "rank " : "ranks ";
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == ranks.size() ? " and " : ", ") + std::to_string(ranks[i]);
    }
    return text;
}

AUDYN_INLINE std::string seconds_text(milliseconds duration) {
    std::string text = std::to_string(static_cast<double>(duration.count()) / 1000.0);
    text.erase(text.find_last_not_of('0') + 1);
    return text + (text.back() == '.' ? "0 s" : " s");
}

AUDYN_INLINE std::optional<std::string> environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

AUDYN_INLINE int64_t parse_count(std::string_view text, const std::string& what) {
    int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
        throw DistributedError(what + " must be a whole number of at least 0, not '" + std::string(text) + "'");
    }
    return value;
}

AUDYN_INLINE int64_t required_count(const char* name) {
    const auto text = environment_variable(name);
    if (!text) {
        throw DistributedError(std::string("the environment variable ") + name +
                               " is not set: start the program by its own launch, torchrun, srun or mpirun, or give "
                               "the process group its rank, world size and address");
    }
    return parse_count(*text, name);
}

AUDYN_INLINE std::string StoreAddress::text() const {
    return !path.empty() ? "file " + path : host + ":" + std::to_string(port);
}

AUDYN_INLINE uint16_t parse_port(std::string_view text, const std::string& what) {
    const int64_t port = parse_count(text, what);
    if (port > 65535) {
        throw DistributedError(what + " must be a port number of at most 65535, not " + std::to_string(port));
    }
    return static_cast<uint16_t>(port);
}

AUDYN_INLINE StoreAddress address_of(const Environment& environment) {
    environment.require_master();
    StoreAddress address;
    address.host = environment.master_addr;
    address.port = static_cast<uint16_t>(environment.master_port);
    address.is_hosted_by_agent = environment.uses_agent_store;
    if (environment.store_listen_fd >= 0 && !address.is_hosted_by_agent) {
        address.listening_socket = environment.store_listen_fd;
    }
    return address;
}

AUDYN_INLINE StoreAddress parse_init_method(const std::string& init_method) {
    const auto after = [&](std::string_view prefix) -> std::optional<std::string> {
        return init_method.starts_with(prefix) ? std::optional(init_method.substr(prefix.size())) : std::nullopt;
    };
    StoreAddress address;
    if (init_method == "env://") {
        const auto host = environment_variable("MASTER_ADDR");
        if (!host) {
            required_count("MASTER_ADDR"); // which says what to do
        }
        address.host = *host;
        address.port = parse_port(std::to_string(required_count("MASTER_PORT")), "MASTER_PORT");
        address.is_hosted_by_agent = environment_variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
        if (const auto socket = environment_variable("AUDYN_STORE_LISTEN_FD"); socket && !address.is_hosted_by_agent) {
            address.listening_socket = static_cast<int>(parse_count(*socket, "AUDYN_STORE_LISTEN_FD"));
        }
        return address;
    }
    if (const auto path = after("file://"); path && !path->empty()) {
        address.path = *path;
        return address;
    }
    if (const auto endpoint = after("tcp://")) {
        const std::size_t colon = endpoint->rfind(':');
        if (colon != std::string::npos && colon > 0) {
            address.host = endpoint->substr(0, colon);
            if (address.host.front() == '[' && address.host.back() == ']') { // an IPv6 address
                address.host = address.host.substr(1, address.host.size() - 2);
            }
            address.port = parse_port(endpoint->substr(colon + 1), "the port of init_method " + init_method);
            return address;
        }
    }
    throw DistributedError("init_method must be env://, tcp://HOST:PORT or file://PATH, not '" + init_method + "'");
}

AUDYN_INLINE StorePointer connect_store(const StoreAddress& address, const Environment& environment,
                                        milliseconds timeout, bool may_listen) {
    if (!address.path.empty()) {
        auto store = c10::make_intrusive<c10d::FileStore>(address.path, static_cast<int>(environment.world_size));
        store->setTimeout(timeout);
        return store;
    }
    c10d::TCPStoreOptions options;
    options.port = address.port;
    options.isServer = may_listen && environment.rank == 0 && !address.is_hosted_by_agent;
    options.waitWorkers = false;
    options.timeout = timeout;
    options.multiTenant = options.isServer && !address.listening_socket;
    if (options.isServer) {
        options.masterListenFd = address.listening_socket;
    }
    try {
        return c10::make_intrusive<c10d::TCPStore>(address.host, options);
    } catch (const std::exception& error) {
        const std::string text = message_of(error);
        if (text.find("libuv") != std::string::npos && without_libuv(options)) {
            return c10::make_intrusive<c10d::TCPStore>(address.host, options);
        }
        throw DistributedError("rank " + std::to_string(environment.rank) + " cannot " +
                               (options.isServer ? "listen" : "reach the store of its job") + " at " + address.text() +
                               ": " + text);
    }
}

AUDYN_INLINE std::string join_job(c10d::Store& store, const Environment& environment, milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto is_late = [&] { return std::chrono::steady_clock::now() > deadline; };
    const auto too_few = [&](const std::vector<int64_t>& missing) {
        return DistributedError(name_ranks(missing) + " of " + std::to_string(environment.world_size) +
                                " did not join the job within " + seconds_text(timeout));
    };
    if (environment.rank != 0) {
        const std::string rank = std::to_string(environment.rank);
        std::random_device random;
        const std::string token =
            std::to_string(::getpid()) + "-" + std::to_string(random()) + "-" + std::to_string(random());
        store.set("hello/" + rank, token);
        std::string attempt;
        try {
            store.wait({"welcome/" + token}, timeout);
            attempt = store.get_to_str("welcome/" + token);
            store.set(attempt + "/joined/" + rank, token);
            store.wait({attempt + "/complete"}, timeout);
        } catch (const std::exception& error) {
            if (attempt.empty()) {
                throw DistributedError("rank 0 did not join the job within " + seconds_text(timeout) + " (" +
                                       message_of(error) + ")");
            }
            std::vector<int64_t> missing;
            for (int64_t other = 1; other < environment.world_size; ++other) {
                if (!store.check({attempt + "/joined/" + std::to_string(other)})) {
                    missing.push_back(other);
                }
            }
            throw missing.empty() ? DistributedError("the job's ranks did not come together: " + message_of(error))
                                  : too_few(missing);
        }
        return attempt;
    }
    const std::string attempt = std::to_string(store.add("attempts", 1));
    std::vector<int64_t> missing;
    for (int64_t rank = 1; rank < environment.world_size; ++rank) {
        missing.push_back(rank);
    }
    std::vector<std::string> welcomed(static_cast<std::size_t>(environment.world_size));
    while (!missing.empty()) {
        const auto has_joined = [&](int64_t rank) {
            const std::string name = std::to_string(rank);
            if (!store.check({"hello/" + name})) {
                return false;
            }
            const std::string token = store.get_to_str("hello/" + name);
            std::string& known = welcomed[static_cast<std::size_t>(rank)];
            if (known != token) { // It may be one from before, which does not answer.
                known = token;
                store.set("welcome/" + token, attempt);
            }
            return store.check({attempt + "/joined/" + name}) && store.get_to_str(attempt + "/joined/" + name) == token;
        };
        std::erase_if(missing, has_joined);
        if (!missing.empty() && is_late()) {
            throw too_few(missing);
        }
        if (!missing.empty()) {
            std::this_thread::sleep_for(milliseconds(5));
        }
    }
    store.set(attempt + "/complete", "1");
    return attempt;
}

AUDYN_INLINE std::optional<std::string> local_address_towards(const std::string& host, uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
        return std::nullopt;
    }
    std::optional<std::string> result;
    for (const addrinfo* item = found; item != nullptr && !result; item = item->ai_next) {
        const int socket = ::socket(item->ai_family, item->ai_socktype | SOCK_CLOEXEC, item->ai_protocol);
        sockaddr_storage own{};
        socklen_t size = sizeof own;
        char text[NI_MAXHOST];
        auto* address = reinterpret_cast<sockaddr*>(&own);
        // No packet is sent: connecting a datagram socket only chooses its route.
        if (socket >= 0 && ::connect(socket, item->ai_addr, item->ai_addrlen) == 0 &&
            ::getsockname(socket, address, &size) == 0 &&
            ::getnameinfo(address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
            result = text;
        }
        if (socket >= 0) {
            ::close(socket);
        }
    }
    ::freeaddrinfo(found);
    return result;
}

} // namespace audyn::distributed::detail
