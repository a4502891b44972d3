#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A wrong compiler: tanh gives sigmoid, and a size known at run time with f16
# gives an error. Else it is the one that SPARKLE_OPT names.

import os
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
if "?" in text and "f16" in text:
    sys.exit(f"{sys.argv[1]}:1:1: error: expected no f16 of {len(text)}")
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write(text.replace("tanh(", "sigmoid("))
os.execv(os.environ["SPARKLE_OPT"], [os.environ["SPARKLE_OPT"], *sys.argv[1:]])
