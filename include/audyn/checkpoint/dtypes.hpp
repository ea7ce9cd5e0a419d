#pragma once

#include <audyn/core/inline.hpp>

#include <c10/core/ScalarType.h>

#include <array>
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
[[nodiscard]] AUDYN_INLINE std::string untyped_dtype_name(at::ScalarType dtype);

} // namespace detail

/// The typed storage of `dtype`, or nothing when it is stored as bytes.
[[nodiscard]] AUDYN_INLINE const detail::StorageType* storage_type_of(at::ScalarType dtype);

/// Python's name of a dtype without "torch.": "float32"; empty when a checkpoint cannot hold it.
[[nodiscard]] AUDYN_INLINE std::string dtype_name(at::ScalarType dtype);

/// The dtype of Python's name "float32", or nothing.
[[nodiscard]] AUDYN_INLINE std::optional<at::ScalarType> dtype_of_name(std::string_view name);

/// The dtype of a storage class "FloatStorage", or nothing.
[[nodiscard]] AUDYN_INLINE std::optional<at::ScalarType> dtype_of_storage(std::string_view storage);

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/dtypes.ipp>
#endif
