#pragma once

#include <audyn/core/error.hpp>
#include <audyn/logging/append_file.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace audyn::logging {

/// How grave a message is, in Python's order.
enum class Level { debug, info, warning, error };

/// Python's name of a level: `DEBUG`, `INFO`, ...
[[nodiscard]] constexpr std::string_view level_name(Level level) {
    constexpr std::array<std::string_view, 4> level_names{"DEBUG", "INFO", "WARNING", "ERROR"};
    return level_names[static_cast<std::size_t>(level)];
}

/// The level that the environment variable LOGLEVEL names, as in Audyn; INFO when it is not set.
/// \throws ConfigError when it names none.
[[nodiscard]] inline Level level_from_environment() {
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

/// Options of a `Console`.
struct ConsoleOptions {
    /// Who speaks: the second field of a line.
    std::string name = "BaseTrainer";
    /// Messages below it are dropped.
    Level level = level_from_environment();
    /// Processes other than the main one drop INFO and below.
    bool main_process = true;
    /// Gets a copy of every line, appended; Hydra's `<run dir>/<job>.log`. Empty for none.
    std::filesystem::path file = {};
    /// Where the lines go.
    std::FILE* stream = stdout;
};

/// The lines that a person reads, in the format of Hydra's job log: `[time][name][INFO] - message`; and below them, on
/// a terminal, one live line (see ProgressBar) that stays at the bottom. All functions may be called from any thread.
class Console {
public:
    /// \throws Error when the file cannot be opened.
    explicit Console(ConsoleOptions options = {}) : options_(std::move(options)) {
        if (!options_.main_process && options_.level < Level::warning) {
            options_.level = Level::warning;
        }
        if (!options_.file.empty()) {
            file_ = std::make_unique<AppendFile>(options_.file);
        }
        const char* terminal = std::getenv("TERM");
        is_terminal_ = ::isatty(::fileno(options_.stream)) == 1 &&
                       (terminal == nullptr || std::string_view(terminal) != "dumb") && options_.main_process;
    }
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    ~Console() { clear_live_line(); }

    void debug(std::string_view message) { log(Level::debug, message); }
    void info(std::string_view message) { log(Level::info, message); }
    void warning(std::string_view message) { log(Level::warning, message); }
    void error(std::string_view message) { log(Level::error, message); }

    /// True when messages of `level` are shown: asked before an expensive message is made.
    [[nodiscard]] bool enabled(Level level) const { return level >= options_.level; }

    /// Prints one message, which may have several lines.
    void log(Level level, std::string_view message) {
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

    /// True when the stream is a terminal that can show a live line.
    [[nodiscard]] bool is_terminal() const { return is_terminal_; }

    /// Columns of the terminal, 80 when unknown.
    [[nodiscard]] int columns() const {
        struct winsize size {};
        const bool known = ::ioctl(::fileno(options_.stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
        return known ? size.ws_col : 80;
    }

    /// Shows `text`, which must fit into one line, below everything printed. Does nothing without a terminal.
    void set_live_line(std::string text) {
        if (!is_terminal_) {
            return;
        }
        const std::scoped_lock lock(mutex_);
        erase_live_line();
        live_line_ = std::move(text);
        draw_live_line();
        std::fflush(options_.stream);
    }

    /// Removes the live line.
    void clear_live_line() { set_live_line({}); }

private:
    /// `[2024-05-01 12:00:00,123][BaseTrainer][INFO] - `, local time as in Python's logging.
    [[nodiscard]] std::string prefix(Level level) const {
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

    void erase_live_line() {
        if (!live_line_.empty()) {
            std::fputs("\r\x1b[K", options_.stream);
        }
    }

    void draw_live_line() {
        if (!live_line_.empty()) {
            std::fwrite(live_line_.data(), 1, live_line_.size(), options_.stream);
        }
    }

    /// A log that cannot be written must not end a training or hide the error that is being reported: it is said once
    /// and the copy ends.
    void copy_to_file(std::string_view line) {
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

    ConsoleOptions options_;
    std::unique_ptr<AppendFile> file_;
    bool is_terminal_ = false;
    std::string live_line_;
    std::mutex mutex_;
};

} // namespace audyn::logging
