// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the environment says to devices of this kind. docs/runtime.md documents
// each variable.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_OPTIONS_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_OPTIONS_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace sparkle::runtime {

struct AMDGPUOptions {
  /// SPARKLE_AMDGPU_TIMEOUT, there in milliseconds: how long nothing goes on
  /// before the device counts as hanging. Nanoseconds.
  uint64_t timeout = 5000000000;
  /// SPARKLE_AMDGPU_VALIDATE=1: submissions are checked and go no further.
  bool isValidating = false;
  /// SPARKLE_AMDGPU_DUMP: where every submission is written to; or empty.
  std::string dumpFolder;

  static AMDGPUOptions read() {
    AMDGPUOptions options;
    const char *value = std::getenv("SPARKLE_AMDGPU_TIMEOUT");
    constexpr unsigned long most = 86400000; // a day
    char *end = nullptr;
    unsigned long time = value ? std::strtoul(value, &end, 10) : 0;
    if (value && end != value && *end == 0 && time >= 1 && time <= most)
      options.timeout = static_cast<uint64_t>(time) * 1000000;
    value = std::getenv("SPARKLE_AMDGPU_VALIDATE");
    options.isValidating = value && std::strcmp(value, "1") == 0;
    if ((value = std::getenv("SPARKLE_AMDGPU_DUMP")))
      options.dumpFolder = value;
    return options;
  }
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_OPTIONS_H
