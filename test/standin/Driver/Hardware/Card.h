// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a real card of each generation says of itself.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CARD_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CARD_H

#include "test/standin/Core/Core.h"

#include <drm.h>

#include <amdgpu_drm.h>

namespace sparkle::standin {

struct Card {
  Generation generation;
  uint32_t deviceId, chipRevision, externalRevision, pciRevision, family;
  uint32_t engines, arrays; ///< Shader engines; arrays in each.
  uint32_t units, unitsPerArray;
  uint32_t unitMasks[4][4];
  uint64_t engineClock, memoryClock; ///< kHz
  uint32_t memoryType, memoryBits;
  uint32_t renderBackends, cacheBlocks, registers;
  uint32_t flags; ///< AMDGPU_IDS_FLAGS_*
  uint64_t videoMemory, visibleVideoMemory, systemMemory;
  uint32_t addressConfig; ///< GB_ADDR_CONFIG
  uint32_t versionMajor;  ///< Of the compute rings.
  uint32_t firmware, firmwareFeature;
};

const Card &getCard(Generation generation);

/// Of the counter that RELEASE_MEM writes and INFO_TIMESTAMP reads, in kHz.
constexpr uint32_t counterFrequency = 100000;
uint64_t getTimestamp();

/// The low part of the addresses is not a program's.
constexpr uint64_t lowestAddress = 0x200000;

drm_amdgpu_info_device describe(const Card &card);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CARD_H
