#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/environment.hpp>

#include <c10/util/Exception.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <netdb.h>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

// How the processes of a job find each other.
namespace audyn::distributed::detail {

using StorePointer = c10::intrusive_ptr<c10d::Store>;
using std::chrono::milliseconds;

/// What an exception says, without libtorch's stack trace.
AUDYN_INLINE std::string message_of(const std::exception& error);

/// "rank 3", "ranks 0, 2 and 5".
AUDYN_INLINE std::string name_ranks(const std::vector<int64_t>& ranks);

AUDYN_INLINE std::string seconds_text(milliseconds duration);

AUDYN_INLINE std::optional<std::string> environment_variable(const char* name);

/// \throws DistributedError when `text` is not a whole number of at least 0.
AUDYN_INLINE int64_t parse_count(std::string_view text, const std::string& what);

/// \throws DistributedError when it is not set, or not a number.
AUDYN_INLINE int64_t required_count(const char* name);

/// Where the store of a job is, by its `init_method`.
struct StoreAddress {
    /// Of tcp:// and env://.
    std::string host;
    uint16_t port = 0;
    /// Of file://.
    std::string path;
    /// Whether a process of its own listens already, so that rank 0 is a client as the others are.
    bool is_hosted_by_agent = false;
    /// A listening socket that rank 0 takes over.
    std::optional<int> listening_socket;

    [[nodiscard]] std::string text() const;
};

AUDYN_INLINE uint16_t parse_port(std::string_view text, const std::string& what);

/// Where what started the process says. \throws DistributedError which names the variable to set.
AUDYN_INLINE StoreAddress address_of(const Environment& environment);

/// "env://", "tcp://HOST:PORT" or "file://PATH". \throws DistributedError for anything else.
AUDYN_INLINE StoreAddress parse_init_method(const std::string& init_method);

/// Debian's libtorch lacks libuv, which is the default and then throws.
template <class Options>
bool without_libuv(Options& options) {
    if constexpr (requires { options.useLibUV; }) {
        return std::exchange(options.useLibUV, false);
    } else {
        return false;
    }
}

/// A connection to the store: a new one each time, since one that waits is busy. Only the first of rank 0 may listen.
AUDYN_INLINE StorePointer connect_store(const StoreAddress& address, const Environment& environment,
                                        milliseconds timeout, bool may_listen);

/// Number of this job's present attempt, agreed upon by all ranks: what is under its prefix was written by them, not by
/// an attempt before. Counters of restarts would not do: agents of several machines count differently. Rank 0 draws the
/// number and hands it to the ranks that answer now, each of which proves by a token that it is alive.
/// \throws DistributedError naming the ranks that did not come.
AUDYN_INLINE std::string join_job(c10d::Store& store, const Environment& environment, milliseconds timeout);

/// This machine's address on the way to `host`: where peers of a job that meet there reach it. Nothing when it cannot
/// be told.
AUDYN_INLINE std::optional<std::string> local_address_towards(const std::string& host, uint16_t port);

} // namespace audyn::distributed::detail

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/detail/store.ipp>
#endif
