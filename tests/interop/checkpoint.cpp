#include "commands.hpp"

#include <audyn/checkpoint/load.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/checkpoint/save.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>
#include <torch/types.h>

#include <limits>

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

/// IN OUT [IN OUT]...: reads each file and writes what it understood.
int checkpoint_copy(const Arguments& arguments) {
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        audyn::checkpoint::save(arguments[i + 1], audyn::checkpoint::load(arguments[i]));
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
