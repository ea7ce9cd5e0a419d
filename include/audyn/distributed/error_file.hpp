#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace audyn::distributed {

/// What a worker left behind when it failed.
struct WorkerError {
    std::string type;    ///< of the exception, without `audyn::`; may be empty
    std::string message; ///< its text
    int64_t time = 0;    ///< when it was written, in nanoseconds since 1970

    [[nodiscard]] std::string to_string() const {
        return type.empty() ? message : config::concat({type, ": ", message});
    }
};

/// The name of an exception's type, as `WorkerError` has it.
[[nodiscard]] AUDYN_INLINE std::string error_type(const std::exception& error);

/// The file's text, in torchrun's format: it shows the message of the process whose time is the earliest as the root
/// cause.
[[nodiscard]] AUDYN_INLINE std::string error_file_text(const WorkerError& error);

/// Reads what `error_file_text` or Python's torch wrote; nothing when it is neither.
[[nodiscard]] AUDYN_INLINE std::optional<WorkerError> parse_error_file(std::string_view text);

/// Tells the program that started this one (torchrun or the built-in launcher) why it ends: writes the file that
/// TORCHELASTIC_ERROR_FILE names. Does nothing where none is named. The first error of a process stays, since what
/// follows is often its consequence. From any thread; never throws.
AUDYN_INLINE void write_error_file(const std::string& type, const std::string& message) noexcept;

/// The same for an exception.
AUDYN_INLINE void write_error_file(const std::exception& error) noexcept;

} // namespace audyn::distributed

#ifndef AUDYN_COMPILED
#    include <audyn/distributed/error_file.ipp>
#endif
