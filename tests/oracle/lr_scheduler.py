"""Writes tests/optim/data/schedulers.txt: what Python's schedulers set, step by step.

A line is: case, quantity, the values before each step and after the last; "0.1*7" is seven times 0.1. Quantities are
"lr" and "lr1", the rates of the first and second group, and "momentum" and "momentum1" where they change.
tests/optim/scheduler_cases.hpp makes the same schedulers.
"""

import itertools
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

warnings.simplefilter("ignore")  # Only the rates are looked at; the optimizer never steps.

STEPS = 500


class TransformerLRScheduler(lr_scheduler.LRScheduler):
    """Audyn's, with its attributes."""

    def __init__(self, optimizer, d_model, warmup_steps):
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(optimizer)

    def get_lr(self):
        step = self._step_count
        lr = self.d_model**-0.5 * min(step**-0.5, step * self.warmup_steps**-1.5)
        return [lr] * len(self.optimizer.param_groups)


def burn_in(optimizer, burnin_step, burnin_scale):
    """Audyn's BurnInLRScheduler."""
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: burnin_scale if step < burnin_step else 1)
    scheduler.burnin_step = burnin_step
    return scheduler


def passt(optimizer, warmup_steps, suspend_steps, cooldown_steps, last_factor):
    """Audyn's ExponentialWarmupLinearCooldownLRScheduler, with a cool-down that goes down as in PaSST."""

    def factor(step):
        if step < warmup_steps:
            return math.exp(-5.0 * (1.0 - step / warmup_steps) ** 2)
        end = warmup_steps + suspend_steps + cooldown_steps
        if step < warmup_steps + suspend_steps:
            return 1.0
        return last_factor + (1.0 - last_factor) * max(0, end - step) / cooldown_steps

    return lr_scheduler.LambdaLR(optimizer, factor)


def sequential(optimizer, milestones, *makers):
    return lr_scheduler.SequentialLR(optimizer, [make(optimizer) for make in makers], milestones=milestones)


def chained(optimizer, *makers):
    return lr_scheduler.ChainedScheduler([make(optimizer) for make in makers], optimizer)


def warmup(optimizer, main, steps=7, start_factor=0.01):
    first = lambda o: lr_scheduler.LinearLR(o, start_factor=start_factor, total_iters=steps)
    return sequential(optimizer, [steps], first, main)


def linear_after_warmup(step):
    return step / 10 if step < 10 else max(0.0, 1.0 - (step - 10) / (400 - 10))


def cosine_after_warmup(step):
    return step / 10 if step < 10 else 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - 10) / (400 - 10))))


