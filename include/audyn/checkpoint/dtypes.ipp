#pragma once

#include <audyn/checkpoint/dtypes.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cctype>

namespace audyn::checkpoint::detail {

AUDYN_INLINE std::string untyped_dtype_name(at::ScalarType dtype) {
    if (dtype == at::kComplexHalf) {
        return "complex32";
    }
    std::string name = c10::toString(dtype);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool is_known = name.starts_with("float8_") || name.starts_with("float4_") || name == "uint16" ||
                          name == "uint32" || name == "uint64";
    return is_known ? name : std::string();
}

} // namespace audyn::checkpoint::detail

namespace audyn::checkpoint {

AUDYN_INLINE const detail::StorageType* storage_type_of(at::ScalarType dtype) {
    const auto found = std::find_if(detail::storage_types.begin(), detail::storage_types.end(),
                                    [=](const detail::StorageType& type) { return type.dtype == dtype; });
    return found == detail::storage_types.end() ? nullptr : &*found;
}

AUDYN_INLINE std::string dtype_name(at::ScalarType dtype) {
    const detail::StorageType* type = storage_type_of(dtype);
    return type != nullptr ? std::string(type->name) : detail::untyped_dtype_name(dtype);
}

AUDYN_INLINE std::optional<at::ScalarType> dtype_of_name(std::string_view name) {
    for (int i = 0; i < static_cast<int>(at::ScalarType::NumOptions); ++i) {
        const auto dtype = static_cast<at::ScalarType>(i);
        if (dtype_name(dtype) == name) {
            return dtype;
        }
    }
    return std::nullopt;
}

AUDYN_INLINE std::optional<at::ScalarType> dtype_of_storage(std::string_view storage) {
    const auto found = std::find_if(detail::storage_types.begin(), detail::storage_types.end(),
                                    [=](const detail::StorageType& type) { return type.storage == storage; });
    return found == detail::storage_types.end() ? std::nullopt : std::optional(found->dtype);
}

} // namespace audyn::checkpoint
