"""Runs examples/speech_classification on recordings made here: two classes, told apart by pitch."""

import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import unittest
import wave

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "speech_classification" / "speech_classification"
CONF = SOURCE / "examples" / "speech_classification" / "conf"
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def write_tone(path, pitch, seconds=0.6):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [int(8000 * math.sin(2 * math.pi * pitch * i / 8000)) for i in range(int(seconds * 8000))]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, len(frames), "NONE", ""))
        file.writeframes(struct.pack(f"<{len(frames)}h", *frames))


def make_recordings(root, count=40):
    for i in range(count):
        write_tone(pathlib.Path(root, "low", f"{i}.wav"), 200 + 5 * i)
        write_tone(pathlib.Path(root, "high", f"{i}.wav"), 1500 + 5 * i)


def run(name, root, *overrides, command=()):
    return subprocess.run(
        [str(PROGRAM), *command, "--config-dir", str(CONF), f"data.root={root}", f"train.output.exp_dir={name}",
         f"train.output.tensorboard_dir={name}/tensorboard", "train.steps.epochs=2", *overrides],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=300, check=False)


class SpeechClassification(unittest.TestCase):
    def fails(self, words, *arguments):
        process = run(*arguments)
        self.assertEqual(process.returncode, 1, process.stdout + process.stderr)
        self.assertEqual(process.stderr.count("error:"), 1, process.stderr)
        for word in words:
            self.assertIn(word, process.stderr)
        self.assertNotIn("frame #", process.stderr)

    def test_learns_and_saves_the_best_model(self):
        make_recordings("recordings")
        process = run("trained", "recordings", "train.steps.epochs=8")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("validation accuracy 100.00 %", process.stdout)
        self.assertIn("trained/model/best_epoch.pth", process.stdout)
        self.assertTrue(pathlib.Path("trained/model/best_epoch.pth").is_file())
        process = run("trained", "recordings", command=("test",))
        self.assertIn("Wrote the outputs of 8 samples to trained/inference", process.stdout, process.stderr)
        self.assertEqual(len(list(pathlib.Path("trained/inference").glob("*/*.wav.pth"))), 8)
        process = run("trained", "recordings", command=("validate",))
        self.assertRegex(process.stdout, r"\(validation\) 0\.\d+, cross_entropy: ")

    def test_a_folder_that_is_missing_or_empty(self):
        self.fails(["nowhere"], "missing", "nowhere")
        pathlib.Path("empty").mkdir(exist_ok=True)
        self.fails(["empty"], "missing", "empty")
        self.fails(["data.root"], "missing", "'???'")

    def test_recordings_that_cannot_be_read(self):
        make_recordings("damaged")
        truncated = pathlib.Path("damaged/low/7.wav")
        truncated.write_bytes(truncated.read_bytes()[:3000])
        self.fails([str(truncated)], "unreadable", "damaged")
        skipping = ["+train.dataloader.train.skip_unreadable=true", "+train.dataloader.validation.skip_unreadable=true"]
        process = run("skipped", "damaged", *skipping)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn(str(truncated), process.stdout)
        truncated.write_text("not a recording", encoding="utf-8")
        self.fails([str(truncated)], "unreadable", "damaged")


if __name__ == "__main__":
    for folder in ("recordings", "damaged", "trained", "skipped", "empty"):
        shutil.rmtree(folder, ignore_errors=True)
    unittest.main(verbosity=2, argv=sys.argv[:1])
