"""Writes tests/optim/data/optimizers.txt: parameters after 100 steps of Python's fused optimizers.

A line is: case, then for each of three tensors its first, middle and last element, the sum of absolute values and the
sum of squares. tests/optim/reference.hpp makes the same parameters and gradients, without rounding.
"""

import pathlib

import torch

SHAPES = [(1,), (1000,), (64, 64, 3)]
STEPS = 100
CASES = {
    "adamw": (torch.optim.AdamW, {}),
    "adamw_amsgrad": (torch.optim.AdamW, {"lr": 0.01, "betas": (0.8, 0.99), "amsgrad": True, "weight_decay": 0.1}),
    "adamw_maximize": (torch.optim.AdamW, {"lr": 3e-4, "eps": 1e-6, "maximize": True}),
    "adam": (torch.optim.Adam, {}),
    "adam_l2": (torch.optim.Adam, {"lr": 0.02, "weight_decay": 0.05, "amsgrad": True}),
    "adam_decoupled": (torch.optim.Adam, {"weight_decay": 0.05, "decoupled_weight_decay": True}),
    "sgd": (torch.optim.SGD, {}),
    "sgd_momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-2}),
    "sgd_nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "maximize": True}),
    "sgd_dampening": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
}


def values(shape, seed):
    """Multiples of 1/1024 in [-1, 1): exact in float32, the same in any language."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 7919 + seed * 104729) % 2003 - 1001).div(1024, rounding_mode=None).float().view(shape)


def run(optimizer_type, options, fused=True, steps=STEPS):
    parameters = [values(shape, k).requires_grad_() for k, shape in enumerate(SHAPES)]
    optimizer = optimizer_type(parameters, fused=fused, **options)
    for step in range(steps):
        for k, parameter in enumerate(parameters):
            parameter.grad = values(parameter.shape, 10 * step + k + 3)
        optimizer.step()
    return optimizer, [parameter.detach() for parameter in parameters]


def digest(parameter):
    flat = parameter.double().flatten()
    return [flat[0], flat[flat.numel() // 2], flat[-1], flat.abs().sum(), flat.square().sum()]


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "optim" / "data"
    with open(folder / "optimizers.txt", "w") as file:
        for name, (optimizer_type, options) in CASES.items():
            numbers = [number for parameter in run(optimizer_type, options)[1] for number in digest(parameter)]
            print(name, *(f"{number:.9g}" for number in numbers), file=file)