CASES = {
    "step": lambda o: lr_scheduler.StepLR(o, 7),
    "step_gamma": lambda o: lr_scheduler.StepLR(o, 1, gamma=0.97),
    "step_large": lambda o: lr_scheduler.StepLR(o, 100, gamma=0.5),
    "multi_step": lambda o: lr_scheduler.MultiStepLR(o, [30, 80]),
    "multi_step_twice": lambda o: lr_scheduler.MultiStepLR(o, [50, 10, 50, 200], gamma=0.7),
    "multi_step_first": lambda o: lr_scheduler.MultiStepLR(o, [0, 1, 499], gamma=0.3),
    "constant": lambda o: lr_scheduler.ConstantLR(o),
    "constant_long": lambda o: lr_scheduler.ConstantLR(o, factor=0.25, total_iters=31),
    "constant_one": lambda o: lr_scheduler.ConstantLR(o, factor=0.7, total_iters=1),
    "linear": lambda o: lr_scheduler.LinearLR(o),
    "linear_down": lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=400),
    "linear_short": lambda o: lr_scheduler.LinearLR(o, start_factor=1e-3, total_iters=1),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.99),
    "exponential_fast": lambda o: lr_scheduler.ExponentialLR(o, 0.5),
    "exponential_up": lambda o: lr_scheduler.ExponentialLR(o, 1.01),
    "polynomial": lambda o: lr_scheduler.PolynomialLR(o),
    "polynomial_square": lambda o: lr_scheduler.PolynomialLR(o, total_iters=300, power=2.0),
    "polynomial_root": lambda o: lr_scheduler.PolynomialLR(o, total_iters=600, power=0.3),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=60),
    "cosine_restart": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=13, eta_min=1e-3),
    "cosine_one": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=1, eta_min=0.01),
    "warm_restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 60),
    "warm_restarts_longer": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, T_mult=2),
    "warm_restarts_floor": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 11, T_mult=3, eta_min=0.02),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.3, total_steps=500),
    "one_cycle_linear": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.3, total_steps=500, pct_start=0.1, anneal_strategy="linear", base_momentum=0.5, max_momentum=0.7
    ),
    "one_cycle_three": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.3, total_steps=501, three_phase=True, cycle_momentum=False, div_factor=10, final_div_factor=100
    ),
    "sgd_one_cycle_groups": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=[0.3, 3.0], epochs=50, steps_per_epoch=10, base_momentum=[0.8, 0.6], max_momentum=[0.9, 0.7]
    ),
    "cyclic": lambda o: lr_scheduler.CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=20),
    "cyclic_half": lambda o: lr_scheduler.CyclicLR(
        o, base_lr=0.01, max_lr=0.2, step_size_up=13, step_size_down=29, mode="triangular2"
    ),
    "cyclic_exponential": lambda o: lr_scheduler.CyclicLR(
        o, base_lr=0.01, max_lr=0.3, step_size_up=40, mode="exp_range", gamma=0.99, cycle_momentum=False
    ),
    "cyclic_function": lambda o: lr_scheduler.CyclicLR(
        o, 0.01, 0.1, step_size_up=10, scale_fn=lambda x: 0.5 * (1.0 + math.sin(x * math.pi / 2.0))
    ),
    "sgd_cyclic_groups": lambda o: lr_scheduler.CyclicLR(
        o, base_lr=[0.01, 0.02], max_lr=[0.1, 0.5], step_size_up=30, base_momentum=0.5, max_momentum=0.95,
        scale_fn=lambda x: 1.0 / (1.0 + x), scale_mode="iterations",
    ),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o),
    "plateau_max": lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="max", factor=0.9, patience=4, eps=1e-3),
    "plateau_absolute": lambda o: lr_scheduler.ReduceLROnPlateau(
        o, factor=0.8, patience=2, threshold=0.01, threshold_mode="abs", cooldown=5, min_lr=0.01
    ),
    "plateau_max_absolute": lambda o: lr_scheduler.ReduceLROnPlateau(
        o, mode="max", factor=0.5, patience=0, threshold=0.2, threshold_mode="abs"
    ),
    "sgd_plateau_groups": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=3, factor=0.5, min_lr=[0.02, 0.001]),
    "lambda_exponential": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.95**step),
    "lambda_step": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.5 ** (step // 30)),
    "lambda_constant": lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.25),
    "lambda_inverse_sqrt": lambda o: lr_scheduler.LambdaLR(
        o, lambda step: step / 40 if step < 40 else math.sqrt(40 / step)
    ),
    "lambda_linear": lambda o: lr_scheduler.LambdaLR(o, linear_after_warmup),
    "lambda_cosine": lambda o: lr_scheduler.LambdaLR(o, cosine_after_warmup),
    "sgd_lambda_groups": lambda o: lr_scheduler.LambdaLR(o, [lambda step: 0.9**step, lambda step: 1.0 / (1.0 + step)]),
    "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.99),
    "multiplicative_step": lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.5 if step % 50 == 0 else 1.0),
    "sgd_multiplicative_groups": lambda o: lr_scheduler.MultiplicativeLR(
        o, [lambda step: 0.98, lambda step: 1.0 + 1.0 / (1.0 + step)]
    ),
    "swa": lambda o: SWALR(o, swa_lr=0.05),
    "swa_linear": lambda o: SWALR(o, swa_lr=0.3, anneal_epochs=100, anneal_strategy="linear"),
    "swa_at_once": lambda o: SWALR(o, swa_lr=0.01, anneal_epochs=0),
    "sgd_swa_groups": lambda o: SWALR(o, swa_lr=[0.01, 0.5], anneal_epochs=37),
    "transformer": lambda o: TransformerLRScheduler(o, 512, 4000),
    "transformer_short": lambda o: TransformerLRScheduler(o, 256, 50),
    "transformer_one": lambda o: TransformerLRScheduler(o, 3, 1),
    "burn_in": lambda o: burn_in(o, 20, 0.01),
    "burn_in_long": lambda o: burn_in(o, 333, 0.5),
    "burn_in_none": lambda o: burn_in(o, 0, 0.1),
    "passt": lambda o: passt(o, 5, 45, 50, 0.01),
    "passt_long": lambda o: passt(o, 100, 0, 300, 0.1),
    "passt_no_warmup": lambda o: passt(o, 0, 7, 13, 0.0),
    "chained": lambda o: chained(
        o, lambda o: lr_scheduler.ConstantLR(o, factor=0.1, total_iters=20), lambda o: lr_scheduler.ExponentialLR(o, 0.99)
    ),
    "chained_three": lambda o: chained(
        o, lambda o: lr_scheduler.LinearLR(o, total_iters=30), lambda o: lr_scheduler.StepLR(o, 90),
        lambda o: lr_scheduler.MultiStepLR(o, [40, 300]),
    ),
    "sgd_chained": lambda o: chained(o, lambda o: lr_scheduler.CosineAnnealingLR(o, 200), lambda o: SWALR(o, 0.05)),
    "sequential": lambda o: sequential(
        o, [20], lambda o: lr_scheduler.ConstantLR(o, factor=0.1, total_iters=20), lambda o: lr_scheduler.ExponentialLR(o, 0.9)
    ),
    "sequential_three": lambda o: sequential(
        o, [30, 200], lambda o: lr_scheduler.LinearLR(o, total_iters=30),
        lambda o: lr_scheduler.PolynomialLR(o, total_iters=400, power=2.0), lambda o: lr_scheduler.MultiStepLR(o, [50, 100]),
    ),
    "sequential_late": lambda o: sequential(
        o, [400], lambda o: lr_scheduler.ExponentialLR(o, 0.99), lambda o: lr_scheduler.MultiStepLR(o, [50])
    ),
    "sequential_restarts": lambda o: sequential(
        o, [11, 300], lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 20, T_mult=2), lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 30),
    ),
    "sequential_of_chained": lambda o: sequential(
        o, [50], lambda o: chained(o, lambda o: lr_scheduler.ConstantLR(o, 0.1), lambda o: lr_scheduler.ExponentialLR(o, 0.97)),
        lambda o: lr_scheduler.LambdaLR(o, lambda step: 1.0 / (1.0 + step)),
    ),
    "sequential_of_sequential": lambda o: sequential(
        o, [50], lambda o: warmup(o, lambda o: lr_scheduler.StepLR(o, 10)), lambda o: lr_scheduler.CosineAnnealingLR(o, 450)
    ),
    "warmup_step": lambda o: warmup(o, lambda o: lr_scheduler.StepLR(o, 10)),
    "warmup_cosine": lambda o: warmup(o, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=493, eta_min=1e-4)),
    "warmup_one_cycle": lambda o: warmup(o, lambda o: lr_scheduler.OneCycleLR(o, 0.2, total_steps=500), 3, 0.5),
    "warmup_transformer": lambda o: warmup(o, lambda o: TransformerLRScheduler(o, 64, 30)),
    "warmup_swa": lambda o: warmup(o, lambda o: SWALR(o, 0.02, 50)),
    "warmup_multiplicative": lambda o: warmup(o, lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.99)),
    "sgd_warmup_cyclic": lambda o: warmup(o, lambda o: lr_scheduler.CyclicLR(o, 0.02, 0.1, 25), 10, 0.1),
}


