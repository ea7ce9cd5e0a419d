"""Python's torch reads the toolkit's checkpoints, and the toolkit reads Python's."""

import collections
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import zipfile

try:
    import numpy
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
    tied = torch.nn.Linear(3, 3, bias=False)
    yield "tied", {"encoder.weight": tied.weight, "decoder.weight": tied.weight, "part": tied.weight[1:]}, None
    for dtype in (torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
        yield str(dtype), {"x": torch.arange(7).to(dtype), "view": torch.arange(12).to(dtype).view(3, 4).t()[1:, ::2]}, None
    wide = torch.randn(2, 3, 4, 5)
    yield "channels_last", {"x": wide.to(memory_format=torch.channels_last), "contiguous": wide}, None
    negative = torch.tensor([1 + 2j, 3 - 4j]).conj().imag
    yield "neg", {"x": negative}, {"x": negative.resolve_neg().contiguous()}
    yield "no values", {}, None
    yield "ordered", collections.OrderedDict(b=1, a=collections.OrderedDict(z=2)), None
    yield "long tuple", {"t": tuple(range(1000)), "deep": [[[[[[{"x": ((),)}]]]]]]}, None
    yield "parameter", {"p": torch.nn.Parameter(torch.randn(2, 2), requires_grad=False)}, None
    attributed = torch.nn.Parameter(torch.ones(3))
    attributed.note = "kept by Python"
    yield "parameter with attributes", {"p": attributed}, None
    yield "module of modules", torch.nn.Sequential(make_net(), torch.nn.Embedding(3, 2), torch.nn.MultiheadAttention(4, 2)).state_dict(), None
    for scheduler in (
        torch.optim.lr_scheduler.StepLR(optimizer, 3),
        torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 5]),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10),
        torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer),
        torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [torch.optim.lr_scheduler.LinearLR(optimizer), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)],
            [5],
        ),
    ):
        state = {key: value for key, value in scheduler.state_dict().items() if key != "mode_worse"}
        expected = None
        if "milestones" in state and isinstance(state["milestones"], collections.Counter):
            expected = dict(state, milestones=dict(state["milestones"]))
        yield type(scheduler).__name__, state, expected
    lbfgs = torch.optim.LBFGS(net.head.parameters())
    lbfgs.step(lambda: (lbfgs.zero_grad(), net.head.weight.pow(2).sum())[1].mul(1.0).requires_grad_())
    yield "LBFGS", lbfgs.state_dict(), None


def save_through_zipfile(state, path, limit):
    """The same records, packed by another program: not aligned, and with zip64 fields from sizes of `limit` on."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    old = zipfile.ZIP64_LIMIT
    zipfile.ZIP64_LIMIT = limit
    try:
        with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
            for record in source.infolist():
                target.writestr(record.filename, source.read(record))
    finally:
        zipfile.ZIP64_LIMIT = old


def check_theirs(folder):
    writers = {
        "new": torch.save,
        "old": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
        "zipfile": lambda state, path: save_through_zipfile(state, path, 10),
    }
    states = list(python_states())
    assert len(states) >= 50
    files = []
    cases = []
    for name, state, expected in states:
        for kind, write in writers.items():
            cases.append((f"{name} ({kind})", state, expected))
            files += [f"{folder}/theirs{len(cases)}.pth", f"{folder}/copy{len(cases)}.pth"]
            write(state, files[-2])
    run_checked("checkpoint_copy", *files)
    for copy, (name, state, expected) in zip(files[1::2], cases):
        assert same(state if expected is None else expected, load(copy)), f"{name}: {load(copy)}"
    check_sharing(load(files[2 * [name for name, _, _ in cases].index("tied (old)") + 1]))
    check_sharing(load(files[2 * [name for name, _, _ in cases].index("tied (new)") + 1]))


def check_sharing(tied):
    pointers = {tied[name].untyped_storage().data_ptr() for name in ("encoder.weight", "decoder.weight", "part")}
    assert len(pointers) == 1


def write_encrypted(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/data.pkl", b"}.")
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        content[content.index(b"PK\x01\x02") + 8] |= 1
        file.seek(0)
        file.write(content)


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
        "is compressed": lambda path: zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED).writestr("a/data.pkl", b"}" * 1000),
        "is encrypted": write_encrypted,
        "no record 'data.pkl'": lambda path: zipfile.ZipFile(path, "w").writestr("a/b", b"c"),
        "numpy": lambda path: torch.save({"best_loss": numpy.float64(0.5)}, path),
        "_rebuild_nested_tensor": lambda path: torch.save({"x": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])}, path),
        "_rebuild_meta_tensor_no_storage": lambda path: torch.save({"x": torch.ones(2, device="meta")}, path),
        "__main__.Net": lambda path: torch.save({"net": make_net()}, path),
        "posix.getcwd": lambda path: torch.save({"x": os.getcwd}, path, _use_new_zipfile_serialization=False),
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


def check_safetensors(folder):
    torch.manual_seed(2)
    state = make_net().state_dict()
    state["half"] = torch.randn(3).half()
    state["bfloat16"] = torch.randn(5).bfloat16()
    state["transposed"] = torch.randn(4, 3).t()
    state["Grüße"] = torch.tensor([True, False])
    state["empty"] = torch.empty(0, 2)
    torch.save(state, folder + "/net.pth")
    path = folder + "/net.safetensors"
    run_checked("checkpoint_safetensors", folder + "/net.pth", path, folder + "/net_copy.pth")
    assert same(dict(state, transposed=state["transposed"].contiguous()), {k: load(folder + "/net_copy.pth")[k] for k in state})
    # By the format's description, https://github.com/huggingface/safetensors#format
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0 and content[8:9] == b"{"
    header = json.loads(content[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    assert set(header) == set(state)
    dtypes = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "BOOL": torch.bool}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, next = entry["data_offsets"]
        assert begin == end, "holes or overlaps"
        end = next
        values = numpy.frombuffer(content, numpy.uint8, next - begin, 8 + length + begin)
        tensor = torch.empty(entry["shape"], dtype=dtypes[entry["dtype"]])
        if tensor.numel() > 0:  # torch views no empty bytes as another dtype
            tensor = torch.from_numpy(values.copy()).view(tensor.dtype).reshape(tensor.shape)
        assert begin % max(tensor.element_size(), 1) == 0
        assert tensor.dtype == state[name].dtype and tensor.equal(state[name]), name
    assert end == len(content) - 8 - length


def make_training():
    net = make_net()
    rest = [parameter for name, parameter in net.named_parameters() if not name.startswith("head.")]
    groups = [{"params": rest, "lr": 1e-2}, {"params": list(net.head.parameters()), "lr": 1e-3}]
    optimizer = torch.optim.AdamW(groups, fused=True)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    scaler = torch.amp.GradScaler("cpu", growth_interval=4)
    return {"model": net, "optimizer": optimizer, "lr_scheduler": scheduler, "scaler": scaler}


def save_training(parts, iteration, path):
    """Audyn's keys, as its BaseTrainer writes them."""
    state = {name: part.state_dict() for name, part in parts.items()}
    state.update(
        iteration_idx=iteration,
        best_loss=float("inf"),
        resolved_config={"train": {"steps": {"iterations": 12}}},
        _metadata={"version": "0.4.0", "driver": "BaseTrainer", "commit_hash": None},
    )
    torch.save(state, path)


