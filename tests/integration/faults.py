"""A rank of a training that dies, fails or hangs, wherever that happens, ends the job within seconds: with its exit code,
a message that names it, and no process left. What it had saved continues to the end of a training that was left alone."""

import csv
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import zipfile

SOURCE = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "faulty_rank")
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")},
               "OMP_NUM_THREADS": "1"}
TIMEOUT = 3  # of a collective, in seconds
LIMIT = 5  # seconds from a death to the end of all
INTERVAL = 2  # iterations between checkpoints
BIG = ["+model.ballast=500000", "train.ddp_kwargs={bucket_cap_mb: 0.1}"]

# (ranks, the rank that fails, place, kind, iteration, further overrides)
DEATHS = [
    (2, 1, "forward", "kill", 5, []),
    (3, 0, "forward", "crash", 5, []),
    (3, 2, "backward", "kill", 6, []),
    (2, 0, "backward", "exit", 6, []),
    (2, 0, "all_reduce", "kill", 4, BIG),
    (3, 1, "all_reduce", "kill", 4, BIG),
    (2, 0, "checkpoint", "kill", 5, BIG),
    (2, 0, "checkpoint", "kill", 5, [*BIG, "train.output.save_checkpoint.async=wait"]),
    (3, 2, "checkpoint", "kill", 5, BIG),
    (4, 3, "gathering", "kill", 3, []),
    (2, 1, "validation", "kill", 1, []),
    (2, 1, "data", "crash", 7, ["+train.dataloader.train.num_workers=2"]),
    (3, 1, "start", "kill", 0, []),
    (2, 1, "end", "kill", 0, []),
]
EXCEPTIONS = [
    (3, 1, "forward", "exception", 5, []),
    (2, 0, "backward", "exception", 5, []),
    (2, 1, "all_reduce", "exception", 4, BIG),
    (4, 2, "gathering", "exception", 4, []),
    (2, 1, "data", "exception", 7, ["+train.dataloader.train.num_workers=2"]),
    (3, 0, "start", "exception", 0, []),
]
HANGS = [
    (3, 1, "forward", "hang", 5, []),
    (2, 0, "backward", "hang", 5, []),
    (2, 1, "all_reduce", "hang", 4, BIG),
    (3, 0, "gathering", "hang", 4, []),
    (2, 1, "validation", "hang", 1, []),
    (2, 1, "forward", "stuck", 5, []),
    (3, 0, "backward", "stuck", 5, []),
]

EXIT_CODES = {"kill": 128 + signal.SIGKILL, "crash": 128 + signal.SIGSEGV, "exit": 3, "exception": 1}
ENDS = {"kill": r"killed by SIGKILL \(Killed\)", "crash": r"killed by SIGSEGV \(Segmentation fault\)",
        "exit": "with exit code 3", "exception": "with exit code 1: .*the fault of this test"}

HANGING = {"hang": "gives no sign of life", "stuck": "has not come to it"}


def command(name, ranks, *overrides):
    return [str(PROGRAM), "--config-dir", str(SOURCE / "examples" / "minimal" / "conf"), "system=cpu_ddp",
            f"system.distributed.nproc_per_node={ranks}", "system.distributed.max_restarts=0",
            f"train.output.exp_dir={name}", f"train.output.tensorboard_dir={name}/tensorboard",
            f"train.output.csv={name}/metrics.csv", "train.dataset.train.samples=180", "train.dataloader.train.batch_size=8",
            "train.dataset.validation.samples=50", "train.dataloader.validation.batch_size=8", "train.steps.epochs=2",
            "train.log_every_n_iterations=2",
            f"train.output.save_checkpoint.iteration={{every: {INTERVAL}, path: {name}/model/last.pth}}", *overrides]


def start(name, ranks, *overrides):
    with open(f"{name}.log", "w", encoding="utf-8") as log:
        return subprocess.Popen(command(name, ranks, *overrides), stdout=log, stderr=subprocess.STDOUT, env=ENVIRONMENT,
                                start_new_session=True)


def log_of(name):
    return pathlib.Path(f"{name}.log").read_text(encoding="utf-8")


def alive(session):
    """Processes of a session that have not ended."""
    result = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            result.append(int(stat.parent.name))
    return result


def finish(name, ranks, *overrides):
    process = start(name, ranks, *overrides)
    if process.wait(timeout=120) != 0:
        raise AssertionError(f"{name}: {process.returncode}\n{log_of(name)[-3000:]}")


