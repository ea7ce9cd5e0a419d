#pragma once

#include <audyn/config/config.hpp>
#include <audyn/config/resolvers.hpp>
#include <audyn/core/inline.hpp>

#include <c10/core/ScalarType.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace audyn::adapter {

/// The dtypes that `${const:torch.bfloat16}` and the like may name.
inline constexpr std::array<std::pair<std::string_view, at::ScalarType>, 14> dtype_names{{
    {"torch.float32", at::kFloat},
    {"torch.float", at::kFloat},
    {"torch.float64", at::kDouble},
    {"torch.double", at::kDouble},
    {"torch.float16", at::kHalf},
    {"torch.half", at::kHalf},
    {"torch.bfloat16", at::kBFloat16},
    {"torch.int64", at::kLong},
    {"torch.long", at::kLong},
    {"torch.int32", at::kInt},
    {"torch.int16", at::kShort},
    {"torch.int8", at::kChar},
    {"torch.uint8", at::kByte},
    {"torch.bool", at::kBool},
}};

/// Makes the dtypes known to the resolver `const`.
AUDYN_INLINE void add_dtypes(config::Resolvers& resolvers);

/// The name of one of those dtypes.
[[nodiscard]] AUDYN_INLINE std::string dtype_name(at::ScalarType dtype);

/// The dtype that `node` names by a constant (`${const:torch.bfloat16}`) or as text ("torch.bfloat16", "bfloat16").
/// \throws ConfigError
[[nodiscard]] AUDYN_INLINE at::ScalarType as_dtype(const Config& node);

} // namespace audyn::adapter

#ifndef AUDYN_COMPILED
#    include <audyn/adapter/constants.ipp>
#endif
