#pragma once

#include <audyn/checkpoint/saver.hpp>
#include <audyn/core/inline.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

namespace audyn::checkpoint {

AUDYN_INLINE Saver::Saver(const SaveCheckpoint& entries) : entries_(entries) {
    if (entries.async != AsyncSave::off) {
        background_ = std::make_unique<BackgroundWriter>();
    }
}

AUDYN_INLINE bool Saver::is_among_best(double value) const {
    return entries_.top_k && !std::isnan(value) &&
           (static_cast<int64_t>(top_k_.size()) < entries_.top_k->k || is_better(value, worst()->value));
}

AUDYN_INLINE void Saver::keep_best(const std::filesystem::path& path, double value) {
    Replacement& replacement = begin(top_k_, path);
    top_k_.push_back({path.string(), value});
    while (static_cast<int64_t>(top_k_.size()) > entries_.top_k->k) {
        take_out(replacement, worst());
    }
}

AUDYN_INLINE void Saver::write(std::vector<std::filesystem::path> paths, const StateDict& state, Check check) {
    if (background_) {
        background_->write(std::move(paths), state, std::move(check));
        return;
    }
    if (check) {
        check(state);
    }
    for (std::filesystem::path& path : paths) {
        std::exception_ptr error;
        try {
            save(path, state);
        } catch (...) {
            error = std::current_exception();
        }
        results_.push_back({std::move(path), error});
    }
}

AUDYN_INLINE auto Saver::take_results() -> std::vector<Result> {
    std::vector<Result> results = background_ ? background_->take_results() : std::exchange(results_, {});
    for (const Result& result : results) {
        settle(result);
    }
    return results;
}

AUDYN_INLINE void Saver::wait() {
    if (background_) {
        background_->wait();
    }
}

AUDYN_INLINE StateDict Saver::state_dict() const {
    return {{"iteration", to_list(iteration_)}, {"epoch", to_list(epoch_)}, {"top_k", to_list(top_k_)}};
}

AUDYN_INLINE void Saver::load_state_dict(const StateDict& state) {
    iteration_ = from_list(state.at("iteration").as_list());
    epoch_ = from_list(state.at("epoch").as_list());
    top_k_ = from_list(state.at("top_k").as_list());
}

AUDYN_INLINE bool Saver::is_better(double value, double than) const {
    return entries_.top_k->mode == MonitorMode::min ? value < than : value > than;
}

AUDYN_INLINE auto Saver::worst() const -> Files::const_iterator {
    auto worst = top_k_.begin();
    for (auto file = top_k_.begin(); file != top_k_.end(); ++file) {
        worst = is_better(file->value, worst->value) ? worst : file;
    }
    return worst;
}

AUDYN_INLINE void Saver::keep_newest(Files& files, const std::filesystem::path& path) {
    if (!entries_.keep_last) {
        return;
    }
    Replacement& replacement = begin(files, path);
    files.push_back({path.string()});
    while (static_cast<int64_t>(files.size()) > *entries_.keep_last) {
        take_out(replacement, files.begin());
    }
}

AUDYN_INLINE auto Saver::begin(Files& files, const std::filesystem::path& path) -> Replacement& {
    std::erase_if(files, [&](const File& file) { return file.path == path.string(); });
    return replacements_.emplace_back(Replacement{path, &files, {}});
}

AUDYN_INLINE void Saver::take_out(Replacement& replacement, Files::const_iterator file) {
    replacement.taken_out.push_back(*file);
    replacement.files->erase(file);
}

AUDYN_INLINE void Saver::settle(const Result& result) {
    const auto replacement = std::find_if(replacements_.begin(), replacements_.end(),
                                          [&](const Replacement& one) { return one.path == result.path; });
    if (replacement == replacements_.end()) {
        return;
    }
    const Replacement done = std::move(*replacement);
    replacements_.erase(replacement);
    if (result.error) {
        std::erase_if(*done.files, [&](const File& file) { return file.path == result.path.string(); });
        done.files->insert(done.files->begin(), done.taken_out.begin(), done.taken_out.end());
        return;
    }
    for (const File& file : done.taken_out) {
        remove(file.path);
    }
}

AUDYN_INLINE void Saver::remove(const std::string& path) const {
    const auto holds = [&](const Files& files) {
        return std::any_of(files.begin(), files.end(), [&](const File& file) { return file.path == path; });
    };
    if (holds(iteration_) || holds(epoch_) || holds(top_k_)) {
        return;
    }
    std::error_code reason;
    std::filesystem::remove(path, reason);
    if (reason) {
        throw CheckpointError("cannot remove the old checkpoint " + path + ": " + reason.message());
    }
}

AUDYN_INLINE state::List Saver::to_list(const Files& files) {
    state::List list;
    for (const File& file : files) {
        list.emplace_back(state::Tuple{{file.path, file.value}});
    }
    return list;
}

AUDYN_INLINE auto Saver::from_list(const std::vector<state::Value>& list) -> Files {
    Files files;
    for (const state::Value& item : list) {
        files.push_back({item.as_list().at(0).as_string(), item.as_list().at(1).as_float()});
    }
    return files;
}

} // namespace audyn::checkpoint
