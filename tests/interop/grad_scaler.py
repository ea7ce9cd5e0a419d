"""The same losses, infinities among them, through Python's GradScaler and the toolkit's: equal to the last bit
where the kernels are the same."""

import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(77)

SIZE = 37


def make_iterations(count):
    """Factors of two losses; some are infinite or NaN, or overflow only once they are scaled."""
    generator = torch.Generator().manual_seed(3)
    iterations = []
    for i in range(count):
        factors = {key: torch.randn(SIZE, generator=generator) for key in ("first", "second")}
        if i % 7 == 3:
            factors["first"][5] = float("inf")
        if i % 11 == 4:
            factors["second"][0] = float("nan")
        if i % 13 == 6:
            factors["second"][1] = 1e35
        iterations.append(dict(factors, unscale=i % 3 == 1))
    return iterations


def train(parameters, scaler, optimizers, iterations):
    scales = []
    for factors in iterations:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = sum((p * factors[key]).sum() for p, key in zip(parameters, ("first", "second")))
        scaler.scale(loss).backward()
        if factors["unscale"]:
            scaler.unscale_(optimizers[0])
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    return scales


def make(parameters, fused):
    scaler = torch.amp.GradScaler("cpu", growth_interval=3)
    adamw = torch.optim.AdamW([parameters[0]], fused=True)
    sgd = torch.optim.SGD([parameters[1]], lr=0.1, momentum=0.9, fused=fused)
    return scaler, [adamw, sgd]


def same(a, b):
    if isinstance(b, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b  # Python's defaults are ints where ours are floats.


def run(folder, given):
    torch.save(given, folder + "/in.pth")
    subprocess.run([os.environ["AUDYN_INTEROP_PROGRAM"], "grad_scaler_run", folder + "/in.pth", folder + "/out.pth"], check=True)
    return torch.load(folder + "/out.pth", weights_only=True)


def check(result, parameters, scaler, optimizers, scales):
    assert result["scales"] == scales, (result["scales"], scales)
    assert len(set(scales)) > 2
    assert same(result["first"], parameters[0].detach())
    torch.testing.assert_close(result["second"], parameters[1].detach(), rtol=1e-6, atol=0.0)
    assert same(result["scaler_state"], scaler.state_dict()), (result["scaler_state"], scaler.state_dict())
    assert same(result["adamw_state"], optimizers[0].state_dict())


if __name__ == "__main__":
    start = [torch.linspace(-1, 1, SIZE), torch.linspace(2, 3, SIZE)]
    iterations = make_iterations(60)
    for fused in (True, False):
        parameters = [p.clone().requires_grad_() for p in start]
        scaler, optimizers = make(parameters, fused)
        scales = train(parameters, scaler, optimizers, iterations[:30])
        with tempfile.TemporaryDirectory() as folder:
            given = {"first": start[0], "second": start[1], "iterations": iterations[:30]}
            result = run(folder, given)
            check(result, parameters, scaler, optimizers, scales)
            if fused:  # The other kernel rounds differently.
                assert same(result["sgd_state"], optimizers[1].state_dict())
                assert same(result["second"], parameters[1].detach())
            # On from Python's state in C++.
            given = {"first": parameters[0].detach().clone(), "second": parameters[1].detach().clone()}
            given.update(scaler_state=scaler.state_dict(), iterations=iterations[30:])
            given.update(adamw_state=optimizers[0].state_dict(), sgd_state=optimizers[1].state_dict())
            resumed = run(folder, given)
            # And on from C++'s state in Python.
            copies = [result["first"].clone().requires_grad_(), result["second"].clone().requires_grad_()]
            other, others = make(copies, fused)
            other.load_state_dict(result["scaler_state"])
            for optimizer, key in zip(others, ("adamw_state", "sgd_state")):
                optimizer.load_state_dict(result[key])
        scales = train(parameters, scaler, optimizers, iterations[30:])
        check(resumed, parameters, scaler, optimizers, scales)
        assert train(copies, other, others, iterations[30:]) == scales
        for copy, parameter in zip(copies, parameters):
            torch.testing.assert_close(copy, parameter, rtol=1e-6, atol=0.0)
