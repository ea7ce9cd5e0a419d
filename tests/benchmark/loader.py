"""Samples a second of Python's DataLoader (2 workers, soundfile) on the work of loader.cpp, alternating with it.

Usage: loader.py DATA_FOLDER PATH_TO_THE_PROGRAM_loader
"""

import pathlib
import statistics
import subprocess
import sys
import time

import soundfile
import torch
from torch.utils.data import DataLoader, Dataset

SEGMENT_LENGTH = 16000
BLOCKS = 5


class Crops(Dataset):
    def __init__(self, root: str) -> None:
        self.files = sorted(pathlib.Path(root).glob("*/**/*.wav"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        with soundfile.SoundFile(self.files[index]) as file:
            surplus = file.frames - SEGMENT_LENGTH
            if surplus > 0:
                file.seek(int(torch.randint(surplus + 1, ())))
            waveform = torch.from_numpy(file.read(min(file.frames, SEGMENT_LENGTH), dtype="float32"))
        return torch.nn.functional.pad(waveform, (0, SEGMENT_LENGTH - len(waveform)))


def main() -> None:
    root, program = sys.argv[1:]
    loader = DataLoader(Crops(root), batch_size=32, shuffle=True, num_workers=2, persistent_workers=True)
    for _ in loader:
        pass
    ratios = []
    for _ in range(BLOCKS):
        begin = time.perf_counter()
        for _ in loader:
            pass
        python = len(loader.dataset) / (time.perf_counter() - begin)
        output = subprocess.run([program, root, "--loader-only", "3"], capture_output=True, text=True, check=True)
        toolkit = statistics.median(float(line.split()[0]) for line in output.stdout.splitlines())
        ratios.append(toolkit / python)
        print(f"Python {python:.0f} samples/s, toolkit {toolkit:.0f} samples/s, ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}, least {min(ratios):.2f} (target: at least 4)")


if __name__ == "__main__":
    main()
