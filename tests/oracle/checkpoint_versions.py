"""Writes tests/checkpoint/data/torch_<version>.pth and ..._legacy.pth: the same content by different versions of torch,
which tests/checkpoint/load.cpp reads.

Run with torch 2.7.1, 2.10.0 and 2.15.0: python tests/oracle/checkpoint_versions.py
"""

import collections
import pathlib

import torch

DATA = pathlib.Path(__file__).parent.parent / "checkpoint" / "data"


def main():
    torch.manual_seed(0)
    net = torch.nn.Sequential(collections.OrderedDict(first=torch.nn.Linear(2, 3), norm=torch.nn.BatchNorm1d(3)))
    with torch.no_grad():
        for i, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.arange(parameter.numel()).view_as(parameter) + i)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4])
    for _ in range(3):
        net(torch.tensor([[1.0, 2.0], [3.0, -4.0]])).pow(2).sum().backward()
        optimizer.step()
        scheduler.step()
    base = torch.arange(6.0).reshape(2, 3)
    content = {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "scaler": torch.amp.GradScaler("cpu").state_dict(),
        "iteration_idx": 3,
        "best_loss": float("inf"),
        "base": base,
        "row": base[1, 1:],
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "bfloat16": torch.tensor([1.5], dtype=torch.bfloat16),
        "float8": torch.tensor([1.5, -2.0]).to(torch.float8_e4m3fn),
        "uint16": torch.tensor([1, 65535], dtype=torch.uint16),
        "complex": torch.tensor([1 + 2j]).conj(),
        "size": base.shape,
        "dtype": torch.bfloat16,
        "device": torch.device("cuda", 1),
        "bytes": b"\x00\x7f\x80\xff",
        "big": [2**31, 2**63 - 1, -(2**63)],
        "Grüße 🎵": (True, None, 0.1),
    }
    name = "torch_" + ".".join(torch.__version__.split("+")[0].split(".")[:2])
    torch.save(content, DATA / f"{name}.pth")
    torch.save(content, DATA / f"{name}_legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
