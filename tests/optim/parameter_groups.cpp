#include <audyn/core/error.hpp>
#include <audyn/optim/adamw.hpp>
#include <audyn/optim/parameter_groups.hpp>

#include <ATen/ATen.h>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace audyn::optim;
using Names = std::vector<std::string>;

namespace {

NamedParameters model() {
    NamedParameters parameters;
    for (const char* name : {"encoder.0.weight", "encoder.0.bias", "norm.weight", "norm.bias", "head.weight"}) {
        parameters.insert(name, at::ones({2}).requires_grad_());
    }
    return parameters;
}

} // namespace

TEST_CASE("groups by patterns of names: what no pattern fits comes first") {
    const AdamWOptions options = AdamWOptions().lr(0.5).weight_decay(0.25);
    AdamW optimizer(parameter_groups(
        model(), options,
        {{{"*.bias", "*norm*"}, AdamWOptions(options).weight_decay(0.0)}, {{"head.?eight"}, AdamWOptions().lr(2.0)}}));
    REQUIRE(optimizer.groups().size() == 3);
    CHECK(optimizer.groups()[0].names == Names{"encoder.0.weight"});
    CHECK(optimizer.groups()[1].names == Names{"encoder.0.bias", "norm.weight", "norm.bias"});
    CHECK(optimizer.groups()[2].names == Names{"head.weight"});
    CHECK(optimizer.options(0).weight_decay() == 0.25);
    CHECK(optimizer.options(1).weight_decay() == 0.0);
    CHECK(optimizer.options(1).lr() == 0.5);
    CHECK(optimizer.options(2).lr() == 2.0);
    // The decay alone moves parameters whose gradients are zero.
    for (const at::Tensor& parameter : optimizer.parameters()) {
        parameter.mutable_grad() = at::zeros({2});
    }
    optimizer.step();
    CHECK(optimizer.parameters()[0][0].item<float>() == 1.0F - 0.5F * 0.25F);
    CHECK(optimizer.parameters()[1][0].item<float>() == 1.0F);
}

TEST_CASE("where every parameter fits a pattern there is no group of others") {
    const auto groups = parameter_groups(model(), AdamWOptions(), {{{"*"}, AdamWOptions().lr(0.5)}});
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].params.size() == 5);
    CHECK(groups[0].options.lr() == 0.5);
}

TEST_CASE("tied parameters count under their first name") {
    NamedParameters parameters = model();
    parameters.insert("tied", parameters["head.weight"]);
    const auto parts = split_by_name(parameters, {{"head*"}});
    CHECK(parts[0].names.size() == 4);
    CHECK(parts[1].names == Names{"head.weight"});
    CHECK_THROWS_AS((void)split_by_name(parameters, {{"tied"}}), audyn::UsageError);
}

TEST_CASE("patterns that fit nothing, or in two groups, are refused") {
    CHECK_THROWS_WITH_AS((void)split_by_name(model(), {{"*.bias", "decoder.*"}}),
                         "the pattern 'decoder.*' fits no parameter; there are: encoder.0.weight, encoder.0.bias, "
                         "norm.weight, norm.bias, head.weight",
                         audyn::UsageError);
    CHECK_THROWS_WITH_AS((void)split_by_name(model(), {{"*.bias"}, {"head*"}, {"*norm*"}}),
                         "two parameter groups match 'norm.bias', by '*.bias' and by '*norm*'; each parameter belongs "
                         "to one",
                         audyn::UsageError);
    CHECK_THROWS_AS((void)split_by_name(model(), {{}}), audyn::UsageError);
    // Twice in one group is no contradiction.
    CHECK(split_by_name(model(), {{"*.bias", "norm*"}})[1].names.size() == 3);
    CHECK_THROWS_AS(AdamW(parameter_groups(NamedParameters(), AdamWOptions(), {})), audyn::UsageError);
}
