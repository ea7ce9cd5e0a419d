#pragma once

#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/append_file.hpp>
#include <audyn/logging/logger.hpp>
#include <audyn/state/state_dict.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::logging {

namespace detail {

/// One cell as RFC 4180 wants it: quoted when it must be.
[[nodiscard]] AUDYN_INLINE std::string csv_cell(std::string_view text);

/// Reads the first row of `text`: its cells and where the next row begins; nothing when the row is not complete.
[[nodiscard]] AUDYN_INLINE std::optional<std::pair<std::vector<std::string>, std::size_t>>
csv_row(std::string_view text);

/// The shortest text that gives the same double back.
[[nodiscard]] AUDYN_INLINE std::string csv_number(double value);

} // namespace detail

/// Scalars as a table: the column `step`, then one column for each tag in the order of appearance; one row for each
/// call, empty where a tag had no value. A new tag rewrites the file atomically with one more column. An existing file
/// is continued; a resume first takes back the rows after its checkpoint. Numbers are written in full precision.
/// Flushes itself about every ten seconds.
class CsvLogger : public Logger {
public:
    /// \throws Error when `path` cannot be written or holds something that is not such a table.
    explicit CsvLogger(std::filesystem::path path);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    AUDYN_INLINE void log_scalars(std::span<const Scalar> scalars, int64_t step) override;

    AUDYN_INLINE void flush() override;

    [[nodiscard]] StateDict state_dict() const override { return {{"csv", path_.string()}, {"rows", rows_}}; }
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;
    void restart() override { keep_rows(0); }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds flush_interval{10};

    [[nodiscard]] std::string content() const;

    /// Takes over the columns of an existing file, and removes a last row that a crash cut short.
    void read_header();

    /// Cuts off all rows but the first `count`.
    void keep_rows(int64_t count);

    void add_columns(std::span<const Scalar> scalars);

    /// Replaces the file by one with the columns `added` at the end. Only the header has quoted cells, so every later
    /// line is a row.
    void rewrite(const std::vector<std::string>& added);

    std::filesystem::path path_;
    std::vector<std::string> columns_{"step"};
    std::unique_ptr<AppendFile> file_;
    int64_t rows_ = 0;
    Clock::time_point last_flush_ = Clock::now();
};

} // namespace audyn::logging

#ifndef AUDYN_COMPILED
#    include <audyn/logging/csv.ipp>
#endif
