"""Writes tests/optim/data/optimizers.txt: parameters after 200 steps of Python's optimizers.

A line is: case, then for each tensor its first, middle and last element, the sum of absolute values and the sum of
squares. tests/optim/reference.hpp makes the same parameters and gradients, without rounding.
"""

import pathlib

import torch
from torch import optim

SHAPES = [(1,), (1000,), (64, 64, 3)]
MATRICES = [(24, 40), (40, 24), (1, 64)]  # what Muon takes
VECTORS = [(2,), (50,), (6, 7, 3)]  # for LBFGS, which takes many steps in one
ROWS = 4  # of each tensor that a sparse gradient has
STEPS = 200
LBFGS_STEPS = 2

CASES = {
    "adamw": ("AdamW", {}),
    "adamw_amsgrad": ("AdamW", {"lr": 0.01, "betas": (0.8, 0.99), "amsgrad": True, "weight_decay": 0.1}),
    "adamw_maximize": ("AdamW", {"lr": 3e-4, "eps": 1e-6, "maximize": True}),
    "adam": ("Adam", {}),
    "adam_l2": ("Adam", {"lr": 0.02, "eps": 1e-3, "weight_decay": 0.05, "amsgrad": True}),
    "adam_decoupled": ("Adam", {"weight_decay": 0.05, "decoupled_weight_decay": True}),
    "sgd": ("SGD", {}),
    "sgd_momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-2}),
    "sgd_nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "maximize": True}),
    "sgd_dampening": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    "adagrad": ("Adagrad", {}),
    "adagrad_decay": ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.02, "eps": 1e-6}),
    "adagrad_maximize": ("Adagrad", {"initial_accumulator_value": 0.5, "maximize": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_momentum": ("RMSprop", {"lr": 1e-3, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.02}),
    "rmsprop_centered": ("RMSprop", {"lr": 1e-3, "eps": 1e-4, "momentum": 0.5, "centered": True, "maximize": True}),
    "rmsprop_centered_decay": ("RMSprop", {"lr": 1e-3, "centered": True, "weight_decay": 0.1, "maximize": True}),
    "nadam": ("NAdam", {}),
    "nadam_decay": ("NAdam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.05, "momentum_decay": 0.01}),
    "nadam_decoupled": ("NAdam", {"weight_decay": 0.05, "decoupled_weight_decay": True, "maximize": True}),
    "radam": ("RAdam", {}),
    "radam_decay": ("RAdam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.05}),
    "radam_decoupled": ("RAdam", {"weight_decay": 0.05, "decoupled_weight_decay": True, "maximize": True}),
    "adamax": ("Adamax", {}),
    "adamax_decay": ("Adamax", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.05}),
    "adamax_maximize": ("Adamax", {"maximize": True}),
    "adadelta": ("Adadelta", {}),
    "adadelta_decay": ("Adadelta", {"lr": 0.5, "rho": 0.95, "eps": 1e-5, "weight_decay": 0.05}),
    "adadelta_maximize": ("Adadelta", {"weight_decay": 0.05, "maximize": True}),
    "asgd": ("ASGD", {}),
    "asgd_averaging": ("ASGD", {"lr": 0.05, "lambd": 0.01, "alpha": 0.6, "t0": 50, "weight_decay": 0.02}),
    "asgd_maximize": ("ASGD", {"t0": 0, "maximize": True}),
    "asgd_maximize_decay": ("ASGD", {"t0": 10, "weight_decay": 0.02, "maximize": True}),
    "rprop": ("Rprop", {}),
    "rprop_etas": ("Rprop", {"lr": 1e-3, "etas": (0.7, 1.1), "step_sizes": (1e-4, 0.1)}),
    "rprop_limits": ("Rprop", {"lr": 0.02, "etas": (0.5, 1.5), "step_sizes": (1e-3, 0.03)}),
    "rprop_maximize": ("Rprop", {"maximize": True}),
    "adafactor": ("Adafactor", {}),
    "adafactor_decay": ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-6, 1e-2), "d": 2.0, "weight_decay": 0.05}),
    "adafactor_maximize": ("Adafactor", {"lr": 1e-3, "maximize": True}),
    "muon": ("Muon", {}),
    "muon_adamw": ("Muon", {"lr": 0.01, "momentum": 0.8, "weight_decay": 0.0, "adjust_lr_fn": "match_rms_adamw"}),
    "muon_plain": ("Muon", {"nesterov": False, "ns_steps": 3, "ns_coefficients": (3.0, -4.0, 2.0), "eps": 1e-5}),
    "muon_original": ("Muon", {"lr": 0.02, "adjust_lr_fn": "original"}),
    "sparse_adam": ("SparseAdam", {}),
    "sparse_adam_maximize": ("SparseAdam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "maximize": True}),
    "lbfgs": ("LBFGS", {"lr": 0.1}),
    "lbfgs_short": ("LBFGS", {"lr": 0.5, "max_iter": 3, "max_eval": 4, "history_size": 2}),
    "lbfgs_wolfe": ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 5}),
    "lbfgs_wolfe_long": ("LBFGS", {"line_search_fn": "strong_wolfe", "lr": 4.0, "history_size": 5, "max_iter": 4}),
}
# What Python has in one kernel, or on lists.
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")
FOREACH = ("RMSprop", "NAdam", "RAdam", "Adamax", "Adadelta", "ASGD", "Rprop", "Adafactor")


