#pragma once

#include <audyn/core/error.hpp>
#include <audyn/trainer/callback.hpp>
#include <audyn/trainer/trainer_base.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

/// Counts in each validation how often class i was taken for class j, logs the accuracy, and at the end prints the
/// table of the best epoch: the one whose validation loss is least, which is the one that best_epoch.pth holds.
class ConfusionTable : public audyn::Callback {
public:
    explicit ConfusionTable(std::vector<std::string> class_names)
        : class_names_(std::move(class_names)), size_(static_cast<int64_t>(class_names_.size())) {}

    [[nodiscard]] std::string name() const override { return "confusion_table"; }

    void on_validation_start(audyn::trainer::TrainerBase& trainer) override {
        counts_ = at::zeros({size_ * size_}, at::TensorOptions(trainer.options().device()).dtype(at::kLong));
    }

    void on_validation_batch_end(audyn::trainer::TrainerBase&, const audyn::Batch& batch,
                                 const audyn::trainer::Outputs& outputs) override {
        const at::Tensor prediction = outputs.tensor(0).argmax(1);
        counts_ += at::bincount(batch.tensor("label") * size_ + prediction, {}, size_ * size_);
    }

    void on_validation_end(audyn::trainer::TrainerBase& trainer) override {
        counts_ = counts_.view({size_, size_}).cpu();
        trainer.log("accuracy", accuracy(counts_));
    }

    void on_epoch_end(audyn::trainer::TrainerBase& trainer) override {
        const auto loss = trainer.metric("validation/total");
        if (loss && *loss < best_loss_) {
            best_loss_ = *loss;
            best_counts_ = counts_;
            best_epoch_ = trainer.epoch_idx() + 1;
        }
    }

    void on_fit_end(audyn::trainer::TrainerBase& trainer) override {
        if (!best_counts_.defined()) {
            return;
        }
        char accuracy_text[16];
        std::snprintf(accuracy_text, sizeof accuracy_text, "%.2f %%", 100.0 * accuracy(best_counts_));
        trainer.console().info("Best epoch: " + std::to_string(best_epoch_) + ", validation accuracy " + accuracy_text +
                               "\n" + table());
        if (const auto path = trainer.best_checkpoint()) {
            trainer.console().info("Its model: " + *path);
        }
    }

    [[nodiscard]] audyn::StateDict state_dict() const override {
        if (!best_counts_.defined()) {
            return {};
        }
        return {{"best_loss", best_loss_}, {"best_epoch", best_epoch_}, {"best_counts", best_counts_}};
    }
    void load_state_dict(const audyn::StateDict& state) override {
        if (state.empty()) {
            return;
        }
        best_loss_ = state.at("best_loss").as_float();
        best_epoch_ = state.at("best_epoch").as_int();
        best_counts_ = state.at("best_counts").as_tensor();
    }

private:
    static double accuracy(const at::Tensor& counts) {
        return counts.diagonal().sum().item<double>() / std::max(counts.sum().item<double>(), 1.0);
    }

    /// One line for each true class, one column for each prediction.
    [[nodiscard]] std::string table() const {
        constexpr std::size_t column = 7;
        std::size_t width = std::string("true \\ predicted").size();
        for (const std::string& name : class_names_) {
            width = std::max(width, name.size());
        }
        const auto left = [](const std::string& text, std::size_t size) {
            return text + std::string(size > text.size() ? size - text.size() : 0, ' ');
        };
        const auto right = [](const std::string& text, std::size_t size) {
            return std::string(size > text.size() ? size - text.size() : 1, ' ') + text;
        };
        std::string text = left("true \\ predicted", width);
        for (const std::string& name : class_names_) {
            text += right(name.substr(0, column - 1), column);
        }
        for (int64_t truth = 0; truth < size_; ++truth) {
            text += "\n" + left(class_names_[static_cast<std::size_t>(truth)], width);
            for (int64_t prediction = 0; prediction < size_; ++prediction) {
                text += right(std::to_string(best_counts_[truth][prediction].item<int64_t>()), column);
            }
        }
        return text;
    }

    std::vector<std::string> class_names_;
    int64_t size_;
    at::Tensor counts_;
    at::Tensor best_counts_;
    int64_t best_epoch_ = 0;
    double best_loss_ = std::numeric_limits<double>::infinity();
};
