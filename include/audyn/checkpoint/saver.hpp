#pragma once

#include <audyn/checkpoint/background_writer.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/state/state_dict.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace audyn::checkpoint {

/// Writes the checkpoints of a run, at once or in the background, and removes those that `keep_last` and `top_k` no
/// longer keep, once the file that takes their place is there. It never touches a file that the run did not write.
class Saver {
public:
    using Check = BackgroundWriter::Check;
    using Result = BackgroundWriter::Result;

    explicit Saver(const SaveCheckpoint& entries) : entries_(entries) {
        if (entries.async != AsyncSave::off) {
            background_ = std::make_unique<BackgroundWriter>();
        }
    }

    /// True when `write` would wait for an earlier checkpoint.
    [[nodiscard]] bool is_busy() const { return background_ && background_->is_busy(); }

    /// Whether a file of `top_k` with this value of the metric would be among the best.
    [[nodiscard]] bool is_among_best(double value) const {
        return entries_.top_k && !std::isnan(value) &&
               (static_cast<int64_t>(top_k_.size()) < entries_.top_k->k || is_better(value, worst()->value));
    }

    // The file that is written next is one of a kind, of which some are removed when it is there. Call these before
    // `state_dict`.
    void keep_iteration(const std::filesystem::path& path) { keep_newest(iteration_, path); }
    void keep_epoch(const std::filesystem::path& path) { keep_newest(epoch_, path); }
    void keep_best(const std::filesystem::path& path, double value) {
        Replacement& replacement = begin(top_k_, path);
        top_k_.push_back({path.string(), value});
        while (static_cast<int64_t>(top_k_.size()) > entries_.top_k->k) {
            take_out(replacement, worst());
        }
    }

    /// Writes `state` to each of `paths`, or begins to. `check` throws when it must not be written.
    void write(std::vector<std::filesystem::path> paths, const StateDict& state, Check check = {}) {
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

    /// What was finished since the last call, in order; what it replaces is removed. \throws Error when that fails.
    [[nodiscard]] std::vector<Result> take_results() {
        std::vector<Result> results = background_ ? background_->take_results() : std::exchange(results_, {});
        for (const Result& result : results) {
            settle(result);
        }
        return results;
    }

    /// Waits for what is being written in the background.
    void wait() {
        if (background_) {
            background_->wait();
        }
    }

    /// Which files are kept, so that a resumed run goes on removing them.
    [[nodiscard]] StateDict state_dict() const {
        return {{"iteration", to_list(iteration_)}, {"epoch", to_list(epoch_)}, {"top_k", to_list(top_k_)}};
    }
    void load_state_dict(const StateDict& state) {
        iteration_ = from_list(state.at("iteration").as_list());
        epoch_ = from_list(state.at("epoch").as_list());
        top_k_ = from_list(state.at("top_k").as_list());
    }

private:
    struct File {
        std::string path;
        double value = 0.0;
    };
    using Files = std::vector<File>;

    /// What changes when a file is there.
    struct Replacement {
        std::filesystem::path path;
        Files* files;
        Files taken_out;
    };

    [[nodiscard]] bool is_better(double value, double than) const {
        return entries_.top_k->mode == MonitorMode::min ? value < than : value > than;
    }
    /// The later one among equals.
    [[nodiscard]] Files::const_iterator worst() const {
        auto worst = top_k_.begin();
        for (auto file = top_k_.begin(); file != top_k_.end(); ++file) {
            worst = is_better(file->value, worst->value) ? worst : file;
        }
        return worst;
    }

    void keep_newest(Files& files, const std::filesystem::path& path) {
        if (!entries_.keep_last) {
            return;
        }
        Replacement& replacement = begin(files, path);
        files.push_back({path.string()});
        while (static_cast<int64_t>(files.size()) > *entries_.keep_last) {
            take_out(replacement, files.begin());
        }
    }

    Replacement& begin(Files& files, const std::filesystem::path& path) {
        std::erase_if(files, [&](const File& file) { return file.path == path.string(); });
        return replacements_.emplace_back(Replacement{path, &files, {}});
    }
    static void take_out(Replacement& replacement, Files::const_iterator file) {
        replacement.taken_out.push_back(*file);
        replacement.files->erase(file);
    }

    void settle(const Result& result) {
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

    void remove(const std::string& path) const {
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

    [[nodiscard]] static state::List to_list(const Files& files) {
        state::List list;
        for (const File& file : files) {
            list.emplace_back(state::Tuple{{file.path, file.value}});
        }
        return list;
    }
    [[nodiscard]] static Files from_list(const std::vector<state::Value>& list) {
        Files files;
        for (const state::Value& item : list) {
            files.push_back({item.as_list().at(0).as_string(), item.as_list().at(1).as_float()});
        }
        return files;
    }

    SaveCheckpoint entries_;
    std::unique_ptr<BackgroundWriter> background_;
    std::vector<Result> results_;
    Files iteration_;
    Files epoch_;
    Files top_k_;
    std::vector<Replacement> replacements_;
};

} // namespace audyn::checkpoint
