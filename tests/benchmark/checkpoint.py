"""Saving and loading of 1 GB beside Python's torch and dd on the same disk, in alternating rounds.

Usage: checkpoint.py FOLDER PATH_TO_THE_PROGRAM_checkpoint [ROUNDS [MEGABYTES]]
"""

import os
import pathlib
import subprocess
import sys
import time

import torch

from paired import interval

TENSOR_MEGABYTES = 16


class Toolkit:
    def __init__(self, program: str, megabytes: int) -> None:
        self.process = subprocess.Popen([program, str(megabytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, action: str, path: pathlib.Path) -> float:
        print(action, path, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def timed(action) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def main() -> None:
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    megabytes = int(sys.argv[4]) if len(sys.argv) > 4 else 1024
    torch.set_num_threads(1)
    state = {f"weight{i}": torch.rand(TENSOR_MEGABYTES << 18) for i in range(megabytes // TENSOR_MEGABYTES)}
    toolkit = Toolkit(program, megabytes)
    ours, theirs, zeros = folder / "ours.pth", folder / "theirs.pth", folder / "zeros"

    def torch_save() -> None:
        torch.save(state, theirs)

    def dd() -> None:
        command = ["dd", "if=/dev/zero", f"of={zeros}", "bs=1M", f"count={megabytes}", "conv=fsync", "status=none"]
        subprocess.run(command, check=True)

    def torch_load() -> None:
        torch.load(theirs, weights_only=True)

    pairs = {
        "save / torch.save": (lambda: toolkit.seconds("save", ours), lambda: timed(torch_save)),
        "save_durably / dd conv=fsync": (lambda: toolkit.seconds("save_durably", ours), lambda: timed(dd)),
        "load, verified / torch.load": (lambda: toolkit.seconds("load", theirs), lambda: timed(torch_load)),
        "map / torch.load": (lambda: toolkit.seconds("map", theirs), lambda: timed(torch_load)),
    }
    files = (ours, theirs, zeros)
    for title, sides in pairs.items():
        if "load" in title and not theirs.exists():
            torch_save()
            os.sync()
        times = ([], [])
        for i in range(rounds + 1):
            for side in (0, 1) if i % 2 else (1, 0):
                if "save" in title:
                    for path in files:  # what was not yet written to the disk never will be
                        path.unlink(missing_ok=True)
                seconds = sides[side]()
                if i > 0:  # the first round warms up
                    times[side].append(seconds)
        ratios = [a / b for a, b in zip(*times)]
        print(f"{title}: {interval(times[0])} s / {interval(times[1])} s, ratio {interval(ratios)}", flush=True)
    for path in files:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
