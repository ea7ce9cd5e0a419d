"""Optimizers and schedulers give Python's parameters, and states go on in the other language, both ways."""

import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

from torch.optim import lr_scheduler

sys.path.insert(0, os.environ["AUDYN_SOURCE_DIR"] + "/tests/oracle")
import optimizer as oracle  # noqa: E402

STEPS = 100
CASES = {name: (kind.__name__, options, None) for name, (kind, options) in oracle.CASES.items()}
CASES.update(
    {
        "adamw_one_cycle": ("AdamW", {"lr": 1e-3}, "one_cycle"),
        "adam_warmup_cosine": ("Adam", {"lr": 0.01}, "warmup_cosine"),
        "sgd_one_cycle": ("SGD", {"lr": 0.01, "momentum": 0.9}, "one_cycle"),
        "sgd_step": ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.1}, "step"),
        "Adagrad": ("Adagrad", {}, "step"),
        "RMSprop": ("RMSprop", {"momentum": 0.5, "centered": True}, None),
    }
)
# libtorch's own C++ optimizers compute in another order than Python's.
OTHER_KERNELS = ("Adagrad", "RMSprop")


def make(name, parameters, fused=True):
    kind, options, scheduler = CASES[name]
    if kind not in OTHER_KERNELS:
        options = dict(options, fused=fused)
    optimizer = getattr(torch.optim, kind)(parameters, **options)
    return optimizer, make_scheduler(scheduler, optimizer)


def make_scheduler(name, optimizer):
    if name == "one_cycle":
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=100)
    if name == "warmup_cosine":
        warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
        return lr_scheduler.SequentialLR(optimizer, [warmup, lr_scheduler.CosineAnnealingLR(optimizer, 90)], [10])
    if name == "step":
        return lr_scheduler.StepLR(optimizer, 7, gamma=0.5)
    return None


def train(optimizer, scheduler, parameters, gradients):
    for step_gradients in gradients:
        for parameter, gradient in zip(parameters, step_gradients):
            parameter.grad = gradient.clone()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def describe(name, parameters, first, last, optimizer=None, scheduler=None):
    kind, options, scheduler_name = CASES[name]
    case = {"class": kind, "options": options, "scheduler": scheduler_name, "first": first, "last": last}
    case["parameters"] = [parameter.detach().clone() for parameter in parameters]
    if optimizer is not None:
        case["optimizer_state"] = optimizer.state_dict()
        case["scheduler_state"] = scheduler.state_dict() if scheduler is not None else {}
    return case


def run(folder, cases, gradients):
    torch.save({"cases": cases, "gradients": gradients}, folder + "/in.pth")
    subprocess.run([os.environ["AUDYN_INTEROP_PROGRAM"], "optimizer_run", folder + "/in.pth", folder + "/out.pth"], check=True)
    return torch.load(folder + "/out.pth", weights_only=True)


def clone(parameters):
    return [parameter.detach().clone().requires_grad_() for parameter in parameters]


def check_parameters(what, ours, theirs, exact):
    for a, b in zip(ours, theirs):
        tolerance = 0.0 if exact else 1e-6 * b.abs().max().item()
        error = (a.detach() - b.detach()).abs().max().item()
        assert error <= tolerance, f"{what}: {error} > {tolerance}"


def check_equal(what, ours, theirs, exact):
    """Equal states: keys, kinds, numbers; tensors within 1e-6 of their largest element unless exact."""
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, what
        check_parameters(what, [ours], [theirs], exact)
    elif isinstance(theirs, dict):
        assert set(ours) == set(theirs), f"{what}: {list(ours)} {list(theirs)}"
        for key, value in theirs.items():
            check_equal(f"{what}[{key!r}]", ours[key], value, exact)
    elif isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs) and len(ours) == len(theirs), f"{what}: {ours} {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            check_equal(f"{what}[{i}]", a, b, exact)
    elif isinstance(theirs, float) or isinstance(ours, float):
        assert abs(ours - theirs) <= 1e-12 * abs(theirs), f"{what}: {ours} {theirs}"
    else:
        assert type(ours) is type(theirs) and ours == theirs, f"{what}: {ours!r} {theirs!r}"


if __name__ == "__main__":
    start = [oracle.values(shape, k) for k, shape in enumerate(oracle.SHAPES)]
    gradients = [
        [oracle.values(parameter.shape, 10 * step + k + 3) for k, parameter in enumerate(start)]
        for step in range(STEPS + 20)
    ]
    middle, whole, resumed_cases, whole_cases = {}, {}, {}, {}
    for name in CASES:
        parameters = clone(start)
        optimizer, scheduler = make(name, parameters)
        train(optimizer, scheduler, parameters, gradients[: STEPS // 2])
        # Half of the way in Python, the rest in C++.
        resumed_cases[name + "/resumed"] = describe(name, parameters, STEPS // 2, STEPS, optimizer, scheduler)
        resumed_cases[name + "/resumed"] = torch.utils._pytree.tree_map(
            lambda x: x.clone() if isinstance(x, torch.Tensor) else x, resumed_cases[name + "/resumed"]
        )
        train(optimizer, scheduler, parameters, gradients[STEPS // 2 : STEPS])
        whole[name] = (parameters, optimizer, scheduler)
        whole_cases[name] = describe(name, start, 0, STEPS)

    with tempfile.TemporaryDirectory() as folder:
        results = run(folder, {**whole_cases, **resumed_cases}, gradients)

    for name in CASES:
        parameters, optimizer, scheduler = whole[name]
        exact = CASES[name][0] not in OTHER_KERNELS
        for variant in (name, name + "/resumed"):
            result = results[variant]
            check_parameters(variant, result["parameters"], parameters, exact)
            check_equal(variant, result["optimizer_state"], optimizer.state_dict(), exact)
            if scheduler is not None:
                check_equal(variant, result["scheduler_state"], scheduler.state_dict(), exact)
        if exact:
            default_parameters = clone(start)
            train(*make(name, default_parameters, fused=None), default_parameters, gradients[:STEPS])
            check_parameters(name + " (default kernel)", result["parameters"], default_parameters, exact=False)
        if CASES[name][2] == "one_cycle":
            continue  # It ends with its total_steps.
        # And on from C++ in Python.
        copies = clone(result["parameters"])
        resumed, resumed_scheduler = make(name, copies)
        resumed.load_state_dict(result["optimizer_state"])
        if resumed_scheduler is not None:
            resumed_scheduler.load_state_dict(result["scheduler_state"])
        train(resumed, resumed_scheduler, copies, gradients[STEPS:])
        train(optimizer, scheduler, parameters, gradients[STEPS:])
        check_parameters(name + " (on in Python)", copies, parameters, exact)
