#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Checks the rules of docs/style.md that a compiler cannot: who may include
# whom, names, passes, numbered constraints and the wording of diagnostics.
# Usage: check.py [ROOT]. Prints `path:line: rule: what`; exits 1 if any.

import os
import re
import sys

# Room -> the prefixes it may include, of those in KNOWN. A `*` stands for one
# folder name, `{room}` for the room itself. The first room that fits counts.
ROOMS = [
    ("include/sparkle", ["sparkle/"]),
    ("dialect", ["dialect/", "mlir/", "llvm/"]),
    ("lib/Frontend", ["{room}/", "dialect/", "mlir/", "llvm/"]),
    ("lib/Transforms", ["{room}/", "dialect/", "mlir/", "llvm/"]),
    ("lib/Target/GPU", ["{room}/", "lib/Target/InPlace.h",
                        "lib/Target/Linear.h", "lib/Target/Contraction.h",
                        "lib/Target/Target.h",
                        "lib/Target/TiledIndices.h",
                        "dialect/", "sparkle/kernel.h", "mlir/", "llvm/"]),
    ("lib/Target/*", ["{room}/", "lib/Target/GPU/ImageBuilder.h",
                      "lib/Target/GPU/Code.h", "lib/Target/LLVMOption.h",
                      "lib/Target/Optimise.h",
                      "lib/Artifact/Link.h",
                      "lib/Target/Band.h", "lib/Target/Linear.h",
                      "lib/Target/Registry.h",
                      "lib/Target/Contraction.h", "lib/Target/Target.h",
                      "lib/Target/TiledIndices.h",
                      "dialect/", "sparkle/kernel.h", "mlir/", "llvm/"]),
    ("lib/Target", ["{room}/", "dialect/", "sparkle/", "mlir/", "llvm/"]),
    ("lib/Artifact", ["{room}/", "sparkle/", "llvm/"]),
    ("lib/Reference", ["{room}/", "dialect/", "mlir/", "llvm/"]),
    ("lib/Compiler", ["lib/", "dialect/", "sparkle/", "mlir/", "llvm/"]),
    ("runtime/Device/*", ["{room}/", "runtime/CacheFolder.h",
                          "runtime/Device/Device.h",
                          "runtime/Device/DriverQueue.h",
                          "runtime/Device/DriverTimeline.h",
                          "runtime/Device/GpuProgram.h",
                          "runtime/Hash.h",
                          "runtime/Device/Measurement.h",
                          "runtime/Device/Registry.h", "runtime/Mapping.h",
                          "runtime/Reference.h",
                          "runtime/Settings.h", "runtime/Status.h",
                          "runtime/Thread.h", "runtime/Timeline.h",
                          "sparkle/"]),
    ("runtime", ["runtime/", "sparkle/"]),
    ("tools/sparkle-opt", ["lib/", "dialect/", "sparkle/", "mlir/", "llvm/"]),
    ("tools", ["{room}/", "sparkle/"]),
    ("examples", ["{room}/", "sparkle/"]),
    ("test/standin/Core", ["{room}/", "llvm-c/"]),
    ("test/standin/Driver", ["{room}/", "test/standin/Core/Core.h"]),
    ("test/standin", ["test/standin/"]),
]
KNOWN = re.compile(r"(dialect|examples|lib|lld|llvm|mlir|runtime|sparkle|test"
                   r"|tools)(-c)?/")
C_HEADERS = {"stdbool.h", "stddef.h", "stdint.h"}

BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "base",
                "manager", "impl", "new", "old", "2"}
# Named by others: networks.
PUBLISHED = "tools/sparkle-run/lists/"
TEST_STEMS = r"(ops|invalid|canonicalize|parse|pipeline|emit|sparkle)(-.+)?$"
TEST_FOLDERS = re.compile(r"test/(dialect|Frontend|Transforms|Target)/")

# Where the word of a target, other than `cpu`, may stand.
WORD_ROOMS = ["include/sparkle/targets.def", "include/sparkle/kernel.h",
              "lib/Target/{folder}/", "runtime/Device/{folder}/", "test/",
              "docs/", "examples/", "README.md"]

