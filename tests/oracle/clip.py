"""Prints what torch.nn.utils gives, and what adaptive clipping is by its definition; tests/optim/clip.cpp holds the
output."""

import torch


def parameters(adaptive=False):
    made = [torch.zeros(3), torch.zeros(2, 2), torch.zeros(1), torch.zeros(2, dtype=torch.float64)]
    if adaptive:
        values = [[0.5, -1.0, 2.0], [[30.0, 40.0], [0.0, 0.0]], [1.0], [60.0, 80.0]]
        made = [torch.tensor(value, dtype=old.dtype) for value, old in zip(values, made)]
    gradients = [[3.0, -4.0, 0.5], [[1.0, 2.0], [-3.0, 0.25]], None, [6.0, -7.0]]
    for parameter, gradient in zip(made, gradients):
        parameter.grad = None if gradient is None else torch.tensor(gradient, dtype=parameter.dtype)
    return made


def show(*values):
    print(*(value.tolist() if isinstance(value, torch.Tensor) else value for value in values))


for norm_type in (1.0, 2.0, 3.5, float("inf")):
    for max_norm in (1.0, 1e4):
        clipped = parameters()
        norm = torch.nn.utils.clip_grad_norm_(clipped, max_norm, norm_type)
        show("norm", norm_type, max_norm, norm, clipped[0].grad, clipped[3].grad)

# Each group by itself: the first two parameters, the others.
clipped = parameters()
norms = [torch.nn.utils.clip_grad_norm_(group, limit) for group, limit in ((clipped[:2], 1.0), (clipped[2:], 2.0))]
show("group_norm", *norms, clipped[0].grad, clipped[1].grad, clipped[3].grad)

# Brock et al. 2021, equation 3: a unit is a row, or the whole of a vector.
for clip_factor in (0.01, 0.1):
    clipped = parameters(adaptive=True)
    for parameter in clipped:
        if parameter.grad is None:
            continue
        units = parameter.reshape(len(parameter), -1) if parameter.dim() > 1 else parameter.reshape(1, -1)
        rows = parameter.grad.view(units.shape)
        for unit, row in zip(units, rows):
            limit = clip_factor * max(unit.double().norm().item(), 1e-3)
            if row.double().norm().item() > limit:
                row *= limit / row.double().norm().item()
    show("adaptive", clip_factor, clipped[0].grad, clipped[1].grad, clipped[3].grad)
