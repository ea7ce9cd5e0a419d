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

CASES = {name: (kind, options, None) for name, (kind, options) in oracle.CASES.items()}
CASES.update(
    {
        "adamw_one_cycle": ("AdamW", {"lr": 1e-3}, "one_cycle"),
        "adam_warmup_cosine": ("Adam", {"lr": 0.01}, "warmup_cosine"),
        "sgd_one_cycle": ("SGD", {"lr": 0.01, "momentum": 0.9}, "one_cycle"),
        "sgd_step": ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.1}, "step"),
        "rmsprop_one_cycle": ("RMSprop", {"momentum": 0.9}, "one_cycle"),
        "nadam_step": ("NAdam", {"lr": 0.01}, "step"),
        "libtorch_adagrad": ("libtorch.Adagrad", {}, "step"),
        "libtorch_rmsprop": ("libtorch.RMSprop", {"momentum": 0.5, "centered": True}, None),
    }
)
# libtorch's own C++ optimizers compute in another order than Python's. ASGD computes its rates, and Adafactor norms, on
# the device.
NOT_EXACT = ("libtorch.Adagrad", "libtorch.RMSprop", "ASGD", "Adafactor")


def steps(kind):
    """Where the other language goes on, and where this one does again, and the end."""
    return (2, 4, 6) if kind == "LBFGS" else (50, 100, 120)


def python_kind(kind):
    return kind.removeprefix("libtorch.")


def make(name, parameters, implementation=True):
    kind, options, scheduler = CASES[name]
    implementation = implementation and not kind.startswith("libtorch.")
    optimizer = oracle.make(python_kind(kind), options, parameters, implementation)
    return optimizer, make_scheduler(scheduler, optimizer)


def optimizer_state(optimizer):
    """With `foreach` as by default: here it only chooses what Python computes with."""
    state = optimizer.state_dict()
    for group in state["param_groups"]:
        if "foreach" in group:
            group["foreach"] = None
    return state


def make_scheduler(name, optimizer):
    if name == "one_cycle":
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=100)
    if name == "warmup_cosine":
        warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
        return lr_scheduler.SequentialLR(optimizer, [warmup, lr_scheduler.CosineAnnealingLR(optimizer, 90)], [10])
    if name == "step":
        return lr_scheduler.StepLR(optimizer, 7, gamma=0.5)
    return None


def train(kind, optimizer, scheduler, parameters, first, last):
    for step in range(first, last):
        oracle.take_step(python_kind(kind), optimizer, parameters, step)
        if scheduler is not None:
            scheduler.step()


def describe(name, parameters, first, last, optimizer=None, scheduler=None):
    kind, options, scheduler_name = CASES[name]
    case = {"class": kind, "options": options, "scheduler": scheduler_name, "first": first, "last": last}
    case["parameters"] = [parameter.detach().clone() for parameter in parameters]
    if optimizer is not None:
        case["optimizer_state"] = optimizer_state(optimizer)
        case["scheduler_state"] = scheduler.state_dict() if scheduler is not None else {}
    return case


def run(folder, cases):
    torch.save({"cases": cases}, folder + "/in.pth")
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


def check_recorded_values():
    """The numbers of the unit tests are what this Python computes. Muon's bfloat16 differs between processors."""
    with open(os.environ["AUDYN_SOURCE_DIR"] + "/tests/optim/data/optimizers.txt") as file:
        recorded = {name: [float(number) for number in numbers] for name, *numbers in map(str.split, file)}
    assert list(recorded) == list(oracle.CASES)
    for name, (kind, options) in oracle.CASES.items():
        computed = [float(number) for parameter in oracle.run(kind, options)[1] for number in oracle.digest(parameter)]
        for old, new in zip(recorded[name], computed, strict=True):
            tolerance = 5e-3 if kind == "Muon" else 1e-6
            assert abs(old - new) <= tolerance * max(1, abs(new)), f"{name}: recorded {old}, computed {new}"


def go_on_in_python(name, result, whole):
    """Trains on from the state of C++, and on from Python's own."""
    kind = CASES[name][0]
    parameters, optimizer, scheduler = whole
    _, middle, last = steps(kind)
    copies = clone(result["parameters"])
    resumed, resumed_scheduler = make(name, copies)
    resumed.load_state_dict(result["optimizer_state"])
    for own, other in zip(resumed.param_groups, optimizer.param_groups):
        if "foreach" in own:
            own["foreach"] = other["foreach"]
    if resumed_scheduler is not None:
        resumed_scheduler.load_state_dict(result["scheduler_state"])
    train(kind, resumed, resumed_scheduler, copies, middle, last)
    train(kind, optimizer, scheduler, parameters, middle, last)
    check_parameters(name + " (on in Python)", copies, parameters, kind not in NOT_EXACT)


if __name__ == "__main__":
    check_recorded_values()
    whole, cases = {}, {}
    for name, (kind, _, _) in CASES.items():
        start = [oracle.values(shape, k) for k, shape in enumerate(oracle.shapes(kind))]
        first, middle, _ = steps(kind)
        parameters = clone(start)
        optimizer, scheduler = make(name, parameters)
        train(kind, optimizer, scheduler, parameters, 0, first)
        # Half of the way in Python, the rest in C++.
        cases[name + "/resumed"] = torch.utils._pytree.tree_map(
            lambda x: x.clone() if isinstance(x, torch.Tensor) else x,
            describe(name, parameters, first, middle, optimizer, scheduler),
        )
        train(kind, optimizer, scheduler, parameters, first, middle)
        whole[name] = (parameters, optimizer, scheduler)
        cases[name] = describe(name, start, 0, middle)

    with tempfile.TemporaryDirectory() as folder:
        results = run(folder, cases)

    for name, (kind, _, scheduler_name) in CASES.items():
        parameters, optimizer, scheduler = whole[name]
        exact = kind not in NOT_EXACT
        for variant in (name, name + "/resumed"):
            result = results[variant]
            check_parameters(variant, result["parameters"], parameters, exact)
            check_equal(variant, result["optimizer_state"], optimizer_state(optimizer), exact)
            if scheduler is not None:
                check_equal(variant, result["scheduler_state"], scheduler.state_dict(), exact)
        if kind in oracle.FUSED:
            default_parameters = [oracle.values(shape, k).requires_grad_() for k, shape in enumerate(oracle.SHAPES)]
            train(kind, *make(name, default_parameters, False), default_parameters, 0, steps(kind)[1])
            check_parameters(name + " (default kernel)", result["parameters"], default_parameters, exact=False)
        if scheduler_name != "one_cycle":  # It ends with its total_steps.
            go_on_in_python(name, result, whole[name])
