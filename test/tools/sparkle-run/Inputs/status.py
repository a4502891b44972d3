# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a command and expects an exit status: status.py STATUS COMMAND...

import subprocess
import sys

status = subprocess.run(sys.argv[2:], check=False).returncode
if status != int(sys.argv[1]):
    print(f"expected exit status {sys.argv[1]}, but got {status}")
    sys.exit(1)
