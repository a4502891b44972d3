// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Commands in one command buffer, recorded once.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_RECORDING_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_RECORDING_H

#include "runtime/Device/Vulkan/Program.h"

namespace sparkle::runtime {

/// Owns its buffers, programs and workspace. It may be in flight several times
/// on one queue, which runs it in order, so that one workspace is enough.
class VulkanRecording : public Recording {
public:
  static Status create(VulkanDevice &device, std::vector<Command> commands,
                       Ref<Recording> &recording);

  VkCommandBuffer handle() const { return buffer; }
  /// Transfer if it only moves bytes and the device has a queue for that.
  Lane lane() const { return usedLane; }

private:
  friend class Recorder;

  VulkanRecording(VulkanDevice &device, std::vector<Command> commands);
  ~VulkanRecording() override;

  Status check() const;
  Status createWorkspace();
  Status createSets();
  Status createCommandBuffer();

  VulkanDevice &vulkan;
  std::vector<Command> commands;
  Lane usedLane = Lane::Compute;
  Ref<Buffer> workspace; // null if no command wants one
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  std::vector<VkDescriptorSet> sets; // by command; null unless KERNEL
  VkCommandPool pool = VK_NULL_HANDLE;
  VkCommandBuffer buffer = VK_NULL_HANDLE;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_RECORDING_H