def values(shape, seed):
    """Multiples of 1/1024 in [-1, 1): exact in float32, the same in any language."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 7919 + seed * 104729) % 2003 - 1001).div(1024, rounding_mode=None).float().view(shape)


def shapes(kind):
    return {"Muon": MATRICES, "LBFGS": VECTORS}.get(kind, SHAPES)


def steps(kind):
    return LBFGS_STEPS if kind == "LBFGS" else STEPS


def gradient(kind, shape, step, k):
    grad = values(shape, 10 * step + k + 3)
    if kind != "SparseAdam":
        return grad
    count = min(ROWS, shape[0])
    rows = (torch.arange(count) * 37 + step) % shape[0]
    return torch.sparse_coo_tensor(rows[None], grad[:count], shape, check_invariants=True)


def loss(parameters):
    """Of a convex function whose curvature differs by a factor of about ten."""
    total = 0
    for k, parameter in enumerate(parameters):
        distance = parameter - values(parameter.shape, 50 + k)
        weight = values(parameter.shape, 60 + k).abs() + 0.1
        total = total + (weight * distance.square()).sum() + 0.05 * distance.pow(4).sum()
    return total


def make(kind, options, parameters, implementation=True):
    """With Python's implementation on lists or in one kernel, where there is one."""
    if implementation and kind in FUSED:
        options = dict(options, fused=True)
    if implementation and kind in FOREACH:
        options = dict(options, foreach=True)
    return getattr(optim, kind)(parameters, **options)


def take_step(kind, optimizer, parameters, step):
    if kind == "LBFGS":

        def closure():
            optimizer.zero_grad()
            value = loss(parameters)
            value.backward()
            return value

        optimizer.step(closure)
        return
    for k, parameter in enumerate(parameters):
        parameter.grad = gradient(kind, parameter.shape, step, k)
    optimizer.step()


def run(kind, options, implementation=True):
    parameters = [values(shape, k).requires_grad_() for k, shape in enumerate(shapes(kind))]
    optimizer = make(kind, options, parameters, implementation)
    for step in range(steps(kind)):
        take_step(kind, optimizer, parameters, step)
    return optimizer, [parameter.detach() for parameter in parameters]


def digest(parameter):
    flat = parameter.double().flatten()
    return [flat[0], flat[flat.numel() // 2], flat[-1], flat.abs().sum(), flat.square().sum()]


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "optim" / "data"
    with open(folder / "optimizers.txt", "w") as file:
        for name, (kind, options) in CASES.items():
            numbers = [number for parameter in run(kind, options)[1] for number in digest(parameter)]
            print(name, *(f"{number:.9g}" for number in numbers), file=file)
