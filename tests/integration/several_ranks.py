"""Trains examples/minimal on several processes as a user does: launched, resumed, killed and started again, ended by a
signal, continued on another number of ranks. Whatever happened between, the end is that of a run that was left alone."""

import csv
import hashlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import zipfile

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "minimal" / "minimal"
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")},
               "OMP_NUM_THREADS": "1"}


def command(name, ranks, *overrides):
    launch = ["system=cpu_ddp", f"system.distributed.nproc_per_node={ranks}"] if ranks > 1 else []
    return [str(PROGRAM), "--config-dir", str(SOURCE / "examples" / "minimal" / "conf"), *launch,
            f"train.output.exp_dir={name}", f"train.output.tensorboard_dir={name}/tensorboard",
            f"train.output.csv={name}/metrics.csv", "train.steps.epochs=3", *overrides]


def run(name, ranks, *overrides):
    process = subprocess.run(command(name, ranks, *overrides), capture_output=True, text=True, env=ENVIRONMENT,
                             timeout=120, check=False)
    if process.returncode != 0:
        raise AssertionError(f"{name}: {process.returncode}\n{process.stdout[-3000:]}\n{process.stderr[-3000:]}")
    return process.stdout


def start(name, ranks, *overrides):
    """The same in the background, with its output in `name`.log."""
    with open(f"{name}.log", "w", encoding="utf-8") as log:
        return subprocess.Popen(command(name, ranks, *overrides), stdout=log, stderr=subprocess.STDOUT, env=ENVIRONMENT)


def records(name):
    """What the last checkpoint holds: parameters, optimizer, each rank's generators; not paths and configuration."""
    with zipfile.ZipFile(f"{name}/model/last.pth") as archive:
        return {record: hashlib.sha256(archive.read(record)).hexdigest()
                for record in archive.namelist() if "/data/" in record}


def losses(name, column="total (epoch)/validation"):
    with open(f"{name}/metrics.csv", encoding="utf-8") as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


