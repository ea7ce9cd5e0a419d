#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/logging/csv.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>

namespace audyn::logging::detail {

AUDYN_INLINE std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == text.npos) {
        return std::string(text);
    }
    std::string cell = "\"";
    for (const char c : text) {
        cell += c;
        if (c == '"') {
            cell += '"';
        }
    }
    return cell + '"';
}

AUDYN_INLINE std::optional<std::pair<std::vector<std::string>, std::size_t>> csv_row(std::string_view text) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
            cells.back() += text[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            cells.back() += c;
        } else if (c == ',') {
            cells.emplace_back();
        } else if (c == '\n') {
            return std::pair(std::move(cells), i + 1);
        } else if (c != '\r') {
            cells.back() += c;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::string csv_number(double value) {
    if (std::isnan(value)) {
        return "nan"; // to_chars would keep the sign, which Python never shows
    }
    std::array<char, 32> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

} // namespace audyn::logging::detail

namespace audyn::logging {

AUDYN_INLINE CsvLogger::CsvLogger(std::filesystem::path path) : path_(std::move(path)) {
    core::remove_leftovers(path_.parent_path(), path_.filename().string());
    if (std::error_code ignored; std::filesystem::file_size(path_, ignored) > 0 && !ignored) {
        read_header();
    } else {
        rewrite({});
    }
    file_ = std::make_unique<AppendFile>(path_);
}

AUDYN_INLINE void CsvLogger::log_scalars(std::span<const Scalar> scalars, int64_t step) {
    if (scalars.empty()) {
        return;
    }
    add_columns(scalars);
    std::string row = std::to_string(step);
    for (std::size_t i = 1; i < columns_.size(); ++i) {
        row += ',';
        // The last one wins, as in any map from names to values.
        const auto found = std::find_if(scalars.rbegin(), scalars.rend(),
                                        [&](const Scalar& scalar) { return scalar.tag == columns_[i]; });
        if (found != scalars.rend()) {
            row += detail::csv_number(found->value);
        }
    }
    file_->append(row + "\n");
    ++rows_;
    if (Clock::now() - last_flush_ >= flush_interval) {
        flush();
    }
}

AUDYN_INLINE void CsvLogger::flush() {
    file_->flush();
    last_flush_ = Clock::now();
}

AUDYN_INLINE void CsvLogger::load_state_dict(const StateDict& state) {
    const state::Value* path = state.find("csv");
    if (path != nullptr && path->as_string() == path_.string()) {
        keep_rows(state.at("rows").as_int());
    }
}

AUDYN_INLINE std::string CsvLogger::content() const {
    std::ifstream stream(path_, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
        throw Error("cannot read " + path_.string());
    }
    return text;
}

AUDYN_INLINE void CsvLogger::read_header() {
    const std::string text = content();
    auto header = detail::csv_row(text);
    if (!header || header->first.front() != "step") {
        throw Error("cannot continue " + path_.string() +
                    ": its first column is not 'step'; move the file away or choose another one");
    }
    columns_ = std::move(header->first);
    if (text.back() != '\n') {
        std::filesystem::resize_file(path_, text.rfind('\n') + 1);
    }
    rows_ = std::count(text.begin() + static_cast<std::ptrdiff_t>(header->second), text.end(), '\n');
}

AUDYN_INLINE void CsvLogger::keep_rows(int64_t count) {
    if (count >= rows_) {
        return;
    }
    file_->flush();
    const std::string text = content();
    std::size_t end = detail::csv_row(text)->second;
    for (int64_t row = 0; row < count; ++row) {
        end = text.find('\n', end) + 1;
    }
    std::filesystem::resize_file(path_, end);
    file_ = std::make_unique<AppendFile>(path_);
    rows_ = count;
}

AUDYN_INLINE void CsvLogger::add_columns(std::span<const Scalar> scalars) {
    std::vector<std::string> added;
    for (const Scalar& scalar : scalars) {
        if (std::find(columns_.begin() + 1, columns_.end(), scalar.tag) == columns_.end() &&
            std::find(added.begin(), added.end(), scalar.tag) == added.end()) {
            added.emplace_back(scalar.tag);
        }
    }
    if (!added.empty()) {
        file_->flush();
        rewrite(added);
        file_ = std::make_unique<AppendFile>(path_);
    }
}

AUDYN_INLINE void CsvLogger::rewrite(const std::vector<std::string>& added) {
    std::string rows;
    if (!added.empty()) {
        const std::string text = content();
        const std::string_view old = std::string_view(text).substr(detail::csv_row(text)->second);
        for (std::size_t begin = 0; begin < old.size();) {
            const std::size_t end = old.find('\n', begin);
            rows += old.substr(begin, end - begin);
            rows += std::string(added.size(), ',') + "\n";
            begin = end + 1;
        }
    }
    std::string header = "step";
    std::vector<std::string> columns = columns_;
    columns.insert(columns.end(), added.begin(), added.end());
    for (std::size_t i = 1; i < columns.size(); ++i) {
        header += "," + detail::csv_cell(columns[i]);
    }
    header += '\n';
    core::AtomicFile replacement(path_);
    replacement.file().write(header.data(), header.size());
    replacement.file().write(rows.data(), rows.size());
    replacement.commit();
    columns_ = std::move(columns);
}

} // namespace audyn::logging
