#pragma once

#include <audyn/distributed/detail/descriptor.hpp>
#include <audyn/distributed/detail/worker_output.hpp>
#include <audyn/distributed/error_file.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace audyn::distributed::detail {

/// Variables that a worker has instead of the launcher's, or beside them; nothing removes one.
using ChangedVariables = std::map<std::string, std::optional<std::string>>;

/// The environment of a worker, as `execve` takes it.
[[nodiscard]] inline std::vector<std::string> changed_environment(const ChangedVariables& changed) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (!changed.contains(std::string(text.substr(0, text.find('='))))) {
            result.emplace_back(text);
        }
    }
    for (const auto& [name, value] : changed) {
        if (value) {
            result.push_back(name + "=" + *value);
        }
    }
    return result;
}

/// Texts as `execve` takes them.
class PointerList {
public:
    explicit PointerList(const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
            pointers_.push_back(const_cast<char*>(text.c_str()));
        }
        pointers_.push_back(nullptr);
    }
    [[nodiscard]] char* const* get() const { return pointers_.data(); }

private:
    std::vector<char*> pointers_;
};

/// How a worker ended.
struct WorkerEnd {
    int exit_code = 0; ///< when it exited by itself
    int signal = 0;    ///< that killed it; 0 when it exited
    int64_t time = 0;  ///< nanoseconds since 1970

    [[nodiscard]] bool succeeded() const { return exit_code == 0 && signal == 0; }
    /// As a shell has it.
    [[nodiscard]] int code() const { return signal != 0 ? 128 + signal : exit_code; }
};

