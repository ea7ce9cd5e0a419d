#include "commands.hpp"

#include <audyn/amp/grad_scaler.hpp>
#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/safetensors.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/schedulers.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>
#include <torch/types.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::StateDict;
using audyn::state::Bytes;
using audyn::state::List;
using audyn::state::Tuple;

/// One tensor of each dtype, counting from 0.
StateDict tensors_of_every_dtype() {
    StateDict tensors;
    const at::Tensor count = torch::arange(6, torch::kFloat).reshape({2, 3});
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                             at::kChar, at::kByte, at::kBool, at::kComplexFloat, at::kComplexDouble, at::kUInt16,
                             at::kUInt32, at::kUInt64, at::kFloat8_e5m2, at::kFloat8_e4m3fn, at::kComplexHalf}) {
        tensors.set(c10::toString(dtype), count.to(dtype));
    }
    return tensors;
}

/// The network that checkpoint.py builds under the same names.
struct NetImpl : torch::nn::Module {
    NetImpl() {
        conv = register_module("conv", torch::nn::Conv1d(torch::nn::Conv1dOptions(2, 4, 3).padding(1)));
        norm = register_module("norm", torch::nn::BatchNorm1d(4));
        lstm = register_module("lstm", torch::nn::LSTM(torch::nn::LSTMOptions(4, 3).num_layers(2).bidirectional(true)));
        head = register_module("head", torch::nn::Linear(torch::nn::LinearOptions(6, 2).bias(false)));
        scale = register_parameter("scale", torch::ones({2}));
    }
    at::Tensor forward(const at::Tensor& input) {
        const at::Tensor features = norm(conv(input)).permute({2, 0, 1});
        return head(std::get<0>(lstm(features))) * scale;
    }
    torch::nn::Conv1d conv{nullptr};
    torch::nn::BatchNorm1d norm{nullptr};
    torch::nn::LSTM lstm{nullptr};
    torch::nn::Linear head{nullptr};
    at::Tensor scale;
};

} // namespace

/// IN OUT [IN OUT]...: reads each file and writes what it understood, by copying and by mapping in turn.
int checkpoint_copy(const Arguments& arguments) {
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        audyn::checkpoint::save(arguments[i + 1], audyn::checkpoint::load(arguments[i], {.mmap = i % 4 != 0}));
    }
    return 0;
}

/// OUT: writes the values that checkpoint.py expects.
int checkpoint_write(const Arguments& arguments) {
    const at::Tensor base = torch::arange(12, torch::kFloat).reshape({3, 4});
    const at::Tensor tied = torch::ones({2});
    audyn::checkpoint::save(
        arguments.at(0),
        StateDict{
            {"none", nullptr},
            {"true", true},
            {"false", false},
            {"ints", List{0, 255, 256, 65535, 65536, -1, std::numeric_limits<int32_t>::min(), int64_t{1} << 31,
                          std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}},
            {"floats", List{0.1, -0.0, std::numeric_limits<double>::infinity(), 1e300}},
            {"string", "Gr\xC3\xBC\xC3\x9F \xF0\x9F\x8E\xB5"},
            {"empty", ""},
            {"bytes", Bytes{std::string("\x00\x7F\x80\xFF", 4)}},
            {"no_bytes", Bytes{}},
            {"list", List{List{}, Tuple{}, StateDict{}}},
            {"tuple", Tuple{{1, "two", Tuple{{3.0, nullptr}}}}},
            {"int_keys", StateDict{{0, "a"}, {1000000, "b"}}},
            {"dtypes", tensors_of_every_dtype()},
            {"scalar", torch::tensor(2.5)},
            {"no_elements", torch::empty({0, 3})},
            {"transposed", base.t()},
            {"column", base.select(1, 2)},
            {"expanded", torch::ones({1}).expand({3})},
            {"conjugated", torch::complex(torch::ones({2}), torch::ones({2})).conj()},
            {"tied_a", tied},
            {"tied_b", tied},
        });
    return 0;
}

/// IN OUT: loads a network's parameters and `input`, and writes the network's state and `output`.
int checkpoint_model(const Arguments& arguments) {
    const StateDict given = audyn::checkpoint::load(arguments.at(0));
    NetImpl net;
    audyn::checkpoint::load_module_state(net, given.at("model").as_dict());
    net.eval();
    const at::Tensor output = net.forward(given.at("input").as_tensor());
    audyn::checkpoint::save(arguments.at(1),
                            StateDict{{"model", audyn::checkpoint::module_state(net)}, {"output", output.detach()}});
    return 0;
}

/// IN OUT COPY: writes the parameters of IN as a safetensors file, and what is read from that as a checkpoint again.
int checkpoint_safetensors(const Arguments& arguments) {
    audyn::checkpoint::save_safetensors(arguments.at(1), audyn::checkpoint::load(arguments.at(0)));
    audyn::checkpoint::save(arguments.at(2), audyn::checkpoint::load_safetensors(arguments.at(1)));
    return 0;
}

/// IN OUT LAST LOSSES: continues the checkpoint IN, in Audyn's layout, up to iteration LAST, as train() of
/// checkpoint.py does. Writes a checkpoint and the losses.
int checkpoint_train(const Arguments& arguments) {
    StateDict state = audyn::checkpoint::load(arguments.at(0));
    NetImpl net;
    audyn::checkpoint::load_module_state(net, state.at("model").as_dict());
    using Group = audyn::optim::OptionsGroup<audyn::optim::AdamWOptions>;
    Group rest{{}, {}, audyn::optim::AdamWOptions().lr(1e-2)};
    const Group head{{}, net.head->parameters(), audyn::optim::AdamWOptions().lr(1e-3)};
    for (const auto& parameter : net.named_parameters()) {
        if (!parameter.key().starts_with("head.")) {
            rest.params.push_back(parameter.value());
        }
    }
    audyn::optim::AdamW optimizer(std::vector{rest, head});
    audyn::optim::StepLR scheduler(optimizer, 3, 0.5);
    audyn::amp::GradScaler scaler(audyn::amp::GradScalerOptions().growth_interval(4));
    optimizer.load_state_dict(state.at("optimizer").as_dict());
    scheduler.load_state_dict(state.at("lr_scheduler").as_dict());
    scaler.load_state_dict(state.at("scaler").as_dict());
    List losses;
    int64_t iteration = state.at("iteration_idx").as_int();
    for (const int64_t last = std::stoll(arguments.at(2)); iteration < last; ++iteration) {
        const auto step = static_cast<double>(iteration);
        const at::Tensor input = torch::arange(40, torch::kFloat).add(step).sin().reshape({4, 2, 5});
        const at::Tensor loss = (net.forward(input) - input.mean()).pow(2).mean();
        optimizer.zero_grad();
        scaler.scale(loss).backward();
        scaler.step(optimizer);
        scaler.update();
        scheduler.step();
        losses.emplace_back(loss.item<double>());
    }
    state.set("model", audyn::checkpoint::module_state(net));
    state.set("optimizer", optimizer.state_dict());
    state.set("lr_scheduler", scheduler.state_dict());
    state.set("scaler", scaler.state_dict());
    state.set("iteration_idx", iteration);
    state.set("audyn", StateDict{{"epoch_idx", 0}});
    audyn::checkpoint::save(arguments.at(1), state);
    audyn::checkpoint::save(arguments.at(3), StateDict{{"losses", std::move(losses)}});
    return 0;
}
