// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Timestamps are written by two small command buffers around the recording,
// which itself is the same in every slot.

#include "runtime/Device/Vulkan/Slot.h"

namespace sparkle::runtime {

void Slot::clear() {
  recording = {};
  waits.clear();
}

void Slot::destroy(VulkanDevice &device) {
  const Functions &vk = device.functions();
  for (Stamps &stamps : byLane)
    vk.DestroyCommandPool(device.handle(), stamps.pool, nullptr);
  vk.DestroyQueryPool(device.handle(), queries, nullptr);
  clear();
}

Status Slot::record(VulkanDevice &device, VkCommandBuffer buffer,
                    uint32_t query) {
  const Functions &vk = device.functions();
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  if (Status status = device.check(vk.BeginCommandBuffer(buffer, &begin),
                                   "BeginCommandBuffer");
      !status.isOk())
    return status;
  // The bottom of the pipe, also for the beginning: when all that the queue
  // was given before has ended.
  vk.CmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries,
                       query);
  return device.check(vk.EndCommandBuffer(buffer), "EndCommandBuffer");
}

Status Slot::prepareTimes(VulkanDevice &device, Lane lane) {
  const Functions &vk = device.functions();
  if (!queries) {
    VkQueryPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = 2;
    if (Status status =
            device.make(vk.CreateQueryPool, "CreateQueryPool", info, queries);
        !status.isOk())
      return status;
  }
  vk.ResetQueryPool(device.handle(), queries, 0, 2);
  Stamps &stamps = byLane[static_cast<int>(lane)];
  if (stamps.isRecorded)
    return {};
  if (!stamps.pool) {
    VkCommandPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    // A buffer that could not be recorded is recorded once more.
    info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    info.queueFamilyIndex = device.family(lane);
    if (Status status = device.make(vk.CreateCommandPool, "CreateCommandPool",
                                    info, stamps.pool);
        !status.isOk())
      return status;
  }
  if (!stamps.buffers[0]) {
    VkCommandBufferAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = stamps.pool;
    info.commandBufferCount = 2;
    if (Status status = device.check(
            vk.AllocateCommandBuffers(device.handle(), &info, stamps.buffers),
            "AllocateCommandBuffers");
        !status.isOk())
      return status;
  }
  for (uint32_t i = 0; i < 2; ++i)
    if (Status status = record(device, stamps.buffers[i], i); !status.isOk())
      return status;
  stamps.isRecorded = true;
  return {};
}

Status Slot::readTimes(VulkanDevice &device, uint64_t &begin, uint64_t &end) {
  uint64_t ticks[2] = {};
  VkResult result = device.functions().GetQueryPoolResults(
      device.handle(), queries, 0, 2, sizeof(ticks), ticks, sizeof(ticks[0]),
      VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (Status status = device.check(result, "GetQueryPoolResults");
      !status.isOk())
    return status;
  double period = device.adapter().properties.limits.timestampPeriod;
  begin = static_cast<uint64_t>(static_cast<double>(ticks[0]) * period);
  // The clock may wrap in between; and a double does not hold all of its bits.
  uint64_t most = UINT64_MAX >> (64 - device.adapter().timestampBits);
  uint64_t passed = (ticks[1] - ticks[0]) & most;
  end = begin + static_cast<uint64_t>(static_cast<double>(passed) * period);
  return {};
}

} // namespace sparkle::runtime
