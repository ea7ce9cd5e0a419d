"""The recorded schedules are Python's, and every scheduler's state goes on in the other language, both ways."""

import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

SOURCE = os.environ["AUDYN_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/oracle")
import lr_scheduler as oracle  # noqa: E402

HALF = 250


def check_recorded():
    with open(SOURCE + "/tests/optim/data/schedulers.txt") as file:
        recorded = file.read().splitlines()
    for ours, theirs in zip(recorded, oracle.lines(), strict=True):
        assert ours == theirs, f"tests/optim/data/schedulers.txt is not what Python gives: {ours[:60]}"


def make(name):
    optimizer = oracle.make_optimizer(name)
    return optimizer, oracle.CASES[name](optimizer)


def follow(optimizer, scheduler, first, last):
    """What the groups hold after each step."""
    rates = []
    for step in range(first, last):
        oracle.advance(scheduler, [step])
        quantities = oracle.values(optimizer)
        rates.append(list(quantities.values()))
    return rates


def check_rates(what, ours, theirs):
    assert len(ours) == len(theirs), what
    for step, (a, b) in enumerate(zip(ours, theirs)):
        for x, y in zip(a, b, strict=True):
            assert abs(x - y) <= 1e-12 * abs(y), f"{what}, step {step}: {x} {y}"


# Python sets these only when a nested scheduler is started, and reads them nowhere.
UNUSED = {"_step_count", "_is_initial"}


def check_equal(what, ours, theirs):
    if isinstance(theirs, dict):
        extra = UNUSED if "_schedulers" in theirs else set()
        assert set(ours) - extra == set(theirs) - extra, f"{what}: {sorted(map(str, set(ours) ^ set(theirs)))}"
        for key in set(theirs) - extra:
            check_equal(f"{what}[{key!r}]", ours[key], theirs[key])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), f"{what}: {ours} {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            check_equal(f"{what}[{i}]", a, b)
    elif isinstance(theirs, float) or isinstance(ours, float):
        assert ours == theirs or abs(ours - theirs) <= 1e-12 * abs(theirs), f"{what}: {ours} {theirs}"
    elif not isinstance(theirs, torch.Tensor):
        assert ours == theirs, f"{what}: {ours!r} {theirs!r}"


def run(given):
    with tempfile.TemporaryDirectory() as folder:
        torch.save(given, folder + "/in.pth")
        program = os.environ["AUDYN_INTEROP_PROGRAM"]
        subprocess.run([program, "lr_scheduler_run", folder + "/in.pth", folder + "/out.pth"], check=True)
        return torch.load(folder + "/out.pth", weights_only=True)


if __name__ == "__main__":
    check_recorded()
    # Half of the way in Python, the rest in C++; and half in C++.
    given, python = {}, {}
    for name in oracle.CASES:
        optimizer, scheduler = make(name)
        follow(optimizer, scheduler, 0, HALF)
        states = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
        given[name + "/resumed"] = {"first": HALF, "last": oracle.STEPS, **states}
        given[name + "/half"] = {"first": 0, "last": HALF}
        python[name] = optimizer, scheduler
    results = run(given)
    for name, (optimizer, scheduler) in python.items():
        half = results[name + "/half"]
        check_equal(name + " after half of the way", half["scheduler"], scheduler.state_dict())
        expected = follow(optimizer, scheduler, HALF, oracle.STEPS)
        check_rates(name + " on in C++", results[name + "/resumed"]["rates"], expected)
        check_equal(name, results[name + "/resumed"]["scheduler"], scheduler.state_dict())
        # And on from C++ in Python.
        other, resumed = make(name)
        other.load_state_dict(half["optimizer"])
        resumed.load_state_dict(half["scheduler"])
        check_rates(name + " on in Python", follow(other, resumed, HALF, oracle.STEPS), expected)
