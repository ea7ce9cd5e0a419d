#pragma once

#include <audyn/state/state_dict.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace audyn::logging {

/// One number under its name, for example `total (epoch)/validation`.
struct Scalar {
    std::string_view tag;
    double value = 0.0;
};

/// A place where a run's numbers go. The trainer calls it at logging intervals and at the ends of epochs, on its own
/// thread and in the main process only. A failed write, for example on a full disk, throws; nothing is swallowed
/// but by a destructor, so a run ends with `flush`.
class Logger {
public:
    Logger() = default;
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;
    virtual ~Logger() = default;

    /// Takes numbers that belong to one step: an iteration, or an epoch for the tags of epochs. \throws Error
    virtual void log_scalars(std::span<const Scalar> scalars, int64_t step) = 0;

    /// Hands everything taken so far to the operating system. \throws Error
    virtual void flush() = 0;

    /// How far it has written, so that a resumed run writes nothing twice. Part of a checkpoint.
    [[nodiscard]] virtual StateDict state_dict() const { return {}; }
    /// Takes back what was written after `state`, if that is its own: it gets the states of all loggers of the
    /// checkpoint, one after the other. \throws Error
    virtual void load_state_dict(const StateDict&) {}
    /// Takes back what an attempt at this run has written that died before its first checkpoint. \throws Error
    virtual void restart() {}
};

} // namespace audyn::logging
