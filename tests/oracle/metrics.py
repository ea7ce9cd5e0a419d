"""Writes tests/metrics/data/metrics.json: metrics over several batches, counted sample by sample. tests/metrics/metrics.cpp
reads it."""

import json
import math
import pathlib

import torch

from criterion import rounded, values, waveforms

BATCHES = (7, 4, 9)  # as uneven as the shares of ranks
LABELS = [(i * 7 + i * i // 3) % 5 for i in range(sum(BATCHES))]
NO_FOURTH = [label % 3 for label in LABELS]  # classes 3 and 4 have no sample
SCORES = values((sum(BATCHES), 5), 31, -2, 2)
CLASSES = [(i * 3 + 1) % 5 for i in range(sum(BATCHES))]
FEW_CLASSES = [i % 2 for i in range(sum(BATCHES))]
FRAMES = values((sum(BATCHES), 5, 3), 32, -2, 2)
FRAME_LABELS = [[(i + 2 * j) % 5 for j in range(3)] for i in range(sum(BATCHES))]
ONES = [int((i * 5) % 7 < 3) for i in range(sum(BATCHES))]
PROBABILITIES = values((sum(BATCHES),), 33, 0.02, 0.98)
LOGITS = values((sum(BATCHES),), 34, -3, 3)


def flat_samples(preds, target, top_k):
    """(whether right, predicted class, true class) of each; a class among the k best counts as predicted."""
    preds, target = torch.as_tensor(preds), torch.as_tensor(target)
    if preds.is_floating_point():
        preds, target = preds.movedim(1, -1).flatten(0, -2), target.flatten()
        ranked = [sorted(range(len(row)), key=lambda c: -row[c]) for row in preds.tolist()]
        predicted = [t if t in order[:top_k] else order[0] for order, t in zip(ranked, target.tolist())]
        return list(zip(predicted, target.tolist()))
    return list(zip(preds.flatten().tolist(), target.flatten().tolist()))


def binary_samples(preds, target, threshold):
    """Each batch decides for itself whether its numbers are logits."""
    preds = torch.as_tensor(preds)
    if not preds.is_floating_point():
        return list(zip(preds.tolist(), target))
    predicted = []
    for batch in preds.split(BATCHES):
        numbers = batch.tolist()
        are_logits = any(x < 0 or x > 1 for x in numbers)
        predicted += [int((1 / (1 + math.exp(-x)) if are_logits else x) > threshold) for x in numbers]
    return list(zip(predicted, target))


def safe(numerator, denominator):
    return numerator / denominator if denominator else 0.0


def matrix_of(preds, target, task, num_classes=2, threshold=0.5, top_k=1, ignore_index=None):
    samples = binary_samples(preds, target, threshold) if task == "binary" else flat_samples(preds, target, top_k)
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for predicted, true in samples:
        if true != ignore_index:
            matrix[true][predicted] += 1
    return matrix


def counts(matrix):
    """True positives, false positives and false negatives of each class."""
    classes = range(len(matrix))
    return [(matrix[c][c], sum(matrix[d][c] for d in classes) - matrix[c][c], sum(matrix[c]) - matrix[c][c]) for c in classes]


def averaged(scores, of_classes, average, is_counted):
    if average is None:
        return scores
    weights = [tp + fn if average == "weighted" else int(is_counted(tp, fp, fn)) for tp, fp, fn in of_classes]
    return safe(sum(w * s for w, s in zip(weights, scores)), sum(weights))


def accuracy(preds, target, task, average="micro", top_k=1, **options):
    of_classes = counts(matrix_of(preds, target, task, top_k=top_k, **options))
    right, samples = sum(tp for tp, _, _ in of_classes), sum(tp + fn for tp, _, fn in of_classes)
    if task == "binary" or average == "micro":
        return safe(right, samples)
    scores = [safe(tp, tp + fn) for tp, _, fn in of_classes]
    return averaged(scores, of_classes, average, lambda tp, fp, fn: tp + fn + (fp if top_k == 1 else 0) > 0)


def f1_score(preds, target, task, average="micro", **options):
    of_classes = counts(matrix_of(preds, target, task, **options))
    if task == "binary":
        of_classes, average = of_classes[1:], "micro"
    if average == "micro":
        tp, fp, fn = (sum(column) for column in zip(*of_classes))
        return safe(2 * tp, 2 * tp + fp + fn)
    scores = [safe(2 * tp, 2 * tp + fp + fn) for tp, fp, fn in of_classes]
    return averaged(scores, of_classes, average, lambda tp, fp, fn: tp + fp + fn > 0)


def confusion_matrix(preds, target, task, normalize=None, **options):
    matrix = matrix_of(preds, target, task, **options)
    total = sum(map(sum, matrix))
    columns = [sum(row[c] for row in matrix) for c in range(len(matrix))]
    divisor = {None: lambda row, c: 1, "true": lambda row, c: sum(row), "pred": lambda row, c: columns[c],
               "all": lambda row, c: total}[normalize]
    return [[safe(row[c], divisor(row, c)) for c in range(len(row))] for row in matrix]


def si_sdr(preds, target, zero_mean=False):
    eps = torch.finfo(torch.float32).eps
    preds, target = preds.double(), target.double()
    if zero_mean:
        preds, target = (one - one.mean(-1, keepdim=True) for one in (preds, target))
    scale = ((preds * target).sum(-1, keepdim=True) + eps) / ((target**2).sum(-1, keepdim=True) + eps)
    noise = scale * target - preds
    return (10 * torch.log10((((scale * target) ** 2).sum(-1) + eps) / ((noise**2).sum(-1) + eps))).mean().item()


MULTI = {"task": "multiclass", "num_classes": 5}
SIGNALS = (waveforms((sum(BATCHES), 2, 50), 7) + 0.1, waveforms((sum(BATCHES), 2, 50), 8))
CASES = [
    *(("Accuracy", accuracy, {**MULTI, "average": average}, SCORES, LABELS) for average in ("micro", "macro", "weighted", None)),
    *(("Accuracy", accuracy, {**MULTI, "average": average, "top_k": 2}, SCORES, NO_FOURTH) for average in ("micro", "macro")),
    ("Accuracy", accuracy, {**MULTI, "top_k": 3, "ignore_index": 1}, FRAMES, FRAME_LABELS),
    ("Accuracy", accuracy, {**MULTI, "average": "macro"}, FEW_CLASSES, NO_FOURTH),
    ("Accuracy", accuracy, {**MULTI, "average": "macro", "ignore_index": 2}, CLASSES, LABELS),
    ("Accuracy", accuracy, {**MULTI, "ignore_index": -1}, CLASSES, [-1 if label == 3 else label for label in LABELS]),
    ("Accuracy", accuracy, {"task": "binary"}, PROBABILITIES, ONES),
    ("Accuracy", accuracy, {"task": "binary", "threshold": 0.3}, LOGITS, ONES),
    *(("F1Score", f1_score, {**MULTI, "average": average}, SCORES, LABELS) for average in ("micro", "macro", "weighted", None)),
    *(("F1Score", f1_score, {**MULTI, "average": average}, FEW_CLASSES, NO_FOURTH) for average in ("macro", "weighted", None)),
    ("F1Score", f1_score, {"task": "binary", "threshold": 0.4}, PROBABILITIES, ONES),
    ("F1Score", f1_score, {"task": "binary", "ignore_index": -1}, LOGITS, [-1 if i % 4 == 0 else one for i, one in enumerate(ONES)]),
    *(("ConfusionMatrix", confusion_matrix, {**MULTI, "normalize": normalize}, SCORES, LABELS)
      for normalize in (None, "true", "pred", "all")),
    ("ConfusionMatrix", confusion_matrix, {**MULTI, "normalize": "true", "ignore_index": 0}, FRAMES, FRAME_LABELS),
    ("ConfusionMatrix", confusion_matrix, {"task": "binary"}, LOGITS, ONES),
    ("audio.ScaleInvariantSignalDistortionRatio", si_sdr, {}, *SIGNALS),
    ("audio.ScaleInvariantSignalDistortionRatio", si_sdr, {"zero_mean": True}, *SIGNALS),
    ("MeanMetric", lambda value: torch.as_tensor(value).double().mean().item(), {}, SCORES, None),
]


def tensors(numbers):
    """Batch by batch."""
    tensor = torch.as_tensor(numbers)
    return [{"shape": list(batch.shape), "values": batch.flatten().tolist(), "is_integer": not tensor.is_floating_point()}
            for batch in tensor.split(BATCHES)]


def records():
    cases = []
    for name, function, options, preds, target in CASES:
        inputs = {"value": preds} if target is None else {"preds": preds, "target": target}
        cases.append({"target": "torchmetrics." + name, "options": options,
                      "inputs": {key: tensors(numbers) for key, numbers in inputs.items()},
                      "value": function(**inputs, **options)})
    return [rounded(one) for one in cases]


if __name__ == "__main__":
    file = pathlib.Path(__file__).resolve().parent.parent / "metrics" / "data" / "metrics.json"
    lines = ",\n".join(json.dumps(one) for one in records())
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
