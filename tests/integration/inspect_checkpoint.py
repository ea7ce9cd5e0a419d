"""Runs examples/inspect on checkpoints that Python wrote."""

import os
import pathlib
import subprocess
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_EXAMPLES_DIR"]) / "inspect" / "inspect"
DATA = pathlib.Path(os.environ["AUDYN_SOURCE_DIR"]) / "tests" / "checkpoint" / "data"


def run(*arguments):
    return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


class Inspect(unittest.TestCase):
    def test_shows_what_a_checkpoint_holds(self):
        process = run(DATA / "audyn.pth")
        self.assertEqual(process.returncode, 0, process.stderr)
        for line in (
            f"{DATA}/audyn.pth: 19 tensors, 228 bytes, every checksum is right",
            "  model: 7 keys, 7 tensors, 22 elements, 92 bytes",
            "    linear.weight: float32 [3, 2]",
            "    norm.num_batches_tracked: int64 []",
            "  iteration_idx: 3",
            "  best_loss: inf",
            "  resolved_config:",
            "      name: Net",
        ):
            self.assertIn(line, process.stdout.splitlines())

    def test_old_files_and_unverified_ones_say_so(self):
        self.assertIn("without checksums", run(DATA / "torch_2.7_legacy.pth").stdout)
        self.assertIn("not verified", run("--no-verify", DATA / "audyn.pth").stdout)

    def test_a_damaged_file_is_an_error_and_the_others_are_shown(self):
        content = bytearray((DATA / "audyn.pth").read_bytes())
        content[content.index(b"linear.weight")] ^= 1
        pathlib.Path("damaged.pth").write_bytes(content)
        process = run("damaged.pth", DATA / "state_dict.pth")
        self.assertEqual(process.returncode, 1)
        self.assertIn("damaged.pth: the record 'audyn/data.pkl' is damaged", process.stderr)
        self.assertIn("state_dict.pth: 7 tensors", process.stdout)

    def test_needs_a_file(self):
        self.assertEqual(run().returncode, 2)


if __name__ == "__main__":
    unittest.main()
