#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Reads the JSON of `sparkle-run bench` from standard input and checks its form.
# Usage: bench.py DEVICE [PEER]

import json
import sys

report = json.load(sys.stdin)
machine = report["machine"]
assert machine["processor"] and machine["processors"] > 0, machine
assert machine["devices"][0]["name"] == sys.argv[1], machine
assert machine["peaks"][0]["gflops"] > 0, machine
for result in report["results"]:
    for key in ("name", "problem", "check"):
        assert result[key], (key, result)
    for key in ("ms", "gflops", "percent_of_peak", "far_bytes", "near_bytes",
                "creation_ms", "operations", "object_bytes"):
        assert result[key] > 0, (key, result)
    assert result["max_error"] >= 0 and result["check"] == "ok", result
    assert result["gflops"] <= result["nominal_gflops"] * 1.001, result
    if len(sys.argv) > 2 and machine["peer"]:
        assert machine["peer"].startswith(sys.argv[2]), machine
        assert result["ratio"] > 0 and result["peer_error_of_bound"] <= 1, result
    else:
        assert result["ratio"] is None, result
assert report["results"]
