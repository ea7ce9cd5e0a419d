"""Writes tests/trainer/data/gan.txt: the losses of a small GAN in a plain Python loop.

A line is: variant, side, the loss of each iteration. tests/trainer/gan.hpp has the same models and data.
"""

import pathlib

import torch
from torch import nn
from torch.nn import functional

ITERATIONS, SAMPLES, BATCH = 50, 64, 8

VARIANTS = {
    "plain": {},
    "features": {"features": True},
    "bfloat16": {"features": True, "dtype": torch.bfloat16},
    "float16": {"dtype": torch.float16},
    "three discriminator steps": {"discriminator_steps": 3},
    "two generator steps": {"generator_steps": 2},
}


def wave(shape, phase, scale):
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return ((index * 0.37 + phase).sin() * scale).float().view(shape)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 16)
        self.second = nn.Linear(16, 8)

    def forward(self, noise):
        return self.second(self.first(noise).tanh())


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.second = nn.Linear(16, 1)

    def forward(self, sample):
        hidden = functional.leaky_relu(self.first(sample), 0.2)
        return self.second(hidden), hidden


def set_parameters(module, phase):
    with torch.no_grad():
        for i, parameter in enumerate(module.parameters()):
            parameter.copy_(wave(parameter.shape, phase + i, 0.4))


def data():
    """Noise and samples."""
    return wave((SAMPLES, 4), 0.5, 1.0), wave((SAMPLES, 8), 2.5, 1.5)


def discriminator_loss(fake, real):
    cross_entropy = functional.binary_cross_entropy_with_logits
    return cross_entropy(fake, torch.zeros_like(fake)) + cross_entropy(real, torch.ones_like(real))


def train(features=False, dtype=None, discriminator_steps=1, generator_steps=1, rank=0, world_size=1, wrap=None):
    """Losses of generator and discriminator; each is the mean over its steps in the iteration."""
    generator, discriminator = Generator(), Discriminator()
    set_parameters(generator, 0.0)
    set_parameters(discriminator, 7.0)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999), fused=True)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999), fused=True)
    scheduler = torch.optim.lr_scheduler.StepLR(generator_optimizer, step_size=10, gamma=0.5)
    scaler = torch.amp.GradScaler("cpu", enabled=dtype == torch.float16)
    bare_discriminator = discriminator
    if wrap is not None:
        generator, discriminator = wrap(generator), wrap(discriminator)
    autocast = lambda: torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None)  # noqa: E731
    noise, samples = data()
    per_epoch = SAMPLES // (BATCH * world_size)
    window = max(discriminator_steps, generator_steps)
    losses = []
    while len(losses) < ITERATIONS:
        for begin in range(0, per_epoch, window):
            if len(losses) == ITERATIONS:
                break
            batches = range(begin, min(begin + window, per_epoch))
            sums = {"generator": [], "discriminator": []}
            for position, batch in enumerate(batches):
                part = slice(batch * BATCH * world_size + rank, (batch + 1) * BATCH * world_size, world_size)
                trains_generator = position >= len(batches) - generator_steps
                with torch.set_grad_enabled(trains_generator), autocast():
                    fake = generator(noise[part])
                if position < discriminator_steps:
                    with autocast():
                        loss = discriminator_loss(discriminator(fake.detach())[0], discriminator(samples[part])[0])
                    discriminator_optimizer.zero_grad()
                    scaler.scale(loss).backward()
                    scaler.unscale_(discriminator_optimizer)
                    torch.nn.utils.clip_grad_norm_(bare_discriminator.parameters(), 0.1)
                    scaler.step(discriminator_optimizer)
                    sums["discriminator"].append(loss.item())
                if trains_generator:
                    bare_discriminator.requires_grad_(False)
                    with autocast():
                        score, hidden = bare_discriminator(fake)
                        loss = functional.binary_cross_entropy_with_logits(score, torch.ones_like(score))
                        if features:
                            loss = loss + 2.0 * functional.l1_loss(hidden, bare_discriminator(samples[part])[1])
                        loss = loss + 0.5 * functional.l1_loss(fake, samples[part])
                    bare_discriminator.requires_grad_(True)
                    generator_optimizer.zero_grad()
                    scaler.scale(loss).backward()
                    scaler.step(generator_optimizer)
                    sums["generator"].append(loss.item())
                scaler.update()
            scheduler.step()
            losses.append([sum(values) / len(values) for values in sums.values()])
    return losses


def lines():
    for name, options in VARIANTS.items():
        losses = train(**options)
        for side, values in zip(("generator", "discriminator"), zip(*losses)):
            yield f"{name.replace(' ', '_')} {side} " + " ".join(f"{value:.9g}" for value in values)


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).parent.parent / "trainer" / "data" / "gan.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines()) + "\n", encoding="utf-8")
