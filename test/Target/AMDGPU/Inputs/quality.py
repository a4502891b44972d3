# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles the 3x3 and 1x1 layers of a list for a processor, batch 1, and counts
# the instructions of each hot loop: the loop, without one inside, with the most
# multiply-adds.
# Usage: quality.py LIST PROCESSOR

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from layers import KERNEL, read_layers

# What the hot loop has to reach: multiply-adds among vector instructions; of
# these, on RDNA 3, issued in pairs; for each load from workgroup memory; waves
# on a SIMD.
WANTED = {"fused": 0.8, "paired": 0.5, "per_load": 8, "waves": 8}


def innermost(lines):
    """The loops of an entry point without one inside, as lists of lines."""
    places, loops = {}, []
    for number, line in enumerate(lines):
        if line.endswith(":"):
            places[line[:-1]] = number
        branch = re.match(r"s_c?branch\w* (L\w+)$", line)
        if branch and branch.group(1) in places:
            loops.append((places[branch.group(1)], number))
    return [lines[a:b + 1] for a, b in loops
            if not any((c, d) != (a, b) and a <= c and d <= b
                       for c, d in loops)]


def fused(text):
    return bool(re.match(r"v_(dual_)?fma(c|mk|ak)?_f32", text))


def measure(assembly):
    """What WANTED names, of the entry point that sums, and its hot loop."""
    part = assembly.split("\n; conv_1:")[0]
    head = re.search(r"(\d+) VGPRs.* (\d+) bytes of scratch, (\d+) waves", part)
    assert head.group(2) == "0", "scratch"
    lines = [line.strip() for line in part.splitlines()]
    best = max(innermost(lines), key=lambda loop: sum(map(fused, loop)))
    vector = [[each.strip() for each in line.split("::")]
              for line in best if line.startswith("v_")]
    count = sum(len(line) for line in vector)
    sums = sum(fused(each) for line in vector for each in line)
    pairs = sum(fused(each) for line in vector if len(line) == 2
                for each in line)
    loads = [line for line in best if re.match(r"ds_(load|read)", line)]
    narrow = [line for line in best
              if re.match(r"ds_|global_", line) and "128" not in line
              and "dwordx4" not in line]
    report = re.search(r"(\d+) vector, of these (\d+) fma, of these (\d+) in",
                       part)
    assert [int(each) for each in report.groups()] == [count, sums, pairs], \
        "the report counts otherwise"
    return {"fused": sums / count, "paired": pairs / sums,
            "per_load": sums / max(len(loads), 1),
            "waves": int(head.group(3))}, narrow


def check(processor, name, sizes):
    """What is wrong with the code of a layer."""
    with tempfile.NamedTemporaryFile("w", suffix=".spk") as file:
        file.write(KERNEL.format(**sizes))
        file.flush()
        assembly = subprocess.run(
            ["sparkle-opt", file.name, "--target=amdgpu",
             f"--gpu={processor}", "--emit=amdgcn"],
            check=True, stdout=subprocess.PIPE, text=True).stdout
    reached, narrow = measure(assembly)
    for what, least in WANTED.items():
        if what == "paired" and processor != "gfx1100":
            continue
        if reached[what] < least:
            yield f"{name}: expected {what} {least}, but got {reached[what]:.3}"
    for line in narrow:
        yield f"{name}: expected 128 bits, but got '{line}'"


path, target = sys.argv[1:]
work = read_layers(path)
with ThreadPoolExecutor(os.cpu_count()) as pool:
    found = list(pool.map(lambda each: list(check(target, *each)),
                          work.items()))
problems = [problem for each in found for problem in each]
print("\n".join(problems), end="\n" if problems else "")
print(f"{len(work)} layers, {len(problems)} problems")
sys.exit(1 if problems or not work else 0)
