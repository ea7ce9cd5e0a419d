#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/core/signals.hpp>
#include <audyn/distributed/detail/descriptor.hpp>
#include <audyn/distributed/detail/worker_output.hpp>
#include <audyn/distributed/detail/worker_process.hpp>
#include <audyn/distributed/error_file.hpp>
#include <audyn/distributed/launcher.hpp>
#include <audyn/distributed/machine.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace audyn::distributed {

namespace detail {

/// A socket that listens on a port of the loopback which the system chose.
class LoopbackSocket {
public:
    LoopbackSocket() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const general = reinterpret_cast<sockaddr*>(&address);
        if (!socket_.is_open() || ::bind(socket_.get(), general, size) != 0 ||
            ::listen(socket_.get(), SOMAXCONN) != 0 || ::getsockname(socket_.get(), general, &size) != 0) {
            throw_errno("no port of this machine can be listened on");
        }
        port_ = ntohs(address.sin_port);
    }

    [[nodiscard]] int number() const { return socket_.get(); }
    [[nodiscard]] int port() const { return port_; }

private:
    Descriptor socket_;
    int port_ = 0;
};

/// Takes signals as something to read instead of being interrupted by them. What was ignored before stays ignored.
class SignalQueue {
public:
    SignalQueue() {
        ::sigemptyset(&set_);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP}) {
            struct sigaction action {};
            if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
                ::sigaddset(&set_, signal);
            }
        }
        ::sigaddset(&set_, SIGCHLD);
        struct sigaction action {};
        action.sa_handler = SIG_DFL; // ignored, it would take the workers' ends away
        ::sigaction(SIGCHLD, &action, &child_before_);
        action.sa_handler = SIG_IGN; // who read the output may leave before the workers have saved
        ::sigaction(SIGPIPE, &action, &pipe_before_);
        ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
        queue_ = Descriptor(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!queue_.is_open()) {
            restore();
            throw_errno("signals cannot be read");
        }
    }
    SignalQueue(const SignalQueue&) = delete;
    SignalQueue& operator=(const SignalQueue&) = delete;
    ~SignalQueue() { restore(); }

    [[nodiscard]] int number() const { return queue_.get(); }
    [[nodiscard]] const sigset_t& mask_before() const { return before_; }
    [[nodiscard]] const struct sigaction& pipe_before() const { return pipe_before_; }

    /// The next signal, or 0.
    [[nodiscard]] int next() const {
        signalfd_siginfo information{};
        return ::read(queue_.get(), &information, sizeof(information)) == sizeof(information)
                   ? static_cast<int>(information.ssi_signo)
                   : 0;
    }

private:
    void restore() {
        ::sigaction(SIGCHLD, &child_before_, nullptr);
        ::sigaction(SIGPIPE, &pipe_before_, nullptr);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

    sigset_t set_{};
    sigset_t before_{};
    struct sigaction child_before_ {};
    struct sigaction pipe_before_ {};
    Descriptor queue_;
};

