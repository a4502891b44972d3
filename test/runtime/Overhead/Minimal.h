// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The least that a program has to do to run one kernel on Vulkan: nothing is
// checked, owned twice or locked. The runtime is measured against it.

#ifndef SPARKLE_TEST_RUNTIME_OVERHEAD_MINIMAL_H
#define SPARKLE_TEST_RUNTIME_OVERHEAD_MINIMAL_H

#include "test/runtime/Overhead/Witness.h"

#include <cstdint>

/// FUNCTION(name): all that it calls, without `vk`.
#define MINIMAL_FUNCTIONS(FUNCTION)                                            \
  FUNCTION(AllocateCommandBuffers)                                             \
  FUNCTION(AllocateDescriptorSets)                                             \
  FUNCTION(AllocateMemory)                                                     \
  FUNCTION(BeginCommandBuffer)                                                 \
  FUNCTION(BindBufferMemory)                                                   \
  FUNCTION(CmdBindDescriptorSets)                                              \
  FUNCTION(CmdBindPipeline)                                                    \
  FUNCTION(CmdDispatch)                                                        \
  FUNCTION(CmdPipelineBarrier)                                                 \
  FUNCTION(CmdPushConstants)                                                   \
  FUNCTION(CreateBuffer)                                                       \
  FUNCTION(CreateCommandPool)                                                  \
  FUNCTION(CreateComputePipelines)                                             \
  FUNCTION(CreateDescriptorPool)                                               \
  FUNCTION(CreateDescriptorSetLayout)                                          \
  FUNCTION(CreatePipelineLayout)                                               \
  FUNCTION(CreateSemaphore)                                                    \
  FUNCTION(CreateShaderModule)                                                 \
  FUNCTION(EndCommandBuffer)                                                   \
  FUNCTION(GetBufferMemoryRequirements)                                        \
  FUNCTION(GetPhysicalDeviceMemoryProperties)                                  \
  FUNCTION(MapMemory)                                                          \
  FUNCTION(QueueSubmit)                                                        \
  FUNCTION(UpdateDescriptorSets)                                               \
  FUNCTION(WaitSemaphores)

/// y[i] = 2 * x[i] + 1 for i < count, on the device and the queue that the
/// runtime uses: not at the same time. What fails ends the program; what it
/// makes lives as long as that.
class Minimal {
public:
  Minimal(const VulkanWitness &witness, uint32_t count);

  float *getInput() const { return x; }
  const float *getOutput() const { return y; }

  /// A command buffer that runs the kernel so often, one after the other.
  VkCommandBuffer record(uint32_t dispatches);
  /// The same, in one that is there already and not in flight.
  void record(VkCommandBuffer buffer, uint32_t dispatches);
  /// Returns what the semaphore reaches when it is done.
  uint64_t submit(VkCommandBuffer buffer);
  void wait(uint64_t value);

private:
  void loadFunctions();
  float *createBuffer(VkBuffer &buffer);
  uint32_t findMemory(uint32_t allowed) const;
  void createPipeline();
  void createSet();
  void createQueue();

#define MINIMAL_MEMBER(name) PFN_vk##name name = nullptr;
  MINIMAL_FUNCTIONS(MINIMAL_MEMBER)
#undef MINIMAL_MEMBER
  const VulkanWitness &witness;
  uint32_t count;
  VkDevice device;
  VkBuffer buffers[2] = {};
  float *x = nullptr, *y = nullptr;
  VkDescriptorSetLayout setLayout = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
  VkCommandPool pool = VK_NULL_HANDLE;
  VkSemaphore semaphore = VK_NULL_HANDLE;
  uint64_t last = 0;
};

#endif // SPARKLE_TEST_RUNTIME_OVERHEAD_MINIMAL_H