class SeveralRanks(unittest.TestCase):
    def test_rank_0_alone_writes(self):
        output = run("written", 2)
        self.assertEqual(output.count("[Epoch 3/3] (validation)"), 1)
        self.assertEqual(len(list(pathlib.Path("written/tensorboard").iterdir())), 1)
        self.assertEqual(len(list(pathlib.Path("written/log").iterdir())), 1)
        self.assertEqual(len(losses("written")), 3)

    def test_two_ranks_are_one_rank_with_twice_the_batch(self):
        run("halves", 2, "train.dataloader.train.batch_size=8")
        run("whole", 1, "train.dataloader.train.batch_size=16")
        for column in ("total (epoch)/validation", "total (epoch)/train"):
            pairs = list(zip(losses("halves", column), losses("whole", column), strict=True))
            self.assertEqual(len(pairs), 3)
            for ours, theirs in pairs:
                self.assertAlmostEqual(ours, theirs, delta=1e-5)

    def test_a_resumed_run_ends_with_the_same_bits(self):
        for ranks in (2, 3):
            run(f"steady{ranks}", ranks)
            run(f"cut{ranks}", ranks, "train.steps.epochs=null", "train.steps.iterations=21")
            output = run(f"cut{ranks}", ranks, f"train.resume.continue_from=cut{ranks}/model/last.pth")
            self.assertIn("Resume training from", output)
            self.assertEqual(records(f"cut{ranks}"), records(f"steady{ranks}"))

    def test_a_job_whose_rank_is_killed_starts_again_and_ends_with_the_same_bits(self):
        every = "train.output.save_checkpoint.iteration={{every: 2, path: {0}/model/last.pth}}"
        run("left_alone", 2, every.format("left_alone"))
        for round_number in range(3):
            name = f"killed{round_number}"
            job = start(name, 2, every.format(name))
            moment = random.Random(round_number).randrange(4, 30)
            wait_for(lambda: f"Iter {moment // 10 * 10}/" in pathlib.Path(f"{name}.log").read_text() or moment < 10 and
                     pathlib.Path(f"{name}/model/last.pth").exists())
            workers = children(job.pid)
            self.assertEqual(len(workers), 2)
            os.kill(workers[round_number % 2], signal.SIGKILL)
            self.assertEqual(job.wait(timeout=60), 0, pathlib.Path(f"{name}.log").read_text()[-3000:])
            self.assertIn("Resume training from", pathlib.Path(f"{name}.log").read_text())
            self.assertEqual(records(name), records("left_alone"))
            for worker in workers:
                self.assertFalse(pathlib.Path(f"/proc/{worker}").exists())

    def test_a_signal_saves_on_all_ranks_and_ends_the_job(self):
        run("calm", 2)
        job = start("interrupted", 2, "train.log_every_n_iterations=5")
        wait_for(lambda: "Iter 10/" in pathlib.Path("interrupted.log").read_text())
        job.send_signal(signal.SIGTERM)
        self.assertEqual(job.wait(timeout=30), 128 + signal.SIGTERM, pathlib.Path("interrupted.log").read_text())
        run("interrupted", 2, "train.resume.continue_from=auto")
        self.assertEqual(records("interrupted"), records("calm"))

    def test_a_signal_to_one_rank_is_heeded_by_all(self):
        job = start("one_rank", 3, "train.log_every_n_iterations=1", "train.steps.epochs=200")
        text = pathlib.Path("one_rank.log").read_text
        wait_for(lambda: "Iter 3/" in text())
        os.kill(children(job.pid)[2], signal.SIGUSR1)
        wait_for(lambda: "SIGUSR1: a checkpoint is saved" in text())
        os.kill(children(job.pid)[1], signal.SIGTERM)
        self.assertEqual(job.wait(timeout=30), 128 + signal.SIGTERM, text())
        self.assertIn("SIGTERM ended the run after iteration", text())
        run("one_rank", 3, "train.resume.continue_from=auto", "train.steps.epochs=1")

    def test_another_number_of_ranks_goes_on_from_the_same_sample(self):
        run("moved", 2, "train.steps.epochs=null", "train.steps.iterations=21")
        resume = "train.resume.continue_from=moved/model/last.pth"
        output = run("moved", 3, resume, "train.steps.epochs=null", "train.steps.iterations=23")
        self.assertIn("The checkpoint is of 2 ranks, and here are 3", output)
        output = run("moved", 1, resume)
        self.assertIn("The checkpoint is of 3 ranks, and here are 1", output)
        self.assertIn("[Epoch 3/3] (validation)", output)
        # 32 iterations of 16 samples make an epoch: 5 of 32 samples and 2 of 48 are done in the second of them.
        self.assertIn(f"/{23 + (512 - 5 * 32 - 2 * 48) // 16 + 32}]", output)

    def test_uneven_shares_end_together(self):
        # Of 481 samples one rank has 241, in 31 batches, and the other 240, in 30.
        uneven = ("train.dataset.train.samples=481", "train.dataloader.train.batch_size=8")
        for choice, iterations in (("pad", 31), ("drop", 30), ("join", 31)):
            share = f"+train.dataloader.train.uneven_shares={choice}"
            output = run(choice, 2, *uneven, share)
            self.assertIn(f"/{3 * iterations}]", output)
            cut = 2 * iterations - 1
            run(f"cut_{choice}", 2, *uneven, share, "train.steps.epochs=null", f"train.steps.iterations={cut}")
            run(f"cut_{choice}", 2, *uneven, share, f"train.resume.continue_from=cut_{choice}/model/last.pth")
            self.assertEqual(records(f"cut_{choice}"), records(choice))
        self.assertNotEqual(records("join"), records("pad"))
        self.assertNotEqual(records("join"), records("drop"))

    def move_to_three_ranks(self, name, iterations):
        """Trains on 481 samples until `iterations` on 2 ranks, and to the end on 3."""
        uneven = ("train.dataset.train.samples=481", "train.dataloader.train.batch_size=8",
                  "+train.dataloader.train.uneven_shares=join")
        run(name, 2, *uneven, "train.steps.epochs=null", f"train.steps.iterations={iterations}")
        output = run(name, 3, *uneven, f"train.resume.continue_from={name}/model/last.pth",
                     "system.distributed.max_restarts=0")
        self.assertIn("[Epoch 3/3] (validation)", output)
        return output

    def test_other_ranks_finish_an_even_rest_and_go_on_with_uneven_shares(self):
        # Of 321 samples left of the second epoch each of 3 ranks has 107; of the third's 481 one has a batch more.
        self.move_to_three_ranks("uneven_moved", 41)

    def test_other_ranks_finish_a_rest_that_is_smaller_than_their_number(self):
        # One sample is left of the second epoch: two of three ranks have none. Of the third's 481 the first has 161, in 21
        # batches.
        self.assertIn(f"/{62 + 21}]", self.move_to_three_ranks("rest", 61))

    def test_the_configuration_of_rank_0_holds(self):
        run("of_rank_0", 2, "optimizer.lr=0.003")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        ranks = [subprocess.Popen(command("shared", 2, f"optimizer.lr={rate}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env={**ENVIRONMENT, "RANK": str(rank), "WORLD_SIZE": "2",
                                                  "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
                 for rank, rate in enumerate((0.003, 0.5))]
        results = [rank.communicate(timeout=120) for rank in ranks]
        self.assertEqual([rank.returncode for rank in ranks], [0, 0], results)
        self.assertIn("warning: rank 1 was given another configuration than rank 0", results[1][1])
        self.assertNotIn("Iter ", results[1][0])
        self.assertEqual(records("shared"), records("of_rank_0"))

    def test_every_rank_logs_where_that_is_asked(self):
        output = run("verbose", 2, "hydra.verbose=true")
        self.assertRegex(output, r"\[rank 1\] \[.*\]\[BaseTrainer, rank 1\]\[INFO\] - \[Epoch 3/3\] \(validation\)")

    def test_all_ranks_work_in_the_run_folder(self):
        run("folders", 2, "hydra.job.chdir=true")
        record, = pathlib.Path("folders/log").iterdir()
        self.assertTrue((record / "folders" / "model" / "last.pth").exists())

    def test_a_signal_is_heeded_within_a_validation(self):
        job = start("validating", 2, "train.dataset.validation.samples=4000001", "train.steps.epochs=1",
                    "train.dataloader.validation.batch_size=2")
        wait_for(lambda: "(train)" in pathlib.Path("validating.log").read_text())
        begin = time.monotonic()
        job.send_signal(signal.SIGTERM)
        self.assertEqual(job.wait(timeout=30), 128 + signal.SIGTERM, pathlib.Path("validating.log").read_text())
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("resume it from validating/model/last.pth", pathlib.Path("validating.log").read_text())

    def test_a_restarted_job_that_has_saved_nothing_goes_on_from_where_it_began(self):
        run("origin", 2, "train.steps.epochs=1")
        resume = "train.resume.continue_from=origin/model/last.pth"
        run("expected", 2, resume)
        job = start("again", 2, resume, "system.distributed.max_restarts=1", "train.log_every_n_iterations=1")
        wait_for(lambda: "Iter 20/" in pathlib.Path("again.log").read_text())
        os.kill(children(job.pid)[1], signal.SIGKILL)
        self.assertEqual(job.wait(timeout=60), 0, pathlib.Path("again.log").read_text()[-3000:])
        self.assertEqual(pathlib.Path("again.log").read_text().count("Resume training from: origin/model/last.pth"), 2)
        self.assertEqual(records("again"), records("expected"))

    def test_what_several_ranks_cannot_do_is_said_before_the_training(self):
        process = subprocess.run(command("refused", 2, "train.output.save_checkpoint.save_on_exception=true"),
                                 capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn("save_checkpoint.save_on_exception does not work on several ranks", process.stderr)
        self.assertNotIn("Iter ", process.stdout)

    def test_options_of_ddp_reach_it(self):
        run("compressed", 2, "train.ddp_kwargs={gradient_as_bucket_view: true, communication_hook: bf16_compression}")
        run("exact", 2)
        self.assertNotEqual(records("compressed"), records("exact"))
        self.assertAlmostEqual(losses("compressed")[-1], losses("exact")[-1], delta=5e-3)
        process = subprocess.run(command("wrong", 2, "train.ddp_kwargs={static_grap: true}"), capture_output=True, text=True,
                                 env=ENVIRONMENT, timeout=60, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn("static_graph", process.stderr)


if __name__ == "__main__":
    for left in pathlib.Path().iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    unittest.main(verbosity=2, argv=sys.argv)
