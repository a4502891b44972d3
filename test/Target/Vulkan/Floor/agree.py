# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: sparkle-run bench --peer glsl --json ... | agree.py COUNT. Fails unless
# so many problems were run, and both kernels keep the reference's bounds.

import json
import sys


def is_good(result):
    return (result["check"] == "ok" and result["max_error_of_bound"] <= 1
            and result.get("peer_error_of_bound", 2) <= 1)


results = json.load(sys.stdin)["results"]
for result in results:
    if not is_good(result):
        print(result)
good = sum(map(is_good, results))
print(good, "of", len(results))
sys.exit(good != len(results) or good != int(sys.argv[1]))