/// Descriptors that the launcher opens must not take the numbers of the standard streams.
inline void open_standard_streams() {
    int file = 0;
    do {
        file = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (file >= 0 && file <= 2);
    ::close(file);
}

/// Starts the workers, passes signals and output on, and ends all when one fails. For one job.
class Launcher {
public:
    explicit Launcher(const LaunchJob& job) : job_(job) {
        if (job.nproc < 1) {
            throw OptionError("nproc_per_node", "must be at least 1");
        }
        run_id_ = job.options.rdzv_id.value_or("");
        if (run_id_.empty()) {
            run_id_ =
                config::concat({"audyn-", std::to_string(::getpid()), "-", std::to_string(wall_clock() / 1'000'000)});
        }
    }

    [[nodiscard]] int run() {
        for (int64_t attempt = 0;; ++attempt) {
            const int code = run_attempt(attempt);
            const bool again =
                failed_ && end_signal_ == 0 && attempt < job_.options.max_restarts && is_worth_a_restart();
            if (failed_) {
                error_.add(again ? "warning: " : "error: ", describe_failure());
            }
            if (!again) {
                flush_all();
                return code;
            }
            error_.add("warning: ",
                       config::concat({"all ranks are started again (restart ", std::to_string(attempt + 1), " of ",
                                       std::to_string(job_.options.max_restarts), ")"}));
        }
    }

private:
    using Clock = std::chrono::steady_clock;

    /// Starts all workers and stays until all have ended. Gives the exit code.
    [[nodiscard]] int run_attempt(int64_t attempt) {
        workers_.clear();
        failed_.reset();
        stop_time_ = 0;
        stop_at_.reset();
        kill_at_.reset();
        start_workers(attempt);
        while (std::ranges::any_of(workers_, &WorkerProcess::is_running)) {
            wait();
            take_signals();
            check_workers();
            if (stop_at_ && Clock::now() >= *stop_at_) {
                stop_workers();
            }
            if (kill_at_ && Clock::now() >= *kill_at_) {
                kill_workers();
            }
        }
        return conclude();
    }

    void start_workers(int64_t attempt) {
        const LoopbackSocket socket; // closed here once rank 0 has it: its end must be seen by the others
        workers_.reserve(static_cast<std::size_t>(job_.nproc));
        for (int64_t rank = 0; rank < job_.nproc; ++rank) {
            WorkerStart start;
            start.program = job_.program;
            start.arguments = job_.arguments;
            start.variables = variables(rank, attempt, socket.port());
            start.signal_mask = signals_.mask_before();
            start.broken_pipe = signals_.pipe_before();
            start.keeps_terminal = rank == 0;
            if (rank == 0) {
                start.listening = socket.number();
                start.variables["AUDYN_STORE_LISTEN_FD"] = std::to_string(socket.number());
            }
            workers_.emplace_back(rank, std::move(start), out_, error_);
        }
    }

    /// torchrun's, and our own.
    [[nodiscard]] ChangedVariables variables(int64_t rank, int64_t attempt, int port) const {
        const std::string number = std::to_string(rank);
        const std::string count = std::to_string(job_.nproc);
        ChangedVariables result{{"RANK", number},
                                {"LOCAL_RANK", number},
                                {"WORLD_SIZE", count},
                                {"LOCAL_WORLD_SIZE", count},
                                {"GROUP_RANK", "0"},
                                {"GROUP_WORLD_SIZE", "1"},
                                {"ROLE_NAME", "default"},
                                {"ROLE_RANK", number},
                                {"ROLE_WORLD_SIZE", count},
                                {"MASTER_ADDR", "127.0.0.1"},
                                {"MASTER_PORT", std::to_string(port)},
                                {"TORCHELASTIC_RESTART_COUNT", std::to_string(attempt)},
                                {"TORCHELASTIC_MAX_RESTARTS", std::to_string(job_.options.max_restarts)},
                                {"TORCHELASTIC_RUN_ID", run_id_},
                                {"TORCHELASTIC_USE_AGENT_STORE", "False"},
                                {"AUDYN_LAUNCHER", std::to_string(::getpid())},
                                {"AUDYN_STORE_LISTEN_FD", std::nullopt}};
        if (std::getenv("TORCH_NCCL_ASYNC_ERROR_HANDLING") == nullptr) {
            result["TORCH_NCCL_ASYNC_ERROR_HANDLING"] = "1";
        }
        if (std::getenv("OMP_NUM_THREADS") == nullptr) {
            result["OMP_NUM_THREADS"] = std::to_string(std::max<int64_t>(1, available_cores() / job_.nproc));
        }
        return result;
    }

    /// Until there is something to read, to write or to do.
    void wait() {
        std::vector<pollfd> waited{{signals_.number(), POLLIN, 0}};
        for (const Outlet* outlet : {&out_, &error_}) {
            if (outlet->is_waiting()) {
                waited.push_back({outlet->number(), POLLOUT, 0});
            }
        }
        std::vector<WorkerStream*> read;
        const std::size_t first = waited.size();
        for (WorkerProcess& worker : workers_) {
            for (WorkerStream& stream : worker.streams()) {
                if (stream.may_read()) {
                    waited.push_back({stream.number(), POLLIN, 0});
                    read.push_back(&stream);
                }
            }
        }
        int limit = -1;
        for (const auto& time : {stop_at_, kill_at_}) {
            if (time) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(*time - Clock::now()).count();
                const int bounded = static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
                limit = limit < 0 ? bounded : std::min(limit, bounded);
            }
        }
        if (::poll(waited.data(), waited.size(), limit) < 0 && errno != EINTR) {
            throw_errno("workers cannot be waited for");
        }
        for (std::size_t index = 0; index < read.size(); ++index) {
            if (waited[first + index].revents != 0) {
                static_cast<void>(read[index]->read());
            }
        }
        out_.flush();
        error_.flush();
    }

    void take_signals() {
        for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
            if (signal == SIGTSTP) {
                suspend();
            } else if (signal != SIGCHLD) {
                pass(signal);
            }
        }
    }

    /// With the terminal's Ctrl-Z workers stop, too, and go on when this process does.
    void suspend() const {
        for (const int signal : {SIGSTOP, SIGCONT}) {
            for (const WorkerProcess& worker : workers_) {
                worker.send_to_group(signal);
            }
            if (signal == SIGSTOP) {
                std::raise(SIGSTOP);
            }
        }
    }

    void pass(int signal) {
        const bool ends = signal != SIGUSR1 && signal != SIGUSR2;
        const int count = ++signal_counts_[signal];
        end_count_ += ends ? 1 : 0;
        for (const WorkerProcess& worker : workers_) {
            worker.pass(signal, ends ? end_count_ : count);
        }
        if (!ends) {
            return;
        }
        // Workers may take their time to save, until they are asked once more.
        if (end_count_ > 1 && !kill_at_) {
            kill_at_ = Clock::now() + job_.options.grace_period;
        }
        end_signal_ = signal;
    }

    void check_workers() {
        bool has_failed = false;
        bool is_cause = false;
        for (WorkerProcess& worker : workers_) {
            if (worker.check() && !worker.end()->succeeded() && !saved_and_left(*worker.end())) {
                has_failed = true;
                is_cause = is_cause || failure_of(worker).kind != consequence;
            }
        }
        if (!has_failed || stop_time_ != 0) {
            return;
        }
        if (!stop_at_) { // the first
            kill_at_ = Clock::now() + job_.options.grace_period;
            stop_at_ = Clock::now() + time_for_the_cause;
        }
        if (is_cause) {
            stop_workers();
        }
    }

    /// The worker left by itself after a signal, passed on or sent to one of them: all have agreed on it.
    [[nodiscard]] static bool saved_and_left(const WorkerEnd& end) {
        return end.signal == 0 && std::ranges::any_of(core::known_signals, [&](const auto& known) {
                   return end.exit_code == 128 + known.second;
               });
    }
    [[nodiscard]] bool ended_by_passed_signal(const WorkerEnd& end) const {
        return saved_and_left(end) || (end.signal != 0 && signal_counts_.contains(end.signal));
    }

    /// One has failed, so the others cannot go on.
    void stop_workers() {
        stop_time_ = wall_clock();
        stop_at_.reset();
        for (const WorkerProcess& worker : workers_) {
            worker.pass(SIGTERM, end_count_ + 1); // not the first wish where a signal was passed on before
            worker.send_to_group(SIGCONT);        // one that was stopped hears nothing
        }
    }

    void kill_workers() {
        kill_at_.reset();
        for (const WorkerProcess& worker : workers_) {
            if (worker.is_running()) {
                error_.add("warning: ", config::concat({"rank ", std::to_string(worker.rank()), " did not end within ",
                                                        seconds_text(), " s and is killed"}));
                worker.kill_all();
            }
        }
    }

    [[nodiscard]] std::string seconds_text() const {
        std::string text = config::float_text(std::chrono::duration<double>(job_.options.grace_period).count());
        return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
    }

    /// Kinds of failures, the one that is more likely the cause of others first.
    static constexpr int crash = 0;
    static constexpr int error = 1;
    static constexpr int consequence = 2; ///< it lost the others
    /// One that has told the others of its failure may leave after them.
    static constexpr std::chrono::milliseconds time_for_the_cause{500};

    /// What one that failed has to say.
    struct Failure {
        const WorkerProcess* worker = nullptr;
        std::optional<WorkerError> error;
        int kind = crash;
        int64_t time = 0;
    };

    /// The exit code of the job; notes the failure that was the first, if there was one.
    [[nodiscard]] int conclude() {
        int interrupted = 0;
        for (const WorkerProcess& worker : workers_) {
            if (worker.end()->succeeded()) {
                continue;
            }
            if (ended_by_passed_signal(*worker.end())) {
                interrupted = worker.end()->code();
            } else if (const Failure failure = failure_of(worker);
                       (stop_time_ == 0 || failure.time <= stop_time_) && (!failed_ || is_before(failure, *failed_))) {
                failed_ = failure;
            }
        }
        return failed_ ? code_of(*failed_) : interrupted;
    }

    /// One that was about to leave with an error when it was asked to end.
    [[nodiscard]] bool was_leaving(const Failure& failure) const {
        return failure.error && stop_time_ != 0 && failure.worker->end()->signal == SIGTERM;
    }
    [[nodiscard]] int code_of(const Failure& failure) const {
        return was_leaving(failure) ? EXIT_FAILURE : failure.worker->end()->code();
    }

    /// A crash makes the others see lost connections, of which they may tell before the crash is noticed here.
    [[nodiscard]] static Failure failure_of(const WorkerProcess& worker) {
        Failure failure{&worker, worker.error(), error, worker.end()->time};
        if (failure.error && failure.error->time != 0) {
            failure.time = std::min(failure.time, failure.error->time);
        }
        if (failure.error && failure.error->type == "DistributedError") {
            failure.kind = consequence;
        } else if (!failure.error && worker.end()->signal != 0 && worker.end()->signal != SIGABRT) {
            failure.kind = crash;
        }
        return failure;
    }

    [[nodiscard]] static bool is_before(const Failure& left, const Failure& right) {
        return std::pair(left.kind, left.time) < std::pair(right.kind, right.time);
    }

    /// A mistake in the configuration or the program is there the next time, too.
    [[nodiscard]] bool is_worth_a_restart() const {
        constexpr std::array<std::string_view, 2> mistakes{"ConfigError", "UsageError"};
        return !failed_->error || std::ranges::find(mistakes, failed_->error->type) == mistakes.end();
    }

    [[nodiscard]] std::string describe_failure() const {
        const WorkerEnd& end = *failed_->worker->end();
        std::string text = config::concat({"rank ", std::to_string(failed_->worker->rank()), " of ",
                                           std::to_string(job_.nproc), " failed first, ",
                                           end.signal == 0 || was_leaving(*failed_)
                                               ? config::concat({"with exit code ", std::to_string(code_of(*failed_))})
                                               : config::concat({"killed by ", signal_text(end.signal)})});
        if (failed_->error) {
            return config::concat({text, ": ", failed_->error->to_string()});
        }
        const std::vector<std::string> lines = failed_->worker->last_lines();
        if (!lines.empty()) {
            text += "; the last that it wrote to its error stream:";
            for (const std::string& line : lines) {
                text += config::concat({"\n  ", line});
            }
        }
        return text;
    }

    [[nodiscard]] static std::string signal_text(int signal) {
        const char* const name = ::sigabbrev_np(signal);
        return name != nullptr ? config::concat({"SIG", name, " (", ::strsignal(signal), ")"})
                               : core::signal_name(signal);
    }

    /// Writes what is left, until a signal asks to end.
    void flush_all() {
        for (Outlet* outlet : {&error_, &out_}) {
            while (outlet->is_waiting()) {
                std::array<pollfd, 2> waited{{{signals_.number(), POLLIN, 0}, {outlet->number(), POLLOUT, 0}}};
                ::poll(waited.data(), waited.size(), -1);
                const int signal = waited[0].revents != 0 ? signals_.next() : 0;
                if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT) {
                    return;
                }
                outlet->flush();
            }
        }
    }

    const LaunchJob& job_;
    std::string run_id_;
    SignalQueue signals_;
    Outlet out_{STDOUT_FILENO};
    Outlet error_{STDERR_FILENO};
    std::vector<WorkerProcess> workers_;
    std::map<int, int> signal_counts_;         ///< how often each signal was passed on
    int end_signal_ = 0;                       ///< the last that asks to end
    int end_count_ = 0;                        ///< how many asked for it
    int64_t stop_time_ = 0;                    ///< when the others were asked to end because one had failed
    std::optional<Clock::time_point> stop_at_; ///< when the others are to be asked
    std::optional<Clock::time_point> kill_at_; ///< when those that still run are killed
    std::optional<Failure> failed_;
};

} // namespace detail

AUDYN_INLINE int run_workers(const LaunchJob& job) {
    detail::open_standard_streams();
    return detail::Launcher(job).run();
}

} // namespace audyn::distributed
