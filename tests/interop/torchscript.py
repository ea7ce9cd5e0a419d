"""A network that torch.jit.script saved is trained further in C++ as here, on one and on two ranks, and comes back under
the same names; a training that was resumed is the one that was not interrupted."""

import os
import socket
import subprocess
import sys
import unittest
from typing import Tuple

try:
    import torch
except ImportError:
    sys.exit(77)

PROGRAM = os.environ["AUDYN_INTEROP_PROGRAM"]
BATCH, BATCHES, ITERATIONS = 8, 4, 20


class Block(torch.nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = torch.nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm1d(channels)
        self.scale = torch.nn.Parameter(torch.full((1,), 0.5))
        self.offset = torch.nn.Parameter(torch.full((1,), 0.1), requires_grad=False)
        self.register_buffer("mean", torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:  # control flow stays in a script; a buffer becomes another tensor
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean((0, 2))
        return x + self.scale * self.norm(self.conv(x - self.mean.unsqueeze(1))).tanh() + self.offset


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(6, 4)
        self.mixer = torch.nn.Linear(4, 4)
        self.tied = self.mixer
        self.blocks = torch.nn.Sequential(Block(4), Block(4))
        self.dropout = torch.nn.Dropout(0.0)

    def forward(self, x: torch.Tensor, gain: float = 1.0) -> Tuple[torch.Tensor, torch.Tensor]:
        hidden = self.tied(self.mixer(self.encoder(x)).tanh()).transpose(1, 2)
        if self.training:
            hidden = hidden * gain
        return self.blocks(self.dropout(hidden)), hidden


def train(net, inputs, targets, ranks):
    """With DistributedDataParallel's numbers: the mean of the ranks' gradients, and rank 0's buffers."""
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
    batch = BATCH * ranks
    for iteration in range(ITERATIONS):
        begin = iteration * batch % len(inputs)
        optimizer.zero_grad()
        buffers = [buffer.clone() for buffer in net.buffers()]
        for rank in reversed(range(ranks)):
            with torch.no_grad():
                for name, value in zip([name for name, _ in net.named_buffers()], buffers, strict=True):
                    net.get_buffer(name).copy_(value)
            share = slice(begin + rank, begin + batch, ranks)
            estimate, _ = net(inputs[share])
            (torch.nn.functional.mse_loss(estimate, targets[share]) / ranks).backward()
        optimizer.step()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(name, script="net.pt", ranks=1, iterations=ITERATIONS, resumed=None):
    """Trains in C++; returns the checkpoint."""
    command = [PROGRAM, "torchscript_train", script, f"data{ranks}.pth", f"{name}.pth", f"{name}.pt", str(iterations)]
    environment = dict(os.environ)
    if ranks > 1:
        environment.update(WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()))
    processes = [subprocess.Popen(command + ([resumed] if resumed else []), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True,
                                  env=dict(environment, RANK=str(rank), LOCAL_RANK=str(rank)) if ranks > 1 else None)
                 for rank in range(ranks)]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    if any(process.returncode for process in processes):
        raise AssertionError("\n".join(errors))
    return torch.load(f"{name}.pth", weights_only=True)


def differences(one, other, place=""):
    """Where two states differ in a bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, (dict, list)):
        pairs = one.items() if isinstance(one, dict) else enumerate(one)
        return [found for key, value in pairs for found in differences(value, other[key], f"{place}.{key}")]
    return [] if one == other else [place]


class TorchScript(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.net = Net()
        torch.jit.script(cls.net).save("net.pt")
        for ranks in (1, 2):
            data = {"input": torch.randn(ranks * BATCH * BATCHES, 10, 6), "batch_size": BATCH,
                    "target": torch.randn(ranks * BATCH * BATCHES, 4, 10)}
            torch.save(data, f"data{ranks}.pth")

    def check(self, ranks):
        data = torch.load(f"data{ranks}.pth", weights_only=True)
        net = Net()
        net.load_state_dict(self.net.state_dict())
        train(net, data["input"], data["target"], ranks)
        state = run(f"trained{ranks}", ranks=ranks)["model"]
        self.assertEqual(list(state), list(net.state_dict()))
        for name, expected in net.state_dict().items():
            self.assertTrue(torch.allclose(state[name], expected, rtol=1e-4, atol=1e-5), name)
            is_fixed = name.endswith("offset")
            self.assertEqual(torch.equal(state[name], self.net.state_dict()[name]), is_fixed, name)
        fresh = Net()
        fresh.load_state_dict(state)
        fresh.eval()
        script = torch.jit.load(f"trained{ranks}.pt")
        self.assertFalse(script.training)
        self.assertEqual(differences(dict(script.state_dict()), state), [])
        with torch.no_grad():
            expected = fresh(data["input"])[0]
            self.assertTrue(torch.allclose(script(data["input"])[0], expected, rtol=1e-5, atol=1e-6))

    def test_one_rank(self):
        self.check(1)

    def test_two_ranks(self):
        self.check(2)

    def test_a_resumed_training_is_the_uninterrupted_one(self):
        for ranks in (1, 2):
            whole = run(f"whole{ranks}", ranks=ranks)
            run(f"part{ranks}", ranks=ranks, iterations=7)  # within the second epoch
            again = run(f"again{ranks}", ranks=ranks, resumed=f"part{ranks}.pth")
            for key in ("model", "optimizer", "iteration_idx"):
                self.assertEqual(differences(whole[key], again[key], key), [])

    def test_another_file_is_named(self):
        with self.assertRaisesRegex(AssertionError, "data1.pth"):
            run("damaged", script="data1.pth")


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
