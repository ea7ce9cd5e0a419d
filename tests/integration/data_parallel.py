"""Data-parallel training on several ranks of this machine: all replicas stay the same to the last bit, and the numbers do
not depend on the number of ranks. AUDYN_DATA_PARALLEL_STEPS: iterations in each mode, 500 unless set."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "data_parallel_rank")
STEPS = int(os.environ.get("AUDYN_DATA_PARALLEL_STEPS", "500"))

MODES = [
    "",
    "bucket_cap_mb=0.01",
    "bucket_cap_mb=0.01 gradient_as_bucket_view=1",
    "gradient_as_bucket_view=1 set_to_none=0",
    "set_to_none=0",
    "find_unused_parameters=1 bucket_cap_mb=0.01",
    "find_unused_parameters=1 gradient_as_bucket_view=1 accumulation=2",
    "static_graph=1 bucket_cap_mb=0.01",
    "static_graph=1 gradient_as_bucket_view=1 accumulation=2",
    "hook=fp16",
    "hook=bf16 bucket_cap_mb=0.01",
    "hook=own",
    "hook=power_sgd bucket_cap_mb=0.01",
    "accumulation=2",
    "amp=bf16",
    "amp=bf16 norm=batch",
    "norm=sync",
    "join=7 norm=batch bucket_cap_mb=0.01",
    "join=5 accumulation=2 gradient_as_bucket_view=1",
    "join=3 find_unused_parameters=1 amp=bf16",
    "join=2 hook=bf16",
]


def run(world_size, command, *arguments):
    """What each rank printed, line by line."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen([str(PROGRAM), command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=dict(os.environ, OMP_NUM_THREADS="1", RANK=str(rank), LOCAL_RANK=str(rank),
                                  WORLD_SIZE=str(world_size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                                  AUDYN_TEST_TIMEOUT="60"))
        for rank in range(world_size)]
    results = [process.communicate(timeout=500) for process in processes]
    if any(process.returncode for process in processes):
        raise AssertionError("\n".join(errors for _, errors in results))
    return [output.splitlines() for output, _ in results]


def losses(world_size, *modes):
    """By mode, the losses of each iteration over all ranks; and what each rank printed."""
    arguments = []
    for mode in modes:
        arguments += ["+"] * bool(arguments) + ["out=losses", *mode.split()]
    printed = run(world_size, "train", *arguments)
    ranks = [[[float(number) for number in line.split()] for line in pathlib.Path(f"losses.{rank}").read_text().splitlines()]
             for rank in range(world_size)]
    return [[sum(values) / world_size for values in zip(*of_mode)] for of_mode in zip(*ranks)], printed


class DataParallel(unittest.TestCase):
    def test_replicas_stay_the_same(self):
        for world_size, steps in ((2, STEPS), (3, STEPS // 5)):  # three share two cores
            all_losses, printed = losses(world_size, *(f"steps={steps} {mode}" for mode in MODES))
            for i, mode in enumerate(MODES):
                with self.subTest(mode, world_size=world_size):
                    self.assertEqual(len(all_losses[i]), steps)
                    self.assertLess(all_losses[i][-1], 0.5 * all_losses[i][0])
                    self.assertRegex(printed[0][i], "parameters [0-9a-f]{16} buffers [0-9a-f]{16} buckets [0-9]")
                    for rank in range(1, world_size):
                        self.assertEqual(printed[rank][i], printed[0][i])

    def test_ranks_share_a_batch(self):
        modes = [f"steps=50 {mode}" for mode in ("", "norm=batch")]
        alone, _ = losses(1, *modes)
        together, _ = losses(2, *(mode.replace("batch", "sync") for mode in modes))
        for name, one, two in zip(("plain", "SyncBatchNorm"), alone, together):
            worst = max(abs(a - b) for a, b in zip(one, two))
            print(f"{name}: {worst:.1e}", file=sys.stderr)
            self.assertLess(worst, 1e-5)

    def test_commands(self):
        for command in ("buckets", "models", "differing", "sync_batch_norm"):
            for world_size in (2, 3):
                with self.subTest(command, world_size=world_size):
                    self.assertEqual(run(world_size, command), [["passed"]] * world_size)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
