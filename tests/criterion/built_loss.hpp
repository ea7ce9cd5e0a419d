#pragma once

#include <audyn/adapter/criterion.hpp>
#include <audyn/config/compose.hpp>

#include <memory>
#include <string>

/// Losses as a configuration describes them.
namespace built_loss {

using LossPointer = std::shared_ptr<audyn::criterion::Criterion>;

inline LossPointer build(const std::string& text) {
    audyn::Targets targets;
    audyn::adapter::add_criterion_targets(targets);
    return targets.build<LossPointer>(audyn::config::config_from_yaml(text, "test.yaml"));
}

} // namespace built_loss
