#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/console.hpp>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace audyn::logging {

AUDYN_INLINE Level level_from_environment() {
    const char* text = std::getenv("LOGLEVEL");
    if (text == nullptr || *text == '\0') {
        return Level::info;
    }
    for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
        if (level_name(level) == text) {
            return level;
        }
    }
    throw ConfigError("the environment variable LOGLEVEL is '" + std::string(text) +
                      "'; choose DEBUG, INFO, WARNING or ERROR");
}

AUDYN_INLINE Console::Console(ConsoleOptions options) : options_(std::move(options)) {
    if (!options_.main_process && options_.level == Level::info) {
        options_.level = Level::warning;
    }
    if (!options_.file.empty()) {
        file_ = std::make_unique<AppendFile>(options_.file);
    }
    const char* terminal = std::getenv("TERM");
    is_terminal_ = ::isatty(::fileno(options_.stream)) == 1 &&
                   (terminal == nullptr || std::string_view(terminal) != "dumb") && options_.main_process;
}

AUDYN_INLINE void Console::log(Level level, std::string_view message) {
    if (!enabled(level)) {
        return;
    }
    std::string line = prefix(level);
    line += message;
    line += '\n';
    const std::scoped_lock lock(mutex_);
    erase_live_line();
    std::fwrite(line.data(), 1, line.size(), options_.stream);
    copy_to_file(line);
    draw_live_line();
    std::fflush(options_.stream);
}

AUDYN_INLINE int Console::columns() const {
    struct winsize size {};
    const bool known = ::ioctl(::fileno(options_.stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

AUDYN_INLINE void Console::set_live_line(std::string text) {
    if (!is_terminal_) {
        return;
    }
    const std::scoped_lock lock(mutex_);
    erase_live_line();
    live_line_ = std::move(text);
    draw_live_line();
    std::fflush(options_.stream);
}

AUDYN_INLINE std::string Console::prefix(Level level) const {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::array<char, 32> time{};
    std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M:%S", &local);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ",%03d", static_cast<int>(milliseconds));
    std::string text = "[";
    text += time.data();
    text += fraction.data();
    text += "][" + options_.name + "][";
    text += level_name(level);
    text += "] - ";
    return text;
}

AUDYN_INLINE void Console::erase_live_line() {
    if (!live_line_.empty()) {
        std::fputs("\r\x1b[K", options_.stream);
    }
}

AUDYN_INLINE void Console::draw_live_line() {
    if (!live_line_.empty()) {
        std::fwrite(live_line_.data(), 1, live_line_.size(), options_.stream);
    }
}

AUDYN_INLINE void Console::copy_to_file(std::string_view line) {
    if (!file_) {
        return;
    }
    try {
        file_->append(line);
        file_->flush();
    } catch (const Error& failure) {
        file_.reset();
        const std::string text = prefix(Level::error) + failure.what() + "; the log goes on here only\n";
        std::fwrite(text.data(), 1, text.size(), options_.stream);
    }
}

} // namespace audyn::logging
