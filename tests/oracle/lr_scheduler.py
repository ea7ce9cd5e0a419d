"""Writes tests/optim/data/schedulers.txt: what Python's schedulers set, step by step.

A line is: case, "lr", the rate before each step and after the last; or case, "momentum", the same of the first beta
where it changes. tests/optim/schedulers.cpp makes the same schedulers.
"""

import pathlib
import warnings

import torch
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")  # Only the rates are looked at; the optimizer never steps.

STEPS = 60


def warmup(optimizer, main, steps=7, start_factor=0.01):
    first = lr_scheduler.LinearLR(optimizer, start_factor=start_factor, total_iters=steps)
    return lr_scheduler.SequentialLR(optimizer, [first, main(optimizer)], milestones=[steps])


CASES = {
    "step": lambda o: lr_scheduler.StepLR(o, 7),
    "step_gamma": lambda o: lr_scheduler.StepLR(o, 1, gamma=0.97),
    "step_large": lambda o: lr_scheduler.StepLR(o, 100, gamma=0.5),
    "constant": lambda o: lr_scheduler.ConstantLR(o),
    "constant_long": lambda o: lr_scheduler.ConstantLR(o, factor=0.25, total_iters=31),
    "linear": lambda o: lr_scheduler.LinearLR(o),
    "linear_down": lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=40),
    "linear_short": lambda o: lr_scheduler.LinearLR(o, start_factor=1e-3, total_iters=1),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=60),
    "cosine_restart": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=13, eta_min=1e-3),
    "cosine_one": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=1, eta_min=0.01),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.3, total_steps=60),
    "one_cycle_linear": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.3, total_steps=60, pct_start=0.1, anneal_strategy="linear", base_momentum=0.5, max_momentum=0.7
    ),
    "one_cycle_three": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.3, total_steps=61, three_phase=True, cycle_momentum=False, div_factor=10, final_div_factor=100
    ),
    "warmup_step": lambda o: warmup(o, lambda o: lr_scheduler.StepLR(o, 10)),
    "warmup_cosine": lambda o: warmup(o, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=53, eta_min=1e-4)),
    "warmup_one_cycle": lambda o: warmup(o, lambda o: lr_scheduler.OneCycleLR(o, 0.2, total_steps=60), 3, 0.5),
}


def make_optimizer():
    return torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "optim" / "data"
    with open(folder / "schedulers.txt", "w") as file:
        for name, make in CASES.items():
            optimizer = make_optimizer()
            scheduler = make(optimizer)
            group = optimizer.param_groups[0]
            rates, momenta = [group["lr"]], [group["betas"][0]]
            for _ in range(STEPS):
                scheduler.step()
                group = optimizer.param_groups[0]
                rates.append(group["lr"])
                momenta.append(group["betas"][0])
            print(name, "lr", *map(repr, rates), file=file)
            if len(set(momenta)) > 1:
                print(name, "momentum", *map(repr, momenta), file=file)
