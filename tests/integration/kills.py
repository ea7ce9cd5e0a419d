"""Kills a training again and again at random moments, and resumes it: with SIGKILL nothing may be lost but what came
after the last checkpoint, and the end is that of a training that was never disturbed. Signals save, and end it or not.

AUDYN_KILLS: how many kills in a row, 10 unless set. AUDYN_KILLS_SEED: of the moments."""

import csv
import hashlib
import math
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest
import wave
import zipfile

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
EXAMPLES = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"])
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")
KILLS = int(os.environ.get("AUDYN_KILLS", "10"))
INTERVAL = 2  # iterations between checkpoints
ITERATIONS = 30  # less than the whole training has
RECORDINGS = "recordings"


def make_recordings(count=24):
    """Two classes of tones, told apart by pitch."""
    for name, pitch in (("low", 200), ("high", 1500)):
        for i in range(count):
            path = pathlib.Path(RECORDINGS, name, f"{i}.wav")
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = [int(8000 * math.sin(2 * math.pi * (pitch + 5 * i) * t / 8000)) for t in range(4800)]
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, len(frames), "NONE", ""))
                file.writeframes(struct.pack(f"<{len(frames)}h", *frames))


def command(name, *overrides):
    folder = EXAMPLES / "speech_classification"
    return [str(folder / "speech_classification"), "--config-dir",
            str(SOURCE / "examples" / "speech_classification" / "conf"), f"data.root={RECORDINGS}",
            f"train.output.exp_dir={name}", f"train.output.tensorboard_dir={name}/tensorboard",
            f"train.output.csv={name}/metrics.csv", "train.steps.epochs=6",
            f"train.output.save_checkpoint.iteration={{every: {INTERVAL}, path: {name}/model/last.pth}}",
            "train.dataloader.train.batch_size=8", "train.log_every_n_iterations=1", "train.resume.continue_from=auto",
            *overrides]


def start(name, *overrides):
    log = open(f"{name}.log", "a", encoding="utf-8")
    with log:
        return subprocess.Popen(command(name, *overrides), stdout=log, stderr=subprocess.STDOUT, env=ENVIRONMENT)


def log_of(name):
    return pathlib.Path(f"{name}.log").read_text(encoding="utf-8")


def finish(name, *overrides):
    process = start(name, *overrides)
    code = process.wait(timeout=300)
    if code != 0:
        raise AssertionError(log_of(name)[-3000:])


def records(path):
    """The records of a checkpoint, each checked: parameters, optimizer, generators, sums. Not the configuration and
    the paths in the pickle, which name the run's folder."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, path
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if "/data/" in name}


def rows(name):
    with open(f"{name}/metrics.csv", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    return [{key: value for key, value in row.items() if not key.startswith("samples_per_second")} for row in table]


def last_iteration(text):
    """The last iteration that a log tells of."""
    found = re.findall(r"Iter (\d+)/", text)
    return int(found[-1]) if found else 0


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for folder in (RECORDINGS, "whole", "killed", "asked"):
            shutil.rmtree(folder, ignore_errors=True)
            pathlib.Path(f"{folder}.log").unlink(missing_ok=True)
        make_recordings()
        finish("whole")

    def check_same_end(self, name):
        self.assertEqual(records("whole/model/last.pth"), records(f"{name}/model/last.pth"))
        self.assertEqual(rows("whole"), rows(name))

    def ends_before(self, process, moments, log_begin):
        """Waits for the next kill: one of five while the program starts, the others shortly after an iteration drawn
        from the whole training, however fast the machine. True when the training ended before."""
        iteration = 0 if moments.random() < 0.2 else moments.randint(1, ITERATIONS)
        delay = moments.uniform(0.0, 0.02 if iteration else 0.3)
        while process.poll() is None and last_iteration(log_of("killed")[log_begin:]) < iteration:
            time.sleep(0.002)
        try:
            process.wait(timeout=delay)
            return True
        except subprocess.TimeoutExpired:
            return False

    def test_kills_in_a_row(self):
        seed = int(os.environ.get("AUDYN_KILLS_SEED", "0"))
        moments = random.Random(seed)
        last = pathlib.Path("killed/model/last.pth")
        kills = 0
        safe = 0  # iterations that must not be lost
        resumed_at = []
        while kills < KILLS:
            before = len(log_of("killed")) if pathlib.Path("killed.log").exists() else 0
            in_background = kills % 2 == 1
            process = start("killed", f"train.output.save_checkpoint.async={'wait' if in_background else 'false'}")
            if self.ends_before(process, moments, before):
                self.assertEqual(process.returncode, 0, log_of("killed")[-3000:])
                self.check_same_end("killed")
                shutil.rmtree("killed")  # and begins anew
                safe = 0
                continue
            process.kill()
            process.wait()
            kills += 1
            text = log_of("killed")[before:]
            found = re.search(r"Resume training from: (\S+)\.\n", text)
            first = re.search(r"Iter (\d+)/", text)
            if first:
                resumed_at.append(int(first.group(1)) - 1)
                self.assertGreaterEqual(resumed_at[-1], safe, text[-3000:])
                self.assertEqual(found is None, resumed_at[-1] == 0, text[-3000:])
            self.assertNotIn("damaged", text)
            # In the background two more may be on their way.
            safe = max(safe, last_iteration(text) - (3 if in_background else 1) * INTERVAL)
            if last.exists():
                self.assertTrue(records(last))
        self.assertGreater(max(resumed_at, default=0), 0)
        finish("killed")
        self.check_same_end("killed")
        self.assertEqual([path.name for path in pathlib.Path("killed/model").iterdir() if ".tmp" in path.name], [])
        print(f"{kills} kills, resumed after iterations {resumed_at}", file=sys.stderr)

    def wait_for(self, name, text, process, start_at=0):
        limit = time.monotonic() + 120
        while text not in log_of(name)[start_at:]:
            self.assertIsNone(process.poll(), log_of(name))
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.005)

    def test_signals(self):
        never = "train.output.save_checkpoint.iteration=null"
        process = start("asked", never)
        self.wait_for("asked", "Iter 2/", process)
        process.send_signal(signal.SIGUSR1)
        self.wait_for("asked", "SIGUSR1: a checkpoint is saved", process)
        self.wait_for("asked", "Save model: asked/model/last.pth", process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 143, log_of("asked"))
        self.assertIn("SIGTERM ended the run after iteration", log_of("asked"))
        iteration = last_iteration(log_of("asked"))
        before = len(log_of("asked"))
        finish("asked", never)
        self.assertIn(f"Iter {iteration + 1}/", log_of("asked")[before:])
        self.check_same_end("asked")

    def test_a_second_signal_ends_at_once(self):
        # A pipe that nobody reads fills, and the run hangs in it: the first signal is not heeded.
        process = subprocess.Popen(command("hanging", "train.log_every_n_iterations=1", "train.steps.epochs=2000"),
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            limit = time.monotonic() + 120
            while "S" not in pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[2] or \
                    "pipe" not in pathlib.Path(f"/proc/{process.pid}/wchan").read_text():
                self.assertIsNone(process.poll())
                self.assertLess(time.monotonic(), limit)
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=10), 143)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
            shutil.rmtree("hanging", ignore_errors=True)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
