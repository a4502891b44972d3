#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A compiler of one kernel, a product of two elements, whose reference gives
# bounds that are not numbers.

import re
import subprocess
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    name = re.search(r"kernel (\w+)", file.read())[1]
source = f"""
int {name}(const float *x, const float *w, float *y) {{
  *y = *x * *w;
  return 0;
}}
int {name}_reference(const float *x, const float *w, double *y, double *bound) {{
  *y = (double)*x * *w;
  *bound = __builtin_nan("");
  return 0;
}}
"""
target = sys.argv[sys.argv.index("-o") + 1]
subprocess.run(["clang", "-shared", "-fPIC", "-x", "c", "-", "-o", target],
               input=source, text=True, check=True)
