# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare-structure.py A B: whether two modules at the tiled level are the same
but for sizes and the target's attribute. Shows where they are not."""

import difflib
import re
import sys

TARGET = re.compile(r"#sparkle\.target<[^>]*>")


def read(path):
    """The lines of a module, without comments."""
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().splitlines()
                if line and not line.startswith("//")]


def blank(line):
    """The line with every size in it as N: numbers that stand alone, extents
    of shapes, and what constants are named after."""
    line = TARGET.sub("#sparkle.target<...>", line)
    line = re.sub(r"%c-?\d+(_\d+)?\b", "%cN", line)
    line = re.sub(r"\b(\d+x)+(\d+\b)?",
                  lambda shape: re.sub(r"\d+", "N", shape[0]), line)
    return re.sub(r"(?<![\w%#^])-?\d+(?!\w)", "N", line)


def main():
    texts = [read(path) for path in sys.argv[1:3]]
    targets = [TARGET.findall("\n".join(text)) for text in texts]
    if any(len(found) != 1 for found in targets) or targets[0] == targets[1]:
        print("expected one target each, and different ones")
        return 1
    blanked = [[blank(line) for line in text] for text in texts]
    apart = list(difflib.unified_diff(*blanked, *sys.argv[1:3], lineterm=""))
    print("\n".join(apart) if apart else
          f"{len(texts[0])} lines, "
          f"{sum(a != b for a, b in zip(*texts))} with other sizes")
    return 1 if apart else 0


sys.exit(main())