def records(path):
    """The records of a checkpoint, each checked: parameters, optimizer, each rank's generators and sums."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, path
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if "/data/" in name}


def rows(name):
    with open(f"{name}/metrics.csv", encoding="utf-8") as file:
        return [{key: value for key, value in row.items() if not key.startswith("samples_per_second")}
                for row in csv.DictReader(file)]


def end_of(name):
    return records(f"{name}/model/last.pth"), rows(name)


class Job(unittest.TestCase):
    undisturbed = {}

    def start(self, name, ranks, *overrides):
        """Whatever goes wrong in the test, nothing is left of it."""
        process = start(name, ranks, *overrides)
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in alive(process.pid)] and process.wait())
        return process

    def expected(self, ranks, overrides):
        """The end of the same training that is left alone."""
        # Neither changes the numbers.
        essential = [override for override in overrides if "num_workers" not in override and "async" not in override]
        key = (ranks, *essential)
        if key not in self.undisturbed:
            name = f"undisturbed{len(self.undisturbed)}"
            finish(name, ranks, *essential)
            self.undisturbed[key] = end_of(name)
        return self.undisturbed[key]

    def check_resumed(self, name, ranks, overrides):
        """The same command goes on to the same end."""
        finish(name, ranks, "train.resume.continue_from=auto", *overrides)
        self.assertEqual(end_of(name), self.expected(ranks, overrides))
        self.assertEqual(list(pathlib.Path(name).glob("model/*.tmp")), [])

    def wait_for_fault(self, name, process):
        limit = time.monotonic() + 60
        while not pathlib.Path(name, "struck").exists():
            self.assertIsNone(process.poll(), log_of(name))
            self.assertLess(time.monotonic(), limit, log_of(name))
            time.sleep(0.002)

    def end_after(self, name, process, begin, limit):
        """Waits for the end of all processes, within `limit` seconds of `begin` (now unless set). Gives the output."""
        begin = time.time() if begin is None else begin
        process.wait(timeout=60)
        while alive(process.pid) and time.time() - begin < limit:
            time.sleep(0.01)
        took = time.time() - begin
        left = alive(process.pid)
        self.assertEqual(left, [], log_of(name))
        self.assertLess(took, limit, log_of(name))
        print(f"  {took:.2f} s", file=sys.stderr)
        return log_of(name)

    def run_case(self, case, limit=LIMIT):
        """Runs a case of the table. Gives its name, exit code and output."""
        ranks, rank, place, kind, iteration, overrides = case
        name = f"{place}_{kind}_{rank}_of_{ranks}" + ("_async" if "async" in str(overrides) else "")
        shutil.rmtree(name, ignore_errors=True)
        fault = f"+fault={{rank: {rank}, place: {place}, kind: {kind}, iteration: {iteration}}}"
        process = self.start(name, ranks, f"system.distributed.timeout={TIMEOUT}", fault, *overrides)
        self.wait_for_fault(name, process)
        output = self.end_after(name, process, pathlib.Path(name, "struck").stat().st_mtime, limit)
        for path in pathlib.Path(name).glob("model/*.pth"):
            self.assertTrue(records(path))
        return name, process.returncode, output


class Faults(Job):
    def test_deaths_and_exceptions(self):
        for case in [*DEATHS, *EXCEPTIONS]:
            ranks, rank, place, kind, _, overrides = case
            with self.subTest(case):
                name, code, output = self.run_case(case)
                self.assertEqual(code, EXIT_CODES[kind], output)
                self.assertRegex(output, f"error: rank {rank} of {ranks} failed first, {ENDS[kind]}")
                self.assertEqual(output.count("failed first"), 1, output)
                if place == "checkpoint":
                    half = list(pathlib.Path(name).glob("model/*.tmp"))
                    self.assertEqual(len(half), 1 if rank == 0 else 0, output)
                if kind != "exception":
                    self.check_resumed(name, ranks, overrides)

    def test_hangs(self):
        for case in HANGS:
            ranks, rank, _, kind, *_ = case
            with self.subTest(case):
                _, code, output = self.run_case(case, TIMEOUT + LIMIT)
                self.assertEqual(code, 1, output)
                self.assertRegex(output, rf"error: rank \d of {ranks} failed first.*rank {rank}\b.* {HANGING[kind]}")

    def test_the_end_is_asked_for(self):
        """By SIGTERM to the launcher, or to one rank alone."""
        for victim in ("launcher", "rank"):
            with self.subTest(victim):
                shutil.rmtree("asked", ignore_errors=True)
                fault = f"rank: 1, place: forward, iteration: 5, kind: {'terminate' if victim == 'rank' else 'mark'}"
                process = self.start("asked", 3, f"+fault={{{fault}}}", "+pause=20")
                self.wait_for_fault("asked", process)
                if victim == "launcher":
                    process.send_signal(signal.SIGTERM)
                output = self.end_after("asked", process, pathlib.Path("asked/struck").stat().st_mtime, LIMIT)
                self.assertEqual(process.returncode, 128 + signal.SIGTERM, output)
                self.assertIn("SIGTERM: the state is saved, and the run ends.", output)
                self.check_resumed("asked", 3, [])

    def test_the_launcher_is_killed(self):
        for ranks, place, overrides in ((2, "all_reduce", BIG), (3, "checkpoint", BIG), (4, "forward", [])):
            with self.subTest(place, ranks=ranks):
                shutil.rmtree("orphans", ignore_errors=True)
                process = self.start("orphans", ranks, f"+fault={{rank: 0, place: {place}, kind: mark, iteration: 5}}",
                                "+pause=20", *overrides)
                self.wait_for_fault("orphans", process)
                process.kill()
                self.end_after("orphans", process, pathlib.Path("orphans/struck").stat().st_mtime, LIMIT)
                self.assertEqual(process.returncode, -signal.SIGKILL)
                self.check_resumed("orphans", ranks, overrides)


if __name__ == "__main__":
    for left in pathlib.Path().iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    unittest.main(verbosity=2, argv=sys.argv)
