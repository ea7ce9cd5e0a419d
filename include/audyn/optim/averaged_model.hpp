#pragma once

#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/optim/moving_average.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Stochastic weight averaging; `torch.optim.swa_utils`.
namespace audyn::optim {

/// Options of AveragedModel.
class AveragedModelOptions {
public:
    /// Averages the buffers too; otherwise they are those of the module.
    AveragedModelOptions& use_buffers(bool value) { return use_buffers_ = value, *this; }
    /// An exponential average that keeps this part, in [0, 1], in the place of an equal one: Python's
    /// `get_ema_multi_avg_fn`.
    AveragedModelOptions& decay(std::optional<double> value) { return decay_ = value, *this; }
    /// Updates before the averaging starts: until then the averages are the parameters.
    AveragedModelOptions& swa_start(int64_t value) { return swa_start_ = value, *this; }
    /// One of so many updates after the start is averaged.
    AveragedModelOptions& swa_freq(int64_t value) { return swa_freq_ = value, *this; }

    [[nodiscard]] bool use_buffers() const { return use_buffers_; }
    [[nodiscard]] std::optional<double> decay() const { return decay_; }
    [[nodiscard]] int64_t swa_start() const { return swa_start_; }
    [[nodiscard]] int64_t swa_freq() const { return swa_freq_; }

    /// \throws UsageError naming the option that is out of range.
    void check() const;

private:
    bool use_buffers_ = false;
    std::optional<double> decay_;
    int64_t swa_start_ = 0;
    int64_t swa_freq_ = 1;
};

namespace detail {

/// Parameters, and then buffers.
[[nodiscard]] AUDYN_INLINE std::vector<at::Tensor> state_tensors(const NamedParameters& parameters,
                                                                 const NamedParameters& buffers);

} // namespace detail

/// The equal average of a module's parameters at each update(); `torch.optim.swa_utils.AveragedModel`, with its state.
/// The first update takes the parameters as they are. The average is run by swapping it in: MovingAverageScope.
class AveragedModel final : public MovingAverage {
public:
    /// \throws UsageError for options out of range.
    explicit AveragedModel(const torch::nn::Module& module, const AveragedModelOptions& options = {})
        : AveragedModel(module.named_parameters(), module.named_buffers(), options) {}
    /// The same for a part of a module.
    AveragedModel(const NamedParameters& parameters, const NamedParameters& buffers,
                  const AveragedModelOptions& options = {});

    /// How many values of the parameters the averages are of.
    [[nodiscard]] int64_t n_averaged() const { return n_averaged_; }

    /// Python's: `{"n_averaged": ..., "module.weight": ..., ...}`; and "num_updates" where not every update counts.
    [[nodiscard]] AUDYN_INLINE StateDict state_dict() const override;
    AUDYN_INLINE void load_state_dict(const StateDict& state) override;
    AUDYN_INLINE void check_state_dict(const StateDict& state) const override;

protected:
    [[nodiscard]] AUDYN_INLINE double weight(at::ScalarType dtype) const override;
    AUDYN_INLINE void count_update() override;

private:
    [[nodiscard]] bool counts_every_update() const { return options_.swa_start() == 0 && options_.swa_freq() == 1; }
    /// Whether the next update is averaged.
    [[nodiscard]] bool is_due() const;

    int64_t n_averaged_ = 0;
    AveragedModelOptions options_;
    /// Of parameters and buffers.
    std::vector<std::string> names_;
};

namespace detail {

/// What `update_bn` needs of a batch norm, whatever its class.
struct BatchNorm {
    at::Tensor running_mean;
    at::Tensor running_var;
    at::Tensor num_batches_tracked;
    std::function<std::optional<double>()> momentum;
    std::function<void(std::optional<double>)> set_momentum;
};

template <class Norm>
bool add_batch_norm(torch::nn::Module& module, std::vector<BatchNorm>& norms) {
    auto* norm = dynamic_cast<Norm*>(&module);
    if (norm == nullptr || !norm->running_mean.defined()) {
        return false;
    }
    norms.push_back({norm->running_mean, norm->running_var, norm->num_batches_tracked,
                     [norm] { return norm->options.momentum(); },
                     [norm](std::optional<double> value) { norm->options.momentum(value); }});
    return true;
}

/// \throws UsageError for a `module` with running statistics: it is of a class that nobody named.
AUDYN_INLINE void refuse_running_statistics(const torch::nn::Module& module);

/// Runs `pass` with new running statistics, the mean of all batches.
AUDYN_INLINE void run_with_new_statistics(torch::nn::Module& module, const std::vector<BatchNorm>& norms,
                                          const std::function<void()>& pass);

} // namespace detail

/// Sets the running statistics of the batch norms in `module` to the mean over the batches that `pass` runs through it,
/// in training mode and without gradients: `update_bn(*model, [&] { for (...) model->forward(batch); })`. `Norms`:
/// other classes of batch norms in it, as audyn::SyncBatchNormImpl. \throws UsageError for a class that is not named.
template <class... Norms>
void update_bn(torch::nn::Module& module, const std::function<void()>& pass) {
    std::vector<detail::BatchNorm> norms;
    for (const auto& child : module.modules(/*include_self=*/true)) {
        const bool is_plain = detail::add_batch_norm<torch::nn::BatchNorm1dImpl>(*child, norms) ||
                              detail::add_batch_norm<torch::nn::BatchNorm2dImpl>(*child, norms) ||
                              detail::add_batch_norm<torch::nn::BatchNorm3dImpl>(*child, norms);
        const bool is_known = (is_plain || ... || detail::add_batch_norm<Norms>(*child, norms));
        if (!is_known) {
            detail::refuse_running_statistics(*child);
        }
    }
    if (!norms.empty()) {
        detail::run_with_new_statistics(module, norms, pass);
    }
}

} // namespace audyn::optim

#ifndef AUDYN_COMPILED
#    include <audyn/optim/averaged_model.ipp>
#endif
