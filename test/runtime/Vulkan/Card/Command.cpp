// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Command buffers of the card, by family: that which copies does nothing else.

#include "test/runtime/Vulkan/Card/Card.h"

#include <cstring>

namespace card {

static VkResult CreateCommandPool(VkDevice device,
                                  const VkCommandPoolCreateInfo *info,
                                  const VkAllocationCallbacks *allocator,
                                  VkCommandPool *pool) {
  VkCommandPoolCreateInfo translated = *info;
  translated.queueFamilyIndex = 0;
  VkResult result =
      real().CreateCommandPool(device, &translated, allocator, pool);
  std::lock_guard<std::mutex> lock(state().mutex);
  uint32_t family = info->queueFamilyIndex;
  if (family >= familyCount ||
      state().devices.at(device)->queues[family].empty())
    refuse("a pool is of a family that is not in use");
  if (result == VK_SUCCESS)
    state().pools[*pool] = family;
  return result;
}

static void DestroyCommandPool(VkDevice device, VkCommandPool pool,
                               const VkAllocationCallbacks *allocator) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    auto &commands = state().commands;
    for (auto it = commands.begin(); it != commands.end();)
      it = it->second.pool == pool ? commands.erase(it) : std::next(it);
    state().pools.erase(pool);
  }
  real().DestroyCommandPool(device, pool, allocator);
}

static VkResult AllocateCommandBuffers(VkDevice device,
                                       const VkCommandBufferAllocateInfo *info,
                                       VkCommandBuffer *buffers) {
  VkResult result = real().AllocateCommandBuffers(device, info, buffers);
  std::lock_guard<std::mutex> lock(state().mutex);
  if (result == VK_SUCCESS)
    for (uint32_t i = 0; i < info->commandBufferCount; ++i)
      state().commands[buffers[i]] = {state().pools.at(info->commandPool),
                                      info->commandPool};
  return result;
}

/// The family, with the state's mutex held.
static uint32_t find(VkCommandBuffer buffer) {
  return state().commands.at(buffer).family;
}

static void expectComputing(VkCommandBuffer buffer) {
  std::lock_guard<std::mutex> lock(state().mutex);
  if (find(buffer) != computing)
    refuse("a queue that copies does not compute");
}

static void CmdBindPipeline(VkCommandBuffer buffer, VkPipelineBindPoint point,
                            VkPipeline pipeline) {
  expectComputing(buffer);
  real().CmdBindPipeline(buffer, point, pipeline);
}

static void CmdBindDescriptorSets(VkCommandBuffer buffer,
                                  VkPipelineBindPoint point,
                                  VkPipelineLayout layout, uint32_t first,
                                  uint32_t count, const VkDescriptorSet *sets,
                                  uint32_t offsetCount,
                                  const uint32_t *offsets) {
  expectComputing(buffer);
  real().CmdBindDescriptorSets(buffer, point, layout, first, count, sets,
                               offsetCount, offsets);
}

static void CmdPushConstants(VkCommandBuffer buffer, VkPipelineLayout layout,
                             VkShaderStageFlags stages, uint32_t offset,
                             uint32_t size, const void *values) {
  expectComputing(buffer);
  real().CmdPushConstants(buffer, layout, stages, offset, size, values);
}

static void CmdDispatch(VkCommandBuffer buffer, uint32_t x, uint32_t y,
                        uint32_t z) {
  expectComputing(buffer);
  if (x > maxGroups || y > maxGroups || z > maxGroups)
    refuse("a dispatch has too many workgroups");
  real().CmdDispatch(buffer, x, y, z);
}

static void CmdDispatchBase(VkCommandBuffer buffer, uint32_t firstX,
                            uint32_t firstY, uint32_t firstZ, uint32_t x,
                            uint32_t y, uint32_t z) {
  expectComputing(buffer);
  if (firstX > maxGroups - x || firstY > maxGroups - y ||
      firstZ > maxGroups - z)
    refuse("a dispatch goes beyond the last workgroup");
  real().CmdDispatchBase(buffer, firstX, firstY, firstZ, x, y, z);
}

static void CmdCopyBuffer(VkCommandBuffer buffer, VkBuffer from, VkBuffer to,
                          uint32_t count, const VkBufferCopy *regions) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    use(from, find(buffer));
    use(to, find(buffer));
  }
  real().CmdCopyBuffer(buffer, from, to, count, regions);
}

