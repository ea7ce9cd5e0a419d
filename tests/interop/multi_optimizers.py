"""States of Audyn's MultiOptimizers and MultiLRSchedulers go on in C++, and the reverse."""

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
import moving_average  # noqa: E402
import optimizer as oracle  # noqa: E402

FIRST, MIDDLE, LAST = 5, 11, 17
SMOOTH = 0.75


def make_parameters():
    return [oracle.values(shape, k).requires_grad_() for k, shape in enumerate(oracle.SHAPES)]


class Training:
    """Of these optimizers and schedulers Audyn keeps a dictionary by name; `None` has the state of its dummy."""

    def __init__(self, parameters):
        self.parameters = parameters
        body = torch.optim.SGD(parameters[:2], lr=0.01, momentum=0.9)
        head = torch.optim.AdamW(parameters[2:])
        self.optimizers = {"body": moving_average.Wrapper(body, SMOOTH), "head": head}
        self.schedulers = {"body": None, "head": lr_scheduler.StepLR(head, 3, 0.5)}

    def run(self, first, last):
        for step in range(first, last):
            for k, parameter in enumerate(self.parameters):
                parameter.grad = oracle.gradient("SGD", parameter.shape, step, k)
            for optimizer in self.optimizers.values():
                optimizer.step()
            for scheduler in filter(None, self.schedulers.values()):
                scheduler.step()

    def state_dict(self):
        return {
            "optimizer": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "lr_scheduler": {name: one.state_dict() if one else {} for name, one in self.schedulers.items()},
            "parameters": [parameter.data for parameter in self.parameters],
        }

    def load_state_dict(self, state):
        for parameter, values in zip(self.parameters, state["parameters"], strict=True):
            parameter.data.copy_(values)
        assert list(state["optimizer"]) == list(self.optimizers)
        assert list(state["lr_scheduler"]) == list(self.schedulers)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizer"][name])
        for name, scheduler in self.schedulers.items():
            if scheduler is None:
                assert state["lr_scheduler"][name] == {}
            else:
                scheduler.load_state_dict(state["lr_scheduler"][name])


def close(ours, theirs):
    return torch.allclose(ours, theirs, rtol=1e-5, atol=1e-7)


if __name__ == "__main__":
    training = Training(make_parameters())
    training.run(0, FIRST)
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"first": FIRST, "last": MIDDLE, **training.state_dict()}, folder + "/in.pth")
        program = os.environ["AUDYN_INTEROP_PROGRAM"]
        subprocess.run([program, "multi_optimizers_run", folder + "/in.pth", folder + "/out.pth"], check=True)
        result = torch.load(folder + "/out.pth", weights_only=True)
    continued = Training(make_parameters())
    continued.load_state_dict(result)
    training.run(FIRST, MIDDLE)
    for last in (MIDDLE, LAST):
        ours, theirs = continued.state_dict(), training.state_dict()
        for a, b in zip(ours["parameters"], theirs["parameters"], strict=True):
            assert close(a, b)
        for a, b in zip(continued.optimizers["body"].averages, training.optimizers["body"].averages, strict=True):
            assert close(a, b)
        assert ours["lr_scheduler"] == theirs["lr_scheduler"]
        rate = continued.optimizers["head"].param_groups[0]["lr"]
        assert rate == training.optimizers["head"].param_groups[0]["lr"] == 1e-3 * 0.5 ** (last // 3)
        if last == MIDDLE:
            continued.run(MIDDLE, LAST)
            training.run(MIDDLE, LAST)
