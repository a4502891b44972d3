#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Reads the JSON of `sparkle-run bench --device auto` from standard input and
# checks its form.
# Usage: auto.py SOURCE DEVICE...
# SOURCE: of the first predictions; DEVICE: those that ran all layers.

import json
import sys

source, devices = sys.argv[1], sys.argv[2:]
report = json.load(sys.stdin)
assert [d["name"] for d in report["machine"]["devices"]] == devices, report
assert len(report["machine"]["peaks"]) == len(devices), report
sides = devices + (["auto, waiting"] if report["stream"] else []) + ["auto"]
for result in report["results"]:
    assert result["check"] == "ok" and result["ratio"] > 0, result
    assert result["best_device"] in devices, result
    assert ("waiting_ratio" in result) == report["stream"], result
    assert [side["side"] for side in result["sides"]] == sides, result
    for side in result["sides"]:
        assert side["ms"] >= side["best_ms"] > 0, side
        assert side["checked"] > 0 and not side["problem"], side
        assert abs(side["per_second"] * side["ms"] / 1e3 - 1) < 1e-3, side
        for choice in side["choices"]:
            assert choice["runs"] > 0 and choice["reason"], choice
            assert choice["predicted_ms"] > 0 and choice["actual_ms"] > 0, choice
        if side["side"] in devices:
            assert [c["choice"] for c in side["choices"]] == [side["side"]], side
    assert result["choice"] in [c["choice"]
                                for c in result["sides"][-1]["choices"]], result
    for device, prediction in zip(devices, result["predictions"]):
        assert prediction["device"] == device, prediction
        assert prediction["source"] == "history", prediction
        assert prediction["runs"] > 0 and prediction["kernel_ms"] > 0, prediction
        assert prediction["bound_ms"] > 0 and not prediction["lack"], prediction
        if result["name"] == "x":
            assert prediction["first_source"] == source, prediction
totals = report["totals"]
assert [side["side"] for side in totals["sides"]] == sides, totals
assert all(side["layers"] == len(report["results"]) > 0
           for side in totals["sides"]), totals
assert totals["best_device"] in devices and totals["ratio"] > 0, totals
for device, counters in zip(devices, report["counters"]):
    assert counters["device"] == device and counters["parts"] > 0, counters
    assert counters["failures"] == 0 and not counters["reason"], counters
    assert counters["operations"] > 0 and counters["busy_ms"] > 0, counters
    if device != "cpu":
        assert counters["uploaded"] > 0 and counters["downloaded"] > 0, counters
