// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code made ready: one pipeline for each launch.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H

#include "runtime/Device/Vulkan/Device.h"

namespace sparkle::runtime {

class VulkanProgram : public Program {
public:
  static Status create(VulkanDevice &device, const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code, Ref<Program> &program);

  /// One for each argument, and the workspace.
  struct Binding {
    const char *name;
    uint32_t elementSize; // bytes
    bool isWritten;
  };

  const sparkle_kernel_t &kernel() const { return source; }
  const std::vector<Binding> &bindings() const { return arguments; }
  uint32_t launchCount() const { return code.launch_count; }
  VkDescriptorSetLayout setLayout() const { return set; }
  VkPipelineLayout layout() const { return pipelineLayout; }
  VkPipeline pipeline(uint32_t launch) const { return pipelines[launch]; }

  /// How many workgroups a launch has at these sizes.
  Status countWorkgroups(uint32_t launch, const std::vector<int64_t> &sizes,
                         uint64_t &count) const;

private:
  VulkanProgram(VulkanDevice &device, const sparkle_kernel_t &kernel,
                const sparkle_code_t &code);
  ~VulkanProgram() override;

  Status checkLimits() const;
  Status createLayouts();
  Status createPipelines();
  Status createPipelines(VkShaderModule module);

  Ref<VulkanDevice> device;
  const sparkle_kernel_t &source;
  const sparkle_code_t &code;
  std::vector<Binding> arguments;
  VkDescriptorSetLayout set = VK_NULL_HANDLE;
  VkPipelineLayout pipelineLayout = VK_NULL_HANDLE;
  std::vector<VkPipeline> pipelines; // by launch
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_PROGRAM_H
