#pragma once

#include <audyn/core/file.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace audyn::checkpoint {

namespace detail {

struct SafetensorsDtype {
    at::ScalarType dtype;
    std::string_view name;
};

inline constexpr std::array<SafetensorsDtype, 16> safetensors_dtypes{{
    {at::kDouble, "F64"},
    {at::kFloat, "F32"},
    {at::kHalf, "F16"},
    {at::kBFloat16, "BF16"},
    {at::kFloat8_e4m3fn, "F8_E4M3"},
    {at::kFloat8_e5m2, "F8_E5M2"},
    {at::kLong, "I64"},
    {at::kInt, "I32"},
    {at::kShort, "I16"},
    {at::kChar, "I8"},
    {at::kUInt64, "U64"},
    {at::kUInt32, "U32"},
    {at::kUInt16, "U16"},
    {at::kByte, "U8"},
    {at::kBool, "BOOL"},
    {at::kComplexFloat, "C64"},
}};

/// The format's name of `dtype`; empty when it has none.
[[nodiscard]] AUDYN_INLINE std::string_view safetensors_name(at::ScalarType dtype);

[[nodiscard]] AUDYN_INLINE std::optional<at::ScalarType> safetensors_dtype(std::string_view name);

/// The format's limit of the header, which bounds what a damaged file can ask for.
inline constexpr uint64_t max_safetensors_header = 100'000'000;

/// The tensors of `state` in the order of the file: the widest dtypes first, so that each lies aligned, then by name.
[[nodiscard]] AUDYN_INLINE std::vector<std::pair<std::string, at::Tensor>> safetensors_entries(const StateDict& state);

/// The header, padded with spaces so that the content begins at a multiple of eight.
[[nodiscard]] AUDYN_INLINE std::string
safetensors_header(const std::vector<std::pair<std::string, at::Tensor>>& entries,
                   const std::map<std::string, std::string>& metadata);

} // namespace detail

/// Writes the tensors of `state` (for example `module_state(module)`) as a safetensors file, which holds names, dtypes,
/// shapes and content and no code. Tensors that share memory are written one by one, as their values are. The file
/// appears at once and durably, or not at all.
/// \param metadata texts beside the tensors. Python's libraries expect {"format": "pt"}.
/// \throws CheckpointError that names the path and the tensor that the format cannot hold.
AUDYN_INLINE void save_safetensors(const std::filesystem::path& path, const StateDict& state,
                                   const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

namespace detail {

/// Turns the parsed header of one file into tensors. Nothing in it is trusted.
class SafetensorsReader {
public:
    explicit SafetensorsReader(const std::filesystem::path& path) : file_(path, O_RDONLY), size_(file_.size()) {}

    [[nodiscard]] StateDict read();

private:
    [[noreturn]] void fail(const std::string& reason) const;

    nlohmann::ordered_json read_header();

    at::Tensor read_tensor(const std::string& name, const nlohmann::ordered_json& description,
                           std::vector<std::pair<uint64_t, uint64_t>>& ranges);

    std::vector<int64_t> numbers(const std::string& name, const nlohmann::ordered_json& list) const;

    /// The tensors fill the content without holes and overlaps, as the format demands.
    void check_ranges(std::vector<std::pair<uint64_t, uint64_t>> ranges) const;

    core::File file_;
    uint64_t size_;
    uint64_t content_begin_ = 0;
};

} // namespace detail

/// Reads a safetensors file. It has no checksums; sizes and places are checked.
/// \throws CheckpointError that names the file and what is wrong.
[[nodiscard]] AUDYN_INLINE StateDict load_safetensors(const std::filesystem::path& path);

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/safetensors.ipp>
#endif
