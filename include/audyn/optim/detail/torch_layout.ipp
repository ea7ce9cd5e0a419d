#pragma once

#include <audyn/core/inline.hpp>
#include <audyn/optim/detail/torch_layout.hpp>

#include <ATen/ops/scalar_tensor.h>

#include <initializer_list>
#include <variant>

namespace audyn::optim::detail {

AUDYN_INLINE void FieldWriter::operator()(const char* key, StepCount step) const {
    state.set(key, at::scalar_tensor(step.count, at::TensorOptions(at::kFloat)));
}

AUDYN_INLINE void FieldWriter::operator()(const char* key, const std::tuple<double, double>& value) const {
    state.set(key, state::Tuple{{std::get<0>(value), std::get<1>(value)}});
}

AUDYN_INLINE void FieldWriter::operator()(const char* key, const at::Tensor& value) const {
    if (value.defined()) {
        state.set(key, value);
    }
}

AUDYN_INLINE void FieldWriter::operator()(const char* key, const std::optional<int64_t>& value) const {
    state.set(key, value ? state::Value(*value) : state::Value());
}

AUDYN_INLINE void FieldWriter::operator()(const char* key, const std::optional<std::string>& value) const {
    state.set(key, value ? state::Value(*value) : state::Value());
}

AUDYN_INLINE void FieldWriter::operator()(const char* key, const std::optional<std::vector<at::Tensor>>& values) const {
    if (values) {
        write_list(key, *values);
    }
}

AUDYN_INLINE void FieldReader::operator()(const char* key, bool& value) const {
    read(key, [&](const state::Value& saved) { value = saved.as_bool(); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, int64_t& value) const {
    read(key, [&](const state::Value& saved) { value = saved.as_int(); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, double& value) const {
    read(key, [&](const state::Value& saved) { value = number(saved); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, StepCount step) const {
    read(key, [&](const state::Value& saved) { step.count = static_cast<int64_t>(number(saved)); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, std::tuple<double, double>& value) const {
    read(key, [&](const state::Value& saved) {
        value = {number(saved.as_list().at(0)), number(saved.as_list().at(1))};
    });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, at::Tensor& value) const {
    read(key, [&](const state::Value& saved) { value = tensor(saved); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, std::optional<int64_t>& value) const {
    read(key, [&](const state::Value& saved) { value = saved.as_int(); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, std::optional<std::string>& value) const {
    read(key, [&](const state::Value& saved) { value = saved.as_string(); });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, std::deque<at::Tensor>& values) const {
    read(key, [&](const state::Value& saved) {
        const std::vector<at::Tensor> list = tensors(saved);
        values.assign(list.begin(), list.end());
    });
}

AUDYN_INLINE void FieldReader::operator()(const char* key, std::optional<std::vector<at::Tensor>>& values) const {
    read(key, [&](const state::Value& saved) { values = tensors(saved); });
}

AUDYN_INLINE at::Tensor FieldReader::tensor(const state::Value& saved) const {
    return saved.is<at::Tensor>() ? saved.as_tensor().to(target, /*non_blocking=*/false, /*copy=*/true)
                                  : at::scalar_tensor(saved.as_float(), target);
}

AUDYN_INLINE std::vector<at::Tensor> FieldReader::tensors(const state::Value& saved) const {
    std::vector<at::Tensor> list;
    for (const state::Value& item : saved.as_list()) {
        list.push_back(item.is_none() ? at::Tensor() : tensor(item));
    }
    return list;
}

AUDYN_INLINE std::unique_ptr<TorchLayout> torch_layout(const torch::optim::Optimizer& optimizer) {
    namespace to = torch::optim;
    const auto with = [](StateDict options, std::initializer_list<StateDict::Entry> more) {
        for (const StateDict::Entry& entry : more) {
            options.set(entry.first, entry.second);
        }
        return options;
    };
    const StateDict common{{"maximize", false}, {"foreach", nullptr}, {"differentiable", false}};
    const StateDict fused = with(common, {{"fused", nullptr}});
    const StateDict capturable = with(common, {{"capturable", false}});
    const StateDict adam = with(capturable, {{"fused", nullptr}, {"decoupled_weight_decay", false}});
    const StateDict adamw = with(adam, {{"decoupled_weight_decay", true}});
    const std::vector<std::string> moments{"step", "exp_avg", "exp_avg_sq"};

    std::unique_ptr<TorchLayout> layout;
    const auto first_of = [&](auto&&... makers) { (void)((layout = makers()) || ...); };
    first_of(
        [&] { return layout_if<to::AdamW, to::AdamWOptions, to::AdamWParamState>(optimizer, "AdamW", adamw, moments); },
        [&] { return layout_if<to::Adam, to::AdamOptions, to::AdamParamState>(optimizer, "Adam", adam, moments); },
        [&] { return layout_if<to::SGD, to::SGDOptions, to::SGDParamState>(optimizer, "SGD", fused, {}); },
        [&] {
            return layout_if<to::Adagrad, to::AdagradOptions, to::AdagradParamState>(optimizer, "Adagrad", fused,
                                                                                     {"step", "sum"});
        },
        [&] {
            return layout_if<to::RMSprop, to::RMSpropOptions, to::RMSpropParamState>(optimizer, "RMSprop", capturable,
                                                                                     {"step", "square_avg"});
        },
        [&] { return layout_if<to::LBFGS, to::LBFGSOptions, to::LBFGSParamState>(optimizer, "LBFGS", {}, {}); });
    return layout;
}

} // namespace audyn::optim::detail
