#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Proves that each rule of check.py fires: plants faults in small trees and
# compares what check.py says, and that the same tree without them passes.

import os
import sys
import tempfile

import check

OPS_TD = '''def TileOp : SparkleOp<"tile"> {
  let description = [{
    * (C1) `0 < size`.
    * (C2) `size` divides the extent.
'''
OPS_CPP = "  // tile_c1\n  // tile_c2: by the remainder\n"
INVALID = "sparkle.kernel @tile_c1\nsparkle.kernel @tile_c2\n"
PASSES_TD = 'def LowerTile : Pass<"sparkle-lower-tile", "::mlir::ModuleOp"> {\n'
PASS_CPP = "struct LowerTile : impl::LowerTileBase<LowerTile> {\n"
GOOD = {
    "dialect/SparkleOps.td": OPS_TD,
    "dialect/TiledOps.cpp": OPS_CPP,
    "test/dialect/invalid.mlir": INVALID,
    "include/sparkle/targets.def": "SPARKLE_TARGET(NPU, npu, 4)\n",
    "lib/Target/NPU/Emit.cpp": '#include "lib/Target/Target.h"\n// npu\n',
    "lib/Transforms/Passes.td": PASSES_TD,
    "lib/Transforms/LowerTile.cpp": PASS_CPP,
    "test/Transforms/sparkle-lower-tile.mlir": "",
    "lib/Frontend/Check.cpp":
        'return op.emitError("expected a size, but got ") << size;\n'
        'error(loc, "x"); op->emitOpError() << name << " is a \'Name\'";\n',
}

# Rule -> (files that differ, what check.py says to them).
FAULTS = [
    ({"lib/Frontend/Check.cpp": '#include "lib/Target/Target.h"\n',
      "lib/Target/NPU/Emit.cpp": '#include "lib/Target/CPU/Emit.h"\n',
      "include/sparkle/kernel.h": "#include <stdio.h>\n",
      "runtime/Api.cpp": "\n#include <llvm/ADT/Twine.h>\n"},
     ["include/sparkle/kernel.h:1: include: "
      "include/sparkle may not include 'stdio.h'",
      "lib/Frontend/Check.cpp:1: include: "
      "lib/Frontend may not include 'lib/Target/Target.h'",
      "lib/Target/NPU/Emit.cpp:1: include: "
      "lib/Target/NPU may not include 'lib/Target/CPU/Emit.h'",
      "runtime/Api.cpp:2: include: runtime may not include "
      "'llvm/ADT/Twine.h'"]),
    ({"lib/Frontend/ParserUtils.cpp": "", "lib/Frontend/Lexer2.cpp": "",
      "test/Frontend/regress.spk": "",
      "lib/Compiler/Compile.cpp": "// skips NPU code\n"},
     ["lib/Compiler/Compile.cpp:1: name: target word 'npu' outside its rooms",
      "lib/Frontend/Lexer2.cpp:1: name: name 'Lexer2.cpp' contains '2'",
      "lib/Frontend/ParserUtils.cpp:1: name: "
      "name 'ParserUtils.cpp' contains 'utils'",
      "test/Frontend/regress.spk:1: name: unexpected name 'regress' of a test"
      ]),
    ({"lib/Transforms/Passes.td":
          PASSES_TD + 'def FuseRow : Pass<"sparkle-fuse", "X"> {\n',
      "lib/Transforms/LowerTile.cpp": "impl::FuseRowBase<FuseRow>\n",
      "test/Transforms/sparkle-hoist.mlir": ""},
     ["lib/Transforms/LowerTile.cpp:1: pass: pass FuseRow is not of this file",
      "lib/Transforms/Passes.td:2: pass: "
      "expected 'lib/Transforms/FuseRow.cpp' for pass FuseRow",
      "lib/Transforms/Passes.td:2: pass: "
      "expected 'test/Transforms/sparkle-fuse.mlir' for pass FuseRow",
      "lib/Transforms/Passes.td:2: pass: "
      "expected argument 'sparkle-fuse-row' for FuseRow",
      "test/Transforms/sparkle-hoist.mlir:1: pass: "
      "no pass has the argument 'sparkle-hoist'"]),
    ({"dialect/TiledOps.cpp": "  // tile_c1\n",
      "test/dialect/invalid.mlir": "@tile_c2\n@tile_c3\n"},
     ["dialect/SparkleOps.td:3: constraint: "
      "'tile_c1' does not occur in test/dialect/invalid.mlir",
      "dialect/SparkleOps.td:4: constraint: "
      "'tile_c2' does not occur in dialect/*Ops.cpp",
      "test/dialect/invalid.mlir:2: constraint: "
      "'tile_c3' is no constraint of dialect/SparkleOps.td"]),
    ({"lib/Frontend/Check.cpp":
          'emitError(loc) << "Expected a size";\n'
          'emitOpError("no size") << name\n  << " here, "\n  "now.";\n'
          'emitError(loc) << name << "Size";\n'},
     ["lib/Frontend/Check.cpp:1: diagnostic: "
      "message starts in upper case: 'Expected a size'",
      "lib/Frontend/Check.cpp:2: diagnostic: "
      "message ends in '.': ' here, now.'"]),
]


def said(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **files}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return sorted(check.check(root))


failures = 0
for files, expected in [({}, [])] + FAULTS:
    got = said(files)
    if got != sorted(expected):
        failures += 1
        print("expected:", *sorted(expected), "got:", *got, sep="\n  ")
sys.exit(1 if failures else 0)