SOURCES = (".c", ".cpp", ".h", ".def", ".td")
TEXTS = SOURCES + (".txt", ".py", ".md", ".mlir", ".spk", ".cmake", ".in")


class Tree:
    """The files of a source tree, as paths relative to its root."""

    def __init__(self, root):
        self.root = root
        self.files = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(d for d in folders
                                if not re.match(r"\.git$|build|__pycache__", d))
            base = os.path.relpath(folder, root)
            self.files += [os.path.normpath(os.path.join(base, name))
                           for name in sorted(names)]

    def read(self, path):
        full = os.path.join(self.root, path)
        if not os.path.isfile(full):
            return ""
        with open(full, encoding="utf-8") as file:
            return file.read()

    def lines(self, *suffixes, under=""):
        """Every (path, number, line) of the files with one of the suffixes."""
        for path in self.files:
            if path.startswith(under) and path.endswith(suffixes):
                for number, line in enumerate(self.read(path).split("\n"), 1):
                    yield path, number, line


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def room_of(path):
    """The room of a file and what it may include, or None."""
    for pattern, allowed in ROOMS:
        regex = re.escape(pattern).replace(r"\*", "[^/]+")
        match = re.match(regex + "/", path)
        if match:
            room = match.group(0)[:-1]
            return room, [prefix.format(room=room) for prefix in allowed]
    return None


def check_includes(tree):
    """1: a room includes only what lies below it."""
    for path, number, line in tree.lines(".c", ".cpp", ".h", ".td"):
        match = re.match(r'\s*#?\s*include\s+["<]([^">]+)[">]', line)
        room = room_of(path)
        if not match or not room:
            continue
        header = match.group(1)
        if room[0] == "include/sparkle":
            ours = header in C_HEADERS or header.startswith("sparkle/")
        else:
            ours = not KNOWN.match(header) or header.startswith(tuple(room[1]))
        if not ours:
            yield path, number, f"{room[0]} may not include '{header}'"


def words(name):
    """`lowerFooBar-x.cpp` -> lower, foo, bar, x, cpp."""
    parts = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3-\2\4", name)
    parts = re.sub(r"([A-Za-z])2(?![0-9A-Za-z])", r"\1-2", parts)
    return [word.lower() for word in re.split(r"[-_.]", parts) if word]


def targets(tree):
    """Every (folder, word) of targets.def."""
    text = tree.read("include/sparkle/targets.def")
    return re.findall(r"^SPARKLE_TARGET\((\w+), *(\w+),", text, re.M)


def check_names(tree):
    """2: names say what a thing is; a target's word stays in its rooms."""
    for path in tree.files:
        if path.startswith(PUBLISHED):
            continue
        for part in path.split("/"):
            for word in sorted(BANNED_NAMES.intersection(words(part))):
                yield path, 1, f"name '{part}' contains '{word}'"
        stem, suffix = os.path.splitext(os.path.basename(path))
        if TEST_FOLDERS.match(path) and suffix in (".mlir", ".spk") \
                and not re.match(TEST_STEMS, stem):
            yield path, 1, f"unexpected name '{stem}' of a test"
    for folder, word in targets(tree):
        rooms = tuple(room.format(folder=folder) for room in WORD_ROOMS)
        for path, number, line in tree.lines(*TEXTS):
            if word != "cpu" and word in line.lower() \
                    and not path.startswith(rooms):
                yield path, number, f"target word '{word}' outside its rooms"


