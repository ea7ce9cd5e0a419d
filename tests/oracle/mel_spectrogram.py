"""Writes tests/audio/data/mel_spectrogram.json: what torchaudio gives for a chirp. Needs torch and torchaudio."""

import json
import pathlib

import torch
import torchaudio

SAMPLES = 1200


def chirp() -> torch.Tensor:
    time = torch.arange(SAMPLES, dtype=torch.float64)
    first = torch.sin(0.02 * time + 0.001 * time * time)
    second = 0.3 * torch.cos(1.7 * time) + 0.1 * torch.sin(0.5 * time)
    return torch.stack([first, second]).float()


CASES = {
    "default": {},
    "speech": dict(sample_rate=8000, n_fft=256, hop_length=160, n_mels=40),
    "slaney": dict(
        sample_rate=22050, n_fft=512, win_length=400, hop_length=200, n_mels=20, f_min=50.0, f_max=7600.0,
        norm="slaney", mel_scale="slaney",
    ),
    "magnitude": dict(sample_rate=8000, n_fft=128, win_length=100, hop_length=64, n_mels=10, power=1.0, center=False),
    "constant": dict(sample_rate=8000, n_fft=101, hop_length=50, n_mels=8, power=1.5, pad_mode="constant"),
}


def record(tensor: torch.Tensor) -> dict:
    # A part of the values and sums over all keep the file small.
    flat = tensor.double().flatten()
    return {
        "shape": list(tensor.shape),
        "every_7th": [float(f"{value:.8g}") for value in flat[::7]],
        "sum": float(flat.sum()),
        "square_sum": float(flat.square().sum()),
    }


def main() -> None:
    waveform = chirp()
    result = {"torchaudio": torchaudio.__version__, "mel": {}}
    for name, options in CASES.items():
        result["mel"][name] = record(torchaudio.transforms.MelSpectrogram(**options)(waveform))
    spectrogram = torchaudio.transforms.Spectrogram(n_fft=64, hop_length=32, power=None)(waveform)
    result["complex"] = record(torch.view_as_real(spectrogram))
    signal = torch.linspace(-1, 1, 41)
    encoded = torchaudio.functional.mu_law_encoding(signal, 256)
    result["mu_law_encoding"] = encoded.tolist()
    result["mu_law_decoding"] = torchaudio.functional.mu_law_decoding(encoded, 256).tolist()
    path = pathlib.Path(__file__).parent.parent / "audio" / "data" / "mel_spectrogram.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
