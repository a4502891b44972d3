# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Copies a file with one bit of an image in it changed: of the last one, should
# there be equal ones.
# Usage: damage.py FILE IMAGE RESULT

import sys

with open(sys.argv[1], "rb") as file:
    content = bytearray(file.read())
with open(sys.argv[2], "rb") as file:
    image = file.read()
content[content.rindex(image) + len(image) // 2] ^= 1
with open(sys.argv[3], "wb") as file:
    file.write(content)
