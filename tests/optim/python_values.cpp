// Parameters after many steps, against those that tests/oracle/optimizer.py recorded with Python's optimizers.
#include "reference.hpp"

#include <audyn/optim/adadelta.hpp>
#include <audyn/optim/adafactor.hpp>
#include <audyn/optim/adagrad.hpp>
#include <audyn/optim/adam.hpp>
#include <audyn/optim/adamax.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/asgd.hpp>
#include <audyn/optim/lbfgs.hpp>
#include <audyn/optim/muon.hpp>
#include <audyn/optim/nadam.hpp>
#include <audyn/optim/optimizer.hpp>
#include <audyn/optim/radam.hpp>
#include <audyn/optim/rmsprop.hpp>
#include <audyn/optim/rprop.hpp>
#include <audyn/optim/sgd.hpp>
#include <audyn/optim/sparse_adam.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace audyn::optim;

namespace {

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<at::Tensor>&)>;
using Cases = std::map<std::string, Make>;
using StepGradients = std::function<void(Optimizer&, int64_t step)>;

template <class T, class Options>
Make make(const Options& options) {
    return [options](const std::vector<at::Tensor>& parameters) { return std::make_unique<T>(parameters, options); };
}

void dense_step(Optimizer& optimizer, int64_t step) {
    optimizer.zero_grad();
    reference::set_gradients(optimizer.parameters(), step);
    optimizer.step();
}

void sparse_step(Optimizer& optimizer, int64_t step) {
    reference::set_sparse_gradients(optimizer.parameters(), step);
    optimizer.step();
}

void closure_step(Optimizer& optimizer, int64_t) {
    optimizer.step([&] {
        optimizer.zero_grad();
        at::Tensor loss = reference::loss(optimizer.parameters());
        loss.backward();
        return loss;
    });
}

void check(const Cases& cases, const reference::Shapes& shapes = {{1}, {1000}, {64, 64, 3}}, int64_t steps = 200,
           const StepGradients& take_step = dense_step, double tolerance = 1e-6) {
    const auto expected = reference::table("optim/data/optimizers.txt", 1);
    for (const auto& [name, make_optimizer] : cases) {
        CAPTURE(name);
        const auto optimizer = make_optimizer(reference::parameters(shapes));
        for (int64_t step = 0; step < steps; ++step) {
            take_step(*optimizer, step);
        }
        const std::vector<double> digest = reference::digest(optimizer->parameters());
        REQUIRE(digest.size() == expected.at(name).size());
        for (std::size_t i = 0; i < digest.size(); ++i) {
            CHECK(digest[i] == doctest::Approx(expected.at(name)[i]).epsilon(tolerance));
        }
    }
}

} // namespace

TEST_CASE("SGD is Python's over 200 steps") {
    check({{"sgd", make<SGD>(SGDOptions())},
           {"sgd_momentum", make<SGD>(SGDOptions().lr(0.05).momentum(0.9).weight_decay(1e-2))},
           {"sgd_nesterov", make<SGD>(SGDOptions().lr(0.05).momentum(0.8).nesterov(true).maximize(true))},
           {"sgd_dampening", make<SGD>(SGDOptions().lr(0.05).momentum(0.9).dampening(0.5))}});
}

TEST_CASE("Adam and AdamW are Python's over 200 steps") {
    check({{"adamw", make<AdamW>(AdamWOptions())},
           {"adamw_amsgrad", make<AdamW>(AdamWOptions().lr(0.01).betas({0.8, 0.99}).amsgrad(true).weight_decay(0.1))},
           {"adamw_maximize", make<AdamW>(AdamWOptions().lr(3e-4).eps(1e-6).maximize(true))},
           {"adam", make<Adam>(AdamOptions())},
           {"adam_l2", make<Adam>(AdamOptions().lr(0.02).eps(1e-3).weight_decay(0.05).amsgrad(true))},
           {"adam_decoupled", make<Adam>(AdamOptions().weight_decay(0.05).decoupled_weight_decay(true))}});
}

TEST_CASE("Adagrad is Python's over 200 steps") {
    check({{"adagrad", make<Adagrad>(AdagradOptions())},
           {"adagrad_decay", make<Adagrad>(AdagradOptions().lr(0.05).lr_decay(0.1).weight_decay(0.02).eps(1e-6))},
           {"adagrad_maximize", make<Adagrad>(AdagradOptions().initial_accumulator_value(0.5).maximize(true))}});
}

TEST_CASE("RMSprop is Python's over 200 steps") {
    const RMSpropOptions slow = RMSpropOptions().lr(1e-3);
    check({{"rmsprop", make<RMSprop>(RMSpropOptions())},
           {"rmsprop_momentum", make<RMSprop>(RMSpropOptions(slow).alpha(0.9).momentum(0.9).weight_decay(0.02))},
           {"rmsprop_centered",
            make<RMSprop>(RMSpropOptions(slow).eps(1e-4).momentum(0.5).centered(true).maximize(true))},
           {"rmsprop_centered_decay",
            make<RMSprop>(RMSpropOptions(slow).centered(true).weight_decay(0.1).maximize(true))}});
}

