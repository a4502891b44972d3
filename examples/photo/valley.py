#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Draws valley.png, the picture of this example: an evening sky over three
# ridges, a lake that mirrors them and firs in front. Deterministic: values come
# from an integer hash. Usage: valley.py OUT.png

import math
import struct
import sys
import zlib

WIDTH, HEIGHT = 421, 283
SHORE = 200


def noise(x, seed):
    """A hash of two integers, from 0 to 1."""
    h = (x * 374761393 + seed * 668265263) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535


def smooth(x, seed):
    """Noise with cosines between the integers."""
    cell = math.floor(x)
    t = (1 - math.cos((x - cell) * math.pi)) / 2
    return noise(cell, seed) * (1 - t) + noise(cell + 1, seed) * t


def ridge(x, seed, width, octaves=6):
    """The height of a ridge at column x, from 0 to 1."""
    return sum(smooth(x / width * 2 ** i, seed + i) / 2 ** i
               for i in range(octaves)) / 2


def mix(a, b, t):
    t = min(max(t, 0), 1)
    return tuple(p * (1 - t) + q * t for p, q in zip(a, b))


def sky(x, y):
    colour = mix((56, 84, 138), (252, 178, 120), y / 170)
    sun = math.hypot(x - 352, y - 112)
    colour = mix((255, 240, 200), colour, 0.25 + sun / 130)
    cloud = ridge(x * 0.7 + y * 3.1, 71, 90, 4) * math.sin(y / 37) ** 2
    return (255, 246, 214) if sun < 17 else mix(colour, (255, 226, 214),
                                                max(0, cloud - 0.42) * 2.2)


# Top of the ridge, how far it rises, colour at its top and at the shore.
RIDGES = [(95, 80, 11, 130, (120, 116, 150), (214, 158, 136)),
          (140, 75, 23, 90, (74, 84, 112), (150, 124, 124)),
          (185, 50, 37, 60, (34, 58, 56), (84, 92, 82))]


def land(x, y):
    colour = sky(x, y)
    for top, rise, seed, width, high, low in RIDGES:
        crest = top + rise * (1 - 2 * ridge(x, seed, width))
        if y >= crest:
            face = x + (y - crest) * 0.6
            slope = ridge(face, seed, width) - ridge(face - 2, seed, width)
            colour = mix(high, low, (y - crest) / max(1, SHORE - crest))
            colour = mix(colour, (255, 214, 170), 0.15 + slope * 9)
    return colour


def picture(x, y):
    if y < SHORE:
        colour = land(x, y)
    else:
        depth = y - SHORE
        wave = math.sin(depth * depth / 90 + x / 31) * (1 + depth / 22)
        mirrored = land(x + wave, SHORE - 1 - depth * 1.6)
        colour = mix(mirrored, (40, 62, 92), 0.25 + depth / 260)
    for tree in range(15):
        foot = 40 * tree + 30 * noise(tree, 5) - 20
        foot += 120 if 4 < tree < 9 else 0
        height = 60 + 70 * noise(tree, 6)
        up = 329 - 12 * noise(tree, 7) - y
        reach = (height - up) * 0.22 * (0.45 + 0.55 * ((height - up) / 9 % 1))
        if 0 <= up <= height and abs(x - foot) <= reach:
            colour = mix((14, 26, 26), (44, 58, 46), noise(x + 512 * y, 8))
    return colour


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(rows):
    """Each row as differences from the left (1) or from above (2)."""
    above, data = bytes(3 * WIDTH), b""
    for row in rows:
        data += min((bytes([kind]) + bytes((a - b) & 255
                                           for a, b in zip(row, other))
                     for kind, other in ((1, bytes(3) + row), (2, above))),
                    key=lambda line: sum(min(d, 256 - d) for d in line))
        above = row
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
            chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


# Even values: half the noise, two thirds of the file.
with open(sys.argv[1], "wb") as file:
    file.write(png([bytes(min(255, max(0, int(value))) & ~1
                          for x in range(WIDTH) for value in picture(x, y))
                    for y in range(HEIGHT)]))
