"""Checkpoints of examples/minimal and Python's Audyn itself: it builds the network from our file, goes on with the training
from it, and the example goes on from what Audyn saves."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

# This file has the name of the package that it tests.
sys.path = [path for path in sys.path if pathlib.Path(path or ".").resolve() != pathlib.Path(__file__).resolve().parent]
try:
    import torch
    from audyn.utils import instantiate_criterion, instantiate_lr_scheduler, instantiate_model, instantiate_optimizer
    from audyn.utils.data import BaseDataLoaders
    from audyn.utils.driver import BaseTrainer
    from omegaconf import OmegaConf
except ImportError:
    sys.exit(77)

EXAMPLE = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"], "minimal", "minimal")
CONF = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"], "examples", "minimal", "conf")
ITERATIONS_PER_EPOCH = 32

CASES = {
    "plain": ["optimizer=adamw"],
    "scheduler": ["+lr_scheduler._target_=torch.optim.lr_scheduler.StepLR", "+lr_scheduler.step_size=40",
                  "+lr_scheduler.gamma=0.5", "train.steps.lr_scheduler=iteration"],
    "moving average": ["optimizer=adam_ema", "optimizer.smooth=0.9"],
    "warm start": [],
}


class Denoiser(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.encoder = torch.nn.Conv1d(1, channels, 15, padding=7)
        self.decoder = torch.nn.Conv1d(channels, 1, 15, padding=7)

    def forward(self, waveform):
        return self.decoder(self.encoder(waveform).tanh())


# What Hydra imports for the example's `_target_: Denoiser`.
sys.modules["Denoiser"] = Denoiser


class NoisySines(torch.utils.data.Dataset):
    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return self.samples

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        clean = (torch.arange(256.0) * (0.02 + 0.28 * torch.rand((), generator=generator))).sin()[None]
        return {"noisy": clean + 0.5 * torch.randn(1, 256, generator=generator), "clean": clean}


def train(epochs, folder, overrides):
    command = [EXAMPLE, f"--config-dir={CONF}", f"train.steps.epochs={epochs}", f"train.output.exp_dir={folder}",
               f"train.output.tensorboard_dir={folder}/tensorboard", *overrides]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return result.stdout


def audyn_trainer(checkpoint, epochs, folder):
    """Audyn's, with the configuration of the checkpoint that it continues."""
    config = OmegaConf.create(torch.load(checkpoint, weights_only=True)["resolved_config"])
    config.train.resume.continue_from = checkpoint
    config.train.steps.epochs = epochs
    config.train.steps.iterations = None
    config.train.key_mapping.validation = config.train.key_mapping.train
    config.train.output.exp_dir = folder
    config.train.output.tensorboard_dir = folder + "/tensorboard"
    config.train.output.save_checkpoint = {"last": {"path": folder + "/last.pth"}}
    loaders = [torch.utils.data.DataLoader(NoisySines(samples), batch_size=16) for samples in (512, 64)]
    model = instantiate_model(config.model)
    optimizer = instantiate_optimizer(config.optimizer, model)
    return BaseTrainer(BaseDataLoaders(*loaders), model, optimizer,
                       lr_scheduler=instantiate_lr_scheduler(config.lr_scheduler, optimizer),
                       criterion=instantiate_criterion(config.criterion), config=config)


class Audyn(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def assert_same(self, parameters, expected):
        self.assertEqual(list(parameters), list(expected))
        for name, value in expected.items():
            self.assertTrue(torch.equal(parameters[name], value), name)

    def test_audyn_continues_our_run_and_we_continue_its(self):
        for name, overrides in CASES.items():
            with self.subTest(name):
                ours, own, more = (f"{self.folder}/{name}/{part}" for part in ("ours", "audyn", "more"))
                if name == "warm start":
                    overrides = [f"+model.checkpoint={self.folder}/plain/ours/model/last.pth"]
                train(2, ours, overrides)
                checkpoint = ours + "/model/last.pth"
                state = torch.load(checkpoint, weights_only=True)
                self.assert_same(instantiate_model(checkpoint, load_weights=True).state_dict(), state["model"])

                trainer = audyn_trainer(checkpoint, 4, own)
                self.assertEqual((trainer.iteration_idx, trainer.epoch_idx), (2 * ITERATIONS_PER_EPOCH, 2))
                self.assertEqual(trainer.best_loss, state["best_loss"])
                self.assert_same(trainer.model.state_dict(), state["model"])
                if name == "scheduler":
                    self.assertEqual(trainer.optimizer.param_groups[0]["lr"], 0.5e-3)
                if name == "moving average":
                    trainer.optimizer.set_moving_average_model()
                    self.assert_same(trainer.model.state_dict(), state["moving_average_model"])
                    trainer.optimizer.remove_moving_average_model()
                trainer.run()

                log = train(5, more, [*overrides, f"train.resume.continue_from={own}/last.pth"])
                self.assertIn("[Epoch 5/5, Iter 160/160]", log)
                self.assertNotIn("[Epoch 4/5", log)
                self.assertLess(torch.load(more + "/model/last.pth", weights_only=True)["best_loss"], state["best_loss"])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
