#pragma once

#include <audyn/core/mode_names.hpp>

namespace audyn::optim {

/// How OneCycleLR and SWALR go from one value to the next.
enum class AnnealStrategy { cos, linear };

inline constexpr core::ModeNames<AnnealStrategy, 2> anneal_strategies{
    "anneal_strategy", {{{"cos", AnnealStrategy::cos}, {"linear", AnnealStrategy::linear}}}};

} // namespace audyn::optim
