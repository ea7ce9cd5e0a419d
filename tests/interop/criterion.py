"""The recorded losses and metrics of the unit tests are what this Python computes."""

import json
import os
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

SOURCE = os.environ["AUDYN_SOURCE_DIR"]
sys.path.insert(0, SOURCE + "/tests/oracle")
import criterion  # noqa: E402
import metrics  # noqa: E402


def check(what, old, new):
    """Equal but for the last digits of numbers."""
    if isinstance(new, dict):
        assert list(old) == list(new), what
        for key, value in new.items():
            check(f"{what}[{key!r}]", old[key], value)
    elif isinstance(new, list) and new and all(isinstance(number, float) for number in new):
        recorded, computed = torch.tensor(old, dtype=torch.double), torch.tensor(new, dtype=torch.double)
        error = (recorded - computed).abs().max().item()
        assert error <= 1e-6 * max(1e-3, computed.abs().max().item()), f"{what}: {error}"
    elif isinstance(new, (list, tuple)):
        assert len(old) == len(new), what
        for i, (one, other) in enumerate(zip(old, new)):
            check(f"{what}[{i}]", one, other)
    elif isinstance(new, float):
        assert abs(old - new) <= 1e-6 * max(1e-3, abs(new)), f"{what}: recorded {old}, computed {new}"
    else:
        assert old == new, f"{what}: recorded {old}, computed {new}"


if __name__ == "__main__":
    files = {f"criterion/data/{name}": cases for name, cases in criterion.records().items()}
    files["metrics/data/metrics.json"] = metrics.records()
    for name, cases in files.items():
        with open(f"{SOURCE}/tests/{name}", encoding="utf-8") as file:
            check(name, json.load(file), json.loads(json.dumps(cases)))
        print(f"{name}: {len(cases)} cases")
