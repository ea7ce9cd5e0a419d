"""Python's torch reads the toolkit's checkpoints, and the toolkit reads Python's."""

import collections
import math
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

PROGRAM = os.environ["AUDYN_INTEROP_PROGRAM"]
BYTE_DTYPES = (torch.float8_e5m2, torch.float8_e4m3fn, torch.uint16, torch.uint32, torch.uint64)


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def run_checked(*arguments):
    result = run(*arguments)
    assert result.returncode == 0, result.stderr


def load(path, **options):
    return torch.load(path, weights_only=True, **options)


def same(a, b):
    """Equal values of equal types, tensors with dtype, shape and strides."""
    if isinstance(a, torch.Tensor):
        a, b = a.detach(), b.detach()
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.numel() > 1 and a.stride() != b.stride():
            return False
        a, b = (x.resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format) for x in (a, b))
        return a.flatten().view(torch.uint8).equal(b.flatten().view(torch.uint8))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and a == b


def check_ours(folder):
    path = folder + "/ours.pth"
    run_checked("checkpoint_write", path)
    for options in ({}, {"mmap": True}):
        state = load(path, **options)
        assert state["none"] is None and state["true"] is True and state["false"] is False
        assert state["ints"] == [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**63 - 1, -(2**63)]
        assert repr(state["floats"]) == "[0.1, -0.0, inf, 1e+300]"
        assert state["string"] == "Grüß 🎵" and state["empty"] == ""
        assert state["bytes"] == b"\x00\x7f\x80\xff" and state["no_bytes"] == b""
        assert state["list"] == [[], (), {}] and state["tuple"] == (1, "two", (3.0, None))
        assert state["int_keys"] == {0: "a", 1000000: "b"}
        assert len(state["dtypes"]) == 18
        count = torch.arange(6.0).reshape(2, 3)
        for name, tensor in state["dtypes"].items():
            assert same(tensor, count.to(tensor.dtype)), name
        base = torch.arange(12.0).reshape(3, 4)
        assert state["scalar"].shape == () and state["scalar"].item() == 2.5
        assert state["no_elements"].shape == (0, 3)
        assert same(state["transposed"], base.t()) and same(state["column"], base[:, 2])
        assert state["transposed"].untyped_storage().data_ptr() == state["column"].untyped_storage().data_ptr()
        assert state["expanded"].stride() == (0,) and state["expanded"].tolist() == [1, 1, 1]
        assert state["conjugated"].tolist() == [1 - 1j, 1 - 1j]
        assert state["tied_a"].data_ptr() == state["tied_b"].data_ptr()


def python_states():
    """What people save: name, state, and what it becomes here where that differs."""
    torch.manual_seed(0)
    net = make_net()
    yield "state_dict", net.state_dict(), None
    yield "parameters", dict(net.named_parameters()), None
    for optimizer in (
        torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
        torch.optim.AdamW([{"params": net.conv.parameters()}, {"params": net.head.parameters(), "lr": 1e-4}], fused=True),
    ):
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
        net(torch.randn(2, 2, 5)).sum().backward()
        optimizer.step()
        scheduler.step()
        name = type(optimizer).__name__
        yield name, optimizer.state_dict(), None
        yield name + "_scheduler", scheduler.state_dict(), None
    scaler = torch.amp.GradScaler("cpu")
    yield "scaler", scaler.state_dict(), None
    yield "generator", {"cpu": torch.get_rng_state()}, None
    base = torch.arange(24.0).reshape(2, 3, 4)
    yield "views", {"base": base, "t": base.transpose(0, 2), "row": base[1, 1:], "flat": base.view(-1)}, None
    yield "strided_zero", {"x": torch.ones(1, 3).expand(4, 3), "empty": torch.empty(3, 0, 2)}, None
    for dtype in (torch.float16, torch.bfloat16, torch.complex64, torch.complex128, torch.complex32, *BYTE_DTYPES):
        yield str(dtype), {"x": torch.arange(5.0).to(dtype), "0-dim": torch.tensor(1.0).to(dtype)}, None
    yield "conj", {"x": torch.tensor([1 + 2j]).conj(), "imag": torch.tensor([1 + 2j]).conj().imag}, None
    yield "buffer", {"b": torch.nn.Buffer(torch.ones(2)), "p": torch.nn.Parameter(torch.ones(2))}, None
    yield "ints", {"i": [2**n - 1 for n in range(64)] + [-(2**n) for n in range(64)]}, None
    yield "floats", {"f": [0.1, -0.0, math.inf, math.nan, 5e-324]}, None
    yield "text", {"Schlüssel 🎵": "\u0000Wert\n", "": "x" * 100000}, None
    yield "bytes", {"b": bytes(range(256)), "a": bytearray(b"ab")}, {"b": bytes(range(256)), "a": b"ab"}
    yield "tuples", {"t": (), "u": ((1,), [2, [3]]), 7: None}, None
    yield "size", {"s": base.shape}, {"s": (2, 3, 4)}
    yield "names", {"t": torch.float8_e5m2, "d": torch.device("cuda", 1)}, {"t": "torch.float8_e5m2", "d": "cuda:1"}
    yield "layout", {"l": torch.strided}, {"l": "torch.strided"}
    milestones = collections.Counter([3, 3, 5])
    yield "counter", {"milestones": milestones}, {"milestones": {3: 2, 5: 1}}
    yield "long", {str(i): i for i in range(3000)}, None
    shared = [1, 2]
    yield "shared", {"a": shared, "b": shared}, None
    yield "audyn", {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": {},
        "scaler": scaler.state_dict(),
        "iteration_idx": 7,
        "best_loss": float("inf"),
        "resolved_config": {"train": {"steps": {"epochs": None, "iterations": 100}, "betas": [0.9, 0.999]}},
        "_metadata": {"version": "0.4.0", "driver": "BaseTrainer", "commit_hash": None},
    }, None


