// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that the kernel reports for a Radeon RX 7900 XTX, an RX 6800 and the
// graphics of a Ryzen 7000, as published by their users.

#include "test/standin/Driver/Hardware/Card.h"
#include "test/standin/Driver/Kernel/Monitor.h"

#include <cstring>

namespace sparkle::standin {

namespace {

// libdrm's header ends before these.
constexpr uint32_t familyGC1100 = 145, familyGC1036 = 149;

constexpr Card cards[] = {
    {/*generation=*/Generation::Gfx1100,
     /*deviceId=*/0x744c,
     /*chipRevision=*/0,
     /*externalRevision=*/1,
     /*pciRevision=*/0xc8,
     /*family=*/familyGC1100,
     /*engines=*/6,
     /*arrays=*/2,
     /*units=*/96,
     /*unitsPerArray=*/8,
     // Engines 4 and 5 stand in the third and fourth column of 0 and 1.
     /*unitMasks=*/
     {{0xff, 0xff, 0xff, 0xff},
      {0xff, 0xff, 0xff, 0xff},
      {0xff, 0xff, 0, 0},
      {0xff, 0xff, 0, 0}},
     /*engineClock=*/2371000,
     /*memoryClock=*/1249000,
     /*memoryType=*/AMDGPU_VRAM_TYPE_GDDR6,
     /*memoryBits=*/384,
     /*renderBackends=*/24,
     /*cacheBlocks=*/24,
     /*registers=*/1536,
     /*flags=*/0,
     /*videoMemory=*/25753026560,
     /*visibleVideoMemory=*/25753026560,
     /*systemMemory=*/33254252544,
     /*addressConfig=*/0x545,
     /*versionMajor=*/11,
     /*firmware=*/494,
     /*firmwareFeature=*/29},
    {/*generation=*/Generation::Gfx1030,
     /*deviceId=*/0x73bf,
     /*chipRevision=*/1,
     /*externalRevision=*/0x29,
     /*pciRevision=*/0xc3,
     /*family=*/AMDGPU_FAMILY_NV,
     /*engines=*/4,
     /*arrays=*/2,
     /*units=*/60,
     /*unitsPerArray=*/10,
     /*unitMasks=*/
     {{0x3ff, 0x3ff, 0, 0},
      {0, 0, 0, 0},
      {0x3ff, 0x3ff, 0, 0},
      {0x3ff, 0x3ff, 0, 0}},
     /*engineClock=*/2475000,
     /*memoryClock=*/1000000,
     /*memoryType=*/AMDGPU_VRAM_TYPE_GDDR6,
     /*memoryBits=*/256,
     /*renderBackends=*/16,
     /*cacheBlocks=*/16,
     /*registers=*/1024,
     /*flags=*/0,
     /*videoMemory=*/17163091968,
     /*visibleVideoMemory=*/268435456,
     /*systemMemory=*/16746784768,
     /*addressConfig=*/0x444,
     /*versionMajor=*/10,
     /*firmware=*/104,
     /*firmwareFeature=*/42},
    {/*generation=*/Generation::Gfx1036,
     /*deviceId=*/0x164e,
     /*chipRevision=*/1,
     /*externalRevision=*/2,
     /*pciRevision=*/0xc1,
     /*family=*/familyGC1036,
     /*engines=*/1,
     /*arrays=*/1,
     /*units=*/2,
     /*unitsPerArray=*/2,
     /*unitMasks=*/{{3, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
     /*engineClock=*/2200000,
     /*memoryClock=*/2400000,
     /*memoryType=*/AMDGPU_VRAM_TYPE_DDR5,
     /*memoryBits=*/128,
     /*renderBackends=*/1,
     /*cacheBlocks=*/2,
     /*registers=*/1024,
     /*flags=*/AMDGPU_IDS_FLAGS_FUSION,
     /*videoMemory=*/536870912,
     /*visibleVideoMemory=*/536870912,
     /*systemMemory=*/33254252544,
     /*addressConfig=*/0x42,
     /*versionMajor=*/10,
     /*firmware=*/18,
     /*firmwareFeature=*/38},
};

} // namespace

const Card &getCard(Generation generation) {
  for (const Card &card : cards)
    if (card.generation == generation)
      return card;
  return cards[0];
}

uint64_t getTimestamp() { return getNow() / (1000000 / counterFrequency); }

drm_amdgpu_info_device describe(const Card &card) {
  drm_amdgpu_info_device info = {};
  info.device_id = card.deviceId;
  info.chip_rev = card.chipRevision;
  info.external_rev = card.externalRevision;
  info.pci_rev = card.pciRevision;
  info.family = card.family;
  info.num_shader_engines = card.engines;
  info.num_shader_arrays_per_engine = card.arrays;
  info.gpu_counter_freq = counterFrequency;
  info.max_engine_clock = card.engineClock;
  info.max_memory_clock = card.memoryClock;
  info.cu_active_number = card.units;
  std::memcpy(info.cu_bitmap, card.unitMasks, sizeof info.cu_bitmap);
  info.enabled_rb_pipes_mask = (1u << card.renderBackends) - 1;
  info.num_rb_pipes = card.renderBackends;
  info.num_hw_gfx_contexts = 8;
  info.ids_flags = card.flags;
  info.virtual_address_offset = lowestAddress;
  info.virtual_address_max = 0x800000000000;
  info.virtual_address_alignment = 4096;
  info.pte_fragment_size = 2097152;
  info.gart_page_size = 4096;
  info.ce_ram_size = card.versionMajor == 10 ? 65536 : 0;
  info.vram_type = card.memoryType;
  info.vram_bit_width = card.memoryBits;
  info.gc_double_offchip_lds_buf = card.versionMajor == 10;
  info.wave_front_size = 32;
  info.num_shader_visible_vgprs = card.registers;
  info.num_cu_per_sh = card.unitsPerArray;
  info.num_tcc_blocks = card.cacheBlocks;
  info.gs_vgt_table_depth = 32;
  info.gs_prim_buffer_depth = 1792;
  info.max_gs_waves_per_vgt = 32;
  info.high_va_offset = 0xffff800000000000;
  info.high_va_max = 0xffffffffffe00000;
  return info;
}

} // namespace sparkle::standin
