#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of the tests with some tokens replaced, removed, doubled or swapped,
compiled for every kind of target. Whatever comes of it, the compiler ends by
itself, soon and within its memory, and what it refuses has an error with a
place in the text, in words of the language.
"""
import argparse
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys

TARGETS = ["--cpu=znver4", "--cpu=znver3", "--cpu=avx512,avx2,baseline",
           "--cpu=cortex-a76", "--target=vulkan", "--target=amdgpu"]
TOKEN = re.compile(r"\s+|[A-Za-z_]\w*|\d+\.?\d*(?:[eE][-+]?\d+)?|\S")
SIZES = ["1", "2", "3", "4", "5", "7", "8", "16", "17", "32", "64", "100"]
NUMBERS = ["0", "1", "-1", "2", "3", "5", "7", "16", "17", "64", "1000",
           "2147483647", "2147483648", "4294967296", "9223372036854775807",
           "9223372036854775808", "1e30", "1.5", "?"]
SYMBOLS = list("+-*/%()[]{},:=?<>") + ["max", "min", "sum", "if", "-1", "/2",
                                       "%3", "*2", "==", "<="]
PLACE = re.compile(r"^\S+:\d+:\d+: error: ", re.M)
# What MLIR and LLVM say of IR, which nobody wrote.
INTERNAL = re.compile(r"LLVM ERROR|Assertion|PLEASE submit|failed to legalize|"
                      r"does not dominate|unrealized|op operand|op result|"
                      r"failed to verify")
LIMIT_S = 30  # Of CPU time, as the machine may be busy; kernels take 2 at most.
LIMIT_KIB = 6 << 20


def read_kernels(folders):
    """Each kernel of the tests with its pattern, those with errors included."""
    for path in sorted(p for f in folders for p in pathlib.Path(f).rglob("*.spk")):
        text = re.sub(r"//.*", "", path.read_text(errors="replace"))
        for kernel in re.split(r"^(?=kernel )", text, flags=re.M):
            if kernel.startswith("kernel ") and len(kernel) < 4000:
                yield kernel.rstrip() + "\n"


def mutate(random, text):
    tokens = TOKEN.findall(text)
    # Most are to get past the parser: another size, or another short name.
    is_mild = random.random() < 0.7
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        places = [i for i, token in enumerate(tokens) if not token.isspace()]
        numbers = [i for i in places if tokens[i][0].isdigit()]
        names = [i for i in places if re.match("[A-Za-z_]", tokens[i])]
        short = [i for i in names if len(tokens[i]) <= 2]
        if not places:
            break
        at, other = random.choice(places), random.choice(places)
        if is_mild:
            if numbers and random.random() < 0.8:
                tokens[random.choice(numbers)] = random.choice(SIZES)
            elif short:
                tokens[random.choice(short)] = tokens[random.choice(short)]
            continue
        kind = random.randrange(7)
        if numbers and kind == 0:
            tokens[random.choice(numbers)] = random.choice(NUMBERS)
        elif names and kind == 1:
            tokens[at] = tokens[random.choice(names)]
        elif kind == 2:
            del tokens[at]
        elif kind == 3:
            tokens.insert(at, tokens[at])
        elif kind == 4:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == 5:
            tokens.insert(at, f" {random.choice(SYMBOLS)} ")
        else:
            tokens[at] = random.choice(SYMBOLS)
    return "".join(tokens)


def limit_time():
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))


def compile_text(text, target, options):
    """What is wrong with how the compiler ended, or None; and its status."""
    stem = os.path.join(options.folder, "mutation")
    pathlib.Path(stem + ".spk").write_text(text)
    command = [options.compiler, stem + ".spk", target, "-o", stem + ".o"]
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace", preexec_fn=limit_time)
    if done.returncode == -signal.SIGXCPU:
        return f"takes more than {LIMIT_S} s", done.returncode
    # The most that any one took: all after the first are told, too.
    if resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > LIMIT_KIB:
        return f"takes more than {LIMIT_KIB} KiB", done.returncode
    if done.returncode not in (0, 1):
        return f"ends with {done.returncode}: {done.stderr}", done.returncode
    if INTERNAL.search(done.stderr):
        return f"shows what nobody wrote: {done.stderr}", done.returncode
    if done.returncode == 1 and not PLACE.search(done.stderr):
        return f"refuses, and names no place: {done.stderr}", done.returncode
    return None, done.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True, metavar="SPARKLE-OPT")
    parser.add_argument("--folder", default="mutations.work")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("kernels", nargs="+", help="folders with .spk files")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    kernels = list(read_kernels(options.kernels))
    generator, failed, accepted = random.Random(options.seed), 0, 0
    for _ in range(options.count):
        text = mutate(generator, generator.choice(kernels))
        target = generator.choice(TARGETS)
        error, status = compile_text(text, target, options)
        accepted += status == 0
        if error:
            failed += 1
            print(f"FAILED: {target} {error}\n{text}", flush=True)
    print(f"{accepted} compiled, {options.count - accepted} refused")
    print(f"{options.count - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