def check_theirs(folder):
    states = list(python_states())
    files = []
    for i, (_, state, _) in enumerate(states):
        files += [f"{folder}/theirs{i}.pth", f"{folder}/copy{i}.pth"]
        torch.save(state, files[-2])
    run_checked("checkpoint_copy", *files)
    for copy, (name, state, expected) in zip(files[1::2], states):
        assert same(expected or state, load(copy)), f"{name}: {load(copy)}"


def check_refused(folder):
    """Files that a state dictionary cannot take are refused with words that say why."""

    module = torch.jit.script(torch.nn.Linear(1, 1))
    cases = {
        "posix.system": lambda path: torch.save({"x": os.system}, path),
        "_rebuild_sparse_tensor": lambda path: torch.save({"x": torch.eye(2).to_sparse()}, path),
        "_rebuild_qtensor": lambda path: torch.save({"x": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, path),
        "builtins.set": lambda path: torch.save({"x": {1}}, path),
        "builtins.complex": lambda path: torch.save({"x": 1j}, path),
        "64 bits": lambda path: torch.save({"x": 2**63}, path),
        "protocol 4": lambda path: torch.save({"x": 1}, path, pickle_protocol=4),
        "not a dictionary": lambda path: torch.save(torch.ones(1), path),
        "before 1.6": lambda path: torch.save({"x": 1}, path, _use_new_zipfile_serialization=False),
        "TorchScript": lambda path: module.save(path),
        "neither a string nor an integer": lambda path: torch.save({None: 1}, path),
    }
    for words, write in cases.items():
        path = folder + "/refused.pth"
        write(path)
        result = run("checkpoint_copy", path, folder + "/copy.pth")
        assert result.returncode == 1 and words in result.stderr and path in result.stderr, (words, result.stderr)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(2))
        self.conv = torch.nn.Conv1d(2, 4, 3, padding=1)
        self.norm = torch.nn.BatchNorm1d(4)
        self.lstm = torch.nn.LSTM(4, 3, num_layers=2, bidirectional=True)
        self.head = torch.nn.Linear(6, 2, bias=False)

    def forward(self, x):
        return self.head(self.lstm(self.norm(self.conv(x)).permute(2, 0, 1))[0]) * self.scale


def make_net():
    return Net()


def check_model(folder):
    """The same parameters mean the same network, under the same names in the same order, both ways."""
    torch.manual_seed(1)
    net = make_net()
    net(torch.randn(4, 2, 9))  # fills the running statistics
    net.eval()
    input = torch.randn(3, 2, 7)
    torch.save({"model": net.state_dict(), "input": input}, folder + "/net.pth")
    run_checked("checkpoint_model", folder + "/net.pth", folder + "/net_copy.pth")
    copy = load(folder + "/net_copy.pth")
    assert list(copy["model"]) == list(net.state_dict())
    torch.testing.assert_close(copy["output"], net(input), rtol=1e-6, atol=1e-7)
    other = make_net()
    other.load_state_dict(copy["model"])
    assert same(dict(other.state_dict()), dict(net.state_dict()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        check_ours(directory)
        check_theirs(directory)
        check_refused(directory)
        check_model(directory)
