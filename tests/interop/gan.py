"""The losses that are recorded of a GAN are Python's, and on 2 ranks the toolkit's are those of Python's
DistributedDataParallel."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import torch
    import torch.distributed as dist
except ImportError:
    sys.exit(77)

SOURCE = os.environ["AUDYN_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/oracle")
import gan as oracle  # noqa: E402

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "gan_rank")
# What gan_rank trains.
VARIANTS = ["plain", "features", "bfloat16", "three discriminator steps", "two generator steps"]


def tolerance(variant):
    return 1e-2 if "float16" in variant else 1e-5


def read(path):
    """{(variant, side): losses}"""
    result = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        variant, side, *values = line.split()
        result[variant, side] = [float(value) for value in values]
    return result


def be_worker(folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    lines = []
    for variant in VARIANTS:
        losses = oracle.train(**oracle.VARIANTS[variant], rank=dist.get_rank(), world_size=dist.get_world_size(),
                              wrap=torch.nn.parallel.DistributedDataParallel)
        for side, values in zip(("generator", "discriminator"), zip(*losses)):
            lines.append(f"{variant.replace(' ', '_')} {side} " + " ".join(map(repr, values)))
    pathlib.Path(folder, f"python.{dist.get_rank()}").write_text("\n".join(lines), encoding="utf-8")
    dist.destroy_process_group()


def torchrun(*arguments):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    return subprocess.run(command + [str(argument) for argument in arguments], capture_output=True, text=True,
                          timeout=300, check=False)


class GAN(unittest.TestCase):
    def compare(self, own, expected):
        self.assertEqual(own.keys(), expected.keys())
        for (variant, side), values in own.items():
            with self.subTest(variant, side=side):
                self.assertEqual(len(values), oracle.ITERATIONS)
                worst = max(abs(a - b) for a, b in zip(values, expected[variant, side], strict=True))
                print(f"{variant} {side}: {worst:.1e}", file=sys.stderr)
                self.assertLess(worst, tolerance(variant))

    def test_the_record_is_pythons(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "now.txt")
            path.write_text("\n".join(oracle.lines()), encoding="utf-8")
            self.compare(read(SOURCE + "/tests/trainer/data/gan.txt"), read(path))

    def test_losses_on_two_ranks_are_pythons(self):
        with tempfile.TemporaryDirectory() as folder:
            result = torchrun(__file__, folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            result = torchrun("--no-python", PROGRAM, "train", pathlib.Path(folder, "own"))
            self.assertEqual(result.returncode, 0, result.stderr)
            for rank in range(2):
                self.compare(read(f"{folder}/own.{rank}"), read(f"{folder}/python.{rank}"))


if __name__ == "__main__":
    if "RANK" in os.environ:
        be_worker(sys.argv[1])
    else:
        unittest.main(verbosity=2, argv=sys.argv)
