"""Optimizers, schedulers and clippers take Python's arguments, with the same defaults."""

import inspect
import os
import re
import subprocess
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

from torch.optim import lr_scheduler, swa_utils

# What the configuration does not write down.
PARTS = {"self", "params", "parameters", "optimizer"}
# null: the whole run.
OPTIONAL = {("CosineAnnealingLR", "T_max")}
ADDED = {("ReduceLROnPlateau", "monitor")}


def ours():
    """Each target's arguments: text of their defaults, None without one."""
    text = subprocess.run([os.environ["AUDYN_INTEROP_PROGRAM"], "signatures"], check=True, text=True, capture_output=True)
    targets = {}
    for name, arguments in re.findall(r"^  (torch[\w.]+)\((.*)\)$", text.stdout, re.M):
        arguments = re.findall(r"(\w+): [\w ]+?(?: = (\[.*?\]|'.*?'|[^,]+)| (\(optional\)))?(?:, |$)", arguments)
        targets[name.split(".")[-1]] = {key: default or optional or None for key, default, optional in arguments}
    return targets


def python_classes():
    classes = {name: getattr(torch.optim, name) for name in torch.optim.__all__}
    classes = {name: kind for name, kind in classes.items() if inspect.isclass(kind) and name != "Optimizer"}
    schedulers = {name: getattr(lr_scheduler, name) for name in lr_scheduler.__all__ if name != "LRScheduler"}
    clippers = {name: getattr(torch.nn.utils, name) for name in ("clip_grad_norm_", "clip_grad_value_")}
    return {**classes, **schedulers, **clippers, "SWALR": swa_utils.SWALR}


def same(text, default):
    if isinstance(default, bool) or default is None or isinstance(default, str):
        # What has no meaning here takes null, and false.
        return text in (str(default).lower(), "(optional)", "null" if default is None else repr(default))
    if isinstance(default, tuple):
        values = text.strip("[]").split(", ")
        return len(values) == len(default) and all(map(same, values, default))
    return float(text) == default


if __name__ == "__main__":
    targets = ours()
    classes = python_classes()
    assert len(classes) >= 33, sorted(classes)
    for name, kind in classes.items():
        arguments = targets.get(name)
        assert arguments is not None, f"{name} is missing"
        expected = {k: v for k, v in inspect.signature(kind).parameters.items() if k not in PARTS}
        added = {key for key in arguments if (name, key) in ADDED}
        assert set(arguments) - added == set(expected), f"{name}: {set(arguments) ^ set(expected)}"
        for key, parameter in expected.items():
            text = arguments[key]
            if parameter.default is inspect.Parameter.empty:
                assert text is None or (name, key) in OPTIONAL, f"{name}.{key} needs a value in Python"
            else:
                assert text is not None and same(text, parameter.default), f"{name}.{key}: {text} {parameter.default}"
