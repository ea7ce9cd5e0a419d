"""examples/minimal as a user runs it: train, validate and test; Python reads the outputs."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import unittest
import zlib

try:
    import torch
except ImportError:
    sys.exit(77)

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "minimal" / "minimal"
DUMP = "test.output.torch_dump.key_mapping.inference"


def run(command, name, *overrides, check=True):
    process = subprocess.run(
        [str(PROGRAM), command, "--config-dir", str(SOURCE / "examples/minimal/conf"), f"train.output.exp_dir={name}",
         "train.output.tensorboard_dir=null", *overrides],
        capture_output=True, text=True, timeout=240, check=False)
    if check and process.returncode != 0:
        raise AssertionError(f"{command} {overrides} failed:\n{process.stdout}\n{process.stderr}")
    return process


class Denoiser(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Conv1d(1, 16, 15, padding=7)
        self.decoder = torch.nn.Conv1d(16, 1, 15, padding=7)

    def forward(self, waveform):
        return self.decoder(self.encoder(waveform).tanh())


def outputs(folder):
    return {path.name: torch.load(path, weights_only=True) for path in pathlib.Path(folder).glob("*.pth")}


def pixels(path):
    """Rows of palette numbers of a PNG, and its palette."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(content):
        (size,) = struct.unpack(">I", content[place:place + 4])
        kind, body = content[place + 4:place + 8], content[place + 8:place + 8 + size]
        (checksum,) = struct.unpack(">I", content[place + 8 + size:place + 12 + size])
        assert checksum == zlib.crc32(kind + body), kind
        chunks[kind] = body
        place += 12 + size
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert form == [8, 3, 0, 0, 0] and len(chunks[b"PLTE"]) == 768
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    return [list(rows[row * (width + 1) + 1:(row + 1) * (width + 1)]) for row in range(height)], chunks[b"PLTE"]


