#include "../temporary_folder.hpp"

#include <audyn/amp/autocast.hpp>
#include <audyn/checkpoint/module_state.hpp>
#include <audyn/core/error.hpp>
#include <audyn/torchscript.hpp>
#include <audyn/trainer/forward_call.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::Batch;
using audyn::TorchScript;

/// A script as Python makes them, of a layer with a weight, a parameter that is fixed, and a counter.
torch::jit::Module script(const std::string& methods = R"(
def forward(self, x, gain: float = 1.0):
    if self.training:
        self.count = self.count + 1.0
    return self.layer.weight * x * gain + self.offset * self.count

def inference(self, x):
    return {"double": 2.0 * self.forward(x), "input": x}
)") {
    torch::jit::Module layer("__torch__.Layer");
    layer.register_parameter("weight", at::full({2}, 3.0), /*is_buffer=*/false);
    layer.attr("weight").toTensor().set_requires_grad(true);
    layer.register_attribute("training", c10::BoolType::get(), true);
    torch::jit::Module module("__torch__.Net");
    module.register_attribute("training", c10::BoolType::get(), true);
    module.register_parameter("offset", at::full({2}, 10.0), /*is_buffer=*/false);
    module.register_buffer("count", at::zeros({1}));
    module.register_module("layer", layer);
    module.define(methods);
    return module;
}

at::Tensor run(TorchScript& model, const at::Tensor& x) {
    return model->forward(Batch{{"x", x}}).tensors().at(0);
}

double count(const TorchScript& model) {
    return model->named_buffers()["count"].item<double>();
}

} // namespace

TEST_CASE("a script has its parameters and buffers under their names, and both sides see what changes them") {
    TorchScript model(script());
    std::vector<std::string> names;
    for (const auto& [name, tensor] : audyn::checkpoint::module_state(*model)) {
        names.push_back(name.to_string());
    }
    CHECK(names == std::vector<std::string>{"offset", "count", "layer.weight"});
    CHECK(model->named_parameters()["layer.weight"].requires_grad());
    CHECK_FALSE(model->named_parameters()["offset"].requires_grad());

    const at::Tensor x = at::ones({2});
    CHECK(at::equal(run(model, x), at::full({2}, 13.0)));
    CHECK(count(model) == 1); // which the script replaced by another tensor
    run(model, x).sum().backward();
    CHECK(count(model) == 2);
    CHECK(at::equal(model->named_parameters()["layer.weight"].grad(), x));

    audyn::StateDict state = audyn::checkpoint::module_state(*model);
    state.set("count", at::full({1}, 5.0));
    audyn::checkpoint::load_module_state(*model, state);
    model->eval();
    CHECK(at::equal(run(model, x), at::full({2}, 53.0)));
    CHECK(count(model) == 5);

    model->to(at::kDouble);
    CHECK(at::equal(run(model, x.to(at::kDouble)), at::full({2}, 53.0, at::kDouble)));
    CHECK((model->script().attr("count").toTensor().scalar_type() == at::kDouble));
}

TEST_CASE("a graph keeps the values of buffers that it was made with") {
    TorchScript model(script(R"(
def forward(self, x):
    y = x * self.count
    if self.training:
        self.count = self.count + 1.0
    return y
)"));
    const at::Tensor x = at::ones({1}).set_requires_grad(true);
    const at::Tensor first = run(model, x);
    const at::Tensor second = run(model, x);
    (100 * first + second).backward();
    CHECK(x.grad().item<double>() == 1.0); // the first with a count of 0, the second of 1

    model->eval();
    const at::Tensor third = run(model, x);
    model->named_buffers()["count"].fill_(5);
    CHECK_THROWS_WITH(third.backward(), doctest::Contains("modified by an inplace operation"));
}

TEST_CASE("a clone of a script is trained apart") {
    TorchScript model(script());
    model->eval();
    TorchScript copy(std::dynamic_pointer_cast<audyn::TorchScriptImpl>(model->clone()));
    CHECK_FALSE(copy->is_training());
    const at::Tensor weight = copy->named_parameters()["layer.weight"];
    CHECK(weight.is_leaf());
    CHECK(weight.requires_grad());
    CHECK_FALSE(copy->named_parameters()["offset"].requires_grad());
    {
        const at::NoGradGuard no_grad;
        weight.fill_(7);
    }
    CHECK(at::equal(run(copy, at::ones({2})), at::full({2}, 7.0)));
    CHECK(at::equal(run(model, at::ones({2})), at::full({2}, 3.0)));
}

TEST_CASE("arguments of a script go by name, and inference takes the place of forward") {
    TorchScript model(script());
    model->eval();
    const at::Tensor x = at::ones({2});
    CHECK(at::equal(model->forward(Batch{{"gain", 2.0}, {"x", x}}).tensors().at(0), at::full({2}, 6.0)));
    CHECK_THROWS_WITH_AS(model->forward(Batch{{"wave", x}}),
                         doctest::Contains("takes 'x' (Tensor), but the values have the names: wave"),
                         audyn::UsageError);

    audyn::trainer::ForwardCall<audyn::TorchScriptImpl, audyn::trainer::InferenceMethod<audyn::TorchScriptImpl>> call(
        {{{"x", "wave"}}, {}});
    const auto outputs = call(*model, Batch{{"wave", x}});
    CHECK(at::equal(outputs.tensor("double"), at::full({2}, 6.0)));
    CHECK(at::equal(outputs.tensor("input"), x));

    TorchScript plain(script("def forward(self, x):\n    return 4.0 * x\n"));
    CHECK(at::equal(plain->inference(Batch{{"x", x}}).tensors().at(0), 4 * x));
}

TEST_CASE("a script runs in mixed precision") {
    TorchScript model(script("def forward(self, x):\n    return x.matmul(self.layer.weight)\n"));
    const at::Tensor x = at::full({2, 2}, 1.0 / 3.0);
    const audyn::amp::AutocastGuard autocast(at::kCPU, at::kBFloat16);
    const at::Tensor half = run(model, x);
    CHECK((half.scalar_type() == at::kBFloat16));
    half.sum().backward();
    const at::Tensor gradient = model->named_parameters()["layer.weight"].grad();
    CHECK((gradient.scalar_type() == at::kFloat));
    CHECK(at::allclose(gradient, at::full({2}, 2.0 / 3.0), 1e-2));
}

TEST_CASE("what is no network to train is named") {
    CHECK_THROWS_WITH_AS(TorchScript(script("def encode(self, x):\n    return x\n")),
                         doctest::Contains("no method forward"), audyn::UsageError);
    torch::jit::Module module = script();
    module.eval();
    TorchScript frozen(torch::jit::freeze(module));
    CHECK(at::equal(run(frozen, at::ones({2})), at::full({2}, 3.0)));
    frozen->eval();
    CHECK_THROWS_WITH_AS(frozen->train(), doctest::Contains("torch.jit.freeze"), audyn::UsageError);
    TorchScript number(script("def forward(self, x):\n    return 1\n"));
    CHECK_THROWS_WITH_AS(run(number, at::ones({2})), doctest::Contains("Int"), audyn::UsageError);

    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(TorchScript(folder / "none.pt"), doctest::Contains("none.pt"), audyn::DataError);
}
