#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Usage: embed.py IMAGE OUT. Writes a SPIR-V module as a C header: `image`, and
# IMAGE_HASH as a kernel's descriptor wants it.

import struct
import sys


def fnv1a(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value


def main(source, out):
    with open(source, "rb") as file:
        data = file.read()
    words = struct.unpack(f"<{len(data) // 4}I", data)
    lines = [", ".join(f"0x{word:08x}" for word in words[i:i + 6])
             for i in range(0, len(words), 6)]
    with open(out, "w", encoding="ascii") as file:
        file.write(f"#define IMAGE_HASH UINT64_C(0x{fnv1a(data):016x})\n"
                   "static const _Alignas(16) uint32_t image[] = {\n"
                   + ",\n".join(lines) + "};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
