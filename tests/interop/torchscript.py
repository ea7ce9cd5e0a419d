"""A network that torch.jit.script saved is trained further in C++ as here, and comes back under the same names."""

import os
import subprocess
import sys
import tempfile
from typing import Tuple

try:
    import torch
except ImportError:
    sys.exit(77)

BATCH, EPOCHS = 8, 5


class Block(torch.nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = torch.nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm1d(channels)
        self.scale = torch.nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale * self.norm(self.conv(x)).tanh()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(6, 4)
        self.blocks = torch.nn.Sequential(Block(4), Block(4))
        self.dropout = torch.nn.Dropout(0.0)

    def forward(self, x: torch.Tensor, gain: float = 1.0) -> Tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(x).transpose(1, 2)
        if self.training:  # control flow stays in a script
            hidden = hidden * gain
        return self.blocks(self.dropout(hidden)), hidden


def train(net, inputs, targets):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(EPOCHS):
        for begin in range(0, len(inputs), BATCH):
            optimizer.zero_grad()
            estimate, _ = net(inputs[begin:begin + BATCH])
            torch.nn.functional.mse_loss(estimate, targets[begin:begin + BATCH]).backward()
            optimizer.step()


if __name__ == "__main__":
    torch.manual_seed(0)
    net = Net()
    first = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    inputs, targets = torch.randn(4 * BATCH, 10, 6), torch.randn(4 * BATCH, 4, 10)
    program = os.environ["AUDYN_INTEROP_PROGRAM"]
    with tempfile.TemporaryDirectory() as folder:
        torch.jit.script(net).save(folder + "/net.pt")
        torch.save({"input": inputs, "target": targets, "batch_size": BATCH, "epochs": EPOCHS}, folder + "/data.pth")
        command = [program, "torchscript_train", folder + "/net.pt", folder + "/data.pth", folder + "/last.pth"]
        subprocess.run([*command, folder + "/trained.pt"], check=True)
        state = torch.load(folder + "/last.pth", weights_only=True)["model"]
        script = torch.jit.load(folder + "/trained.pt")
        damaged = subprocess.run([program, "torchscript_train", folder + "/data.pth", *command[3:], folder + "/x.pt"],
                                 check=False, capture_output=True, text=True)
    assert damaged.returncode == 1 and "data.pth" in damaged.stderr, damaged.stderr

    train(net, inputs, targets)
    assert list(state) == list(net.state_dict())
    for name, expected in net.state_dict().items():
        assert torch.allclose(state[name], expected, rtol=1e-5, atol=1e-6), name
        assert name.endswith("num_batches_tracked") or not torch.equal(state[name], first[name]), name
    fresh = Net()
    fresh.load_state_dict(state)
    fresh.eval()
    assert not script.training
    with torch.no_grad():
        assert torch.allclose(script(inputs)[0], fresh(inputs)[0], rtol=1e-5, atol=1e-6)
