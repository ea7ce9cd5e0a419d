#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/distributed/error_file.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cxxabi.h>
#include <fcntl.h>
#include <memory>
#include <typeinfo>
#include <unistd.h>

namespace audyn::distributed {

AUDYN_INLINE std::string error_type(const std::exception& error) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), &std::free);
    std::string text = status == 0 ? name.get() : typeid(error).name();
    return text.starts_with("audyn::") ? text.substr(7) : text;
}

AUDYN_INLINE std::string error_file_text(const WorkerError& error) {
    nlohmann::ordered_json information;
    information["py_callstack"] = error.to_string(); // all that torchrun shows
    information["timestamp"] = std::to_string(error.time / 1'000'000'000);
    information["type"] = error.type;
    information["nanoseconds"] = error.time;
    nlohmann::ordered_json json;
    json["message"]["message"] = error.to_string();
    json["message"]["extraInfo"] = information;
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

AUDYN_INLINE std::optional<WorkerError> parse_error_file(std::string_view text) {
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("message")) {
        return std::nullopt;
    }
    const auto& message = json["message"];
    if (message.is_string()) {
        return WorkerError{"", message.get<std::string>(), 0};
    }
    if (!message.is_object() || !message.contains("message") || !message["message"].is_string()) {
        return std::nullopt;
    }
    WorkerError error{"", message["message"].get<std::string>(), 0};
    const auto information = message.value("extraInfo", nlohmann::ordered_json::object());
    if (!information.is_object()) {
        return error;
    }
    if (information.contains("type") && information["type"].is_string()) {
        error.type = information["type"].get<std::string>();
        const std::string start = error.type + ": ";
        error.message.erase(0, error.message.starts_with(start) && !error.type.empty() ? start.size() : 0);
    }
    if (information.contains("nanoseconds") && information["nanoseconds"].is_number_integer()) {
        error.time = information["nanoseconds"].get<int64_t>();
    } else if (information.contains("timestamp") && information["timestamp"].is_string()) {
        error.time = std::strtoll(information["timestamp"].get_ref<const std::string&>().c_str(), nullptr, 10);
        error.time = error.time < 1'000'000'000'000 ? error.time * 1'000'000'000 : 0;
    }
    return error;
}

namespace detail {

inline void write_new_file(const char* path, std::string_view text) noexcept {
    const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        return;
    }
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            break;
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    ::close(file);
}

} // namespace detail

AUDYN_INLINE void write_error_file(const std::string& type, const std::string& message) noexcept {
    static std::atomic<bool> is_written{false};
    const char* const path = std::getenv("TORCHELASTIC_ERROR_FILE");
    if (path == nullptr || *path == '\0' || is_written.exchange(true)) {
        return;
    }
    try {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const int64_t time = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
        detail::write_new_file(path, error_file_text({type, message, time}));
    } catch (...) {
        // Short of memory: what is known is printed elsewhere.
    }
}

AUDYN_INLINE void write_error_file(const std::exception& error) noexcept {
    try {
        write_error_file(error_type(error), error.what());
    } catch (...) {
    }
}

} // namespace audyn::distributed
