// What the optimizers on list operators have in common, and where single ones differ.
#include "reference.hpp"

#include <audyn/core/error.hpp>
#include <audyn/optim/adadelta.hpp>
#include <audyn/optim/adafactor.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adamax.hpp>
#include <audyn/optim/asgd.hpp>
#include <audyn/optim/concepts.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/muon.hpp>
#include <audyn/optim/nadam.hpp>
#include <audyn/optim/radam.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/rprop.hpp>
#include <audyn/optim/sparse_adam.hpp>
#include <audyn/state/state_dict.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;
using audyn::StateDict;
using Names = std::vector<std::string>;

static_assert(check_optimizer<Adagrad>() && check_optimizer<RMSprop>() && check_optimizer<LBFGS>() &&
              check_optimizer<Muon>() && check_optimizer<SparseAdam>());

namespace {

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<at::Tensor>&)>;

template <class T, class Options>
Make make(const Options& options) {
    return [options](const std::vector<at::Tensor>& parameters) { return std::make_unique<T>(parameters, options); };
}

/// Each with the options that add to its state.
std::map<std::string, Make> elementwise() {
    return {{"Adagrad", make<Adagrad>(AdagradOptions().initial_accumulator_value(0.5))},
            {"RMSprop", make<RMSprop>(RMSpropOptions().momentum(0.9).centered(true))},
            {"NAdam", make<NAdam>(NAdamOptions())},
            {"RAdam", make<RAdam>(RAdamOptions().betas({0.5, 0.9}))},
            {"Adamax", make<Adamax>(AdamaxOptions())},
            {"Adadelta", make<Adadelta>(AdadeltaOptions())},
            {"ASGD", make<ASGD>(ASGDOptions().t0(1))},
            {"Rprop", make<Rprop>(RpropOptions())}};
}

std::map<std::string, Make> dense() {
    std::map<std::string, Make> all = elementwise();
    all["Adafactor"] = make<Adafactor>(AdafactorOptions());
    all["Muon"] = make<Muon>(MuonOptions());
    return all;
}

void train(Optimizer& optimizer, int64_t first, int64_t last) {
    for (int64_t step = first; step < last; ++step) {
        reference::set_gradients(optimizer.parameters(), step);
        optimizer.step();
    }
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& parameters) {
    std::vector<at::Tensor> result;
    for (const at::Tensor& parameter : parameters) {
        result.push_back(parameter.detach().clone().requires_grad_());
    }
    return result;
}

/// As a file would give it: with tensors of its own.
StateDict copied(const StateDict& state) {
    StateDict result;
    for (const auto& [key, value] : state) {
        if (value.is<at::Tensor>()) {
            result.set(key, value.as_tensor().clone());
        } else if (value.is<StateDict>()) {
            result.set(key, copied(value.as_dict()));
        } else {
            result.set(key, value);
        }
    }
    return result;
}

Names keys(const StateDict& dict) {
    Names result;
    for (const auto& [key, value] : dict) {
        result.push_back(key.string());
    }
    return result;
}

const reference::Shapes matrices{{24, 40}, {40, 24}};

} // namespace

TEST_CASE("loaded states of all optimizers go on bit for bit") {
    for (const auto& [name, make_optimizer] : dense()) {
        CAPTURE(name);
        const auto whole = make_optimizer(reference::parameters(matrices));
        CHECK(whole->name() == name);
        train(*whole, 0, 5);
        const auto resumed = make_optimizer(copies(whole->parameters()));
        resumed->load_state_dict(copied(whole->state_dict()));
        train(*whole, 5, 9);
        train(*resumed, 5, 9);
        for (std::size_t i = 0; i < matrices.size(); ++i) {
            CHECK(at::equal(whole->parameters()[i], resumed->parameters()[i]));
        }
    }
}

TEST_CASE("dense-only optimizers refuse sparse gradients by name, also after dense ones") {
    for (const auto& [name, make_optimizer] : dense()) {
        const auto optimizer = make_optimizer(reference::parameters(matrices));
        train(*optimizer, 0, 1);
        reference::set_sparse_gradients(optimizer->parameters(), 1);
        CHECK_THROWS_WITH_AS(optimizer->step(),
                             (name + " does not take sparse gradients, but 'parameter 0' has one").c_str(),
                             audyn::UsageError);
        train(*optimizer, 2, 3);
    }
}