class Inference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("train", "trained", "train.steps.epochs=1", "optimizer=adam_ema", "optimizer.smooth=0.9")
        cls.checkpoint = torch.load("trained/model/last.pth", weights_only=True)

    def run_test(self, name, *overrides, check=True):
        return run("test", name, "test.checkpoint=trained/model/last.pth", *overrides, check=check)

    def expected(self, key, inputs):
        model = Denoiser()
        model.load_state_dict(self.checkpoint[key])
        with torch.no_grad():
            return {name: model(noisy.unsqueeze(0)).squeeze(0) for name, noisy in inputs.items()}

    def compare(self, given, expected, tolerance=1e-5):
        self.assertEqual(given.keys(), expected.keys())
        for name, tensor in expected.items():
            self.assertTrue(torch.allclose(given[name].float(), tensor, atol=tolerance), name)

    def test_outputs_are_those_of_the_checkpoint(self):
        reference = f"{DUMP}.reference={{noisy: \"in/{{name}}.pth\"}}"
        process = self.run_test("average", reference)
        self.assertIn("trained/model/last.pth (moving_average_model)", process.stdout)
        self.assertIn("Wrote the outputs of 64 samples to average/inference", process.stdout)
        inputs = outputs("average/inference/in")
        self.assertEqual(len(inputs), 64)
        self.compare(outputs("average/inference"), self.expected("moving_average_model", inputs))
        self.run_test("plain", "test.moving_average=false")
        self.compare(outputs("plain/inference"), self.expected("model", inputs))
        self.assertFalse(torch.equal(outputs("plain/inference")["sine0.pth"], outputs("average/inference")["sine0.pth"]))
        self.run_test("half", "system=cpu_amp", "test.moving_average=false")
        half = outputs("half/inference")
        self.assertEqual(half["sine0.pth"].dtype, torch.bfloat16)
        self.compare(half, self.expected("model", inputs), tolerance=5e-2)

    def test_ranks_share_the_samples(self):
        odd = ["test.dataset.test.samples=37", "test.dataloader.test.batch_size=4"]
        self.run_test("one", *odd)
        process = self.run_test("two", *odd, "system=cpu_ddp", "system.distributed.nproc_per_node=2")
        self.assertEqual(process.stdout.count("Wrote the outputs of 37 samples"), 1)
        self.assertEqual(len(outputs("one/inference")), 37)
        self.compare(outputs("two/inference"), outputs("one/inference"))
        self.run_test("few", "test.dataset.test.samples=1", "system=cpu_ddp", "system.distributed.nproc_per_node=2")
        self.assertEqual(list(outputs("few/inference")), ["sine0.pth"])

    def test_pictures(self):
        self.run_test("pictures", "test.dataset.test.samples=2", f"{DUMP}.reference={{clean: \"clean/{{name}}.pth\"}}",
                      "test.output.spectrogram.key_mapping.inference.reference={clean: \"{name}.png\"}")
        clean = torch.load("pictures/inference/clean/sine1.pth", weights_only=True)
        rows, palette = pixels(pathlib.Path("pictures/inference/sine1.png"))
        shades = ((clean - clean.min()) / (clean.max() - clean.min()) * 255).flip(0)
        difference = torch.tensor(rows).float() - shades
        self.assertLessEqual(difference.abs().max(), 0.51)
        light = [0.3 * red + 0.6 * green + 0.1 * blue for red, green, blue in zip(*[iter(palette)] * 3, strict=True)]
        self.assertTrue(all(after > before - 1 for before, after in zip(light, light[1:])))

    def test_validation_measures_the_checkpoint(self):
        trained = run("train", "measured", "train.steps.epochs=1")
        process = run("validate", "measured", "test.checkpoint=measured/model/last.pth")
        values = [re.search(r"\(validation\) (.*)", text.stdout).group(1) for text in (trained, process)]
        self.assertEqual(values[0], values[1])
        averaged = run("validate", "elsewhere", "test.checkpoint=trained/model/last.pth",
                       "train.dataset.train={_target_: torch.utils.data.Dataset}").stdout
        self.assertNotIn(values[0], averaged)
        two = run("validate", "measured", "test.checkpoint=measured/model/last.pth", "system=cpu_ddp",
                  "system.distributed.nproc_per_node=2").stdout
        self.assertEqual(re.search(r"\(validation\) (.*)", two).group(1), values[0])

    def test_predict_is_another_name_and_jobs_know_the_command(self):
        point = "test.checkpoint=trained/model/last.pth"
        run("predict", "predicted", point, "test.dataset.test.samples=3")
        self.assertEqual(len(outputs("predicted/inference")), 3)
        run("test", "swept", point, "--multirun", "test.dataset.test.samples=2,3",
            "test.output.exp_dir=swept/${test.dataset.test.samples}", "hydra.sweep.dir=swept/jobs")
        self.assertEqual([len(outputs(f"swept/{number}/inference")) for number in (2, 3)], [2, 3])

    def test_mistakes(self):
        def fails(words, *overrides, command="test"):
            process = run(command, "wrong", *overrides, check=False)
            self.assertEqual(process.returncode, 1, process.stdout)
            for word in words:
                self.assertIn(word, process.stderr)
            self.assertFalse(pathlib.Path("wrong/inference").exists())

        point = "test.checkpoint=trained/model/last.pth"
        fails(["unknown command 'tset'", "test"], command="tset")
        fails(["test.checkpoint", "must name a checkpoint"], "test.checkpoint=null")
        fails(["test.checkpoint", "nowhere.pth"], "test.checkpoint=nowhere.pth")
        run("train", "unaveraged", "train.steps.epochs=null", "train.steps.iterations=1")
        fails(["moving_average_model"], "test.checkpoint=unaveraged/model/last.pth", "test.moving_average=true")
        fails(["test.key_mapping.inference.identifer"], point, "test.key_mapping.inference.identifer={name: name}")
        fails(["nothing would be written"], point, f"{DUMP}.output=null")
        fails(["'nmae'", "name"], point, f"{DUMP}.output.denoised=\"{{nmae}}.pth\"")
        fails(["test.dataset.test"], point, "test.dataset.test=null")
        fails(["add_audio_targets"], point, "test.output.audio.key_mapping.inference.output={denoised: \"{name}.wav\"}",
              "test.output.audio.sample_rate=8000")
        fails(["BaseGenerator"], point, "test.generator._target_=audyn.utils.driver.BaseGenerater")
        fails(["WeightNorm"], point, "test.remove_weight_norm=true")


if __name__ == "__main__":
    for old in pathlib.Path().iterdir():  # of an earlier run
        shutil.rmtree(old, ignore_errors=True)
    unittest.main(verbosity=2, argv=sys.argv[:1])
