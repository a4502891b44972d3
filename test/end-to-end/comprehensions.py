#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random comprehensions, far from convolutions: subscripts with any
coefficients, quotients and remainders, diagonals, reads outside, sums over what
stands nowhere alone.
Each kernel is compared with the reference that is emitted beside it.
"""
import argparse
import ctypes
import math
import os
import random
import re
import subprocess
import sys

LETTERS = {1: "c", 2: "nc", 3: "ncw", 4: "nchw"}
RUN_TIME = 3  # What N is where only the call knows it.


def to_number(extent):
    return RUN_TIME if extent == "N" else int(extent)


class Kernel:
    """A random kernel: its text, with a pattern and as an equation alone, and
    its arguments as (role, name, floats)."""

    def __init__(self, random, name):
        self.random, self.name = random, name
        self.arguments, self.declarations = [], []
        self.outputs = ["n", "k", "p", "q"][: random.randint(1, 4)]
        self.sums = ["c", "r", "s"][: random.randint(0, 3)]
        self.at_run_time = random.random() < 0.3
        self.extents = {i: random.choice([1, 2, 3, 5, 7, 8, 13, 16, 17, 20, 33])
                        for i in self.outputs}
        while math.prod(self.extents.values()) > 6000:
            self.extents[random.choice(self.outputs)] = random.randint(1, 5)
        for index in self.sums:
            self.extents[index] = random.choice([1, 2, 3, 4, 5, 9, 16])
        right = self.make_epilogue(self.make_sum())
        self.declare("output", "y", [self.spell(i) for i in self.outputs])
        self.equation = "\n".join(
            [f"kernel {name}({'N = ?' if self.at_run_time else ''}) {{"]
            + self.declarations
            + [f"  y[{', '.join(self.outputs)}] = {right}", "}"]) + "\n"
        pattern = self.make_pattern()
        self.text = self.equation + "".join(f"{line}\n" for line in pattern)

    def is_dynamic(self, index):
        return self.at_run_time and index == "n"

    def spell(self, index):
        return "N" if self.is_dynamic(index) else str(self.extents[index])

    def get_extent(self, index):
        return RUN_TIME if self.is_dynamic(index) else self.extents[index]

    def declare(self, role, name, shape):
        extents = [to_number(e) for e in shape]
        layout, rank = "", len(shape)
        if self.random.random() < 0.5:
            layout = "".join(self.random.sample(LETTERS[rank], rank))
        if role != "weight" and rank in (2, 4) and self.random.random() < 0.2:
            block = self.random.choice([4, 8, 16])
            layout = f"{LETTERS[rank]}{block}c"
            extents[1] = -(-extents[1] // block) * block
        self.declarations.append(
            f"  {role} {name}: f32[{', '.join(shape)}]"
            + (f" layout {layout}" if layout else ""))
        self.arguments.append((role, name, math.prod(extents)))

    def make_subscript(self, indices):
        """An extent, and a subscript that stays inside of it more or less."""
        kind = self.random.random()
        if kind < 0.08:
            return (str(self.random.randint(1, 6)),
                    str(self.random.randint(-1, 6)))
        if kind < 0.45:
            index = self.random.choice(indices)
            return self.spell(index), index
        used = self.random.sample(indices, min(len(indices),
                                               self.random.randint(1, 3)))
        factors = {i: self.random.choice([1, 1, 1, 2, 3, -1, -2]) for i in used}
        reach = sum(abs(factor) * (self.get_extent(i) - 1)
                    for i, factor in factors.items())
        terms = [f"{i}*{factor}" for i, factor in factors.items()]
        terms.append(str(self.random.randint(-3, 3)))
        subscript = " + ".join(terms)
        if self.random.random() < 0.3:
            divisor = self.random.choice([2, 3, 4, 5, 8, 12])
            operator = self.random.choice("//%")
            subscript = f"({subscript}){operator}{divisor}"
            reach = divisor - 1 if operator == "%" else reach // divisor
        extent = max(1, min(60, reach + 1 + self.random.randint(-4, 2)))
        return str(extent), subscript

    def make_subscripts(self, indices):
        """One subscript or, as of a merged index, its quotient and remainder."""
        if self.random.random() < 0.9:
            return [self.make_subscript(indices)]
        index = self.random.choice(indices)
        group = self.random.choice([2, 3, 4, 5, 8, 12])
        groups = -(-self.get_extent(index) // group)
        return [(str(groups), f"{index}/{group}"),
                (str(group), f"{index}%{group}")]

    def read(self, role, name, indices):
        if role == "weight":  # Which has no extent that only the call knows.
            indices = [i for i in indices if not self.is_dynamic(i)]
        if not indices:
            return "1.5"
        while True:
            pairs = [pair for _ in range(self.random.randint(1, 4))
                     for pair in self.make_subscripts(indices)][:4]
            shape = [extent for extent, _ in pairs]
            if math.prod(to_number(e) for e in shape) < 60000:
                break
        self.declare(role, name, shape)
        return f"{name}[{', '.join(subscript for _, subscript in pairs)}]"

    def make_sum(self):
        if not self.sums:
            return "0.25"
        reads = [self.read("weight" if self.random.random() < 0.35 else "input",
                           name, self.outputs + self.sums)
                 for name in "abd"[: self.random.randint(1, 3)]]
        term = " * ".join(reads)
        if len(reads) > 1 and self.random.random() < 0.3:
            term = f"({reads[0]} - {reads[1]}) * {reads[-1]}"
        elif self.random.random() < 0.1:
            term = f"max({term}, {reads[0]}) + 0.5"
        ranges = ", ".join(f"{i} < {self.extents[i]}" for i in self.sums)
        return f"sum({ranges}: {term})"

    def make_epilogue(self, value):
        for name in "xz"[: self.random.randint(0 if self.sums else 1, 2)]:
            operator = self.random.choice("++*-")
            operand = self.read("input", name, self.outputs)
            value = f"({value}) {operator} {operand}"
        if self.random.random() < 0.1:
            value = f"select({value} < 0.25, 1.5, {self.random.choice('23')})"
        if self.random.random() < 0.5:
            function = self.random.choice(
                ["relu", "relu6", "silu", "tanh", "hswish", "gelu", "sigmoid",
                 "softplus", "round", "exp"])
            value = f"{function}({value})"
        return value

    def make_pattern(self):
        """Sizes that suit each other."""
        pick, lines = self.random.choice, []
        tile = {i: 1 for i in self.outputs}
        step = {i: 1 for i in self.sums}
        if self.random.random() < 0.4:
            along = pick(self.outputs)
            tile[pick(self.outputs)] = pick([2, 3, 5])
            tile[along] = pick([2, 3, 4, 8, 16, 17])
            lines.append("registers " + ", ".join(
                f"{i}: {size}" for i, size in tile.items()))
            if self.random.random() < 0.6:
                lanes = pick(["", ": 16", ": 8", ": 4"])
                lines.append(f"lanes {along}{lanes}")
        if self.sums and self.random.random() < 0.4:
            index = pick(self.sums)
            step[index] = self.random.randint(2, 4)
            lines.append(f"unroll {index}: {step[index]}")
        if self.sums and self.random.random() < 0.4:
            index = pick(self.sums)
            names = [name for _, name, _ in self.arguments if name in "abd"]
            names = names[self.random.randint(0, len(names)):]
            lines.append(f"near {index}: {step[index] * pick([1, 2, 3])}"
                         + (", stage " + ", ".join(names) if names else ""))
        if self.random.random() < 0.3:
            lines.append("workers " + ", ".join(
                f"{i}: {size * self.random.randint(1, 4)}"
                for i, size in tile.items()))
        if self.random.random() < 0.3:
            lines.append("order " + ", ".join(
                self.random.sample(self.outputs, len(self.outputs))
                + self.random.sample(self.sums, len(self.sums))))
        return lines and [f"pattern given for {self.name} {{", *lines, "}"]


def run(kernel, path):
    """What is wrong with a compiled kernel, or None."""
    library, name = ctypes.CDLL(path), kernel.name
    arguments, exact, results = [], [], None
    values = random.Random(name)
    for role, tensor, count in kernel.arguments:
        floats = (ctypes.c_float * count)(
            *[values.uniform(-1, 1) for _ in range(count)])
        if role == "output":
            results = (floats, *[(ctypes.c_double * count)(*[math.nan] * count)
                                 for _ in range(2)])
            exact += results[1:]
        else:
            exact.append(floats)
        if role == "weight":
            size = library[f"{name}_packed_{tensor}_size"]
            size.restype = ctypes.c_int64
            packed = (ctypes.c_float * (size() // 4))()
            library[f"{name}_pack_{tensor}"](floats, packed)
            floats = packed
        arguments.append(floats)
    sizes = [ctypes.c_int64(RUN_TIME)] if kernel.at_run_time else []
    if library[name](*arguments, *sizes) != 0:
        return "the kernel failed"
    if library[f"{name}_reference"](*exact, *sizes) != 0:
        return "the reference failed"
    # What lies beyond the extents of a blocked output has no bound.
    checked = [i for i, bound in enumerate(results[2]) if not math.isnan(bound)]
    for i in checked:
        if not abs(results[0][i] - results[1][i]) <= results[2][i]:
            return (f"element {i} is {results[0][i]}, expected {results[1][i]} "
                    f"within {results[2][i]}")
    return None if checked else "the reference wrote nothing"


def compile_kernel(kernel, options):
    """What the compiler says, or None."""
    stem = os.path.join(options.folder, kernel.name)
    with open(stem + ".spk", "w") as file:
        file.write(kernel.text)
    command = [options.compiler, stem + ".spk", "--with-reference",
               "--cpu=" + options.cpu, "-o", stem + ".so"]
    compiled = subprocess.run(command, capture_output=True, text=True)
    if compiled.returncode == 0:
        return None
    return compiled.stderr or f"the compiler died: {compiled.returncode}"


def is_unfit(kernel, error):
    """Whether a tile is too large for the registers, a box for near memory, or
    the lanes for the vectors of this processor."""
    return kernel.text != kernel.equation and re.search(
        r" error: .* of at most | error: expected at most \d+ lanes, but got ",
        error)


def check(kernel, options):
    """Runs one compiled kernel, in a process that may crash."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        path = os.path.join(options.folder, kernel.name + ".so")
        os.write(theirs, (run(kernel, path) or "").encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        error = pipe.read()
    _, status = os.waitpid(child, 0)
    return error or (f"died, status {status}" if status else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True, metavar="SPARKLE-OPT")
    parser.add_argument("--cpu", default="native", metavar="NAME",
                        help="what to compile for (default: this machine's)")
    parser.add_argument("--folder", default="comprehensions.work")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder = os.path.abspath(options.folder)
    os.makedirs(options.folder, exist_ok=True)
    generator, failed = random.Random(options.seed), 0
    for i in range(options.count):
        kernel = Kernel(generator, f"comprehension{i}")
        error = compile_kernel(kernel, options)
        if error and is_unfit(kernel, error):
            print(f"does not fit, checked without its pattern: {kernel.name}: "
                  + error.splitlines()[0].partition(" error: ")[2], flush=True)
            kernel.text = kernel.equation
            error = compile_kernel(kernel, options)
        error = error or check(kernel, options)
        if error:
            failed += 1
            print(f"FAILED: {kernel.name}: {error}\n{kernel.text}", flush=True)
    print(f"{options.count - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
