// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Answers of the INFO ioctl.

#include "test/standin/Driver/Fault.h"
#include "test/standin/Driver/Kernel/File.h"
#include "test/standin/Driver/Log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sparkle::standin {

namespace {

// libdrm's header ends before this one.
constexpr uint32_t infoGpuvmFault = 0x23;
struct GpuvmFault {
  uint64_t address;
  uint32_t status, hub;
};

constexpr uint32_t registerAddressConfig = 0x263e;

template <typename Value>
int give(const drm_amdgpu_info &request, const Value &value) {
  std::memcpy(reinterpret_cast<void *>(request.return_pointer), &value,
              std::min<size_t>(request.return_size, sizeof value));
  return 0;
}

int giveRings(const drm_amdgpu_info &request, const Card &card) {
  drm_amdgpu_info_hw_ip info = {};
  if (request.query_hw_ip.type >= AMDGPU_HW_IP_NUM)
    return refuse(EINVAL, format("INFO_HW_IP_INFO: no type %u",
                                 request.query_hw_ip.type));
  // What the card has for pictures is there, but not modelled.
  bool isCompute = request.query_hw_ip.type == AMDGPU_HW_IP_COMPUTE;
  if (isCompute || request.query_hw_ip.type == AMDGPU_HW_IP_GFX) {
    info.hw_ip_version_major = card.versionMajor;
    info.ib_start_alignment = 32;
    info.ib_size_alignment = 32;
    info.available_rings = isCompute ? getRings((1u << ringCount) - 1) : 1;
  }
  return give(request, info);
}

drm_amdgpu_heap_info describe(uint64_t total, uint64_t used) {
  return {total, total, used, total / 4 * 3};
}

int giveMemory(const drm_amdgpu_info &request, const Gpu &gpu) {
  drm_amdgpu_memory_info info = {};
  info.vram = describe(gpu.card.videoMemory, gpu.usedVideo);
  info.cpu_accessible_vram =
      describe(gpu.card.visibleVideoMemory, gpu.usedVisible);
  info.gtt = describe(gpu.card.systemMemory, gpu.usedSystem);
  return give(request, info);
}

int giveRegisters(const drm_amdgpu_info &request, const Card &card) {
  const auto &which = request.read_mmr_reg;
  if (which.dword_offset != registerAddressConfig || which.count != 1)
    return refuse(EINVAL,
                  format("INFO_READ_MMR_REG: register 0x%x is not modelled",
                         which.dword_offset));
  return give(request, card.addressConfig);
}

int giveFirmware(const drm_amdgpu_info &request, const Card &card) {
  uint32_t type = request.query_fw.fw_type;
  if (type != AMDGPU_INFO_FW_GFX_ME && type != AMDGPU_INFO_FW_GFX_PFP &&
      type != AMDGPU_INFO_FW_GFX_MEC)
    return refuse(EINVAL,
                  format("INFO_FW_VERSION: type %u is not modelled", type));
  drm_amdgpu_info_firmware info = {card.firmware, card.firmwareFeature};
  return give(request, info);
}

int giveSensor(const drm_amdgpu_info &request, const Card &card) {
  switch (request.sensor_info.type) {
  case AMDGPU_INFO_SENSOR_GFX_SCLK:
  case AMDGPU_INFO_SENSOR_STABLE_PSTATE_GFX_SCLK:
    return give(request, uint32_t(card.engineClock / 1000));
  case AMDGPU_INFO_SENSOR_GFX_MCLK:
  case AMDGPU_INFO_SENSOR_STABLE_PSTATE_GFX_MCLK:
    return give(request, uint32_t(card.memoryClock / 1000));
  default:
    return refuse(EINVAL, format("INFO_SENSOR: type %u is not modelled",
                                 request.sensor_info.type));
  }
}

} // namespace

int File::inform(void *argument, Lock &) {
  const auto &request = *static_cast<drm_amdgpu_info *>(argument);
  const Card &card = gpu.card;
  switch (request.query) {
  case AMDGPU_INFO_ACCEL_WORKING:
    return give(request, uint32_t(1));
  case AMDGPU_INFO_HW_IP_INFO:
    return giveRings(request, card);
  case AMDGPU_INFO_HW_IP_COUNT:
    return give(request,
                uint32_t(request.query_hw_ip.type <= AMDGPU_HW_IP_COMPUTE));
  case AMDGPU_INFO_TIMESTAMP:
    return give(request, getTimestamp());
  case AMDGPU_INFO_FW_VERSION:
    return giveFirmware(request, card);
  case AMDGPU_INFO_NUM_BYTES_MOVED:
  case AMDGPU_INFO_NUM_EVICTIONS:
  case AMDGPU_INFO_NUM_VRAM_CPU_PAGE_FAULTS:
    return give(request, uint64_t(0));
  case AMDGPU_INFO_VRAM_USAGE:
    return give(request, gpu.usedVideo.load());
  case AMDGPU_INFO_VIS_VRAM_USAGE:
    return give(request, gpu.usedVisible.load());
  case AMDGPU_INFO_GTT_USAGE:
    return give(request, gpu.usedSystem.load());
  case AMDGPU_INFO_VRAM_GTT:
    return give(request, drm_amdgpu_info_vram_gtt{card.videoMemory,
                                                  card.visibleVideoMemory,
                                                  card.systemMemory});
  case AMDGPU_INFO_READ_MMR_REG:
    return giveRegisters(request, card);
  case AMDGPU_INFO_DEV_INFO:
    return give(request, standin::describe(card));
  case AMDGPU_INFO_MEMORY:
    return giveMemory(request, gpu);
  case AMDGPU_INFO_SENSOR:
    return giveSensor(request, card);
  case AMDGPU_INFO_VRAM_LOST_COUNTER:
    return give(request, uint32_t(gpu.losses));
  case infoGpuvmFault:
    return give(request, GpuvmFault{gpu.faultAddress, gpu.faultStatus, 0});
  default:
    return refuse(EINVAL,
                  format("INFO: query 0x%x is not modelled", request.query));
  }
}

} // namespace sparkle::standin