TEST_CASE("a complex parameter is as two real ones") {
    for (const auto& [name, make_optimizer] : elementwise()) {
        CAPTURE(name);
        const at::Tensor real = reference::values({5, 2}, 1).requires_grad_();
        const at::Tensor complex = at::view_as_complex(real.detach().clone()).requires_grad_();
        const auto of_real = make_optimizer({real});
        const auto of_complex = make_optimizer({complex});
        for (int64_t step = 0; step < 5; ++step) {
            real.mutable_grad() = reference::values({5, 2}, step);
            complex.mutable_grad() = at::view_as_complex(reference::values({5, 2}, step));
            of_real->step();
            if (name == "Adagrad") {
                CHECK_THROWS_AS(of_complex->step(), audyn::UsageError); // As Python's fused kernel.
                break;
            }
            of_complex->step();
        }
        if (name != "Adagrad") {
            CHECK(at::equal(at::view_as_real(complex.detach()), real.detach()));
            CHECK(of_complex->state_dict().at("state").as_dict().size() == 1);
        }
    }
}

TEST_CASE("types other than float32, and parameters that join later") {
    for (const auto& [name, make_optimizer] : dense()) {
        CAPTURE(name);
        const at::Tensor first = at::ones({3, 3}, at::kDouble).requires_grad_();
        const at::Tensor late = at::zeros({3, 3}, at::kBFloat16).requires_grad_();
        const auto optimizer = make_optimizer({first, late});
        first.mutable_grad() = at::eye(3, at::kDouble);
        optimizer->step();
        CHECK(first[0][0].item<double>() != 1.0);
        CHECK(late[0][0].item<double>() == 0.0);
        late.mutable_grad() = at::eye(3, at::kBFloat16);
        for (int64_t step = 0; step < 9; ++step) {
            optimizer->step();
        }
        CHECK(late[0][0].item<double>() < 0.0);
        CHECK(at::isfinite(late.detach()).all().item<bool>());
        const StateDict states = optimizer->state_dict().at("state").as_dict();
        if (name != "Muon") {
            CHECK(states.at(0).as_dict().at("step").as_tensor().item<float>() == 10.0F);
            CHECK(states.at(1).as_dict().at("step").as_tensor().item<float>() == 9.0F);
        }
    }
}

TEST_CASE("only fused kernels unscale gradients") {
    for (const auto& [name, make_optimizer] : dense()) {
        CAPTURE(name);
        const auto optimizer = make_optimizer(reference::parameters(matrices));
        CHECK(optimizer->supports_amp_scaling() == (name == "Adagrad"));
        if (name != "Adagrad") {
            CHECK_THROWS_AS(optimizer->step(at::ones({}), at::zeros({})), audyn::UsageError);
        }
    }
    const std::vector<at::Tensor> plain = reference::parameters();
    const std::vector<at::Tensor> scaled = reference::parameters();
    Adagrad plain_optimizer(plain);
    Adagrad scaled_optimizer(scaled);
    for (int64_t step = 0; step < 3; ++step) {
        reference::set_gradients(plain, step);
        plain_optimizer.step();
        reference::set_gradients(scaled, step);
        for (const at::Tensor& parameter : scaled) {
            parameter.mutable_grad().mul_(1024.0);
        }
        scaled_optimizer.step(at::full({}, 1024.0), at::zeros({}));
        scaled_optimizer.step(at::full({}, 1024.0), at::ones({})); // Skipped.
    }
    CHECK(at::equal(plain[1], scaled[1]));
    CHECK(scaled_optimizer.state_dict().at("state").as_dict().at(0).as_dict().at("step").as_tensor().item<float>() ==
          3.0F);
}

TEST_CASE("Adagrad has its state before the first step, and takes it") {
    const std::vector<at::Tensor> parameters = reference::parameters();
    Adagrad optimizer(parameters, AdagradOptions().initial_accumulator_value(0.25));
    const StateDict state = optimizer.state_dict();
    REQUIRE(state.at("state").as_dict().size() == 3);
    CHECK(state.at("state").as_dict().at(1).as_dict().at("sum").as_tensor()[7].item<float>() == 0.25F);
    Adagrad other(reference::parameters());
    other.load_state_dict(copied(state));
    train(optimizer, 0, 2);
    train(other, 0, 2);
    CHECK(at::equal(other.parameters()[2], parameters[2]));
}

