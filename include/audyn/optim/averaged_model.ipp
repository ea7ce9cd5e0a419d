#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/averaged_model.hpp>

#include <ATen/ops/scalar_tensor.h>

namespace audyn::optim::detail {

AUDYN_INLINE std::vector<at::Tensor> state_tensors(const NamedParameters& parameters, const NamedParameters& buffers) {
    std::vector<at::Tensor> tensors = parameters.values();
    for (const auto& buffer : buffers) {
        tensors.push_back(buffer.value());
    }
    return tensors;
}

AUDYN_INLINE void refuse_running_statistics(const torch::nn::Module& module) {
    for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
        // Instance norms have running statistics, but no number of batches to average over.
        if (buffer.key() == "num_batches_tracked" && buffer.value().defined()) {
            throw UsageError("update_bn does not know the class " + module.name() +
                             ", which has running statistics; name it: update_bn<" + module.name() + ">(...)");
        }
    }
}

AUDYN_INLINE void run_with_new_statistics(torch::nn::Module& module, const std::vector<BatchNorm>& norms,
                                          const std::function<void()>& pass) {
    const c10::NoGradGuard no_grad;
    struct Restore {
        torch::nn::Module& module;
        const std::vector<BatchNorm>& norms;
        bool was_training;
        std::vector<std::optional<double>> momenta;

        ~Restore() {
            for (std::size_t i = 0; i < norms.size(); ++i) {
                norms[i].set_momentum(momenta[i]);
            }
            module.train(was_training);
        }
    };
    Restore restore{module, norms, module.is_training(), {}};
    for (const BatchNorm& norm : norms) {
        restore.momenta.push_back(norm.momentum());
        norm.set_momentum(std::nullopt);
        at::Tensor(norm.running_mean).zero_();
        at::Tensor(norm.running_var).fill_(1);
        at::Tensor(norm.num_batches_tracked).zero_();
    }
    module.train();
    pass();
}

} // namespace audyn::optim::detail

namespace audyn::optim {

AUDYN_INLINE void AveragedModelOptions::check() const {
    if (decay_ && !(*decay_ >= 0.0 && *decay_ <= 1.0)) {
        throw UsageError("AveragedModel's decay must lie in [0, 1], got " + std::to_string(*decay_));
    }
    if (swa_start_ < 0) {
        throw UsageError("AveragedModel's swa_start must be at least 0, got " + std::to_string(swa_start_));
    }
    if (swa_freq_ < 1) {
        throw UsageError("AveragedModel's swa_freq must be at least 1, got " + std::to_string(swa_freq_));
    }
}

AUDYN_INLINE AveragedModel::AveragedModel(const NamedParameters& parameters, const NamedParameters& buffers,
                                          const AveragedModelOptions& options)
    : MovingAverage(detail::state_tensors(parameters, buffers),
                    parameters.size() + (options.use_buffers() ? buffers.size() : 0)),
      options_(options) {
    options.check();
    for (const NamedParameters* tensors : {&parameters, &buffers}) {
        for (const auto& item : *tensors) {
            names_.push_back("module." + item.key());
        }
    }
}

AUDYN_INLINE bool AveragedModel::is_due() const {
    const int64_t since_start = num_updates() + 1 - options_.swa_start();
    return since_start > 0 && (since_start - 1) % options_.swa_freq() == 0;
}

AUDYN_INLINE double AveragedModel::weight(at::ScalarType) const {
    if (n_averaged_ == 0) {
        return 1.0;
    }
    if (!is_due()) {
        return 0.0;
    }
    return options_.decay() ? 1.0 - *options_.decay() : 1.0 / static_cast<double>(n_averaged_ + 1);
}

AUDYN_INLINE void AveragedModel::count_update() {
    n_averaged_ += is_due() ? 1 : 0;
}

AUDYN_INLINE StateDict AveragedModel::state_dict() const {
    StateDict state{{"n_averaged", at::scalar_tensor(n_averaged_, at::TensorOptions(at::kLong))}};
    if (!counts_every_update()) {
        state.set("num_updates", num_updates());
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
        state.set(names_[i], average(i));
    }
    return state;
}

AUDYN_INLINE void AveragedModel::check_state_dict(const StateDict& state) const {
    std::vector<std::string> mismatches;
    const state::Value* count = state.find("n_averaged");
    if (count == nullptr || !count->is<at::Tensor>() || count->as_tensor().numel() != 1) {
        mismatches.emplace_back("'n_averaged' is missing, or no number");
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
        check_average(i, names_[i], state.find(names_[i]), mismatches);
    }
    const state::Value* updates = state.find("num_updates");
    if (updates != nullptr && !updates->is<int64_t>()) {
        mismatches.push_back(std::string("'num_updates' is of kind ") + updates->kind());
    }
    throw_mismatches("averaged model", mismatches);
}

AUDYN_INLINE void AveragedModel::load_state_dict(const StateDict& state) {
    require_outside_scope("load a state");
    check_state_dict(state);
    for (std::size_t i = 0; i < names_.size(); ++i) {
        load_average(i, state.at(names_[i]).as_tensor());
    }
    n_averaged_ = state.at("n_averaged").as_tensor().item<int64_t>();
    const state::Value* updates = state.find("num_updates");
    const int64_t before = n_averaged_ == 0 ? 0 : options_.swa_start() + (n_averaged_ - 1) * options_.swa_freq() + 1;
    set_num_updates(updates == nullptr ? before : updates->as_int());
}

} // namespace audyn::optim
