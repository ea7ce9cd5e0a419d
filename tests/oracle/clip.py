"""Prints what torch.nn.utils.clip_grad_norm_ gives; tests/optim/clip.cpp holds the output."""

import torch

for norm_type in (1.0, 2.0, 3.5, float("inf")):
    for max_norm in (1.0, 1e4):
        parameters = [torch.zeros(3), torch.zeros(2, 2), torch.zeros(1), torch.zeros(2, dtype=torch.float64)]
        gradients = [[3.0, -4.0, 0.5], [[1.0, 2.0], [-3.0, 0.25]], None, [6.0, -7.0]]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = None if gradient is None else torch.tensor(gradient, dtype=parameter.dtype)
        norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
        print(norm_type, max_norm, norm.item(), parameters[0].grad.tolist(), parameters[3].grad.tolist())
