"""A step of the toolkit's fused optimizers beside Python's with fused=True, one thread. Whole programs alternate.

Usage: optimizer.py PATH_TO_THE_PROGRAM_optimizer [ROUNDS]
"""

import statistics
import sys
import time

import torch

from paired import compare_steps

OPTIMIZERS = {"SGD": {"momentum": 0.9}, "Adam": {}, "AdamW": {}, "Adagrad": {}}


def print_steps():
    torch.set_num_threads(1)
    for name, options in OPTIMIZERS.items():
        for count, size, times in ((200, 1000, 20), (20, 100000, 4)):
            parameters = [torch.randn(size, requires_grad=True) for _ in range(count)]
            for parameter in parameters:
                parameter.grad = torch.randn(size)
            optimizer = getattr(torch.optim, name)(parameters, lr=1e-3, fused=True, **options)
            blocks = []
            for _ in range(102):
                begin = time.perf_counter()
                for _ in range(times):
                    optimizer.step()
                blocks.append(time.perf_counter() - begin)
            print(f"{name}, {count} parameters of {size}: {statistics.median(blocks[1:]) / times:.9f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print_steps()
    else:
        compare_steps([sys.argv[1], "steps"], [sys.executable, __file__], int(sys.argv[2]) if len(sys.argv) > 2 else 9)
