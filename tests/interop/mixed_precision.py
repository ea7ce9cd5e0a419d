"""200 iterations of the whole trainer and of a plain Python loop, in float32, bfloat16 and float16: the loss scales of
float16 are equal, infinities among them, and so are losses and parameters within each type's precision."""

import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

ITERATIONS, SAMPLES, BATCH_SIZE = 200, 160, 16
INIT_SCALE = 2.0**24  # its first gradients are infinite in float16


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv1d(8, 16, 5, padding=2)
        self.normalize = torch.nn.BatchNorm1d(16)
        self.classify = torch.nn.Linear(16, 5)

    def forward(self, features):
        return self.classify(self.normalize(self.convolution(features)).relu().mean(-1))


def train(network, features, labels, dtype):
    amp = dtype != torch.float32
    scaler = torch.amp.GradScaler("cpu", init_scale=INIT_SCALE, growth_interval=20, enabled=dtype == torch.float16)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, fused=True)
    losses, scales = [], []
    for i in range(ITERATIONS):
        batch = slice(i * BATCH_SIZE % SAMPLES, i * BATCH_SIZE % SAMPLES + BATCH_SIZE)
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype if amp else torch.bfloat16, enabled=amp):
            loss = torch.nn.functional.cross_entropy(network(features[batch]), labels[batch])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
        scales.append(scaler.get_scale())
    return losses, scales, scaler.state_dict()


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    features = torch.randn(SAMPLES, 8, 40)
    labels = (features.mean((1, 2)) * 60).long().remainder(5)
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.bfloat16, 1e-6), (torch.float16, 1e-6)):
        name = str(dtype).removeprefix("torch.")
        network = Network()
        given = {"model": network.state_dict(), "features": features, "labels": labels, "batch_size": BATCH_SIZE,
                 "iterations": ITERATIONS, "dtype": name, "init_scale": INIT_SCALE}
        with tempfile.TemporaryDirectory() as folder:
            torch.save(given, folder + "/in.pth")
            subprocess.run([os.environ["AUDYN_INTEROP_PROGRAM"], "mixed_precision_run", folder + "/in.pth",
                            folder + "/out.pth"], check=True, stdout=subprocess.DEVNULL)
            result = torch.load(folder + "/out.pth", weights_only=True)
        losses, scales, scaler_state = train(network, features, labels, dtype)
        if dtype == torch.float16:
            assert result["scales"] == scales, (result["scales"], scales)
            backoffs = sum(after < before for before, after in zip([INIT_SCALE] + scales, scales))
            growths = sum(after > before for before, after in zip(scales, scales[1:]))
            assert backoffs > 2 and growths > 2, (backoffs, growths)
            assert result["scaler"] == scaler_state, (result["scaler"], scaler_state)
        assert losses[-1] < losses[0]
        worst = max(abs(a - b) / abs(b) for a, b in zip(result["losses"], losses))
        print(f"{name}: greatest relative difference of a loss {worst:.1e}")
        assert worst <= tolerance, worst
        for key, value in network.state_dict().items():
            torch.testing.assert_close(result["model"][key], value, rtol=1e-4, atol=1e-6)


if __name__ == "__main__":
    main()
