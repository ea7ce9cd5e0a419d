"""Prints what Python's samplers and random_split give; tests/data/sampler.cpp and dataset.cpp hold the output."""

import torch
from torch.utils.data import DistributedSampler, random_split

for size, world_size, drop_last in [(10, 3, False), (10, 3, True), (2, 5, False)]:
    for rank in range(world_size):
        sampler = DistributedSampler(
            range(size), num_replicas=world_size, rank=rank, shuffle=True, seed=7, drop_last=drop_last
        )
        sampler.set_epoch(2)
        print(size, world_size, drop_last, rank, list(sampler))

parts = random_split(range(11), [0.5, 0.3, 0.2], generator=torch.Generator().manual_seed(5))
print([part.indices for part in parts])
