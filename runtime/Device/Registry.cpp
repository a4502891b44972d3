// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expands the list of targets into a table.

#include "runtime/Device/Registry.h"

namespace sparkle::runtime {

static const DeviceKind kinds[] = {
#define SPARKLE_TARGET(folder, word, number)                                   \
  {#word, number, find##folder##Devices},
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
};

const DeviceKind *getDeviceKinds() { return kinds; }

uint32_t getDeviceKindCount() { return sizeof(kinds) / sizeof(kinds[0]); }

} // namespace sparkle::runtime
