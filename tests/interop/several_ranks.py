"""Real torchrun, OpenMPI, MPICH and Slurm train examples/minimal on two ranks, each to the same bits as the program's own
launch; Python's torch.load reads the parts of both ranks in the checkpoint."""

import os
import pathlib
import subprocess
import sys
import unittest

import engines
import torch

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
MINIMAL = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "minimal" / "minimal"
TORCHRUN = pathlib.Path(sys.executable).parent / "torchrun"


def training(name, *overrides):
    folder = pathlib.Path(name).absolute()
    return [str(MINIMAL), "--config-dir", str(SOURCE / "examples" / "minimal" / "conf"), "system=cpu_ddp",
            f"train.output.exp_dir={folder}", f"train.output.tensorboard_dir={folder}/tensorboard",
            "train.steps.epochs=1", *overrides]


def run(command, environment, **options):
    process = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                             env={**environment, "OMP_NUM_THREADS": "1"}, **options)
    if process.returncode != 0:
        raise AssertionError(f"{command}: {process.returncode}\n{process.stdout[-2000:]}\n{process.stderr[-2000:]}")


def state(name):
    loaded = torch.load(f"{name}/model/last.pth", weights_only=True)
    tensors = dict(loaded["model"])
    for index, group in loaded["optimizer"]["state"].items():
        tensors.update({f"optimizer.{index}.{key}": value for key, value in group.items()})
    for rank, part in enumerate(loaded["audyn"]["ranks"]):
        tensors.update({f"rank{rank}.{key}": value for key, value in part["random_state"].items()})
    return tensors


def differences(first, second):
    """Names of what the states of two runs do not have in common, bit for bit."""
    one, other = state(first), state(second)
    assert "rank1.cpu" in one
    return [key for key in one.keys() | other.keys() if key not in one or key not in other or
            not torch.equal(torch.as_tensor(one[key]), torch.as_tensor(other[key]))]


class Engines:
    """A mix-in: `check` runs a training as an engine does and compares."""

    def check(self, name, command, environment, **options):
        if not pathlib.Path("built_in/model/last.pth").exists():
            run(training("built_in", "system.distributed.nproc_per_node=2"), engines.clean())
        run([*command, *training(name)], environment, **options)
        self.assertEqual(differences("built_in", name), [])


class Torchrun(Engines, unittest.TestCase):
    def test_same_bits(self):
        self.check("torchrun", [TORCHRUN, "--no-python", "--standalone", "--nproc-per-node", "2"], engines.clean())


class OpenMPI(Engines, engines.OpenMPI):
    def test_ranks(self):
        self.check("openmpi", self.command, self.environment)


class MPICH(Engines, engines.MPICH):
    def test_ranks(self):
        self.check("mpich", self.command, self.engine.environment)


class Slurm(Engines, engines.Slurm):
    def test_ranks(self):
        self.check("slurm", [self.srun, "-n", "2"], self.environment)


for engine_type in OpenMPI, MPICH, Slurm:
    for inherited in [name for name in dir(engine_type) if name.startswith("test_") and name != "test_ranks"]:
        setattr(engine_type, inherited, None)  # what only the engine's own tests are about


if __name__ == "__main__":
    engines.FOLDER.mkdir(exist_ok=True)
    success = unittest.main(verbosity=2, exit=False).result.wasSuccessful()
    if engines.missing:
        print("not on this machine: " + ", ".join(sorted(set(engines.missing))), file=sys.stderr)
    sys.exit(1 if not success else 77 if engines.missing else 0)
