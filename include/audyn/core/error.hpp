#pragma once

#include <stdexcept>
#include <string>

namespace audyn {

/// Base of every exception that the toolkit throws on purpose.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The configuration is wrong: an unknown key or target, a missing value, a contradiction. Thrown before any data is
/// read.
class ConfigError : public Error {
public:
    using Error::Error;
};

/// An argument or a call from the program's own code does not fit, for example options that contradict each other.
class UsageError : public Error {
public:
    using Error::Error;
};

/// A dataset, a sample or a file of it cannot be used. The message names the sample.
class DataError : public Error {
public:
    using Error::Error;
};

/// A state dictionary does not fit the object that should take it. The message lists every mismatch.
class StateError : public Error {
public:
    using Error::Error;
};

/// A checkpoint file cannot be written or read. The message names the file and, where known, the record.
class CheckpointError : public Error {
public:
    using Error::Error;
};

/// Training cannot go on, for example because a loss is not finite.
class TrainingError : public Error {
public:
    using Error::Error;
};

/// Processes of one job cannot reach each other or disagree.
class DistributedError : public Error {
public:
    using Error::Error;
};

} // namespace audyn