def train(path, last, out):
    """Continues the checkpoint at `path` up to iteration `last`; returns the losses."""
    torch.manual_seed(99)  # whatever the parts are built with is replaced
    parts = make_training()
    state = load(path)
    assert {"model", "optimizer", "lr_scheduler", "scaler", "iteration_idx", "best_loss", "resolved_config", "_metadata"} <= set(state)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    losses = []
    for iteration in range(state["iteration_idx"], last):
        input = torch.arange(40.0).add(iteration).sin().reshape(4, 2, 5)
        loss = (parts["model"](input) - input.mean()).pow(2).mean()
        parts["optimizer"].zero_grad()
        parts["scaler"].scale(loss).backward()
        parts["scaler"].step(parts["optimizer"])
        parts["scaler"].update()
        parts["lr_scheduler"].step()
        losses.append(loss.item())
    save_training(parts, last, out)
    return losses


def train_here(path, last, out):
    """The same by the toolkit."""
    run_checked("checkpoint_train", path, out, last, out + ".losses")
    return load(out + ".losses")["losses"]


def check_training(folder):
    """A run goes on in the other language as one that never moved, whoever begins and however often it moves."""
    torch.manual_seed(3)
    start = folder + "/start.pth"
    save_training(make_training(), 0, start)
    expected = train(start, 12, folder + "/end.pth")
    assert len(expected) == 12 and expected[-1] < expected[0]
    for plan in ([train_here] * 1, [train, train_here], [train_here, train], [train, train_here, train, train_here]):
        path, losses = start, []
        for i, part in enumerate(plan):
            out = f"{folder}/part{i}.pth"
            losses += part(path, 12 * (i + 1) // len(plan), out)
            path = out
        assert len(losses) == 12
        difference = max(abs(a - b) for a, b in zip(losses, expected))
        assert difference < 1e-6, (difference, [part.__name__ for part in plan])
        moved, stayed = load(path), load(folder + "/end.pth")
        for name, tensor in stayed["model"].items():
            torch.testing.assert_close(moved["model"][name], tensor, rtol=1e-5, atol=1e-6)
        assert moved["lr_scheduler"]["last_epoch"] == stayed["lr_scheduler"]["last_epoch"]
        assert moved["scaler"]["scale"] == stayed["scaler"]["scale"] == 65536.0 * 2**3


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        check_ours(directory)
        check_theirs(directory)
        check_refused(directory)
        check_model(directory)
        check_safetensors(directory)
        check_training(directory)
