"""Prints the losses of a plain Python training loop: the values in tests/trainer/trainer.cpp."""

import torch

torch.manual_seed(0)
features = torch.linspace(-1, 1, 48 * 4).reshape(48, 4).sin()
labels = (torch.arange(48) * 7) % 3


def model():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


def train(clip=None, accumulation=1):
    network = model()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, fused=True)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    losses = []
    for _ in range(2):
        for start in range(0, 48, 8 * accumulation):
            optimizer.zero_grad()
            total = 0.0
            for i in range(accumulation):
                batch = slice(start + 8 * i, start + 8 * (i + 1))
                loss = torch.nn.functional.cross_entropy(network(features[batch]), labels[batch])
                (loss / accumulation).backward()
                total += loss.item() / accumulation
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            scheduler.step()
            losses.append(total)
    return losses


for options in ({}, {"clip": 0.1}, {"accumulation": 2}):
    print(options, ", ".join(f"{loss:.7f}" for loss in train(**options)))