TEST_CASE("NAdam is Python's over 200 steps") {
    check({{"nadam", make<NAdam>(NAdamOptions())},
           {"nadam_decay",
            make<NAdam>(NAdamOptions().lr(0.01).betas({0.8, 0.99}).eps(1e-6).weight_decay(0.05).momentum_decay(0.01))},
           {"nadam_decoupled",
            make<NAdam>(NAdamOptions().weight_decay(0.05).decoupled_weight_decay(true).maximize(true))}});
}

TEST_CASE("RAdam is Python's over 200 steps") {
    check({{"radam", make<RAdam>(RAdamOptions())},
           {"radam_decay", make<RAdam>(RAdamOptions().lr(0.01).betas({0.8, 0.99}).eps(1e-6).weight_decay(0.05))},
           {"radam_decoupled",
            make<RAdam>(RAdamOptions().weight_decay(0.05).decoupled_weight_decay(true).maximize(true))}});
}

TEST_CASE("Adamax is Python's over 200 steps") {
    check({{"adamax", make<Adamax>(AdamaxOptions())},
           {"adamax_decay", make<Adamax>(AdamaxOptions().lr(0.01).betas({0.8, 0.99}).eps(1e-6).weight_decay(0.05))},
           {"adamax_maximize", make<Adamax>(AdamaxOptions().maximize(true))}});
}

TEST_CASE("Adadelta is Python's over 200 steps") {
    check({{"adadelta", make<Adadelta>(AdadeltaOptions())},
           {"adadelta_decay", make<Adadelta>(AdadeltaOptions().lr(0.5).rho(0.95).eps(1e-5).weight_decay(0.05))},
           {"adadelta_maximize", make<Adadelta>(AdadeltaOptions().weight_decay(0.05).maximize(true))}});
}

TEST_CASE("ASGD is Python's over 200 steps") {
    check({{"asgd", make<ASGD>(ASGDOptions())},
           {"asgd_averaging", make<ASGD>(ASGDOptions().lr(0.05).lambd(0.01).alpha(0.6).t0(50).weight_decay(0.02))},
           {"asgd_maximize", make<ASGD>(ASGDOptions().t0(0).maximize(true))},
           {"asgd_maximize_decay", make<ASGD>(ASGDOptions().t0(10).weight_decay(0.02).maximize(true))}});
}

TEST_CASE("Rprop is Python's over 200 steps") {
    check({{"rprop", make<Rprop>(RpropOptions())},
           {"rprop_etas", make<Rprop>(RpropOptions().lr(1e-3).etas({0.7, 1.1}).step_sizes({1e-4, 0.1}))},
           {"rprop_limits", make<Rprop>(RpropOptions().lr(0.02).etas({0.5, 1.5}).step_sizes({1e-3, 0.03}))},
           {"rprop_maximize", make<Rprop>(RpropOptions().maximize(true))}});
}

TEST_CASE("Adafactor is Python's over 200 steps") {
    check({{"adafactor", make<Adafactor>(AdafactorOptions())},
           {"adafactor_decay",
            make<Adafactor>(AdafactorOptions().lr(0.1).beta2_decay(-0.5).eps({1e-6, 1e-2}).d(2.0).weight_decay(0.05))},
           {"adafactor_maximize", make<Adafactor>(AdafactorOptions().lr(1e-3).maximize(true))}});
}

TEST_CASE("Muon is Python's over 200 steps") {
    // It computes in bfloat16, whose matrix products differ between processors; the interop tier compares on one.
    check({{"muon", make<Muon>(MuonOptions())},
           {"muon_adamw",
            make<Muon>(MuonOptions().lr(0.01).momentum(0.8).weight_decay(0.0).adjust_lr_fn("match_rms_adamw"))},
           {"muon_plain",
            make<Muon>(MuonOptions().nesterov(false).ns_steps(3).ns_coefficients({3.0, -4.0, 2.0}).eps(1e-5))},
           {"muon_original", make<Muon>(MuonOptions().lr(0.02).adjust_lr_fn("original"))}},
          {{24, 40}, {40, 24}, {1, 64}}, 200, dense_step, 5e-3);
}

TEST_CASE("SparseAdam is Python's over 200 steps") {
    check({{"sparse_adam", make<SparseAdam>(SparseAdamOptions())},
           {"sparse_adam_maximize",
            make<SparseAdam>(SparseAdamOptions().lr(0.01).betas({0.8, 0.99}).eps(1e-6).maximize(true))}},
          {{1}, {1000}, {64, 64, 3}}, 200, sparse_step);
}

TEST_CASE("LBFGS is Python's over two steps of many iterations, before it is there") {
    const LBFGSOptions search = LBFGSOptions().line_search_fn("strong_wolfe");
    check({{"lbfgs", make<LBFGS>(LBFGSOptions().lr(0.1))},
           {"lbfgs_short", make<LBFGS>(LBFGSOptions().lr(0.5).max_iter(3).max_eval(4).history_size(2))},
           {"lbfgs_wolfe", make<LBFGS>(LBFGSOptions(search).max_iter(5))},
           {"lbfgs_wolfe_long", make<LBFGS>(LBFGSOptions(search).lr(4.0).history_size(5).max_iter(4))}},
          {{2}, {50}, {6, 7, 3}}, 2, closure_step);
}
