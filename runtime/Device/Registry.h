// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All kinds of devices, read from include/sparkle/targets.def. Adding one does
// not touch this file: the linker asks for the missing find<Folder>Devices().

#ifndef SPARKLE_RUNTIME_DEVICE_REGISTRY_H
#define SPARKLE_RUNTIME_DEVICE_REGISTRY_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

// Each kind defines its own: appends the devices of its target, numbered by
// properties().index from 0. SPARKLE_UNAVAILABLE and why if there are none; any
// other failure is one of the driver, and the context goes on without them.
#define SPARKLE_TARGET(folder, word, number)                                   \
  Status find##folder##Devices(const Settings &settings,                       \
                               std::vector<Ref<Device>> &devices);
#include "sparkle/targets.def"
#undef SPARKLE_TARGET

/// A kind of device.
struct DeviceKind {
  const char *word;
  uint32_t target;
  Status (*find)(const Settings &settings, std::vector<Ref<Device>> &devices);
};

/// In the order of the targets' numbers.
const DeviceKind *getDeviceKinds();
/// How many there are.
uint32_t getDeviceKindCount();

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_REGISTRY_H
