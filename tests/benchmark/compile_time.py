"""What it costs to compile: the shortest program against torch/torch.h, each public header, each cell of the dispatch table.

Usage: compile_time.py COMPILER FLAGS_FILE [RUNS]

FLAGS_FILE is tests/compile_fail/flags.txt of a build folder. The times are user time of one file at -O2, the least of RUNS
(3) alternating runs for the program, one run for each row of the tables; memory is the compiler's peak. Files are compiled
as in a program that links audyn::compiled; the program also as with audyn::audyn, which is headers alone.
"""

import os
import pathlib
import statistics
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MODEL = """
#include <audyn/audyn.hpp>
#include <torch/nn/modules/linear.h>
struct %(name)sImpl : torch::nn::Module {
    torch::nn::Linear linear = register_module("linear", torch::nn::Linear(4, 4));
    at::Tensor forward(const at::Tensor& input) { return linear(input); }
    static constexpr auto forward_arguments = audyn::names("input");
};
TORCH_MODULE(%(name)s);
"""
TRAINER = "template class audyn::trainer::Trainer<%s, %s, audyn::amp::%s, audyn::distributed::%s>;\n"
AUTO_TRAINER = "void train(audyn::Config& config) { audyn::AutoTrainer<%s>::build_from_config(config).run(); }\n"


class Compiler:
    def __init__(self, compiler, flags, folder):
        self.command = [compiler, f"@{flags}", f"-I{SOURCE}/include", "-O2", "-c", "-o", "/dev/null"]
        self.source = pathlib.Path(folder) / "file.cpp"

    def cost(self, text=None, path=None, compiled=True):
        """User seconds and peak megabytes of compiling the text, or the file."""
        if text is not None:
            self.source.write_text(text, encoding="utf-8")
        command = self.command + (["-DAUDYN_COMPILED"] if compiled else []) + [str(path or self.source)]
        process = os.posix_spawnp(command[0], command, os.environ)
        _, status, usage = os.wait4(process, 0)
        if status != 0:
            raise SystemExit(f"{command} failed")
        return usage.ru_utime, usage.ru_maxrss / 1024


def program(compiler, runs):
    torch, minimal, alone = [], [], []
    for _ in range(runs):
        torch.append(compiler.cost("#include <torch/torch.h>\n"))
        minimal.append(compiler.cost(path=SOURCE / "examples/minimal/main.cpp"))
        alone.append(compiler.cost(path=SOURCE / "examples/minimal/main.cpp", compiled=False))
    seconds = min(cost[0] for cost in minimal) / min(cost[0] for cost in torch)
    paired = statistics.median(one[0] / other[0] for one, other in zip(minimal, torch))
    memory = max(cost[1] for cost in minimal) / max(cost[1] for cost in torch)
    print("| file | user seconds | peak MB |\n|---|---|---|")
    print(f"| torch/torch.h alone | {min(torch)[0]:.1f} | {max(cost[1] for cost in torch):.0f} |")
    print(f"| examples/minimal/main.cpp | {min(minimal)[0]:.1f} | {max(cost[1] for cost in minimal):.0f} |")
    print(f"| the same with headers alone | {min(alone)[0]:.1f} | {max(cost[1] for cost in alone):.0f} |")
    print(f"\nratio of time {seconds:.2f} (median of pairs {paired:.2f}; target: at most 1.6), of memory {memory:.2f} (at most 1.4)\n")


def headers(compiler):
    print("| header | user seconds | peak MB |\n|---|---|---|")
    for header in sorted((SOURCE / "include").rglob("*.hpp")):
        name = header.relative_to(SOURCE / "include")
        if "detail" not in name.parts:
            seconds, memory = compiler.cost(f"#include <{name}>\n")
            print(f"| {name} | {seconds:.1f} | {memory:.0f} |", flush=True)
    print()


def cells(compiler):
    one, two = (MODEL % {"name": name} for name in ("One", "Two"))
    base = compiler.cost(one)[0]
    print(f"| above a file that includes audyn.hpp ({base:.1f} s) | user seconds |\n|---|---|")
    for optimizer in ("audyn::optim::AnyOptimizer", "audyn::optim::AdamW"):
        for amp in ("Disabled", "BFloat16", "Float16"):
            for distribution in ("SingleProcess", "DistributedDataParallel"):
                seconds = compiler.cost(one + TRAINER % ("One", optimizer, amp, distribution))[0] - base
                print(f"| Trainer<Model, {optimizer.split('::')[-1]}, {amp}, {distribution}> | {seconds:.1f} |", flush=True)
    auto_one = compiler.cost(one + AUTO_TRAINER % "One")[0] - base
    auto_two = compiler.cost(one + two + AUTO_TRAINER % "One, Two")[0] - base
    print(f"| AutoTrainer of one model, all cells | {auto_one:.1f} |")
    print(f"| AutoTrainer of two models, all cells | {auto_two:.1f} |")


def main():
    compiler, flags, runs = (sys.argv[1:] + ["3"])[:3]
    with tempfile.TemporaryDirectory() as folder:
        measured = Compiler(compiler, flags, folder)
        program(measured, int(runs))
        cells(measured)
        print()
        headers(measured)


if __name__ == "__main__":
    main()
