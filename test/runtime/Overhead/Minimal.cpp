// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain calls of Vulkan 1.2, in the order in which a program makes them.

#include "test/runtime/Overhead/Minimal.h"

#include "Affine.comp.h" // affineCode

#include <cstdio>
#include <cstdlib>

static void check(VkResult result) {
  if (result == VK_SUCCESS)
    return;
  std::fprintf(stderr, "runtime-overhead: Vulkan returned %d\n", result);
  std::exit(1);
}

Minimal::Minimal(const VulkanWitness &witness, uint32_t count)
    : witness(witness), count(count), device(witness.device) {
  loadFunctions();
  x = createBuffer(buffers[0]);
  y = createBuffer(buffers[1]);
  createPipeline();
  createSet();
  createQueue();
}

/// The device's own where it has one, without the loader between.
void Minimal::loadFunctions() {
  auto getOfDevice = reinterpret_cast<PFN_vkGetDeviceProcAddr>(
      witness.getInstanceProcAddr(witness.instance, "vkGetDeviceProcAddr"));
#define LOAD(name)                                                             \
  name = reinterpret_cast<PFN_vk##name>(getOfDevice(device, "vk" #name));      \
  if (!name)                                                                   \
    name = reinterpret_cast<PFN_vk##name>(                                     \
        witness.getInstanceProcAddr(witness.instance, "vk" #name));
  MINIMAL_FUNCTIONS(LOAD)
#undef LOAD
}

/// Memory that the host sees.
uint32_t Minimal::findMemory(uint32_t allowed) const {
  VkPhysicalDeviceMemoryProperties memory;
  GetPhysicalDeviceMemoryProperties(witness.physical, &memory);
  VkMemoryPropertyFlags wish = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                               VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if ((allowed >> i & 1) &&
        (memory.memoryTypes[i].propertyFlags & wish) == wish)
      return i;
  check(VK_ERROR_FEATURE_NOT_PRESENT);
  return 0;
}

float *Minimal::createBuffer(VkBuffer &buffer) {
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = count * sizeof(float);
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  check(CreateBuffer(device, &info, nullptr, &buffer));
  VkMemoryRequirements needs;
  GetBufferMemoryRequirements(device, buffer, &needs);
  VkMemoryAllocateInfo wanted = {};
  wanted.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  wanted.allocationSize = needs.size;
  wanted.memoryTypeIndex = findMemory(needs.memoryTypeBits);
  VkDeviceMemory memory;
  check(AllocateMemory(device, &wanted, nullptr, &memory));
  check(BindBufferMemory(device, buffer, memory, 0));
  void *host;
  check(MapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, &host));
  return static_cast<float *>(host);
}

void Minimal::createPipeline() {
  VkDescriptorSetLayoutBinding bindings[2] = {};
  for (uint32_t i = 0; i < 2; ++i)
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                   VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  VkDescriptorSetLayoutCreateInfo setInfo = {};
  setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  setInfo.bindingCount = 2;
  setInfo.pBindings = bindings;
  check(CreateDescriptorSetLayout(device, &setInfo, nullptr, &setLayout));
  VkPushConstantRange sizes = {VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(int32_t)};
  VkPipelineLayoutCreateInfo layoutInfo = {};
  layoutInfo.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layoutInfo.setLayoutCount = 1;
  layoutInfo.pSetLayouts = &setLayout;
  layoutInfo.pushConstantRangeCount = 1;
  layoutInfo.pPushConstantRanges = &sizes;
  check(CreatePipelineLayout(device, &layoutInfo, nullptr, &layout));
  VkShaderModuleCreateInfo code = {};
  code.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  code.codeSize = sizeof affineCode;
  code.pCode = affineCode;
  VkShaderModule module;
  check(CreateShaderModule(device, &code, nullptr, &module));
  VkComputePipelineCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.layout = layout;
  check(CreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, nullptr,
                               &pipeline));
}

void Minimal::createSet() {
  VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2};
  VkDescriptorPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  poolInfo.maxSets = 1;
  poolInfo.poolSizeCount = 1;
  poolInfo.pPoolSizes = &size;
  VkDescriptorPool descriptors;
  check(CreateDescriptorPool(device, &poolInfo, nullptr, &descriptors));
  VkDescriptorSetAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  info.descriptorPool = descriptors;
  info.descriptorSetCount = 1;
  info.pSetLayouts = &setLayout;
  check(AllocateDescriptorSets(device, &info, &set));
  for (uint32_t i = 0; i < 2; ++i) {
    VkDescriptorBufferInfo buffer = {buffers[i], 0, VK_WHOLE_SIZE};
    VkWriteDescriptorSet write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = set;
    write.dstBinding = i;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = &buffer;
    UpdateDescriptorSets(device, 1, &write, 0, nullptr);
  }
}

void Minimal::createQueue() {
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  poolInfo.queueFamilyIndex = witness.family;
  check(CreateCommandPool(device, &poolInfo, nullptr, &pool));
  VkSemaphoreTypeCreateInfo type = {};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  info.pNext = &type;
  check(CreateSemaphore(device, &info, nullptr, &semaphore));
}

VkCommandBuffer Minimal::record(uint32_t dispatches) {
  VkCommandBufferAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool;
  info.commandBufferCount = 1;
  VkCommandBuffer buffer;
  check(AllocateCommandBuffers(device, &info, &buffer));
  record(buffer, dispatches);
  return buffer;
}

void Minimal::record(VkCommandBuffer buffer, uint32_t dispatches) {
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  check(BeginCommandBuffer(buffer, &begin));
  VkMemoryBarrier written = {};
  written.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  written.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  written.dstAccessMask =
      VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  int32_t size = static_cast<int32_t>(count);
  for (uint32_t i = 0; i < dispatches; ++i) {
    CmdPipelineBarrier(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                       VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &written, 0,
                       nullptr, 0, nullptr);
    CmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1,
                          &set, 0, nullptr);
    CmdPushConstants(buffer, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                     sizeof size, &size);
    CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    CmdDispatch(buffer, (count + 63) / 64, 1, 1);
  }
  VkMemoryBarrier seen = written;
  seen.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  CmdPipelineBarrier(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &seen, 0, nullptr, 0,
                     nullptr);
  check(EndCommandBuffer(buffer));
}

uint64_t Minimal::submit(VkCommandBuffer buffer) {
  uint64_t value = ++last;
  VkTimelineSemaphoreSubmitInfo timeline = {};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &value;
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &buffer;
  info.signalSemaphoreCount = 1;
  info.pSignalSemaphores = &semaphore;
  check(QueueSubmit(witness.queue, 1, &info, VK_NULL_HANDLE));
  return value;
}

void Minimal::wait(uint64_t value) {
  VkSemaphoreWaitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  info.pSemaphores = &semaphore;
  info.pValues = &value;
  check(WaitSemaphores(device, &info, UINT64_MAX));
}
