"""Writes tests/criterion/data/criteria.json: losses of torch.nn with their gradients, for the same arguments that a
configuration gives; and audyn_criteria.json: losses of audio and of adversarial training, computed in float64 by the
formulas below. tests/criterion/{torch,audyn}_losses.cpp read them."""

import itertools
import json
import math
import pathlib

import torch
from torch.nn import functional


def values(shape, seed, low=-1.0, high=1.0):
    """Exact in float32, the same in any language."""
    count = torch.Size(shape).numel()
    unit = ((torch.arange(count) * 7919 + seed * 104729) % 2003 + 1).double() / 2004
    return (low + (high - low) * unit).float().view(shape)


PAIR = {"input": values((4, 5), 1, -2, 2), "target": values((4, 5), 2, -2, 2)}
UNIT = {"input": values((4, 5), 1, 0.05, 0.95), "target": values((4, 5), 2, 0.05, 0.95)}
COUNTS = {"log_input": values((4, 5), 1, 0.05, 2), "target": values((4, 5), 2, 0, 5)}
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])
LOGS = {"input": values((4, 5), 3, -2, 2).log_softmax(1), "target": values((4, 5), 4, 0.05, 0.95)}
CLASSES = {"input": values((6, 5), 5, -2, 2), "target": torch.tensor([0, 4, 2, 2, 1, 3])}
LOG_CLASSES = {"input": CLASSES["input"].log_softmax(1), "target": CLASSES["target"]}
LABELS = {"input": values((2, 4), 6, -2, 2), "target": torch.tensor([[3, 0, -1, 1], [2, -1, 0, 1]])}
ZERO_ONE = {"input": values((4, 5), 7, -2, 2), "target": (values((4, 5), 8) > 0).float()}
CTC = {"log_probs": values((9, 2, 5), 9, -2, 2).log_softmax(2), "targets": torch.tensor([[1, 2, 2, 4], [3, 1, 1, 2]]),
       "input_lengths": torch.tensor([9, 8]), "target_lengths": torch.tensor([4, 2])}
TWO = {"input1": values((4, 5), 10), "input2": values((4, 5), 11), "target": SIGNS}
RANKS = {"input1": values((4,), 10), "input2": values((4,), 11), "target": SIGNS}
TRIPLET = {"anchor": values((4, 5), 12), "positive": values((4, 5), 13), "negative": values((4, 5), 14)}
GAUSSIAN = {**PAIR, "var": values((4, 5), 15, 0.1, 2)}
ONE_VARIANCE = {**PAIR, "var": values((4, 1), 15, -0.5, 2).clamp_min(0)}
WEIGHT = [0.5, 2.0, 1.25, 0.75, 1.5]

