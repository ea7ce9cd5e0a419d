"""What the comparisons with Python share."""

import os
import random
import re
import statistics
import subprocess


def interval(values) -> str:
    """Median with its 95 % interval by bootstrap."""
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(2000))
    return f"{statistics.median(values):.3f} [{medians[50]:.3f}, {medians[1949]:.3f}]"


def step_seconds(command):
    """What a program prints as "NAME: SECONDS" lines."""
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return {name: float(seconds) for name, seconds in re.findall(r"^(.+): ([\d.]+)$", process.stdout, re.MULTILINE)}


def compare_steps(own_command, other_command, rounds):
    """Runs both in turns and prints their steps, and the ratio of each pair."""
    runs = ([], [])
    for i in range(rounds):
        for side in (0, 1) if i % 2 else (1, 0):
            runs[side].append(step_seconds((own_command, other_command)[side]))
    for name in runs[0][0]:
        own, other = ([run[name] for run in side] for side in runs)
        print(f"{name}: {1e3 * statistics.median(own):.3f} ms / {1e3 * statistics.median(other):.3f} ms, "
              f"ratio {interval([a / b for a, b in zip(own, other)])}")
