"""Runs examples/minimal as a user does: trains, resumes, asks for help, and makes mistakes."""

import csv
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "minimal" / "minimal"
CONF = SOURCE / "examples" / "minimal" / "conf"
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")


def run(*overrides, check=True, file_size=None):
    """Runs the program in a folder of its own choice of outputs; returns the finished process."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    process = subprocess.run(
        [str(PROGRAM), "--config-dir", str(CONF), *overrides],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False,
        preexec_fn=limit if file_size is not None else None)
    if check and process.returncode != 0:
        raise AssertionError(f"{overrides} failed:\n{process.stdout}\n{process.stderr}")
    return process


def outputs(name):
    return [f"train.output.exp_dir={name}", f"train.output.tensorboard_dir={name}/tensorboard",
            f"train.output.csv={name}/metrics.csv"]


class Training(unittest.TestCase):
    def test_trains_and_writes_everything(self):
        process = run(*outputs("whole"))
        self.assertIn("(validation)", process.stdout)
        for file in ("best_epoch.pth", "last.pth"):
            self.assertTrue(pathlib.Path("whole/model", file).is_file())
        self.assertEqual(len(list(pathlib.Path("whole/tensorboard").glob("events.out.tfevents.*"))), 1)
        with open("whole/metrics.csv", encoding="utf-8") as file:
            rows = [row["total (epoch)/validation"] for row in csv.DictReader(file)]
        losses = [float(value) for value in rows if value]
        self.assertEqual(len(losses), 5)
        self.assertLess(losses[-1], losses[0])

    def test_a_resumed_run_ends_as_an_uninterrupted_one(self):
        def last_line(process):
            return [line.split("] - ")[1] for line in process.stdout.splitlines() if "(validation)" in line][-1]

        whole = run(*outputs("uninterrupted"), "+train.dataloader.train.num_workers=2")
        run(*outputs("interrupted"), "train.steps.epochs=null", "train.steps.iterations=70")
        resumed = run(*outputs("interrupted"), "train.resume.continue_from=interrupted/model/last.pth")
        self.assertIn("Resume training from", resumed.stdout)
        self.assertEqual(last_line(whole), last_line(resumed))

    def test_mixed_precision_and_dry_run(self):
        run(*outputs("amp"), "system=cpu_amp", "train.steps.epochs=1")
        run(*outputs("half"), "system=cpu_amp", "system.amp.dtype=${const:torch.float16}", "train.fast_dev_run=true")
        self.assertFalse(pathlib.Path("half").exists())

    def test_metrics_of_validation(self):
        mapping = "key_mapping: {estimated: {preds: denoised}, target: {target: clean}}"
        metric = "torchmetrics.audio.ScaleInvariantSignalDistortionRatio"
        run(*outputs("metrics"), "criterion.mse.criterion._target_=audyn.criterion.sdr.NegSISDR",
            f"train.metrics={{si_sdr: {{metric: {{_target_: {metric}}}, {mapping}}}}}", "train.steps.epochs=2",
            "train.output.save_checkpoint.top_k={k: 1, monitor: validation/si_sdr, mode: max}")
        with open("metrics/metrics.csv", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["si_sdr (epoch)/validation"]]
        self.assertEqual(len(rows), 2)
        for row in rows:
            self.assertAlmostEqual(-float(row["total (epoch)/validation"]), float(row["si_sdr (epoch)/validation"]), places=3)
        wrong = run(*outputs("metrics"), f"train.metrics={{a: {{metric: {{_target_: torchmetrics.Acuracy}}, {mapping}}}}}",
                    check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("train.metrics.a.metric._target_", wrong.stderr)

    def test_policies_and_the_newest_checkpoint(self):
        save = "train.output.save_checkpoint"
        policies = [f"{save}.iteration.every=10", f"{save}.keep_last=2", f"{save}.async=wait", f"{save}.top_k.k=2",
                    f"{save}.every_seconds=1000", f"{save}.save_on_exception=true", f"{save}.on_failure=proceed",
                    "train.signals.SIGUSR1=null", "train.resume.continue_from=auto"]
        process = run(*outputs("policies"), *policies, "train.steps.epochs=3")
        self.assertIn("There is no checkpoint to resume", process.stdout)
        folder = pathlib.Path("policies/model")
        names = {path.name for path in folder.iterdir()}
        self.assertLessEqual({"iteration80.pth", "iteration90.pth", "last.pth", "best_epoch.pth"}, names)
        self.assertEqual(len(names), 6, names)
        process = run(*outputs("policies"), *policies, "train.steps.epochs=4")
        self.assertIn("Resume training from: policies/model/last.pth", process.stdout)
        self.assertNotIn("[Epoch 3/4", process.stdout)
        self.assertIn("[Epoch 4/4", process.stdout)
        self.assertIn("Nothing to train", run(*outputs("policies"), *policies, "train.steps.epochs=4").stdout)

    def test_moving_average_and_plateau(self):
        averaged = [*outputs("averaged"), "optimizer=adam_ema", "optimizer.smooth=0.9", "lr_scheduler=plateau",
                    "lr_scheduler.patience=0", "lr_scheduler.threshold=0.9", "lr_scheduler.factor=0.5",
                    "train.steps.lr_scheduler=epoch"]
        run(*averaged, "train.steps.epochs=3")
        self.assertIn(b"moving_average_model", pathlib.Path("averaged/model/last.pth").read_bytes())
        resumed = run(*averaged, "train.resume.continue_from=auto")
        self.assertIn("Resume training from: averaged/model/last.pth", resumed.stdout)
        with open("averaged/metrics.csv", encoding="utf-8") as file:
            rates = [float(row["learning_rate (iteration)/train"]) for row in csv.DictReader(file)
                     if row["learning_rate (iteration)/train"]]
        self.assertEqual(sorted(set(rates), reverse=True), [1e-3, 5e-4, 2.5e-4, 1.25e-4])
        wrong = run(*averaged, "train.steps.lr_scheduler=iteration", check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("follows a metric of an epoch", wrong.stderr)

    def test_warm_start(self):
        run(*outputs("first"), "train.steps.epochs=1")
        process = run(*outputs("second"), "+model.checkpoint=first/model/last.pth", "train.steps.epochs=1")
        self.assertNotIn("Resume", process.stdout)

    def test_answers(self):
        self.assertIn("Denoiser(channels: int = 16)", run("--help").stdout)
        self.assertIn("Commands, the first argument: train (default), validate, test, predict", run("--help").stdout)
        self.assertIn("samples: 512", run("--cfg", "job").stdout)
        self.assertRegex(run("--version").stdout, r"minimal \d+\.\d+\.\d+")
        for command in ("", "test "):
            self.assertEqual(run("--complete", f"minimal {command}--config-dir {CONF} model._target_=De").stdout,
                             "model._target_=Denoiser \n")

    def test_a_run_is_compared_with_its_checkpoint(self):
        arguments = ["train.output.exp_dir=compared", "train.steps.epochs=1", "optimizer.lr=0.25"]
        run(*arguments, "train.output.tensorboard_dir=null")
        (record,) = pathlib.Path("compared/log").glob("*/.hydra/resolved_config.yaml")
        self.assertIn("  lr: 0.25\n", record.read_text())
        text = run("--cfg", "diff", "compared/model/last.pth", *arguments[:2]).stdout
        self.assertTrue(text.startswith("--- the configuration in compared/model/last.pth\n"))
        self.assertIn("optimizer.lr\n  - 0.25\n  + 0.001  (built-in optimizer/adamw.yaml:2:5)\n", text)
        self.assertIn("2 keys differ.\n", text)
        self.assertIn("No key differs.", run("--cfg", "diff", "compared/model/last.pth", str(record)).stdout)

    def test_a_sweep_trains_each_job_in_its_own_folder(self):
        shutil.rmtree("sweep", ignore_errors=True)
        sweep = ["--multirun", "optimizer.lr=1e-3,1e-2", "train.steps.epochs=1", "hydra.sweep.dir=sweep",
                 "train.output.tensorboard_dir=null"]
        process = run(*sweep, "train.output.exp_dir=${hydra:runtime.output_dir}")
        self.assertEqual(process.stderr, "")
        self.assertEqual(process.stdout.count("| done "), 2)
        for job in ("0", "1"):
            self.assertTrue(pathlib.Path("sweep", job, "model/last.pth").is_file())
        process = run(*sweep, "train.output.exp_dir=shared", "train.fast_dev_run=true")
        self.assertIn("'train.output.exp_dir' is 'shared'", process.stderr)


class Mistakes(unittest.TestCase):
    """Each gives one clear error, a non-zero exit and no stack dump, and takes nothing with it."""

    def fails(self, words, *overrides, **options):
        process = run(*overrides, check=False, **options)
        self.assertEqual(process.returncode, 1, process.stdout + process.stderr)
        self.assertEqual(process.stderr.count("error:"), 1, process.stderr)
        for word in words:
            self.assertIn(word, process.stderr)
        self.assertNotIn("frame #", process.stderr)
        return process

    def test_configuration(self):
        self.fails(["train.steps.epoch", "epochs"], "train.steps.epoch=3")
        self.fails(["Denoizer", "Denoiser"], "model._target_=Denoizer")
        self.fails(["chanels", "channels"], "+model.chanels=3")
        self.fails(["model.channels"], "model.channels=???")
        self.fails(["model.channels"], "model.channels=many")
        self.fails(["--confg-dir", "--config-dir"], "--confg-dir=x")
        self.fails(["both set"], "train.steps.iterations=10")
        self.fails(["choose system=cpu"], "system=cuda")
        self.fails(["system"], "system=cpuu")
        self.fails(["torch.bfloat61", "torch.bfloat16"], "system=cpu_amp", "system.amp.dtype=${const:torch.bfloat61}")
        self.fails(["would never step"], "lr_scheduler=cosine")
        self.fails(["nowhere.pth"], "train.resume.continue_from=nowhere.pth")
        save = "train.output.save_checkpoint"
        self.fails(["keep_lats", "keep_last"], f"+{save}.keep_lats=3")
        self.fails(["evry", "every"], f"+{save}.iteration.evry=3")
        self.fails(["'skpi'", "skip"], f"{save}.async=skpi")
        self.fails(["'mni'", "min"], f"{save}.top_k.k=2", f"{save}.top_k.mode=mni")
        self.fails(["'procede'", "proceed"], f"{save}.on_failure=procede")
        self.fails(["keep_last must be at least 1"], f"{save}.keep_last=0")
        self.fails(["must hold {epoch}"], f"{save}.top_k.k=2", f"{save}.top_k.path=top.pth")
        self.fails(["SIGTREM", "SIGTERM"], "+train.signals.SIGTREM=save")
        self.fails(["'save_and_exti'", "save_and_exit"], "train.signals.SIGTERM=save_and_exti")

    def test_a_loss_that_is_not_finite(self):
        self.fails(["'total' is not finite at iteration 2 (epoch 1)", "exploding/model/iteration1.pth"],
                   *outputs("exploding"), "optimizer.lr=1e20", "train.output.save_checkpoint.iteration.every=1")
        self.assertEqual([path.name for path in pathlib.Path("exploding/model").iterdir()], ["iteration1.pth"])

    def test_a_full_disk_keeps_the_earlier_checkpoint(self):
        run(*outputs("full"), "train.steps.epochs=1")
        before = pathlib.Path("full/model/last.pth").read_bytes()
        # The record of the configuration is as large as the disk; without it the run gets as far as its checkpoint.
        self.fails(["full/model/"], "train.output.exp_dir=full", "train.output.tensorboard_dir=null",
                   "train.steps.epochs=2", "hydra.output_subdir=null", file_size=1024)
        self.fails(["full/log/", "cannot be written: File too large"], "train.output.exp_dir=full", file_size=1024)
        self.assertEqual(pathlib.Path("full/model/last.pth").read_bytes(), before)
        self.assertEqual([path.name for path in pathlib.Path("full/model").iterdir() if ".tmp" in path.name], [])


if __name__ == "__main__":
    for folder in pathlib.Path().iterdir():  # of an earlier run
        shutil.rmtree(folder, ignore_errors=True)
    unittest.main(verbosity=2, argv=sys.argv[:1])
