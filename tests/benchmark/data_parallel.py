"""A step of the toolkit's DistributedDataParallel beside Python's under torchrun: two ranks of this machine over Gloo, one
thread each. Whole programs alternate.

Usage: data_parallel.py PATH_TO_THE_PROGRAM_data_parallel [ROUNDS]
"""

import os
import statistics
import sys
import time

import torch

from paired import compare_steps

WORKLOADS = {
    "MLP of 26 k parameters": ([128, 128, 64, 10], 64, 50),
    "MLP of 5 M parameters": ([1024] * 6, 32, 3),
}


def step_seconds(widths, batch, iterations):
    layers = [part for pair in zip(widths, widths[1:]) for part in (torch.nn.Linear(*pair), torch.nn.ReLU())]
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(*layers))
    value = torch.randn(batch, widths[0])
    blocks = []
    for _ in range(21):
        torch.distributed.barrier()
        begin = time.perf_counter()
        for _ in range(iterations):
            model(value).square().mean().backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(parameter.grad, alpha=1e-4)
                    parameter.grad = None
        blocks.append(time.perf_counter() - begin)
    return statistics.median(blocks[1:]) / iterations


def be_rank():
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    for name, workload in WORKLOADS.items():
        seconds = step_seconds(*workload)
        if torch.distributed.get_rank() == 0:
            print(f"{name}: {seconds:.9f}", flush=True)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    if "RANK" in os.environ:
        be_rank()
    else:
        compare_steps([sys.argv[1], "steps"],
                      [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", __file__],
                      rounds=int(sys.argv[2]) if len(sys.argv) > 2 else 9)
