#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a command whose standard error stream is a terminal, and prints what it
# wrote there, one line for each time that it began anew, and an "|" where it
# ended. Ends as the command.
# Usage: terminal.py COMMAND...

import os
import pty
import subprocess
import sys

reader, writer = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL,
                         stderr=writer)
os.close(writer)
text = b""
while True:
    try:
        block = os.read(reader, 4096)
    except OSError:  # how Linux says that the other end is closed
        break
    if not block:
        break
    text += block
print(text.decode().replace("\r\x1b[K", "\n") + "|")
sys.exit(child.wait())
