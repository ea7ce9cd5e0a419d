"""Runs examples/gan as a user does: what it makes comes near the data, in any precision, on two ranks, and resumed."""

import csv
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "gan" / "gan"
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")},
               "OMP_NUM_THREADS": "1"}


def run(name, *overrides, command=(), check=True):
    process = subprocess.run(
        [str(PROGRAM), *command, "--config-dir", str(SOURCE / "examples" / "gan" / "conf"),
         f"train.output.exp_dir={name}", "train.output.tensorboard_dir=null", f"train.output.csv={name}/metrics.csv",
         *overrides], capture_output=True, text=True, env=ENVIRONMENT, timeout=200, check=False)
    if check and process.returncode != 0:
        raise AssertionError(f"{name}: {process.returncode}\n{process.stdout[-3000:]}\n{process.stderr[-3000:]}")
    return process


def column(name, column="energy_distance (epoch)/validation"):
    with open(f"{name}/metrics.csv", encoding="utf-8") as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def validation_lines(process):
    return [line.split("(validation) ")[1] for line in process.stdout.splitlines() if "(validation) " in line]


class GANExample(unittest.TestCase):
    def check_learned(self, name, epochs=30):
        distances = column(name)
        self.assertEqual(len(distances), epochs)
        self.assertGreater(distances[0], 0.1)
        self.assertLess(sum(distances[-5:]) / 5, 0.02)

    def test_learns_validates_and_writes_points(self):
        trained = run("trained")
        self.check_learned("trained")
        self.assertIn("[GANTrainer][INFO]", trained.stdout)
        self.assertIn("learning_rate generator: 0.002, learning_rate discriminator: 0.002", trained.stdout)
        self.assertEqual(len(list(pathlib.Path("trained/model").glob("top_epoch*.pth"))), 1)
        last = ("test.checkpoint=trained/model/last.pth",)
        validated = run("trained", *last, command=("validate",))
        self.assertIn("trained/model/last.pth (moving_average_model)", validated.stdout)
        self.assertEqual(validation_lines(validated), validation_lines(trained)[-1:])
        unaveraged = run("trained", *last, "test.moving_average=false", command=("validate",))
        self.assertNotEqual(validation_lines(unaveraged), validation_lines(trained)[-1:])
        run("trained", *last, command=("test",))
        self.assertEqual(len(list(pathlib.Path("trained/inference").glob("*.pth"))), 1024)

    def test_mixed_precision(self):
        run("mixed", "system=cpu_amp")
        self.check_learned("mixed")

    def test_two_ranks(self):
        run("ranks", "system=cpu_ddp", "system.distributed.nproc_per_node=2", "train.dataloader.train.batch_size=64")
        self.check_learned("ranks")

    def test_a_resumed_run_ends_as_an_uninterrupted_one(self):
        whole = run("whole", "train.steps.epochs=3")
        run("resumed", "train.steps.epochs=null", "train.steps.iterations=50")
        resumed = run("resumed", "train.steps.epochs=3", "train.resume.continue_from=auto")
        self.assertEqual(validation_lines(resumed)[-1], validation_lines(whole)[-1])


if __name__ == "__main__":
    for folder in pathlib.Path().iterdir():  # of an earlier run
        shutil.rmtree(folder, ignore_errors=True)
    unittest.main(verbosity=2, argv=sys.argv[:1])
