# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles the 3x3 and 1x1 layers of a list for processors, batch 1, runs each on
# the stand-in GPU, which counts the passes of the banks of workgroup memory, and
# wants no more of them than the widths of the accesses ask for.
# Usage: conflicts.py LIST STANDIN PROCESSOR...

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from layers import KERNEL, read_layers

SUMS = re.compile(r"banks on (\w+): loads (\d+) passes, least possible (\d+), "
                  r"stores (\d+) passes, least possible (\d+)$")


def run(folder, name, sizes):
    """What sparkle-run ends with, and what the stand-in says below it."""
    path = os.path.join(folder, name)
    with open(path + ".spk", "w", encoding="ascii") as file:
        file.write(KERNEL.format(**sizes))
    subprocess.run(
        ["sparkle-opt", path + ".spk", "--target=amdgpu",
         "--gpu=" + ",".join(processors), "--with-reference", "--emit=shared",
         "-o", path + ".so"], check=True)
    # All cards at once: the reference is computed once.
    devices = ",".join(f"amdgpu:{i}" for i in range(len(processors)))
    done = subprocess.run(
        ["sparkle-run", "verify", path + ".so", "--device", devices],
        env=dict(os.environ, LD_PRELOAD=standin,
                 SPARKLE_STANDIN=",".join(processors),
                 SPARKLE_STANDIN_CONFLICTS="1", SPARKLE_AMDGPU_TIMEOUT="60000"),
        check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout + done.stderr


def check(folder, name, sizes):
    """What is wrong with the code of a layer."""
    status, said = run(folder, name, sizes)
    if status:
        yield f"{name}: expected to pass, but got {status}: {said}"
    loads = dict.fromkeys(processors, 0)
    for line in said.splitlines():
        if "bank conflicts on " in line:
            yield f"{name}: {line}"
        sums = SUMS.search(line)
        if sums:
            loads[sums.group(1)] += int(sums.group(2))
            if sums.group(2) != sums.group(3) or sums.group(4) != sums.group(5):
                yield f"{name}: {line}"
    for processor, passes in loads.items():
        if not passes:
            yield f"{name}: expected loads on {processor}, but got none"


layers, standin, *processors = sys.argv[1:]
work = read_layers(layers)
with ThreadPoolExecutor(os.cpu_count()) as pool, \
        tempfile.TemporaryDirectory() as place:
    found = list(pool.map(lambda each: list(check(place, *each)), work.items()))
problems = [problem for each in found for problem in each]
print("\n".join(problems), end="\n" if problems else "")
print(f"{len(work)} layers, {len(problems)} problems")
sys.exit(1 if problems or not work else 0)
