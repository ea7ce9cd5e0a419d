"""Trainings on 2 and 3 ranks that are interrupted and resumed, in every mode, are bit for bit those that were not. On
another number of ranks within an epoch, each sample is seen once."""

import collections
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "exactness_rank")
MODES = ["plain", "gradient accumulation", "float16 with loss scaling", "bfloat16", "scheduler by iteration",
         "scheduler by epoch", "two parameter groups", "four workers", "plateau", "OneCycleLR",
         "exponential moving average", "stochastic weight averaging", "LBFGS", "multi", "gan",
         "gan with two discriminator steps", "all together, written in the background"]
SAMPLES = 101


def run(world_size, *arguments):
    """What each rank printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen([str(PROGRAM), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=dict(os.environ, OMP_NUM_THREADS="1", RANK=str(rank), LOCAL_RANK=str(rank),
                                  WORLD_SIZE=str(world_size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                                  AUDYN_TEST_TIMEOUT="60"))
        for rank in range(world_size)]
    results = [process.communicate(timeout=500) for process in processes]
    if any(process.returncode for process in processes):
        raise AssertionError("\n".join(out[-2000:] + errors for out, errors in results))
    return [output for output, _ in results]


class Exactness(unittest.TestCase):
    def test_the_matrix(self):
        for world_size in (2, 3):
            with self.subTest(world_size=world_size):
                printed = run(world_size, "matrix")
                for rank in range(world_size):
                    self.assertEqual([line for line in printed[rank].splitlines() if line in MODES], MODES)


class OtherRanks(unittest.TestCase):
    def seen(self, phases, uneven):
        """The indices that a run saw in each epoch, over all ranks and over phases of (ranks, last iteration)."""
        name = uneven + "".join(str(ranks) for ranks, _ in phases)
        shutil.rmtree(name, ignore_errors=True)
        pathlib.Path(name).mkdir()
        epochs = collections.defaultdict(collections.Counter)
        for number, (ranks, last) in enumerate(phases):
            output = run(ranks, "move", name, last, uneven)[0]
            if number > 0:
                self.assertIn(f"The checkpoint is of {phases[number - 1][0]} ranks, and here are {ranks}", output)
            self.assertIn(f"after iteration {last}" if last > 0 else "[Epoch 2/2]", output)
            for rank in range(ranks):
                for line in pathlib.Path(name, f"seen.{ranks}.{rank}").read_text().splitlines():
                    epoch, index = map(int, line.split())
                    epochs[epoch][index] += 1
        self.assertEqual(sorted(epochs), [0, 1])
        return epochs

    def test_each_sample_is_seen_once(self):
        for phases in ([(2, 3), (3, 5), (1, 0)], [(1, 3), (2, 5), (3, 0)], [(3, 2), (1, 4), (2, 0)]):
            last = phases[-1][0]
            for uneven in ("drop", "pad", "join"):
                with self.subTest(phases, uneven=uneven):
                    for counts in self.seen(phases, uneven).values():
                        repeats = sum(counts.values()) - len(counts)
                        missing = SAMPLES - len(counts)
                        self.assertLessEqual(set(counts), set(range(SAMPLES)))
                        self.assertLessEqual(repeats, last - 1 if uneven == "pad" else 0)
                        self.assertLessEqual(missing, last - 1 if uneven == "drop" else 0)


if __name__ == "__main__":
    for left in pathlib.Path().iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    unittest.main(verbosity=2, argv=sys.argv)
