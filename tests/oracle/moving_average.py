"""Writes tests/optim/data/moving_averages.txt: averages as Python computes them.

A line is: case, tensor, its elements. tests/optim/moving_average.cpp sets the same parameters step by step.
"""

import pathlib

import optimizer as oracle
import torch
from torch.optim import swa_utils


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3, 4))
        self.bias = torch.nn.Parameter(torch.zeros(3))
        self.register_buffer("scale", torch.zeros(5))


@torch.no_grad()
def set_values(net, step):
    """What a training would have made of the net."""
    for k, tensor in enumerate((net.weight, net.bias, net.scale)):
        tensor.copy_(oracle.values(tensor.shape, 10 * step + k) + 0.125 * step)


def exponential(steps, smooth, warmup=False, bias_correction=False):
    """Without options the loop of Audyn's ExponentialMovingAverageWrapper; with them the formulas, in float64."""
    net = Net()
    set_values(net, 0)
    plain = not (warmup or bias_correction)
    averages = [p.data.clone() if plain else p.data.double() for p in net.parameters()]
    if bias_correction:
        averages = [torch.zeros_like(average) for average in averages]
    lacking = 1.0
    for step in range(1, steps + 1):
        set_values(net, step)
        keep = min(smooth, (1 + step) / (10 + step)) if warmup else smooth
        lacking *= keep
        for i, parameter in enumerate(net.parameters()):
            if plain:
                averages[i] = torch.lerp(parameter.data, averages[i], weight=keep)
            else:
                averages[i] = keep * averages[i] + (1.0 - keep) * parameter.data.double()
    if bias_correction:
        averages = [average / (1.0 - lacking) for average in averages]
    return {name: average for (name, _), average in zip(net.named_parameters(), averages)}


class Wrapper:
    """Audyn's ExponentialMovingAverageWrapper, as far as its state and its update go."""

    def __init__(self, optimizer, smooth):
        self.optimizer = optimizer
        self.smooth = smooth
        self.parameters = optimizer.param_groups[0]["params"]
        self.averages = [parameter.data.clone() for parameter in self.parameters]

    def step(self):
        self.optimizer.step()
        self.update()

    def update(self):
        for i, parameter in enumerate(self.parameters):
            self.averages[i] = torch.lerp(parameter.data, self.averages[i], weight=self.smooth)

    def state_dict(self):
        average = {
            "state": {**dict(enumerate(self.averages)), "smooth": self.smooth},
            "param_groups": [{"params": list(range(len(self.averages)))}],
        }
        return {"moving_average": average, "original": self.optimizer.state_dict()}

    def load_state_dict(self, state):
        average = state["moving_average"]
        assert average["state"]["smooth"] == self.smooth
        assert average["param_groups"] == self.state_dict()["moving_average"]["param_groups"]
        self.averages = [average["state"][i] for i in average["param_groups"][0]["params"]]
        self.optimizer.load_state_dict(state["original"])


def averaged_model(steps, **options):
    net = Net()
    set_values(net, 0)
    model = swa_utils.AveragedModel(net, **options)
    for step in range(1, steps + 1):
        set_values(net, step)
        model.update_parameters(net)
    return model.state_dict()


def batch_norm():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        for k, parameter in enumerate(net.parameters()):
            parameter.copy_(oracle.values(parameter.shape, k))
    net(oracle.values((8, 4), 99))  # It has other statistics before.
    swa_utils.update_bn([oracle.values((8, 4), 100 + batch) for batch in range(7)], net)
    return {name: tensor for name, tensor in net.state_dict().items() if name.startswith("1.")}


CASES = {
    "ema": lambda: exponential(50, 0.9),
    "ema_long": lambda: exponential(300, 0.999),
    "ema_warmup": lambda: exponential(50, 0.99, warmup=True),
    "ema_bias_correction": lambda: exponential(50, 0.99, bias_correction=True),
    "ema_both": lambda: exponential(50, 0.8, warmup=True, bias_correction=True),
    "swa": lambda: averaged_model(50),
    "swa_buffers": lambda: averaged_model(50, use_buffers=True),
    "swa_decay": lambda: averaged_model(50, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.95)),
    "update_bn": batch_norm,
}


def lines():
    for name, make in CASES.items():
        for key, tensor in make().items():
            yield " ".join([name, key, *map(repr, tensor.double().flatten().tolist())])


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "optim" / "data"
    with open(folder / "moving_averages.txt", "w") as file:
        for line in lines():
            print(line, file=file)