def check_passes(tree):
    """3: pass `LowerFoo` is `sparkle-lower-foo`, in a file and test so named."""
    arguments = set()
    folders = {}
    for path, number, line in tree.lines("Passes.td"):
        match = re.match(r'def (\w+) *: *Pass<"([^"]+)"', line)
        if not match:
            continue
        name, argument = match.groups()
        arguments.add(argument)
        folder = os.path.dirname(path)
        folders.setdefault(folder, set()).add(name)
        expected = "-".join(["sparkle"] + words(name))
        if argument != expected:
            yield path, number, f"expected argument '{expected}' for {name}"
        test = folder.replace("lib/", "test/", 1)
        for file in (f"{folder}/{name}.cpp", f"{test}/{argument}.mlir"):
            if file not in tree.files:
                yield path, number, f"expected '{file}' for pass {name}"
    for path, number, line in tree.lines(".cpp"):
        match = re.search(r"\bimpl::(\w+)Base<", line)
        passes = folders.get(os.path.dirname(path), ())
        if match and (match.group(1) not in passes or
                      os.path.basename(path) != match.group(1) + ".cpp"):
            yield path, number, f"pass {match.group(1)} is not of this file"
    for path in tree.files:
        match = re.match(r"test/.*/(sparkle-[^/]*)\.mlir$", path)
        if match and not any(match.group(1).startswith(a) for a in arguments):
            yield path, 1, f"no pass has the argument '{match.group(1)}'"


def check_constraints(tree):
    """4: (Cn) in SparkleOps.td <-> // op_cn in *Ops.cpp <-> @op_cn in invalid."""
    spec, code = "dialect/SparkleOps.td", "dialect/*Ops.cpp"
    test = "test/dialect/invalid.mlir"
    declared, op = {}, None
    for path, number, line in tree.lines(spec):
        match = re.match(r'def \w+ *: *SparkleOp<"(\w+)"', line)
        op = match.group(1) if match else op
        for index in re.findall(r"\* \(C(\d+)\)", line):
            declared[f"{op}_c{index}"] = (path, number)
    labels = [(label, path, number)
              for path, number, line in tree.lines("Ops.cpp", under="dialect/")
              if "//" in line
              for label in re.findall(r"\b[a-z_]+_c\d+\b",
                                      line.split("//", 1)[1])]
    cases = [(label, test, number) for _, number, line in tree.lines(test)
             for label in re.findall(r"@([a-z_]+_c\d+)", line)]
    for where, found in ((code, labels), (test, cases)):
        for label, path, number in found:
            if label not in declared:
                yield path, number, f"'{label}' is no constraint of {spec}"
        have = {label for label, _, _ in found}
        for label, (path, number) in declared.items():
            if label not in have:
                yield path, number, f"'{label}' does not occur in {where}"


MESSAGE = re.compile(r"\b(emitError|emitOpError|emitWarning|attachNote)\s*\(")
# What lies between strings ends at the statement's semicolon or block.
PIECE = re.compile(r'(?P<text>"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)'
                   r"|(?P<end>[;{}])|[^\"';{}]+|'(?:[^'\\]|\\.)+'|'|\"")


def messages(text):
    """Each message's (offset, first literal or None, last literal or None)."""
    for match in MESSAGE.finditer(text):
        between, first, last, offset = "", None, None, match.end()
        while offset < len(text):
            piece = PIECE.match(text, offset)
            offset = piece.end()
            if piece.group("end"):
                break
            if piece.group("text"):
                starts = first is None and last is None \
                    and len(re.findall("<<", between)) \
                    <= len(re.findall(r"<<\s*$", between))
                last = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"',
                                          piece.group("text")))
                first, between = (last if starts else first), ""
            else:
                between += piece.group(0)
        yield match.start(), first, (None if "<<" in between else last)


def check_diagnostics(tree):
    """5: a message starts in lower case and ends without a full stop."""
    for path in tree.files:
        if not path.endswith(".cpp") or path.startswith("test/"):
            continue
        text = tree.read(path)
        for offset, first, last in messages(text):
            where = line_of(text, offset)
            if first and first[0].isupper():
                yield path, where, f"message starts in upper case: '{first}'"
            if last and last[-1] in ".! ":
                yield path, where, f"message ends in '{last[-1]}': '{last}'"


RULES = [("include", check_includes), ("name", check_names),
         ("pass", check_passes), ("constraint", check_constraints),
         ("diagnostic", check_diagnostics)]


def check(root):
    tree = Tree(root)
    return [f"{path}:{number}: {rule}: {what}"
            for rule, run in RULES for path, number, what in run(tree)]


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