TEST_CASE("a scheduler's rate and momentum reach the step") {
    const at::Tensor parameter = at::zeros({1}).requires_grad_();
    RMSprop optimizer(std::vector{parameter}, RMSpropOptions().alpha(0.0).eps(0.0).momentum(0.5));
    parameter.mutable_grad() = at::ones({1});
    optimizer.groups()[0].lr = 1.0;
    optimizer.step(); // momentum buffer 1
    optimizer.groups()[0].momentum = 1.0;
    optimizer.step(); // momentum buffer 2
    CHECK(parameter.item<float>() == -3.0F);
    const StateDict group = optimizer.state_dict().at("param_groups").as_list().at(0).as_dict();
    CHECK(group.at("lr").as_float() == 1.0);
    CHECK(group.at("momentum").as_float() == 1.0);
    CHECK(optimizer.options(0).momentum() == 1.0);
    optimizer.groups()[0].momentum = 0.0; // Without momentum the buffer stays.
    optimizer.step();
    CHECK(parameter.item<float>() == -4.0F);
}

TEST_CASE("states are in Python's layout, counters on the host") {
    const at::Tensor parameter = at::ones({2, 3}).requires_grad_();
    parameter.mutable_grad() = at::ones({2, 3});
    NAdam nadam(std::vector{parameter});
    nadam.step();
    const StateDict nadam_state = nadam.state_dict();
    const StateDict& entry = nadam_state.at("state").as_dict().at(0).as_dict();
    CHECK(keys(entry) == Names{"step", "mu_product", "exp_avg", "exp_avg_sq"});
    CHECK((entry.at("mu_product").as_tensor().scalar_type() == at::kFloat));
    CHECK(entry.at("mu_product").as_tensor().dim() == 0);
    CHECK(keys(nadam_state.at("param_groups").as_list().at(0).as_dict()) ==
          Names{"lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize", "foreach",
                "capturable", "differentiable", "params"});

    Adafactor adafactor({parameter, at::ones({4}).requires_grad_()});
    adafactor.parameters()[1].mutable_grad() = at::ones({4});
    adafactor.step();
    const StateDict adafactor_state = adafactor.state_dict();
    const StateDict& states = adafactor_state.at("state").as_dict();
    CHECK(keys(states.at(0).as_dict()) == Names{"step", "row_var", "col_var"});
    CHECK(states.at(0).as_dict().at("row_var").as_tensor().sizes() == at::IntArrayRef({2, 1}));
    CHECK(states.at(0).as_dict().at("col_var").as_tensor().sizes() == at::IntArrayRef({1, 3}));
    CHECK(keys(states.at(1).as_dict()) == Names{"step", "variance"});
    CHECK(adafactor_state.at("param_groups").as_list()[0].as_dict().at("eps").as_list()[0].is_none());
}

TEST_CASE("states that do not fit are refused") {
    const at::Tensor parameter = at::ones({2, 3}).requires_grad_();
    parameter.mutable_grad() = at::ones({2, 3});
    Adafactor optimizer(std::vector{parameter});
    optimizer.step();
    StateDict state = copied(optimizer.state_dict());
    StateDict& entry = std::get<StateDict>(std::get<StateDict>(state.find("state")->storage()).find(0)->storage());
    entry.set("row_var", at::ones({3}));
    entry.erase("col_var");
    CHECK_THROWS_WITH_AS(optimizer.load_state_dict(state),
                         "the state does not fit the optimizer Adafactor:\n"
                         "  'row_var' of 'parameter 0' has the shape [3], needed is [2, 1]\n"
                         "  'col_var' of 'parameter 0' is missing",
                         audyn::StateError);
    RMSprop other(std::vector{parameter});
    CHECK_THROWS_WITH_AS(other.load_state_dict(optimizer.state_dict()), doctest::Contains("has no 'alpha'"),
                         audyn::StateError);
}

TEST_CASE("options out of range are refused by name") {
    const std::vector<at::Tensor> parameters{at::ones({1}).requires_grad_()};
    CHECK_THROWS_WITH_AS(Adagrad(parameters, AdagradOptions().lr_decay(-1.0)),
                         "the optimizer's lr_decay must be at least 0, got -1", audyn::UsageError);
    CHECK_THROWS_AS(RMSprop(parameters, RMSpropOptions().alpha(-0.1)), audyn::UsageError);
    CHECK_THROWS_AS(NAdam(parameters, NAdamOptions().betas({1.0, 0.9})), audyn::UsageError);
    CHECK_THROWS_AS(RAdam(parameters, RAdamOptions().eps(-1.0)), audyn::UsageError);
    CHECK_THROWS_AS(Adamax(parameters, AdamaxOptions().weight_decay(-1.0)), audyn::UsageError);
    CHECK_THROWS_AS(Adadelta(parameters, AdadeltaOptions().rho(1.5)), audyn::UsageError);
    CHECK_THROWS_AS(ASGD(parameters, ASGDOptions().lr(-1.0)), audyn::UsageError);
    CHECK_THROWS_AS(Rprop(parameters, RpropOptions().etas({0.5, 0.9})), audyn::UsageError);
    CHECK_THROWS_AS(Adafactor(parameters, AdafactorOptions().d(0.5)), audyn::UsageError);
    CHECK_THROWS_AS(SparseAdam(parameters, SparseAdamOptions().lr(0.0)), audyn::UsageError);
    CHECK_THROWS_AS(LBFGS(parameters, LBFGSOptions().line_search_fn("wolfe")), audyn::UsageError);
    CHECK_THROWS_AS(Muon({at::ones({2, 2}).requires_grad_()}, MuonOptions().adjust_lr_fn("adamw")), audyn::UsageError);
    CHECK_THROWS_WITH_AS(Muon{parameters},
                         "Muon takes matrices, but 'parameter 0' has the shape [1]; give it to another optimizer",
                         audyn::UsageError);
}

