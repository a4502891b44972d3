// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code made ready: one pipeline for each launch.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H

#include "runtime/Device/GpuProgram.h"
#include "runtime/Device/Vulkan/Device.h"

namespace sparkle::runtime {

class VulkanProgram : public GpuProgram {
public:
  /// The program of a command that runs a kernel of such a device.
  static const VulkanProgram &of(const Command &command) {
    return static_cast<const VulkanProgram &>(*command.program);
  }
  static Status create(VulkanDevice &device, const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code, Ref<Program> &program);

  VkDescriptorSetLayout setLayout() const { return set; }
  VkPipelineLayout layout() const { return pipelineLayout; }
  VkPipeline pipeline(uint32_t launch) const { return pipelines[launch]; }

private:
  VulkanProgram(VulkanDevice &device, const sparkle_kernel_t &kernel,
                const sparkle_code_t &code);
  ~VulkanProgram() override;

  Status checkLimits() const;
  Status createLayouts();
  Status createPipelines();
  Status createPipelines(VkShaderModule module);

  Ref<VulkanDevice> device;
  VkDescriptorSetLayout set = VK_NULL_HANDLE;
  VkPipelineLayout pipelineLayout = VK_NULL_HANDLE;
  std::vector<VkPipeline> pipelines; // by launch
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H
