"""Writes tests/modules/data/modules.json: modules of torch.nn that libtorch lacks, with states, outputs and gradients.
tests/modules/python_values.cpp reads it."""

import json
import pathlib

import torch
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize

from criterion import rounded, values


class CausalConv1d(torch.nn.Conv1d):
    def forward(self, input):
        return super().forward(functional.pad(input, (self.dilation[0] * (self.kernel_size[0] - 1), 0)))


def weight_norm(module, dim):
    return parametrizations.weight_norm(module, dim=dim)


CASES = [
    ("RMSNorm", lambda: torch.nn.RMSNorm(6), (4, 6)),
    ("RMSNorm, eps", lambda: torch.nn.RMSNorm([3, 4], eps=1e-3), (2, 3, 4)),
    ("RMSNorm, no weight", lambda: torch.nn.RMSNorm(6, elementwise_affine=False), (4, 6)),
    ("WeightNorm, Linear", lambda: weight_norm(torch.nn.Linear(5, 4), 0), (3, 5)),
    ("WeightNorm, Linear, one norm", lambda: weight_norm(torch.nn.Linear(5, 4, bias=False), None), (3, 5)),
    ("WeightNorm, Conv1d", lambda: weight_norm(torch.nn.Conv1d(4, 6, 3, padding=1, groups=2), 0), (2, 4, 9)),
    ("WeightNorm, Conv2d, dim 1", lambda: weight_norm(torch.nn.Conv2d(3, 4, (2, 3)), 1), (2, 3, 5, 6)),
    ("WeightNorm, ConvTranspose1d", lambda: weight_norm(torch.nn.ConvTranspose1d(4, 3, 4, stride=2), 0), (2, 4, 5)),
    ("WeightNorm, CausalConv1d", lambda: weight_norm(CausalConv1d(2, 3, 3), 0), (2, 2, 7)),
    ("CausalConv1d", lambda: CausalConv1d(2, 3, 3, dilation=2), (2, 2, 9)),
    ("CausalConv1d, stride", lambda: CausalConv1d(4, 4, 4, stride=3, groups=2, bias=False), (1, 4, 11)),
    ("CircularPad1d", lambda: torch.nn.CircularPad1d((2, 1)), (2, 3, 5)),
    ("CircularPad2d", lambda: torch.nn.CircularPad2d((1, 2, 3, 0)), (1, 2, 4, 3)),
    ("CircularPad3d", lambda: torch.nn.CircularPad3d(1), (1, 1, 2, 3, 2)),
    ("Conv1d, circular", lambda: torch.nn.Conv1d(2, 3, 5, padding=2, padding_mode="circular"), (2, 2, 7)),
    ("Conv2d, circular", lambda: torch.nn.Conv2d(1, 2, (3, 5), padding=(1, 2), padding_mode="circular"), (1, 1, 5, 4)),
]


def plain(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def case(name, build, shape):
    module = build()
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter.copy_(values(parameter.shape, number + 1, 0.1, 2.0))
    input = values(shape, 20, -2, 2).requires_grad_()
    output = module(input)
    (output * values(output.shape, 30)).sum().backward()
    state = {key: {**plain(value), "gradient": value.grad.flatten().tolist()}
             for key, value in module.named_parameters()}
    result = {"name": name, "state": state, "input": {**plain(input), "gradient": input.grad.flatten().tolist()},
              "output": plain(output)}
    assert list(module.state_dict()) == list(state)
    if name.startswith("WeightNorm"):
        parametrize.remove_parametrizations(module, "weight")
        result["removed"] = {key: plain(value) for key, value in module.state_dict().items()}
    return result


def cases():
    return [rounded(case(*one)) for one in CASES]


if __name__ == "__main__":
    file = pathlib.Path(__file__).resolve().parent.parent / "modules" / "data" / "modules.json"
    lines = ",\n".join(map(json.dumps, cases()))
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
