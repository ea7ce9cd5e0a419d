#pragma once

#include <audyn/config/mistakes.hpp>
#include <audyn/config/text.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>

namespace audyn::config {

AUDYN_INLINE ConfigErrors::ConfigErrors(std::vector<std::string> mistakes, std::size_t more)
    : ConfigError(report(mistakes, more)), mistakes_(std::move(mistakes)) {}

AUDYN_INLINE std::string ConfigErrors::report(const std::vector<std::string>& mistakes, std::size_t more) {
    std::string text = concat({std::to_string(mistakes.size() + more), " mistakes in the configuration"});
    if (more > 0) {
        text += concat({"; the first ", std::to_string(mistakes.size()), ":"});
    }
    for (std::size_t index = 0; index < mistakes.size(); ++index) {
        text += concat({"\n\n", std::to_string(index + 1), ". ", mistakes[index]});
    }
    return text;
}

AUDYN_INLINE void Mistakes::add(std::string mistake) {
    if (std::ranges::find(texts_, mistake) == texts_.end()) {
        texts_.size() < most ? texts_.push_back(std::move(mistake)) : static_cast<void>(++more_);
    }
}

AUDYN_INLINE void Mistakes::add(const Mistakes& others) {
    for (const std::string& mistake : others.texts_) {
        add(mistake);
    }
    more_ += others.more_;
}

AUDYN_INLINE void Mistakes::throw_if_any() const {
    if (texts_.size() == 1) {
        throw ConfigError(texts_.front());
    }
    if (!texts_.empty()) {
        throw ConfigErrors(texts_, more_);
    }
}

} // namespace audyn::config