CASES = [
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, CLASSES),
    ("SmoothL1Loss", {}, PAIR),
    ("SmoothL1Loss", {"beta": 0.3, "reduction": "sum"}, PAIR),
    ("HuberLoss", {"delta": 0.4}, PAIR),
    ("HuberLoss", {"reduction": "sum"}, PAIR),
    ("BCELoss", {}, UNIT),
    ("BCELoss", {"weight": WEIGHT, "reduction": "sum"}, UNIT),
    ("BCEWithLogitsLoss", {}, ZERO_ONE),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": [1.0, 3.0, 0.5, 2.0, 1.5]}, ZERO_ONE),
    ("KLDivLoss", {}, LOGS),
    ("KLDivLoss", {"reduction": "batchmean"}, LOGS),
    ("KLDivLoss", {"reduction": "sum", "log_target": True}, {**LOGS, "target": LOGS["target"].log()}),
    ("PoissonNLLLoss", {}, COUNTS),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-3}, COUNTS),
    ("SoftMarginLoss", {}, {**PAIR, "target": PAIR["target"].sign()}),
    ("HingeEmbeddingLoss", {}, {**PAIR, "target": PAIR["target"].sign()}),
    ("HingeEmbeddingLoss", {"margin": 0.5, "reduction": "sum"}, {**PAIR, "target": PAIR["target"].sign()}),
    ("GaussianNLLLoss", {}, GAUSSIAN),
    ("GaussianNLLLoss", {"full": True, "eps": 0.01, "reduction": "sum"}, ONE_VARIANCE),
    ("NLLLoss", {}, LOG_CLASSES),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, LOG_CLASSES),
    ("MultiMarginLoss", {}, CLASSES),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, CLASSES),
    ("MultiLabelMarginLoss", {}, LABELS),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, ZERO_ONE),
    ("CTCLoss", {}, CTC),
    ("CTCLoss", {"blank": 4, "zero_infinity": True, "reduction": "sum"},
     {**CTC, "targets": CTC["targets"] - 1, "target_lengths": torch.tensor([4, 8])[:2].clamp_max(4)}),
    ("CosineEmbeddingLoss", {"margin": 0.1}, TWO),
    ("MarginRankingLoss", {"margin": 0.2}, RANKS),
    ("TripletMarginLoss", {}, TRIPLET),
    ("TripletMarginLoss", {"margin": 0.5, "p": 3.0, "swap": True, "reduction": "sum"}, TRIPLET),
    ("TripletMarginWithDistanceLoss", {}, TRIPLET),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5, "swap": True, "reduction": "sum"}, TRIPLET),
]


def case(name, options, inputs):
    known = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in options.items()}
    leaves = {key: value.clone().requires_grad_(value.is_floating_point() and key != "target") for key, value in inputs.items()}
    loss = getattr(torch.nn, name)(**known)(**leaves)
    loss.backward()
    return {
        "name": name,
        "options": options,
        "inputs": {key: {"shape": list(value.shape), "values": value.flatten().tolist(),
                         "is_integer": not value.is_floating_point(),
                         "gradient": None if leaves[key].grad is None else leaves[key].grad.flatten().tolist()}
                   for key, value in inputs.items()},
        "loss": loss.item(),
    }


