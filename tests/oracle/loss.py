"""Prints losses of torch.nn on one batch; tests/criterion/losses.cpp holds the output."""

import torch

input = torch.tensor([[0.5, -1.25, 2.0], [1.0, 0.0, -0.5], [0.25, 0.75, 3.0], [-2.0, 1.5, 0.125]], requires_grad=True)
classes = torch.tensor([2, 0, 1, 1])
probabilities = torch.tensor([[0.25, 0.25, 0.5], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.125, 0.375, 0.5]])
weight = torch.tensor([0.5, 2.0, 1.25])

for name, loss, target in [
    ("default", torch.nn.CrossEntropyLoss(), classes),
    ("weight", torch.nn.CrossEntropyLoss(weight=weight), classes),
    ("ignore", torch.nn.CrossEntropyLoss(ignore_index=1), classes),
    ("smoothing", torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=0.2), classes),
    ("sum", torch.nn.CrossEntropyLoss(reduction="sum"), classes),
    ("probabilities", torch.nn.CrossEntropyLoss(), probabilities),
    ("none", torch.nn.CrossEntropyLoss(reduction="none"), classes),
    ("mse", torch.nn.MSELoss(), probabilities),
    ("mse_sum", torch.nn.MSELoss(reduction="sum"), probabilities),
    ("l1", torch.nn.L1Loss(), probabilities),
    ("l1_sum", torch.nn.L1Loss(reduction="sum"), probabilities),
]:
    value = loss(input, target)
    (gradient,) = torch.autograd.grad(value.sum(), input)
    print(name, value.tolist(), gradient[2].tolist())
