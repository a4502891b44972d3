#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# docs/runtime.md against the code, both ways: the environment variables that
# runtime/ and tools/ read, and the statuses of runtime.h.
# Usage: runtime-docs.py ROOT. Prints what differs; exits 1 if anything does.

import os
import re
import sys


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def variables_of_code(root):
    """Every name that a getenv() of the runtime or a tool is given."""
    names = set()
    for room in ("runtime", "tools"):
        for folder, _, files in os.walk(os.path.join(root, room)):
            for name in files:
                if not name.endswith((".c", ".cpp", ".h")):
                    continue
                text = read(root, os.path.join(folder, name))
                for argument in re.findall(r"\bgetenv\s*\(([^)]*)\)", text):
                    match = re.fullmatch(r'\s*"(\w+)"\s*', argument)
                    # A name that is no literal could be any.
                    names.add(match.group(1) if match else
                              f"{name}: getenv({argument})")
    return names


def compare(what, code, documented):
    for name in sorted(code - documented):
        yield f"docs/runtime.md: expected {what} '{name}', which the code has"
    for name in sorted(documented - code):
        yield f"docs/runtime.md: {what} '{name}' is not in the code"


def check(root):
    docs = read(root, "docs/runtime.md")
    tables = docs.split("## Environment variables", 1)
    found = list(compare("variable", variables_of_code(root),
                         set(re.findall(r"^\| `(\w+)` \|", tables[-1], re.M))))
    statuses = re.findall(r"\bSTATUS\((\w+), \d+\)",
                          read(root, "include/sparkle/runtime.h"))
    found += compare("status", {f"SPARKLE_{name}" for name in statuses
                                if name != "NAME"},
                     set(re.findall(r"^\| `(SPARKLE_\w+)` \|", tables[0], re.M))
                     - {"SPARKLE_MEMORY_DEVICE", "SPARKLE_MEMORY_UPLOAD",
                        "SPARKLE_MEMORY_READBACK"})
    return found


if __name__ == "__main__":
    found = check(sys.argv[1])
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
