#pragma once

#include <audyn/distributed/detail/descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <deque>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace audyn::distributed::detail {

/// One of the launcher's own streams. What cannot be written at once waits, so that a reader who pauses does not keep
/// the launcher from its workers.
class Outlet {
public:
    explicit Outlet(int number) : number_(number), is_terminal_(::isatty(number) == 1) {
        struct stat status {};
        // A pipe that is ready takes so much without blocking.
        chunk_ = ::fstat(number, &status) == 0 && S_ISREG(status.st_mode) ? std::size_t{1} << 20U : PIPE_BUF;
    }

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_terminal() const { return is_terminal_; }
    [[nodiscard]] bool is_waiting() const { return written_ < pending_.size(); }
    [[nodiscard]] bool is_full() const { return pending_.size() - written_ > limit; }

    /// Adds a line, without mixing it with one that has not ended. \param end what ends it: a line break or nothing.
    void add(std::string_view label, std::string_view line, std::string_view end = "\n") {
        if (is_terminal_) {
            pending_ += "\r\x1b[K"; // rank 0 may have a progress bar there, which it draws again
        } else if (!has_line_ended_) {
            pending_ += '\n';
        }
        for (const std::string_view piece : {label, line, end}) {
            pending_ += piece;
        }
        has_line_ended_ = !end.empty();
    }

    /// Writes what the stream takes now.
    void flush() {
        while (is_waiting()) {
            pollfd ready{number_, POLLOUT, 0};
            if (::poll(&ready, 1, 0) <= 0) {
                break;
            }
            const ssize_t count =
                ::write(number_, pending_.data() + written_, std::min(chunk_, pending_.size() - written_));
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
                break;
            }
            written_ = count < 0 ? pending_.size() : written_ + static_cast<std::size_t>(count); // nobody listens
        }
        if (!is_waiting() || written_ > limit) {
            pending_.erase(0, written_);
            written_ = 0;
        }
    }

private:
    static constexpr std::size_t limit = std::size_t{1} << 20U;

    int number_;
    bool is_terminal_;
    std::size_t chunk_ = PIPE_BUF;
    std::string pending_;
    std::size_t written_ = 0;
    bool has_line_ended_ = true;
};

/// What one worker writes to one of its streams: whole lines go on to the launcher's, with a label.
class WorkerStream {
public:
    WorkerStream(Descriptor reading, Outlet& outlet, std::string label)
        : reading_(std::move(reading)), outlet_(&outlet), label_(std::move(label)) {}

    [[nodiscard]] int number() const { return reading_.get(); }
    [[nodiscard]] bool is_open() const { return reading_.is_open(); }
    [[nodiscard]] bool may_read() const { return is_open() && !outlet_->is_full(); }
    /// The last lines that were not empty, the oldest first.
    [[nodiscard]] const std::deque<std::string>& last_lines() const { return last_lines_; }

    /// Reads one piece; false when there was none.
    bool read() {
        std::array<char, 65536> buffer{};
        const ssize_t count = ::read(reading_.get(), buffer.data(), buffer.size());
        if (count > 0) {
            add(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
            return true;
        }
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            close();
        }
        return false;
    }

    /// Reads what is left. Something that the worker started may hold the other end open for longer.
    void finish() {
        while (is_open() && read()) {
        }
        close();
    }

private:
    static constexpr std::size_t longest_line = 65536;
    static constexpr std::size_t lines_kept = 10;

    void close() {
        if (!partial_.empty()) {
            print(partial_, label_.empty() ? "" : "\n");
            partial_.clear();
        }
        reading_.reset();
    }

    void add(std::string_view text) {
        while (true) {
            const std::size_t end = text.find('\n');
            if (end == std::string_view::npos) {
                break;
            }
            partial_ += text.substr(0, end);
            print(partial_, "\n");
            partial_.clear();
            text.remove_prefix(end + 1);
        }
        partial_ += text;
        if (partial_.size() > longest_line) {
            print(partial_, "\n");
            partial_.clear();
        }
    }

    void print(const std::string& line, std::string_view end) {
        outlet_->add(label_, line, end);
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            last_lines_.push_back(line);
        }
        if (last_lines_.size() > lines_kept) {
            last_lines_.pop_front();
        }
    }

    Descriptor reading_;
    Outlet* outlet_;
    std::string label_;
    std::string partial_;
    std::deque<std::string> last_lines_;
};

} // namespace audyn::distributed::detail
