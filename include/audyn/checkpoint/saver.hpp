#pragma once

#include <audyn/checkpoint/background_writer.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/checkpoint/save_checkpoint.hpp>
#include <audyn/state/state_dict.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace audyn::checkpoint {

/// Writes the checkpoints of a run, at once or in the background, and removes those that `keep_last` and `top_k` no
/// longer keep, once the file that takes their place is there. It never touches a file that the run did not write.
class Saver {
public:
    using Check = BackgroundWriter::Check;
    using Result = BackgroundWriter::Result;

    explicit Saver(const SaveCheckpoint& entries);

    /// True when `write` would wait for an earlier checkpoint.
    [[nodiscard]] bool is_busy() const { return background_ && background_->is_busy(); }

    /// Whether a file of `top_k` with this value of the metric would be among the best.
    [[nodiscard]] bool is_among_best(double value) const;

    // The file that is written next is one of a kind, of which some are removed when it is there. Call these before
    // `state_dict`.
    void keep_iteration(const std::filesystem::path& path) { keep_newest(iteration_, path); }
    void keep_epoch(const std::filesystem::path& path) { keep_newest(epoch_, path); }
    void keep_best(const std::filesystem::path& path, double value);

    /// Writes `state` to each of `paths`, or begins to. `check` throws when it must not be written.
    void write(std::vector<std::filesystem::path> paths, const StateDict& state, Check check = {});

    /// What was finished since the last call, in order; what it replaces is removed. \throws Error when that fails.
    [[nodiscard]] std::vector<Result> take_results();

    /// Waits for what is being written in the background.
    void wait();

    /// Which files are kept, so that a resumed run goes on removing them.
    [[nodiscard]] StateDict state_dict() const;
    void load_state_dict(const StateDict& state);

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

    [[nodiscard]] bool is_better(double value, double than) const;
    /// The later one among equals.
    [[nodiscard]] Files::const_iterator worst() const;

    void keep_newest(Files& files, const std::filesystem::path& path);

    Replacement& begin(Files& files, const std::filesystem::path& path);
    static void take_out(Replacement& replacement, Files::const_iterator file);

    void settle(const Result& result);

    void remove(const std::string& path) const;

    [[nodiscard]] static state::List to_list(const Files& files);
    [[nodiscard]] static Files from_list(const std::vector<state::Value>& list);

    SaveCheckpoint entries_;
    std::unique_ptr<BackgroundWriter> background_;
    std::vector<Result> results_;
    Files iteration_;
    Files epoch_;
    Files top_k_;
    std::vector<Replacement> replacements_;
};

} // namespace audyn::checkpoint

#ifndef AUDYN_COMPILED
#    include <audyn/checkpoint/saver.ipp>
#endif
