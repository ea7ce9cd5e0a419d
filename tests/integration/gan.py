"""A GAN on several ranks: what is reduced, and what ranks cannot do."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "gan_rank")


def run(world_size, command):
    """What each rank printed, line by line."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen([str(PROGRAM), command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=dict(os.environ, OMP_NUM_THREADS="1", RANK=str(rank), LOCAL_RANK=str(rank),
                                  WORLD_SIZE=str(world_size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                                  AUDYN_TEST_TIMEOUT="60"))
        for rank in range(world_size)]
    results = [process.communicate(timeout=200) for process in processes]
    if any(process.returncode for process in processes):
        raise AssertionError("\n".join(errors for _, errors in results))
    return [output.splitlines() for output, _ in results]


class GAN(unittest.TestCase):
    def test_each_step_reduces_one_model(self):
        for world_size in (2, 3):
            with self.subTest(world_size=world_size):
                for lines in run(world_size, "reductions"):
                    self.assertEqual(lines[-1], "passed")

    def test_a_step_of_its_own_reduces_no_more_and_averages_are_alike(self):
        for lines in run(2, "own_step"):
            self.assertEqual(lines[-1], "passed")

    def test_ranks_need_the_same_number_of_batches(self):
        for lines in run(2, "uneven"):
            self.assertEqual(lines[-1], "passed")


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