[[nodiscard]] inline int64_t wall_clock() {
    const auto time = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

/// What a worker is started with.
struct WorkerStart {
    std::string program;
    std::vector<std::string> arguments;
    ChangedVariables variables;
    int listening = -1;              ///< a socket to hand on, or -1
    sigset_t signal_mask{};          ///< that of the launcher before it began
    struct sigaction broken_pipe {}; ///< likewise, for SIGPIPE
    bool keeps_terminal = false;     ///< the streams that are a terminal stay it
};

/// One process of the job, with its streams. It ends with this object.
class WorkerProcess {
public:
    WorkerProcess(int64_t rank, WorkerStart start, Outlet& out, Outlet& error)
        : rank_(rank), error_file_(::memfd_create("audyn-error", MFD_CLOEXEC)) {
        if (!error_file_.is_open()) {
            throw_errno("a file in memory cannot be made");
        }
        const std::string label = rank == 0 ? std::string() : "[rank " + std::to_string(rank) + "] ";
        Descriptor writing_out;
        Descriptor writing_error;
        for (auto [outlet, writing] : {std::pair(&out, &writing_out), std::pair(&error, &writing_error)}) {
            if (!start.keeps_terminal || !outlet->is_terminal()) {
                Pipe pipe;
                *writing = std::move(pipe.writing);
                streams_.emplace_back(std::move(pipe.reading), *outlet, label);
                error_stream_ = outlet == &error ? streams_.size() : 0;
            }
        }
        start.variables["TORCHELASTIC_ERROR_FILE"] = "/proc/self/fd/" + std::to_string(error_file_.get());
        fork_and_execute(start, writing_out, writing_error);
    }
    WorkerProcess(WorkerProcess&& other) noexcept
        : rank_(other.rank_),
          process_(std::exchange(other.process_, 0)),
          end_(other.end_),
          error_file_(std::move(other.error_file_)),
          streams_(std::move(other.streams_)),
          error_stream_(other.error_stream_) {}
    WorkerProcess& operator=(WorkerProcess&&) = delete;
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;
    ~WorkerProcess() {
        if (is_running()) {
            kill_all();
            ::waitpid(process_, nullptr, 0);
        }
    }

    [[nodiscard]] int64_t rank() const { return rank_; }
    [[nodiscard]] pid_t process() const { return process_; }
    [[nodiscard]] bool is_running() const { return process_ > 0 && !end_; }
    [[nodiscard]] const std::optional<WorkerEnd>& end() const { return end_; }
    [[nodiscard]] std::vector<WorkerStream>& streams() { return streams_; }

    /// Passes a signal on. `count` says how often it came: what is also sent to all processes at once (by a job
    /// manager) can be told from a second wish.
    void pass(int signal, int count) const {
        if (is_running()) {
            ::sigqueue(process_, signal, sigval{count});
        }
    }
    /// To the worker and what it started.
    void send_to_group(int signal) const {
        if (is_running() && ::kill(-process_, signal) != 0) {
            ::kill(process_, signal);
        }
    }
    void kill_all() const { send_to_group(SIGKILL); }

    /// Notes the end if the worker is over; true then.
    bool check() {
        siginfo_t information{};
        if (!is_running() ||
            ::waitid(P_PID, static_cast<id_t>(process_), &information, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            information.si_pid == 0) {
            return false;
        }
        ::kill(-process_, SIGKILL); // what it started; its number is not given to others before waitpid
        int status = 0;
        ::waitpid(process_, &status, 0);
        end_ = WorkerEnd{WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                         wall_clock()};
        for (WorkerStream& stream : streams_) {
            stream.finish();
        }
        return true;
    }

    /// What it wrote about its failure.
    [[nodiscard]] std::optional<WorkerError> error() const {
        std::string text;
        std::array<char, 4096> buffer{};
        ssize_t count = 0;
        while ((count = ::pread(error_file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
               0) {
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return parse_error_file(text);
    }

    /// The last lines of its error stream, where the launcher saw them.
    [[nodiscard]] std::vector<std::string> last_lines() const {
        if (error_stream_ == 0) {
            return {};
        }
        const auto& lines = streams_[error_stream_ - 1].last_lines();
        return {lines.begin(), lines.end()};
    }

private:
    void fork_and_execute(const WorkerStart& start, const Descriptor& out, const Descriptor& error) {
        const std::vector<std::string> environment = changed_environment(start.variables);
        const PointerList arguments(start.arguments);
        const PointerList variables(environment);
        const pid_t launcher = ::getpid();
        process_ = ::fork();
        if (process_ < 0) {
            throw_errno("a worker cannot be started");
        }
        if (process_ == 0) {
            become(start, launcher, out.get(), error.get());
            ::execve(start.program.c_str(), arguments.get(), variables.get());
            ::dprintf(2, "error: %s cannot be started: %s\n", start.arguments[0].c_str(), std::strerror(errno));
            ::_exit(127);
        }
        ::setpgid(process_, process_); // whichever of the two comes first
    }

    /// In the child. A group of its own keeps a signal from the terminal from coming twice, directly and from the
    /// launcher, and lets the launcher end what the worker has started.
    void become(const WorkerStart& start, pid_t launcher, int out, int error) const {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != launcher) {
            ::_exit(127); // it was gone before the call
        }
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::dup2(nothing, 0); // workers cannot share one input
        if (out >= 0) {
            ::dup2(out, 1);
        }
        if (error >= 0) {
            ::dup2(error, 2);
        }
        for (const int inherited : {error_file_.get(), start.listening}) {
            ::fcntl(inherited, F_SETFD, 0);
        }
        // A wish to save that comes before the program can hear it must not kill it; nor may the terminal stop a group
        // that is not in its foreground.
        for (const int signal : {SIGUSR1, SIGUSR2, SIGTTOU}) {
            std::signal(signal, SIG_IGN);
        }
        ::sigaction(SIGPIPE, &start.broken_pipe, nullptr);
        ::pthread_sigmask(SIG_SETMASK, &start.signal_mask, nullptr);
    }

    int64_t rank_;
    pid_t process_ = 0;
    std::optional<WorkerEnd> end_;
    Descriptor error_file_;
    std::vector<WorkerStream> streams_;
    std::size_t error_stream_ = 0; ///< its place among the streams, from 1
};

} // namespace audyn::distributed::detail
