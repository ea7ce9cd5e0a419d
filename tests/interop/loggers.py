"""TensorBoard's own reader and Python's csv read what the toolkit logs."""

import csv
import os
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)


def check_tensorboard(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    assert events.file_version == 2.0, events.file_version
    assert events.Tags()["scalars"] == [
        "before the checkpoint",
        "cross_entropy (iteration)/train",
        "total (iteration)/train",
        "total (epoch)/validation",
        'a, "quoted" tag',
    ], events.Tags()
    assert [event.step for event in events.Scalars("before the checkpoint")] == list(range(1, 11))
    total = events.Scalars("total (iteration)/train")
    assert [(event.step, event.value) for event in total] == [(step, -step) for step in range(1, 1001)]
    assert total[0].wall_time > 1.6e9
    validation = events.Scalars("total (epoch)/validation")
    assert [(event.step, event.value) for event in validation] == [(2**40, float("inf"))]


def check_csv(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1001
    for step, row in enumerate(rows[:1000], start=1):
        assert int(row["step"]) == step
        assert float(row["cross_entropy (iteration)/train"]) == 1 / step
        assert float(row["total (iteration)/train"]) == -step
        assert row["total (epoch)/validation"] == ""
    last = rows[-1]
    assert int(last["step"]) == 2**40 and last["total (iteration)/train"] == ""
    assert float(last["total (epoch)/validation"]) == float("inf") and float(last['a, "quoted" tag']) == 0.1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([os.environ["AUDYN_INTEROP_PROGRAM"], "loggers_write", directory], check=True)
        check_tensorboard(directory + "/tensorboard")
        check_csv(directory + "/metrics.csv")