def make_optimizer(name):
    """For names that begin with "sgd" one with two groups."""
    parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    if name.startswith("sgd"):
        return torch.optim.SGD([{"params": [p], "lr": lr} for p, lr in zip(parameters, (0.1, 0.2))], momentum=0.9)
    return torch.optim.AdamW(parameters[:1], lr=0.1)


def metric(step):
    """What a plateau scheduler is given at a step: noise around something that falls."""
    return step * 7919 % 101 / 101 + 50.0 / (step + 25)


def advance(scheduler, steps):
    """Calls `step` for each of the numbers."""
    for step in steps:
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(metric(step))
        else:
            scheduler.step()


def values(optimizer):
    """What schedulers change, by quantity."""
    found = {}
    for suffix, group in zip(("", "1"), optimizer.param_groups):
        found["lr" + suffix] = float(group["lr"])
        found["momentum" + suffix] = group["betas"][0] if "betas" in group else group["momentum"]
    return found


def run_lengths(numbers):
    for number, run in itertools.groupby(numbers):
        count = len(list(run))
        yield repr(number) + (f"*{count}" if count > 1 else "")


def lines():
    """The lines of the file."""
    for name, make in CASES.items():
        optimizer = make_optimizer(name)
        scheduler = make(optimizer)
        table = [values(optimizer)]
        for step in range(STEPS):
            advance(scheduler, [step])
            table.append(values(optimizer))
        for quantity in table[0]:
            column = [row[quantity] for row in table]
            if quantity.startswith("lr") or len(set(column)) > 1:
                yield " ".join([name, quantity, *run_lengths(column)])


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "optim" / "data"
    with open(folder / "schedulers.txt", "w") as file:
        for line in lines():
            print(line, file=file)
