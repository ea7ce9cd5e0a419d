"""Training time and accuracy of a plain Python loop for examples/speech_classification, alternating with the example.

Usage: speech_classification.py DATA_FOLDER PROGRAM CONF_FOLDER [EPOCHS [RUNS [SEED]]]

Same network, data, split, crops, optimizer, schedule and number of epochs; one thread, one core for both. Python's time
is that of its loop alone, with the recordings decoded into memory before; the program's is that of the whole process.
"""

import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import soundfile
import torch
import torch.nn.functional as F
from torch import nn

SAMPLE_RATE = 8000
N_FFT, HOP, N_MELS = 256, 160, 40
BATCH_SIZE = 32


def mel_filter_bank() -> torch.Tensor:
    hertz = torch.linspace(0, SAMPLE_RATE // 2, N_FFT // 2 + 1)
    mels = torch.linspace(0, 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700), N_MELS + 2)
    corners = 700 * (10 ** (mels / 2595) - 1)
    width = corners[1:] - corners[:-1]
    slopes = corners[None] - hertz[:, None]
    return torch.minimum(-slopes[:, :-2] / width[:-1], slopes[:, 2:] / width[1:]).clamp(min=0)


class SpeechClassifier(nn.Module):
    def __init__(self, num_classes: int, channels: int = 32, dropout: float = 0.2) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(N_FFT))
        self.register_buffer("filters", mel_filter_bank())
        layers = [nn.BatchNorm1d(N_MELS)]
        for inputs, outputs, stride in [(N_MELS, channels, 1), (channels, 2 * channels, 2), (2 * channels, 2 * channels, 2)]:
            layers += [nn.Conv1d(inputs, outputs, 5, stride, 2, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.classify = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * channels, num_classes))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():  # as torchaudio.transforms.MelSpectrogram computes it
            spectrum = torch.stft(waveform, N_FFT, HOP, window=self.window, return_complex=True)
            mel = torch.matmul(spectrum.abs().pow(2).transpose(-1, -2), self.filters).transpose(-1, -2)
            log_mel = torch.log(mel + 1e-5)
        features = self.features(log_mel)
        return self.classify(torch.cat([features.mean(-1), features.amax(-1)], 1))


def read_recordings(root: str) -> tuple[list[torch.Tensor], torch.Tensor]:
    waveforms, labels = [], []
    for label, folder in enumerate(sorted(pathlib.Path(root).iterdir())):
        for path in sorted(folder.glob("**/*.wav")):
            waveforms.append(torch.from_numpy(soundfile.read(path, dtype="float32")[0]))
            labels.append(label)
    return waveforms, torch.tensor(labels)


def crop(waveform: torch.Tensor, seconds: int, random: bool) -> torch.Tensor:
    length = seconds * SAMPLE_RATE
    surplus = len(waveform) - length
    if surplus <= 0:
        return F.pad(waveform, (0, -surplus))
    begin = int(torch.randint(surplus + 1, ())) if random else surplus // 2
    return waveform[begin : begin + length]


def train(waveforms: list[torch.Tensor], labels: torch.Tensor, epochs: int, seed: int) -> tuple[float, float]:
    """Seconds, and the accuracy of the epoch with the least validation loss."""
    torch.manual_seed(seed)
    split = torch.utils.data.random_split(range(len(labels)), [0.9, 0.1], torch.Generator().manual_seed(seed))
    training, validation = (part.indices for part in split)
    model = SpeechClassifier(int(labels.max()) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    steps = epochs * math.ceil(len(training) / BATCH_SIZE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    best_loss, best_accuracy = math.inf, 0.0
    begin = time.perf_counter()
    for _ in range(epochs):
        model.train()
        order = torch.randperm(len(training)).tolist()
        for i in range(0, len(order), BATCH_SIZE):
            indices = [training[k] for k in order[i : i + BATCH_SIZE]]
            batch = torch.stack([crop(waveforms[k], 2, True) for k in indices])
            loss = F.cross_entropy(model(batch), labels[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        total_loss, correct = 0.0, 0
        with torch.no_grad():
            for i in range(0, len(validation), 64):
                indices = validation[i : i + 64]
                logits = model(torch.stack([crop(waveforms[k], 4, False) for k in indices]))
                total_loss += F.cross_entropy(logits, labels[indices], reduction="sum").item()
                correct += int((logits.argmax(1) == labels[indices]).sum())
        if total_loss < best_loss:
            best_loss, best_accuracy = total_loss, correct / len(validation)
    return time.perf_counter() - begin, best_accuracy


def run_program(program: str, conf: str, root: str, epochs: int, seed: int) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--config-dir", conf, f"data.root={root}", f"train.steps.epochs={epochs}"]
        command += [f"system.seed={seed}", "system.num_threads=1"]
        begin = time.perf_counter()
        output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        seconds = time.perf_counter() - begin
    return seconds, next(line for line in output.splitlines() if "validation accuracy" in line)


def main() -> None:
    root, program, conf = (os.path.abspath(argument) for argument in sys.argv[1:4])
    epochs, runs, seed = (int(value) for value in (sys.argv[4:] + ["30", "5", "0"][len(sys.argv) - 4 :]))
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    waveforms, labels = read_recordings(root)
    ratios = []
    for run in range(runs):
        python_seconds, accuracy = train(waveforms, labels, epochs, seed + run)
        seconds, line = run_program(program, conf, root, epochs, seed + run)
        ratios.append(seconds / python_seconds)
        print(f"Python {python_seconds:.1f} s ({100 * accuracy:.2f} %), program {seconds:.1f} s, ratio {ratios[-1]:.2f}")
        print(line.split(" - ")[-1], flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}, greatest {max(ratios):.2f} (target: at most 0.9)")


if __name__ == "__main__":
    main()
