#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/logging/append_file.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

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
[[nodiscard]] AUDYN_INLINE Level level_from_environment();

/// Options of a `Console`.
struct ConsoleOptions {
    /// Who speaks: the second field of a line.
    std::string name = "BaseTrainer";
    /// Messages below it are dropped.
    Level level = level_from_environment();
    /// Processes other than the main one drop INFO and below, unless all is shown (DEBUG).
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
    explicit Console(ConsoleOptions options = {});
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
    void log(Level level, std::string_view message);

    /// True when the stream is a terminal that can show a live line.
    [[nodiscard]] bool is_terminal() const { return is_terminal_; }

    /// Columns of the terminal, 80 when unknown.
    [[nodiscard]] int columns() const;

    /// Shows `text`, which must fit into one line, below everything printed. Does nothing without a terminal.
    void set_live_line(std::string text);

    /// Removes the live line.
    void clear_live_line() { set_live_line({}); }

private:
    /// `[2024-05-01 12:00:00,123][BaseTrainer][INFO] - `, local time as in Python's logging.
    [[nodiscard]] std::string prefix(Level level) const;

    void erase_live_line();

    void draw_live_line();

    /// A log that cannot be written must not end a training or hide the error that is being reported: it is said once
    /// and the copy ends.
    void copy_to_file(std::string_view line);

    ConsoleOptions options_;
    std::unique_ptr<AppendFile> file_;
    bool is_terminal_ = false;
    std::string live_line_;
    std::mutex mutex_;
};

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/console.ipp>
#endif
