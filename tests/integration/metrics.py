"""Metrics of a validation on several ranks with uneven shares: those of one rank with all samples, to the last bit where
they are counted."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "metrics_rank")
SUMMED = ("total", "loss", "mean")


def validate(*shares):
    """(name, value) of each metric, in order, and what else rank 0 printed; the same on all ranks."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen([str(PROGRAM), "validate", *map(str, shares)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, env=dict(os.environ, OMP_NUM_THREADS="1", RANK=str(rank), LOCAL_RANK=str(rank),
                                             WORLD_SIZE=str(len(shares)), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                                             AUDYN_TEST_TIMEOUT="60"))
        for rank in range(len(shares))]
    results = [process.communicate(timeout=300) for process in processes]
    if any(process.returncode for process in processes):
        raise AssertionError("\n".join(errors for _, errors in results))
    metrics = []
    for output, _ in results:
        pairs = (line.split() for line in output.splitlines() if " 0x" in line or " -0x" in line)
        metrics.append([(name, float.fromhex(value)) for name, value in pairs])
    for other in metrics[1:]:
        assert other == metrics[0], (other, metrics[0])
    return metrics[0], "".join(results[0])


class Metrics(unittest.TestCase):
    def test_uneven_shares(self):
        alone, text = validate(37)
        table = text[text.index("matrix, a row for each true class:"):].splitlines()[1:6]
        self.assertEqual(sum(int(number) for row in table for number in row.split()), 37)
        names = [name for name, _ in alone]
        self.assertEqual(names[2:6] + names[10:11], ["accuracy", "top2", "f1", "recall_0", "mean"])
        self.assertEqual(alone[:len(alone) // 2], alone[len(alone) // 2:])
        for shares in ((20, 17), (37, 0), (12, 21, 4)):
            with self.subTest(shares=shares):
                together, text = validate(*shares)
                self.assertEqual([name for name, _ in together], names)
                self.assertEqual(text[text.index("matrix, a row for each true class:"):].splitlines()[1:6], table)
                for (name, one), (_, several) in zip(alone, together):
                    if name == "mean":
                        self.assertAlmostEqual(one, several, delta=1e-6 * abs(one))
                    elif name not in SUMMED:
                        self.assertEqual(one, several, name)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