TEST_CASE("SparseAdam leaves rows without gradient alone, and refuses dense gradients by name") {
    NamedParameters named;
    named.insert("embedding.weight", at::ones({4, 2}).requires_grad_());
    SparseAdam optimizer(named, SparseAdamOptions().lr(0.1));
    const at::Tensor& weight = optimizer.parameters()[0];
    // Row 2 occurs twice: its gradients are added.
    weight.mutable_grad() =
        at::sparse_coo_tensor(at::tensor({2, 0, 2}, at::kLong).unsqueeze(0), at::ones({3, 2}), {4, 2});
    optimizer.step();
    CHECK(weight[0][0].item<float>() == doctest::Approx(0.9));
    CHECK(weight[1][0].item<float>() == 1.0F);
    CHECK(weight[2][0].item<float>() == doctest::Approx(0.9));
    const StateDict state = optimizer.state_dict().at("state").as_dict().at(0).as_dict();
    CHECK(state.at("step").as_int() == 1);
    CHECK(state.at("exp_avg").as_tensor()[2][0].item<float>() == doctest::Approx(0.2));

    SparseAdam resumed(copies({weight}), SparseAdamOptions().lr(0.1));
    resumed.load_state_dict(copied(optimizer.state_dict()));
    for (SparseAdam* each : {&optimizer, &resumed}) {
        reference::set_sparse_gradients(each->parameters(), 3);
        each->step();
    }
    CHECK(at::equal(weight, resumed.parameters()[0]));

    weight.mutable_grad() = at::ones({4, 2});
    CHECK_THROWS_WITH_AS(
        optimizer.step(),
        "SparseAdam takes sparse gradients only, but that of 'embedding.weight' is dense; Adam takes it",
        audyn::UsageError);
    CHECK_THROWS_AS(SparseAdam({at::ones({2}, at::kComplexFloat).requires_grad_()}), audyn::UsageError);
}

TEST_CASE("LBFGS goes on from a loaded state, and needs its closure and one group") {
    for (const bool search : {false, true}) {
        CAPTURE(search);
        auto options = LBFGSOptions().lr(0.5).max_iter(3).history_size(4);
        if (search) {
            options.line_search_fn("strong_wolfe");
        }
        const auto step = [](LBFGS& optimizer) {
            return optimizer.step([&] {
                optimizer.zero_grad();
                at::Tensor loss = reference::loss(optimizer.parameters());
                loss.backward();
                return loss;
            });
        };
        LBFGS whole(reference::parameters({{2}, {50}}), options);
        const float first_loss = step(whole).item<float>();
        LBFGS resumed(copies(whole.parameters()), options);
        resumed.load_state_dict(copied(whole.state_dict()));
        for (int i = 0; i < 2; ++i) {
            const float loss = step(whole).item<float>();
            CHECK(loss < first_loss);
            CHECK(step(resumed).item<float>() == loss);
        }
        CHECK(at::equal(whole.parameters()[1], resumed.parameters()[1]));
        CHECK_THROWS_AS(whole.step(), audyn::UsageError);
        StateDict state = copied(whole.state_dict());
        StateDict& entry = std::get<StateDict>(std::get<StateDict>(state.find("state")->storage()).find(0)->storage());
        entry.set("d", at::ones({3}));
        CHECK_THROWS_WITH_AS(whole.load_state_dict(state),
                             "the state does not fit the optimizer LBFGS:\n  'd' is missing or no tensor of 52 "
                             "elements, which is what the parameters have",
                             audyn::StateError);
    }
    const OptionsGroup<LBFGSOptions> one{{}, {at::ones({1}).requires_grad_()}, {}};
    const OptionsGroup<LBFGSOptions> two{{}, {at::ones({1}).requires_grad_()}, {}};
    CHECK_THROWS_AS(LBFGS({one, two}), audyn::UsageError);
}
