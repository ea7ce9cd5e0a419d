#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

/// A terminal without a window: what is printed to `stream` can be read back.
class PseudoTerminal {
public:
    explicit PseudoTerminal(int columns = 100) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
        if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) {
            throw std::runtime_error("no pseudo terminal");
        }
        stream_ = std::fopen(::ptsname(master_), "w");
        struct winsize size {};
        size.ws_row = 24;
        size.ws_col = static_cast<unsigned short>(columns);
        ::ioctl(master_, TIOCSWINSZ, &size);
    }
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;
    ~PseudoTerminal() {
        std::fclose(stream_);
        ::close(master_);
    }

    [[nodiscard]] std::FILE* stream() const { return stream_; }

    /// Everything printed since the last call.
    [[nodiscard]] std::string output() {
        std::fflush(stream_);
        std::string text;
        pollfd waiting{master_, POLLIN, 0};
        while (::poll(&waiting, 1, 0) > 0) {
            std::array<char, 4096> piece{};
            const ssize_t size = ::read(master_, piece.data(), piece.size());
            if (size <= 0) {
                break;
            }
            text.append(piece.data(), static_cast<std::size_t>(size));
        }
        return text;
    }

private:
    int master_;
    std::FILE* stream_ = nullptr;
};
