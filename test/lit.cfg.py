# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What the tests may use: the built tools, LLVM's own, and the features below.

import json
import os
import subprocess

import lit.formats

config.name = "Sparkle"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".spk", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sparkle_build, "test")

# sparkle-opt of this build; FileCheck, not, llvm-objdump ... of the LLVM that
# it was built with, which need not be the machine's default.
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.sparkle_build, "bin"), config.llvm_tools,
     config.environment["PATH"]])
# LLVM's headers poison what its allocators have not given out yet; its
# libraries, which know nothing of sanitizers, take it all the same.
config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0"
config.environment["LSAN_OPTIONS"] = "print_suppressions=0:suppressions=" + \
    os.path.join(config.test_source_root, "leak.supp")

config.substitutions += [
    ("%sparkle_root", config.sparkle_root),
    ("%sparkle_build", config.sparkle_build),
    ("%llvm_lib", config.llvm_lib),
    ("%python", config.python),
    # What env takes to put the stand-in AMD GPU below a program, one that starts
    # no other. SPARKLE_STANDIN says which; no card of the machine is seen then.
    ("%standin", "LD_PRELOAD=" + os.path.join(config.sparkle_build, "lib",
                                              "libsparkle-standin.so") +
     " SPARKLE_AMDGPU_TIMEOUT=60000"),
    # What a link with libsparkle.a of this build needs.
    ("%sanitize",
     "-fsanitize=address,undefined" if config.sparkle_sanitize else ""),
]


def devices():
    """The names of the devices that sparkle-run finds."""
    program = os.path.join(config.sparkle_build, "bin", "sparkle-run")
    try:
        found = subprocess.run([program, "devices", "--json"], check=True,
                               capture_output=True, timeout=60)
        return [device["name"] for device in json.loads(found.stdout)["devices"]]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def cpu_flags():
    """What the first processor offers; empty where nothing says so."""
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            return next((set(line.split(":")[1].split()) for line in file
                         if line.startswith("flags")), set())
    except OSError:
        return set()


if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= cpu_flags():
    config.available_features.add("avx512")
# `vulkan` is a feature where a device of that target is there.
config.available_features |= {name.split(":")[0] for name in devices()}
if config.sparkle_sanitize:
    config.available_features.add("sanitize")
