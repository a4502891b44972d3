# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The 3x3 and 1x1 layers of a list, batch 1, for the tests of what they become.

import re

KERNEL = """kernel conv() {{
  input  x: f32[1, {ic}, {ih}, {ih}]  layout nhwc
  weight w: f32[{oc}, {ic}, {kh}, {kh}]
  input  b: f32[{oc}]
  output y: f32[1, {oc}, {oh}, {oh}]  layout nhwc
  y[n, k, p, q] = relu(b[k] + sum(c, r, s:
      x[n, c, p*{sh} + r - {ph}, q*{sh} + s - {ph}] * w[k, c, r, s]))
}}
"""


def read_layers(path):
    layers = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith("mb"):
                sizes = {key: int(value) for key, value in
                         re.findall(r"([a-z]+)(\d+)", line.split('n"')[0])}
                sizes.setdefault("sh", 1)
                if sizes["kh"] in (1, 3):
                    name = "".join(f"{key}{sizes[key]}" for key in
                                   ("ic", "oc", "ih", "kh", "sh"))
                    layers[name] = sizes
    return layers
