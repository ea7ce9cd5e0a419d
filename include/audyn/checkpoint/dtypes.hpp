#pragma once

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace audyn::checkpoint {

namespace detail {

/// A dtype that PyTorch stores in a typed storage; all newer ones are stored as bytes beside their name.
struct StorageType {
    at::ScalarType dtype;
    std::string_view name;    // as in torch.float32
    std::string_view storage; // as in torch.FloatStorage
};

inline constexpr std::array<StorageType, 12> storage_types{{
    {at::kFloat, "float32", "FloatStorage"},
    {at::kDouble, "float64", "DoubleStorage"},
    {at::kHalf, "float16", "HalfStorage"},
    {at::kBFloat16, "bfloat16", "BFloat16Storage"},
    {at::kLong, "int64", "LongStorage"},
    {at::kInt, "int32", "IntStorage"},
    {at::kShort, "int16", "ShortStorage"},
    {at::kChar, "int8", "CharStorage"},
    {at::kByte, "uint8", "ByteStorage"},
    {at::kBool, "bool", "BoolStorage"},
    {at::kComplexFloat, "complex64", "ComplexFloatStorage"},
    {at::kComplexDouble, "complex128", "ComplexDoubleStorage"},
}};

/// Python's name of a dtype that has no typed storage ("float8_e5m2", "uint16", ...), which is libtorch's in lower
/// case; empty for those that a checkpoint cannot hold (quantized ones, and types of less than a byte).
[[nodiscard]] inline std::string untyped_dtype_name(at::ScalarType dtype) {
    if (dtype == at::kComplexHalf) {
        return "complex32";
    }
    std::string name = c10::toString(dtype);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool is_known = name.starts_with("float8_") || name.starts_with("float4_") || name == "uint16" ||
                          name == "uint32" || name == "uint64";
    return is_known ? name : std::string();
}

} // namespace detail

/// The typed storage of `dtype`, or nothing when it is stored as bytes.
[[nodiscard]] inline const detail::StorageType* storage_type_of(at::ScalarType dtype) {
    const auto found = std::find_if(detail::storage_types.begin(), detail::storage_types.end(),
                                    [=](const detail::StorageType& type) { return type.dtype == dtype; });
    return found == detail::storage_types.end() ? nullptr : &*found;
}

/// Python's name of a dtype without "torch.": "float32"; empty when a checkpoint cannot hold it.
[[nodiscard]] inline std::string dtype_name(at::ScalarType dtype) {
    const detail::StorageType* type = storage_type_of(dtype);
    return type != nullptr ? std::string(type->name) : detail::untyped_dtype_name(dtype);
}

/// The dtype of Python's name "float32", or nothing.
[[nodiscard]] inline std::optional<at::ScalarType> dtype_of_name(std::string_view name) {
    for (int i = 0; i < static_cast<int>(at::ScalarType::NumOptions); ++i) {
        const auto dtype = static_cast<at::ScalarType>(i);
        if (dtype_name(dtype) == name) {
            return dtype;
        }
    }
    return std::nullopt;
}

/// The dtype of a storage class "FloatStorage", or nothing.
[[nodiscard]] inline std::optional<at::ScalarType> dtype_of_storage(std::string_view storage) {
    const auto found = std::find_if(detail::storage_types.begin(), detail::storage_types.end(),
                                    [=](const detail::StorageType& type) { return type.storage == storage; });
    return found == detail::storage_types.end() ? std::nullopt : std::optional(found->dtype);
}

} // namespace audyn::checkpoint
