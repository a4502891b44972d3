# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles every kernel of some folders for a GPU, and has spirv-val look at
# every image in the object. Kernels with a TEXT, in one line, are
# left out.
# Usage: images.py WORKPLACE PROCESSOR,-TEXT,... FOLDER...

import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

workplace, wanted, *folders = sys.argv[1:]
processor, *left_out = wanted.split(",-")


def kernels():
    """The texts, in an order that does not depend on the file system."""
    for folder in folders:
        for path, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                suffix = os.path.splitext(name)[1]
                if suffix != ".spk":
                    continue
                with open(os.path.join(path, name)) as file:
                    text = file.read()
                words = " ".join(text.split())
                if not any(part in words for part in left_out):
                    yield text


def images(path):
    """(section, content) of an ELF object, where the name says image."""
    with open(path, "rb") as file:
        content = file.read()
    table, = struct.unpack_from("<Q", content, 40)
    size, count, names = struct.unpack_from("<HHH", content, 58)
    if count == 0:  # it does not fit, and stands in the first section
        count, = struct.unpack_from("<Q", content, table + 32)
    sections = [struct.unpack_from("<IIQQQQII", content, table + i * size)
                for i in range(count)]
    if names == 0xffff:
        names = sections[0][6]
    strings = sections[names][4]
    for name, _, _, _, offset, length, *_ in sections:
        end = content.index(b"\0", strings + name)
        text = content[strings + name:end].decode()
        if text.startswith(".rodata.") and text.endswith("." + processor):
            yield text, content[offset:offset + length]


def validate(image):
    path = os.path.join(workplace, image[0])
    with open(path, "wb") as file:
        file.write(image[1])
    return subprocess.run(["spirv-val", "--target-env", "vulkan1.1", path]
                          ).returncode == 0


texts = list(kernels())
source = os.path.join(workplace, "all.spk")
with open(source, "w") as file:
    file.write("\n".join(texts))
result = os.path.join(workplace, "all.o")
subprocess.run(["sparkle-opt", source, "--target=vulkan", "--gpu=" + processor,
                "-o", result], check=True)
found = list(images(result))
with ThreadPoolExecutor(os.cpu_count()) as pool:
    valid = sum(pool.map(validate, found))
print(f"{len(texts)} kernels, {len(found)} images, {valid} valid")
