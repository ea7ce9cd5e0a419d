"""Writes tests/criterion/data/criteria.json: losses of torch.nn with their gradients, for the same arguments that a
configuration gives. tests/criterion/torch_losses.cpp reads it."""

import json
import pathlib

import torch


def values(shape, seed, low=-1.0, high=1.0):
    """Exact in float32, the same in any language."""
    count = torch.Size(shape).numel()
    unit = ((torch.arange(count) * 7919 + seed * 104729) % 2003 + 1).double() / 2004
    return (low + (high - low) * unit).float().view(shape)


PAIR = {"input": values((4, 5), 1, -2, 2), "target": values((4, 5), 2, -2, 2)}
UNIT = {"input": values((4, 5), 1, 0.05, 0.95), "target": values((4, 5), 2, 0.05, 0.95)}
COUNTS = {"log_input": values((4, 5), 1, 0.05, 2), "target": values((4, 5), 2, 0, 5)}
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])
LOGS = {"input": values((4, 5), 3, -2, 2).log_softmax(1), "target": values((4, 5), 4, 0.05, 0.95)}
CLASSES = {"input": values((6, 5), 5, -2, 2), "target": torch.tensor([0, 4, 2, 2, 1, 3])}
LOG_CLASSES = {"input": CLASSES["input"].log_softmax(1), "target": CLASSES["target"]}
LABELS = {"input": values((2, 4), 6, -2, 2), "target": torch.tensor([[3, 0, -1, 1], [2, -1, 0, 1]])}
ZERO_ONE = {"input": values((4, 5), 7, -2, 2), "target": (values((4, 5), 8) > 0).float()}
CTC = {"log_probs": values((9, 2, 5), 9, -2, 2).log_softmax(2), "targets": torch.tensor([[1, 2, 2, 4], [3, 1, 1, 2]]),
       "input_lengths": torch.tensor([9, 8]), "target_lengths": torch.tensor([4, 2])}
TWO = {"input1": values((4, 5), 10), "input2": values((4, 5), 11), "target": SIGNS}
RANKS = {"input1": values((4,), 10), "input2": values((4,), 11), "target": SIGNS}
TRIPLET = {"anchor": values((4, 5), 12), "positive": values((4, 5), 13), "negative": values((4, 5), 14)}
GAUSSIAN = {**PAIR, "var": values((4, 5), 15, 0.1, 2)}
ONE_VARIANCE = {**PAIR, "var": values((4, 1), 15, -0.5, 2).clamp_min(0)}
WEIGHT = [0.5, 2.0, 1.25, 0.75, 1.5]

CASES = [
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, CLASSES),
    ("SmoothL1Loss", {}, PAIR),
    ("SmoothL1Loss", {"beta": 0.3, "reduction": "sum"}, PAIR),
    ("HuberLoss", {"delta": 0.4}, PAIR),
    ("HuberLoss", {"reduction": "sum"}, PAIR),
    ("BCELoss", {}, UNIT),
    ("BCELoss", {"weight": WEIGHT, "reduction": "sum"}, UNIT),
    ("BCEWithLogitsLoss", {}, ZERO_ONE),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": [1.0, 3.0, 0.5, 2.0, 1.5]}, ZERO_ONE),
    ("KLDivLoss", {}, LOGS),
    ("KLDivLoss", {"reduction": "batchmean"}, LOGS),
    ("KLDivLoss", {"reduction": "sum", "log_target": True}, {**LOGS, "target": LOGS["target"].log()}),
    ("PoissonNLLLoss", {}, COUNTS),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-3}, COUNTS),
    ("SoftMarginLoss", {}, {**PAIR, "target": PAIR["target"].sign()}),
    ("HingeEmbeddingLoss", {}, {**PAIR, "target": PAIR["target"].sign()}),
    ("HingeEmbeddingLoss", {"margin": 0.5, "reduction": "sum"}, {**PAIR, "target": PAIR["target"].sign()}),
    ("GaussianNLLLoss", {}, GAUSSIAN),
    ("GaussianNLLLoss", {"full": True, "eps": 0.01, "reduction": "sum"}, ONE_VARIANCE),
    ("NLLLoss", {}, LOG_CLASSES),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, LOG_CLASSES),
    ("MultiMarginLoss", {}, CLASSES),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, CLASSES),
    ("MultiLabelMarginLoss", {}, LABELS),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, ZERO_ONE),
    ("CTCLoss", {}, CTC),
    ("CTCLoss", {"blank": 4, "zero_infinity": True, "reduction": "sum"},
     {**CTC, "targets": CTC["targets"] - 1, "target_lengths": torch.tensor([4, 8])[:2].clamp_max(4)}),
    ("CosineEmbeddingLoss", {"margin": 0.1}, TWO),
    ("MarginRankingLoss", {"margin": 0.2}, RANKS),
    ("TripletMarginLoss", {}, TRIPLET),
    ("TripletMarginLoss", {"margin": 0.5, "p": 3.0, "swap": True, "reduction": "sum"}, TRIPLET),
]


def case(name, options, inputs):
    known = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in options.items()}
    leaves = {key: value.clone().requires_grad_(value.is_floating_point() and key != "target") for key, value in inputs.items()}
    loss = getattr(torch.nn, name)(**known)(**leaves)
    loss.backward()
    return {
        "name": name,
        "options": options,
        "inputs": {key: {"shape": list(value.shape), "values": value.flatten().tolist(),
                         "is_integer": not value.is_floating_point(),
                         "gradient": None if leaves[key].grad is None else leaves[key].grad.flatten().tolist()}
                   for key, value in inputs.items()},
        "loss": loss.item(),
    }


def rounded(value):
    """Nine digits hold a float32."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


if __name__ == "__main__":
    file = pathlib.Path(__file__).resolve().parent.parent / "criterion" / "data" / "criteria.json"
    lines = ",\n".join(json.dumps(rounded(case(*one))) for one in CASES)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