def rounded(value):
    """Nine digits hold a float32."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def waveforms(shape, seed):
    """Two tones and something like noise."""
    time = torch.arange(shape[-1]).double()
    tones = torch.sin(0.05 * seed * time) + 0.4 * torch.cos(0.7 * time + seed)
    return (0.5 * tones + 0.3 * values(shape, seed).double()).float()


def reduced(losses, reduction):
    return losses.sum() if reduction == "sum" else losses.mean()


def si_sdr(input, target, reduction="mean", eps=1e-8, sign=1):
    scale = (input * target).sum(-1, keepdim=True) / ((target**2).sum(-1, keepdim=True) + eps)
    signal = ((scale * target) ** 2).sum(-1)
    noise = ((scale * target - input) ** 2).sum(-1)
    return reduced(sign * 10 * torch.log10((signal + eps) / (noise + eps)), reduction)


def pit_negative_si_sdr(input, target, num_sources=None, **options):
    """The least mean over the sources of each sample, over all orders of its targets."""
    reduction = options.pop("reduction", "mean")
    total = 0
    for estimates, sources in zip(input, target):
        orders = itertools.permutations(range(len(sources)))
        losses = [si_sdr(estimates, sources[list(order)], reduction, sign=-1, **options) for order in orders]
        total = total + torch.stack(losses).min()
    return total if reduction == "sum" else total / len(input)


def power_spectrogram(waveform, n_fft, win_length, hop_length, **options):
    window = torch.hann_window(win_length).to(waveform)
    signals = waveform.reshape(-1, waveform.size(-1))
    spectrum = torch.stft(signals, n_fft, hop_length, win_length, window, return_complex=True, **options)
    return spectrum.real**2 + spectrum.imag**2


def stft_loss(input, target, fft_size=1024, hop_size=256, win_length=1024, w_sc=1.0, w_log_mag=1.0, w_lin_mag=0.0,
              eps=1e-8, reduction="mean", mag_distance="L1"):
    estimated, truth = (power_spectrogram(one, fft_size, win_length, hop_size).clamp(min=eps).sqrt() for one in (input, target))
    distance = functional.l1_loss if mag_distance == "L1" else functional.mse_loss
    convergence = ((truth - estimated) ** 2).sum().sqrt() / (truth**2).sum().sqrt()
    logarithms = distance(estimated.log(), truth.log(), reduction=reduction)
    return w_sc * convergence + w_log_mag * logarithms + w_lin_mag * distance(estimated, truth, reduction=reduction)


def multi_resolution_stft_loss(input, target, fft_sizes=(1024, 2048, 512), hop_sizes=(120, 240, 50),
                               win_lengths=(600, 1200, 240), **options):
    losses = [stft_loss(input, target, *sizes, **options) for sizes in zip(fft_sizes, hop_sizes, win_lengths)]
    return sum(losses) / len(losses)


def multi_scale_spectral_loss(input, target, n_fft, win_length=None, hop_length=None, weights=None, eps=1e-8):
    win_length = win_length or n_fft
    hop_length = hop_length or [length // 4 for length in win_length]
    weights = weights or [math.sqrt(hop / 2) for hop in hop_length]
    total = 0
    for n, length, hop, weight in zip(n_fft, win_length, hop_length, weights):
        estimated, truth = (power_spectrogram(one, n, length, hop) for one in (input, target))
        difference = (truth + eps).log() - (estimated + eps).log()
        norms = (difference**2).sum(-2).sqrt() / difference.size(-2)
        total = total + (truth - estimated).abs().mean() + weight * norms.mean()
    return total


def mel_filters(n_freqs, f_min, f_max, n_mels, sample_rate, norm):
    """The bands of the HTK scale, (n_freqs, n_mels)."""
    to_mel = lambda hertz: 2595 * math.log10(1 + hertz / 700)  # noqa: E731
    mels = torch.linspace(to_mel(f_min), to_mel(f_max), n_mels + 2, dtype=torch.double)
    corners = 700 * (10 ** (mels / 2595) - 1)
    hertz = torch.linspace(0, sample_rate // 2, n_freqs, dtype=torch.double)[:, None]
    rise = (hertz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - hertz) / (corners[2:] - corners[1:-1])
    filters = torch.minimum(rise, fall).clamp(min=0)
    return (filters * 2 / (corners[2:] - corners[:-2]) if norm == "slaney" else filters).float()


def mel_spectrogram_l1_loss(input, target, sample_rate=16000, n_fft=400, win_length=None, hop_length=None, f_min=0.0,
                            f_max=None, pad=0, n_mels=128, power=2.0, norm=None, take_log=False, reduction="mean",
                            clamp_min=None, center=True):
    win_length = win_length or n_fft
    filters = mel_filters(n_fft // 2 + 1, f_min, f_max or sample_rate // 2, n_mels, sample_rate, norm)

    def bands(waveform):
        spectrogram = power_spectrogram(functional.pad(waveform, (pad, pad)), n_fft, win_length,
                                        hop_length or win_length // 2, center=center) ** (power / 2)
        mel = filters.to(spectrogram).T @ spectrogram
        if take_log:
            mel = (mel if clamp_min is None else mel.clamp(min=clamp_min)).log()
        return mel

    return functional.l1_loss(bands(input), bands(target), reduction=reduction)


def hinge(input, minimize, margin=1.0, reduction="mean"):
    return sum(reduced((margin + one if minimize else margin - one).clamp(min=0), reduction) for one in input)


def least_squares(input, target, reduction="mean"):
    return sum(reduced((one - target) ** 2, reduction) for one in input)


def feature_matching(input, target):
    return sum((one - other.detach()).abs().mean() for one, other in zip(input, target))


def towards(scores, is_true, loss_type):
    """Of a discriminator whose scores should be those of true or of generated samples."""
    if loss_type == "mse":
        return functional.mse_loss(scores, torch.full_like(scores, float(is_true)))
    if loss_type == "hinge":
        return -torch.minimum((scores if is_true else -scores) - 1, torch.zeros_like(scores)).mean()
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, float(is_true)))


def generator_loss(outputs, average_by_discriminators=True, loss_type="mse"):
    losses = [-one.mean() if loss_type == "hinge" else towards(one, True, loss_type) for one in outputs]
    return sum(losses) / (len(losses) if average_by_discriminators else 1)


def discriminator_loss(outputs_hat, outputs, average_by_discriminators=True, loss_type="mse"):
    losses = [towards(fake, False, loss_type) + towards(real, True, loss_type) for fake, real in zip(outputs_hat, outputs)]
    return sum(losses) / (len(losses) if average_by_discriminators else 1)


SIGNALS = {"input": waveforms((2, 300), 1), "target": waveforms((2, 300), 2)}
SOURCES = {"input": waveforms((2, 2, 100), 3), "target": waveforms((2, 2, 100), 4)}
SHUFFLED = waveforms((3, 3, 60), 7).gather(1, torch.tensor([[2, 0, 1], [0, 1, 2], [1, 0, 2]])[..., None].expand(3, 3, 60))
MIXTURES = {"input": SHUFFLED + 0.4 * values((3, 3, 60), 31), "target": waveforms((3, 3, 60), 7)}
LONG = {"input": waveforms((1, 1300), 5), "target": waveforms((1, 1300), 6)}
SILENCE = {"input": SIGNALS["input"] * (torch.arange(300) > 150), "target": SIGNALS["target"]}
SCORES = [values((2, 7), 20, -3, 3), values((2, 4), 21, -3, 3)]
OTHER_SCORES = [values((2, 7), 22, -3, 3), values((2, 4), 23, -3, 3)]
LAYERS = [values((2, 3, 5), 24), values((2, 2, 4), 25), values((2, 6), 26)]
OTHER_LAYERS = [values((2, 3, 5), 27), values((2, 2, 4), 28), values((2, 6), 29)]
SMALL = {"fft_size": 64, "hop_size": 20, "win_length": 50}

AUDYN = "audyn.criterion."
PARALLEL_WAVEGAN = "parallel_wavegan.losses."
AUDYN_CASES = [
    (AUDYN + "sdr.SISDR", si_sdr, {}, SIGNALS),
    (AUDYN + "sdr.NegSISDR", lambda *a, **k: si_sdr(*a, **k, sign=-1), {}, SOURCES),
    (AUDYN + "sdr.NegSISDR", lambda *a, **k: si_sdr(*a, **k, sign=-1), {"reduction": "sum", "eps": 0.01}, SOURCES),
    (AUDYN + "sdr.PITNegSISDR", pit_negative_si_sdr, {}, MIXTURES),
    (AUDYN + "sdr.PITNegSISDR", pit_negative_si_sdr, {"reduction": "sum", "num_sources": 3, "eps": 0.01}, MIXTURES),
    ("auraloss.freq.STFTLoss", stft_loss, SMALL, SIGNALS),
    ("auraloss.freq.STFTLoss", stft_loss, {**SMALL, "w_sc": 0.0, "w_lin_mag": 0.5, "mag_distance": "L2", "eps": 1e-3}, SILENCE),
    ("auraloss.freq.STFTLoss", stft_loss, {**SMALL, "w_log_mag": 0.0, "w_lin_mag": 2.0, "reduction": "sum"}, SOURCES),
    ("auraloss.freq.MultiResolutionSTFTLoss", multi_resolution_stft_loss, {}, LONG),
    ("auraloss.freq.MultiResolutionSTFTLoss", multi_resolution_stft_loss,
     {"fft_sizes": [64, 128], "hop_sizes": [16, 30], "win_lengths": [64, 100], "w_sc": 0.5}, SIGNALS),
    (AUDYN + "distance.MultiScaleSpectralLoss", multi_scale_spectral_loss, {"n_fft": [32, 64]}, SIGNALS),
    (AUDYN + "distance.MultiScaleSpectralLoss", multi_scale_spectral_loss,
     {"n_fft": [32, 64], "win_length": [30, 40], "hop_length": [10, 20], "weights": [1.0, 0.25], "eps": 1e-4}, SIGNALS),
    (AUDYN + "melspectrogram.MelSpectrogramL1Loss", mel_spectrogram_l1_loss,
     {"sample_rate": 8000, "n_fft": 128, "n_mels": 12}, SIGNALS),
    (AUDYN + "melspectrogram.MelSpectrogramL1Loss", mel_spectrogram_l1_loss,
     {"sample_rate": 8000, "n_fft": 128, "win_length": 100, "hop_length": 40, "n_mels": 10, "f_min": 50.0, "f_max": 3500.0,
      "power": 1.0, "norm": "slaney", "take_log": True, "clamp_min": 1e-5}, SIGNALS),
    (AUDYN + "melspectrogram.MelSpectrogramL1Loss", mel_spectrogram_l1_loss,
     {"sample_rate": 8000, "n_fft": 64, "n_mels": 6, "pad": 10, "center": False, "take_log": True, "clamp_min": 1e-3,
      "reduction": "sum"}, SILENCE),
    (AUDYN + "gan.DiscriminatorHingeLoss", hinge, {"minimize": True}, {"input": SCORES[:1]}),
    (AUDYN + "hifigan.DiscriminatorHingeLoss", hinge, {"minimize": False, "margin": 0.5, "reduction": "sum"}, {"input": SCORES}),
    (AUDYN + "lsgan.MSELoss", least_squares, {"target": 0.0}, {"input": SCORES[:1]}),
    (AUDYN + "hifigan.MSELoss", least_squares, {"target": 1.0}, {"input": SCORES}),
    (AUDYN + "hifigan.FeatureMatchingLoss", feature_matching, {}, {"input": LAYERS, "target": OTHER_LAYERS}),
    *((PARALLEL_WAVEGAN + "GeneratorAdversarialLoss", generator_loss, {"loss_type": kind, "average_by_discriminators": average},
       {"outputs": SCORES}) for kind, average in (("mse", True), ("hinge", False), ("bce", True))),
    *((PARALLEL_WAVEGAN + "DiscriminatorAdversarialLoss", discriminator_loss,
       {"loss_type": kind, "average_by_discriminators": average}, {"outputs_hat": SCORES, "outputs": OTHER_SCORES})
      for kind, average in (("mse", False), ("hinge", True), ("bce", True))),
]


def audyn_case(target, function, options, inputs):
    """The loss in float64 with the gradients of every tensor that gets some."""
    tensors = {key: value if isinstance(value, list) else [value] for key, value in inputs.items()}
    leaves = {key: [one.double().requires_grad_() for one in value] for key, value in tensors.items()}
    is_list = {key: isinstance(value, list) for key, value in inputs.items()}
    loss = function(**{key: value if is_list[key] else value[0] for key, value in leaves.items()}, **options)
    loss.backward()
    gradient = lambda leaf: None if leaf.grad is None else leaf.grad.flatten().tolist()  # noqa: E731
    return {
        "target": target,
        "options": options,
        "inputs": {key: [{"shape": list(leaf.shape), "values": leaf.flatten().tolist(), "gradient": gradient(leaf)}
                         for leaf in value] for key, value in leaves.items()},
        "loss": loss.item(),
    }


def records():
    """What each file of tests/criterion/data holds."""
    return {"criteria.json": [rounded(case(*one)) for one in CASES],
            "audyn_criteria.json": [rounded(audyn_case(*one)) for one in AUDYN_CASES]}


if __name__ == "__main__":
    folder = pathlib.Path(__file__).resolve().parent.parent / "criterion" / "data"
    for name, cases in records().items():
        lines = ",\n".join(json.dumps(one) for one in cases)
        (folder / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
