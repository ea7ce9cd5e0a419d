"""The recorded averages are Python's; averages of PyTorch and of Audyn go on in C++, and the reverse."""

import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

from torch.optim import swa_utils

SOURCE = os.environ["AUDYN_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/oracle")
import moving_average as oracle  # noqa: E402

HALF, STEPS = 20, 50
SMOOTH = 0.9


def check_recorded():
    with open(SOURCE + "/tests/optim/data/moving_averages.txt") as file:
        recorded = file.read().splitlines()
    for ours, theirs in zip(recorded, oracle.lines(), strict=True):
        ours, theirs = ours.split(), theirs.split()
        assert ours[:2] == theirs[:2]
        for a, b in zip(map(float, ours[2:]), map(float, theirs[2:]), strict=True):
            assert abs(a - b) <= 1e-6 * abs(b), f"{ours[:2]}: {a} {b}"


def close(ours, theirs):
    return ours.shape == theirs.shape and torch.allclose(ours.double(), theirs.double(), rtol=1e-6, atol=0.0)


if __name__ == "__main__":
    check_recorded()
    net = oracle.Net()
    oracle.set_values(net, 0)
    models = {
        "swa": swa_utils.AveragedModel(net),
        "swa_buffers": swa_utils.AveragedModel(net, use_buffers=True),
    }
    wrapper = oracle.Wrapper(torch.optim.SGD(net.parameters(), lr=0.0), SMOOTH)

    def train(first, last):
        for step in range(first, last + 1):
            oracle.set_values(net, step)
            wrapper.update()
            for model in models.values():
                model.update_parameters(net)

    train(1, HALF)
    with tempfile.TemporaryDirectory() as folder:
        states = {name: model.state_dict() for name, model in models.items()}
        torch.save({"first": HALF + 1, "last": STEPS, "ema": wrapper.state_dict(), **states}, folder + "/in.pth")
        program = os.environ["AUDYN_INTEROP_PROGRAM"]
        subprocess.run([program, "moving_average_run", folder + "/in.pth", folder + "/out.pth"], check=True)
        results = torch.load(folder + "/out.pth", weights_only=True)
    train(HALF + 1, STEPS)

    for name, model in models.items():
        # Strict: no key is missing, none is unknown.
        continued = swa_utils.AveragedModel(oracle.Net(), use_buffers=model.use_buffers)
        continued.load_state_dict(results[name])
        for key, tensor in model.state_dict().items():
            assert close(continued.state_dict()[key], tensor), f"{name}: {key}"
    continued = oracle.Wrapper(torch.optim.SGD(oracle.Net().parameters(), lr=0.0), SMOOTH)
    continued.load_state_dict(results["ema"])
    for i, (ours, theirs) in enumerate(zip(continued.averages, wrapper.averages, strict=True)):
        assert close(ours, theirs), f"average {i}"
    averaged = oracle.Net()
    averaged.load_state_dict(results["model"])
    assert close(averaged.weight, wrapper.averages[0]) and close(averaged.scale, net.scale)
