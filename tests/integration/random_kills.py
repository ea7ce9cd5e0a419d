"""Kills a rank of a training at a random moment, again and again: every job starts again by itself, ends with the same
bits as one that was left alone, and leaves no process.

AUDYN_RANDOM_KILLS: how many kills, 50 unless set. AUDYN_RANDOM_KILLS_SEED: of ranks and moments."""

import os
import pathlib
import random
import re
import shutil
import signal
import sys
import time
import unittest

import faults

KILLS = int(os.environ.get("AUDYN_RANDOM_KILLS", "50"))
SEED = int(os.environ.get("AUDYN_RANDOM_KILLS_SEED", "1"))
ITERATIONS = 40  # less than the whole training has
IN_A_ROW = 5  # kills of one job
TRAINING = ["train.log_every_n_iterations=1", "train.dataset.train.samples=360", "+pause=5"]


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class RandomKills(faults.Job):
    def wait_for(self, process, condition, seconds=60):
        """False when the job ended before."""
        limit = time.monotonic() + seconds
        while not condition():
            if process.poll() is not None:
                return False
            self.assertLess(time.monotonic(), limit, faults.log_of("killed")[-3000:])
            time.sleep(0.002)
        return True

    def kill_one(self, process, ranks, before, moments):
        """Kills a rank, other than those `before` a restart, in its start or after an iteration. Gives the processes that
        are over with it; none when the job ended before."""
        workers = lambda: [pid for pid in children(process.pid) if pid not in before]
        if not self.wait_for(process, lambda: len(workers()) == ranks):
            return []
        log_begin = len(faults.log_of("killed"))
        running = workers()
        victim = running[moments.randrange(ranks)]
        if moments.random() < 0.4:
            time.sleep(moments.uniform(0, 0.8))
        else:
            iteration = moments.randint(1, ITERATIONS)
            done = lambda: max([int(number) for number in re.findall(r"Iter (\d+)/", faults.log_of("killed")[log_begin:])],
                               default=0) >= iteration
            self.wait_for(process, lambda: done() or not is_running(victim))
            time.sleep(moments.uniform(0, 0.01))
        if not is_running(victim):
            return []
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:  # it has ended since
            return []
        begin = time.monotonic()
        self.wait_for(process, lambda: not any(map(is_running, running)))
        self.assertLess(time.monotonic() - begin, faults.LIMIT, faults.log_of("killed")[-3000:])
        return running

    def test_every_job_ends_as_if_left_alone(self):
        moments = random.Random(SEED)
        kills = jobs = 0
        while kills < KILLS:
            jobs += 1
            ranks = 2 + jobs % 2
            shutil.rmtree("killed", ignore_errors=True)
            in_background = ["train.output.save_checkpoint.async=wait"] if moments.random() < 0.5 else []
            process = self.start("killed", ranks, f"system.distributed.max_restarts={IN_A_ROW}",
                                   "train.resume.continue_from=auto", *TRAINING, *in_background)
            before = []
            for _ in range(min(IN_A_ROW, KILLS - kills)):
                killed = self.kill_one(process, ranks, before, moments)
                if not killed:
                    break
                kills += 1
                before += killed
            text = self.end_after("killed", process, None, 60)
            self.assertEqual(process.returncode, 0, text[-3000:])
            self.assertEqual(faults.end_of("killed"), self.expected(ranks, TRAINING), text[-3000:])
            self.assertEqual(list(pathlib.Path("killed/model").glob("*.tmp")), [])
        print(f"{kills} kills in {jobs} jobs", file=sys.stderr)


if __name__ == "__main__":
    for left in pathlib.Path().iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    unittest.main(verbosity=2, argv=sys.argv)
