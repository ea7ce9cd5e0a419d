"""The same training by the toolkit's DistributedDataParallel and by Python's, from the same parameters and batches: the
same losses. And the toolkit's program under a real torchrun."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

try:
    import torch
    import torch.distributed as dist
    from torch.distributed.algorithms.join import Join
except ImportError:
    sys.exit(77)

PROGRAMS = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration")
STEPS = 20

# What the command line of the C++ program says, which the Python side reads too.
MODES = {
    "default": {},
    "small buckets": {"bucket_cap_mb": "0.01"},
    "views": {"bucket_cap_mb": "0.01", "gradient_as_bucket_view": "1"},
    "find unused": {"bucket_cap_mb": "0.01", "find_unused_parameters": "1"},
    "batch norm": {"norm": "batch"},
    "own buffers": {"norm": "batch", "broadcast_buffers": "0"},
    "accumulation": {"accumulation": "2"},
    "fp16": {"hook": "fp16"},
    "bf16": {"hook": "bf16"},
    "power sgd": {"hook": "power_sgd"},  # in one bucket: with more, Python's ranks disagree over the order on Gloo
    "amp": {"amp": "bf16"},
    "join": {"join": "4"},
    "join with small buckets and buffers": {"join": "1", "bucket_cap_mb": "0.01", "norm": "batch"},
}


def wave(shape, phase, scale):
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return ((index * 0.37 + phase).sin() * scale).float().view(shape)


class Net(torch.nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.first = torch.nn.Linear(16, 64)
        self.norm = torch.nn.BatchNorm1d(64) if norm == "batch" else torch.nn.Identity()
        self.second = torch.nn.Linear(64, 64)
        self.third = torch.nn.Linear(64, 8)
        self.extra = torch.nn.Linear(64, 8)

    def forward(self, value, uses_extra):
        hidden = self.second(self.norm(self.first(value)).relu()).relu()
        output = self.third(hidden)
        if uses_extra:
            output = output + self.extra(hidden)
        return output, self.extra(hidden)


def add_hook(model, name):
    from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook
    if name == "fp16":
        model.register_comm_hook(None, default_hooks.fp16_compress_hook)
    elif name == "bf16":
        model.register_comm_hook(None, default_hooks.bf16_compress_hook)
    elif name == "power_sgd":
        state = powerSGD_hook.PowerSGDState(None, matrix_approximation_rank=2, start_powerSGD_iter=5)
        model.register_comm_hook(state, powerSGD_hook.powerSGD_hook)


def train(settings):
    rank, world_size = dist.get_rank(), dist.get_world_size()
    find_unused = settings.get("find_unused_parameters") == "1"
    net = Net(settings.get("norm"))
    with torch.no_grad():
        for i, parameter in enumerate(net.parameters()):
            parameter.copy_(wave(parameter.shape, rank + i, 0.2))
    if not find_unused:
        net.extra.requires_grad_(False)
    kwargs = {key: settings[key] == "1" for key in ("gradient_as_bucket_view", "broadcast_buffers") if key in settings}
    if "bucket_cap_mb" in settings:
        kwargs["bucket_cap_mb"] = float(settings["bucket_cap_mb"])
    model = torch.nn.parallel.DistributedDataParallel(net, find_unused_parameters=find_unused, **kwargs)
    add_hook(model, settings.get("hook"))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    accumulation = int(settings.get("accumulation", "1"))
    batch, begin, losses = 12 // world_size, 0, []
    fewer_steps = int(settings.get("join", "0"))
    with Join([model]) if fewer_steps else contextlib.nullcontext():
        for step in range(STEPS - fewer_steps * rank):
            losses.append(0.0)
            for part in range(accumulation):
                model.require_backward_grad_sync = part + 1 == accumulation
                value = torch.stack([wave((16,), 0.9 * (begin + i * world_size + rank), 1.0) for i in range(batch)])
                begin += batch * world_size
                with torch.autocast("cpu", torch.bfloat16, enabled="amp" in settings):
                    output, _ = model(value, find_unused and (step + rank) % 3 == 1)
                    loss = torch.nn.functional.mse_loss(output.float(), value[:, :8].square()) / accumulation
                    loss.backward()
                losses[-1] += loss.item()
            optimizer.step()
            optimizer.zero_grad()
    return losses + [0.0] * (fewer_steps * rank)


def be_worker(folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    losses = {name: train(settings) for name, settings in MODES.items()}
    pathlib.Path(folder, f"python.{dist.get_rank()}").write_text(json.dumps(losses), encoding="utf-8")
    dist.destroy_process_group()
    # Threads of communication hooks that still hold a future abort the interpreter while it is taken down.
    os._exit(0)


def torchrun(world_size, *arguments, **options):
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={world_size}"]
    return subprocess.run(command + [str(argument) for argument in arguments], capture_output=True, text=True,
                          timeout=300, check=False, **options)


class DataParallel(unittest.TestCase):
    def run_program(self, world_size, folder):
        """The losses of each rank in each mode."""
        arguments = []
        for settings in MODES.values():
            arguments += ["+"] * bool(arguments) + [f"out={folder}/cpp", f"steps={STEPS}"]
            arguments += [f"{key}={value}" for key, value in settings.items()]
        result = torchrun(world_size, "--standalone", "--no-python", PROGRAMS / "data_parallel_rank", "train", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [[[float(number) for number in line.split()]
                 for line in pathlib.Path(folder, f"cpp.{rank}").read_text(encoding="utf-8").splitlines()]
                for rank in range(world_size)]

    def test_losses_are_those_of_python(self):
        for world_size in (2, 3):
            with tempfile.TemporaryDirectory() as folder:
                result = torchrun(world_size, "--standalone", __file__, folder)
                self.assertEqual(result.returncode, 0, result.stderr)
                losses = self.run_program(world_size, folder)
                for rank in range(world_size):
                    expected = json.loads(pathlib.Path(folder, f"python.{rank}").read_text(encoding="utf-8"))
                    for name, own in zip(MODES, losses[rank]):
                        with self.subTest(name, world_size=world_size, rank=rank):
                            self.assertEqual(len(own), STEPS)
                            worst = max(abs(a - b) for a, b in zip(own, expected[name]))
                            print(f"{name}, rank {rank} of {world_size}: {worst:.1e}", file=sys.stderr)
                            self.assertLess(worst, 1e-6)

    def test_static_rendezvous_hosts_the_store_over_restarts(self):
        environment = dict(os.environ, AUDYN_TEST_TIMEOUT="60")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            result = torchrun(2, "--max-restarts=1", f"--master-port={port}", "--no-python", PROGRAMS / "one_rank", "restart",
                              env=environment, cwd=folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("agent store True", result.stdout)
        self.assertEqual(result.stdout.count("attempt 0 fails"), 1, result.stdout)
        self.assertEqual(result.stdout.count("attempt 1 works"), 2, result.stdout)

    def test_torchrun_shows_the_reason(self):
        result = torchrun(2, "--standalone", "--no-python", PROGRAMS / "one_rank", "exception", 1, "computation")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"(?s)Root Cause.*rank +: 1 .*traceback : .*the data are bad")


if __name__ == "__main__":
    if "RANK" in os.environ:
        be_worker(sys.argv[1])
    else:
        unittest.main(verbosity=2, argv=sys.argv)
