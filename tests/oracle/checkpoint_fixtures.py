"""Writes tests/checkpoint/data/*.pth: files of Python's torch.save, which tests/checkpoint/load.cpp reads.

Run with torch 2.13.0: python tests/oracle/checkpoint_fixtures.py
"""

import collections
import pathlib

import torch

DATA = pathlib.Path(__file__).parent.parent / "checkpoint" / "data"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        self.norm = torch.nn.BatchNorm1d(3)

    def forward(self, x):
        return self.norm(self.linear(x))


def trained_net():
    net = Net()
    with torch.no_grad():
        for i, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.arange(parameter.numel()).view_as(parameter) + i)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
    for _ in range(3):
        net(torch.tensor([[1.0, 2.0], [3.0, -4.0]])).pow(2).sum().backward()
        optimizer.step()
        scheduler.step()
    return net, optimizer, scheduler


def main():
    DATA.mkdir(exist_ok=True)
    net, optimizer, scheduler = trained_net()
    torch.save(net.state_dict(), DATA / "state_dict.pth")
    torch.save(
        {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "lr_scheduler": scheduler.state_dict(),
            "scaler": torch.amp.GradScaler("cpu").state_dict(),
            "iteration_idx": 3,
            "best_loss": float("inf"),
            "resolved_config": {"train": {"steps": {"epochs": None, "iterations": 100}}, "model": {"name": "Net"}},
            "_metadata": {"version": "0.4.0", "driver": "BaseTrainer", "commit_hash": None},
        },
        DATA / "audyn.pth",
    )
    base = torch.arange(6.0).reshape(2, 3)
    torch.save(
        collections.OrderedDict(
            none=None,
            ints=[0, 255, 65536, -1, 2**31, 2**63 - 1, -(2**63)],
            floats=(0.1, float("-inf")),
            text="Grüße 🎵",
            data=b"\x00\x7f\x80\xff",
            no_data=b"",
            size=base.shape,
            dtype=torch.bfloat16,
            device=torch.device("cuda", 1),
            base=base,
            transposed=base.t(),
            row=base[1, 1:],
            scalar=torch.tensor(7),
            empty=torch.empty(0, 3),
            parameter=torch.nn.Parameter(torch.ones(2)),
            half=torch.tensor([1.5], dtype=torch.bfloat16),
            bytes_dtype=torch.tensor([1, 65535], dtype=torch.uint16),
            conjugated=torch.tensor([1 + 2j]).conj(),
            nested={3: {"deep": [(), {}, [True, False]]}},
        ),
        DATA / "values.pth",
    )
    torch.save({"x": torch.eye(2).to_sparse()}, DATA / "sparse.pth")
    torch.save({"x": 1}, DATA / "before_1_6.pth", _use_new_zipfile_serialization=False)
    torch.save(
        {
            "base": base,
            "transposed": base.t(),
            "count": torch.tensor(7),
            "empty": torch.empty(0, 3),
            "small": torch.tensor([0.0, 1.5]).to(torch.float8_e5m2),
        },
        DATA / "legacy.pth",
        _use_new_zipfile_serialization=False,
    )


if __name__ == "__main__":
    main()
