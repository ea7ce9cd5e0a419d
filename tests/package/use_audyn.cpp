#include <audyn/state/state_dict.hpp>

#include <ATen/ops/ones.h>

#include <cstdio>

int main() {
    const at::Tensor tensor = at::ones({3});
    audyn::state::StateDict state;
    const double sum = tensor.sum().item<double>();
    std::printf("sum %g\n", sum);
    return sum == 3.0 ? 0 : 1;
}
