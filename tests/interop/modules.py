"""The recorded values of modules are this Python's."""

import json
import os
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

SOURCE = os.environ["AUDYN_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/oracle")
import modules as oracle  # noqa: E402


def compare(ours, theirs, path):
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), path
        for key in ours:
            compare(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and ours and isinstance(ours[0], float):
        expected = torch.tensor(theirs, dtype=torch.double)
        error = (torch.tensor(ours, dtype=torch.double) - expected).abs().max() / expected.abs().max().clamp_min(1e-30)
        assert error <= 1e-6, f"{path}: {error}"
    else:
        assert ours == theirs, path


if __name__ == "__main__":
    with open(SOURCE + "/tests/modules/data/modules.json", encoding="utf-8") as file:
        recorded = json.load(file)
    for ours, theirs in zip(recorded, oracle.cases(), strict=True):
        compare(ours, theirs, ours["name"])