static void CmdFillBuffer(VkCommandBuffer buffer, VkBuffer to,
                          VkDeviceSize offset, VkDeviceSize size,
                          uint32_t word) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    use(to, find(buffer));
  }
  real().CmdFillBuffer(buffer, to, offset, size, word);
}

static void CmdPipelineBarrier(
    VkCommandBuffer buffer, VkPipelineStageFlags before,
    VkPipelineStageFlags after, VkDependencyFlags flags, uint32_t count,
    const VkMemoryBarrier *barriers, uint32_t bufferCount,
    const VkBufferMemoryBarrier *bufferBarriers, uint32_t imageCount,
    const VkImageMemoryBarrier *imageBarriers) {
  constexpr VkPipelineStageFlags stages =
      VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT |
      VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT | VK_PIPELINE_STAGE_HOST_BIT |
      VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  constexpr VkAccessFlags shaders =
      VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (bufferCount || imageCount)
      refuse("a barrier names what this test does not look at");
    if (find(buffer) == copying && ((before | after) & ~stages))
      refuse("a queue that copies has no such stage");
    for (uint32_t i = 0; find(buffer) == copying && i < count; ++i)
      if ((barriers[i].srcAccessMask | barriers[i].dstAccessMask) & shaders)
        refuse("a queue that copies has no shaders");
  }
  real().CmdPipelineBarrier(buffer, before, after, flags, count, barriers,
                            bufferCount, bufferBarriers, imageCount,
                            imageBarriers);
}

static void CmdWriteTimestamp(VkCommandBuffer buffer,
                              VkPipelineStageFlagBits stage, VkQueryPool pool,
                              uint32_t query) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (find(buffer) == copying)
      refuse("a queue that copies has no timestamps");
  }
  real().CmdWriteTimestamp(buffer, stage, pool, query);
}

static void UpdateDescriptorSets(VkDevice device, uint32_t count,
                                 const VkWriteDescriptorSet *writes,
                                 uint32_t copyCount,
                                 const VkCopyDescriptorSet *copies) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    for (uint32_t i = 0; i < count; ++i)
      for (uint32_t j = 0; j < writes[i].descriptorCount; ++j) {
        const VkDescriptorBufferInfo &binding = writes[i].pBufferInfo[j];
        use(binding.buffer, computing);
        if (binding.offset % alignment)
          refuse("a binding begins in between");
        if (!binding.range || binding.range > maxBinding)
          refuse("a binding is empty or too long");
      }
  }
  real().UpdateDescriptorSets(device, count, writes, copyCount, copies);
}

/// Looks for `OpExecutionMode ENTRY LocalSize x y z`.
static VkResult CreateShaderModule(VkDevice device,
                                   const VkShaderModuleCreateInfo *info,
                                   const VkAllocationCallbacks *allocator,
                                   VkShaderModule *module) {
  constexpr uint32_t header = 5, executionMode = 16, localSize = 17;
  const uint32_t *words = info->pCode;
  for (size_t i = header; i < info->codeSize / 4 && words[i] >> 16;
       i += words[i] >> 16)
    if ((words[i] & 0xffff) == executionMode && words[i + 2] == localSize &&
        words[i + 3] * words[i + 4] * words[i + 5] > maxInvocations)
      refuse("a workgroup has too many invocations");
  return real().CreateShaderModule(device, info, allocator, module);
}

PFN_vkVoidFunction findCommand(const char *name) {
  CARD_FUNCTION(CreateCommandPool);
  CARD_FUNCTION(DestroyCommandPool);
  CARD_FUNCTION(AllocateCommandBuffers);
  CARD_FUNCTION(CmdBindPipeline);
  CARD_FUNCTION(CmdBindDescriptorSets);
  CARD_FUNCTION(CmdPushConstants);
  CARD_FUNCTION(CmdDispatch);
  CARD_FUNCTION(CmdDispatchBase);
  CARD_FUNCTION(CmdCopyBuffer);
  CARD_FUNCTION(CmdFillBuffer);
  CARD_FUNCTION(CmdPipelineBarrier);
  CARD_FUNCTION(CmdWriteTimestamp);
  CARD_FUNCTION(UpdateDescriptorSets);
  CARD_FUNCTION(CreateShaderModule);
  return nullptr;
}

} // namespace card
