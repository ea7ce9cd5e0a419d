"""Composes the same folders with Hydra itself and with a program of the toolkit: both must agree, value by value."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "minimal" / "minimal"

FILES = {
    "recipe.yaml": """
defaults:
  - network: convolution
  - schedule@train.schedule: cosine
  - optional missing_group: absent
  - _self_
  - override /network/norm: layer
seed: 12
train: {steps: {epochs: 3, iterations: null}, list: [1, 1e-3, on, "text", 0x1F]}
copy: ${train.steps.epochs}
sentence: "seed ${seed}, ${network.channels} channels"
""",
    "network/convolution.yaml": """
defaults:
  - norm: batch
  - _self_
channels: 32
kernel: ${.channels}
""",
    "network/linear.yaml": "width: 64\n",
    "network/norm/batch.yaml": "kind: batch\nmomentum: 0.1\n",
    "network/norm/layer.yaml": "kind: layer\n",
    "schedule/cosine.yaml": "name: cosine\nfloor: ${oc.env:SCHEDULE_FLOOR,0.5}\n",
    "schedule/step.yaml": "name: step\nsize: 1_000\n",
}

OVERRIDES = [
    [],
    ["seed=7", "train.steps.epochs=20"],
    ["network.channels=8", "+network.extra={a: [1, 2.5, null], b: 'x y'}"],
    ["schedule@train.schedule=step", "~copy"],
    ["network/norm=batch", "network.norm.momentum=1e-2"],
    ["++train.steps.epochs=[a,b]", "sentence='quoted ${seed}'"],
]


class Compose(unittest.TestCase):
    def test_hydra_and_the_toolkit_agree(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in FILES.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            for overrides in OVERRIDES:
                for resolve in (False, True):
                    with self.subTest(overrides=overrides, resolve=resolve):
                        with initialize_config_dir(folder, version_base="1.2"):
                            config = compose("recipe", overrides)
                        expected = OmegaConf.to_container(config, resolve=resolve)
                        arguments = ["--config-dir", folder, "--config-name", "recipe", "--cfg", "job"]
                        process = subprocess.run(
                            [PROGRAM, *arguments, *(["--resolve"] if resolve else []), *overrides],
                            capture_output=True, text=True, timeout=60, check=False)
                        self.assertEqual(process.returncode, 0, process.stderr)
                        actual = OmegaConf.to_container(OmegaConf.create(process.stdout), resolve=False)
                        self.assertEqual(actual, expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
