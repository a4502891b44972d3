// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Has the driver compile an image, with the pipelines of an earlier time if
// they are on disk.

#include "runtime/Device/Vulkan/Program.h"
#include "runtime/Device/Vulkan/Cache.h"

#include <cstring>

namespace sparkle::runtime {

/// The first word of every SPIR-V module.
static constexpr uint32_t spirvMagic = 0x07230203;

Status VulkanProgram::create(VulkanDevice &device,
                             const sparkle_kernel_t &kernel,
                             const sparkle_code_t &code, Ref<Program> &result) {
  auto program =
      Ref<VulkanProgram>::adopt(new VulkanProgram(device, kernel, code));
  if (Status status = program->checkLimits(); !status.isOk())
    return status;
  if (Status status = program->createLayouts(); !status.isOk())
    return status;
  if (Status status = program->createPipelines(); !status.isOk())
    return status;
  result = std::move(program);
  return {};
}

VulkanProgram::VulkanProgram(VulkanDevice &device,
                             const sparkle_kernel_t &kernel,
                             const sparkle_code_t &code)
    : GpuProgram(kernel, code), device(Ref<VulkanDevice>::share(&device)) {}

VulkanProgram::~VulkanProgram() {
  const Functions &vk = device->functions();
  for (VkPipeline pipeline : pipelines)
    vk.DestroyPipeline(device->handle(), pipeline, nullptr);
  vk.DestroyPipelineLayout(device->handle(), pipelineLayout, nullptr);
  vk.DestroyDescriptorSetLayout(device->handle(), set, nullptr);
}

Status VulkanProgram::checkLimits() const {
  const VkPhysicalDeviceLimits &limits = device->adapter().properties.limits;
  if (bindings().size() > limits.maxPerStageDescriptorStorageBuffers)
    return Status::failure(
        SPARKLE_NO_IMAGE,
        "kernel '%s': expected at most %u buffers, but got %zu", source.name,
        limits.maxPerStageDescriptorStorageBuffers, bindings().size());
  if (source.size_count * sizeof(int32_t) > limits.maxPushConstantsSize)
    return Status::failure(SPARKLE_NO_IMAGE,
                           "kernel '%s': expected at most %zu sizes, but got "
                           "%u",
                           source.name,
                           limits.maxPushConstantsSize / sizeof(int32_t),
                           source.size_count);
  uint32_t first = 0;
  if (code.image_size >= sizeof(first))
    std::memcpy(&first, code.image, sizeof(first));
  if (first != spirvMagic || code.image_size % sizeof(first) != 0)
    return Status::failure(SPARKLE_INVALID_ARTIFACT,
                           "kernel '%s': expected a SPIR-V module, but got "
                           "%llu bytes of something else",
                           source.name,
                           static_cast<unsigned long long>(code.image_size));
  return {};
}

Status VulkanProgram::createLayouts() {
  std::vector<VkDescriptorSetLayoutBinding> items(bindings().size());
  for (uint32_t i = 0; i < items.size(); ++i)
    items[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  VkDescriptorSetLayoutCreateInfo setInfo = {};
  setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  setInfo.bindingCount = static_cast<uint32_t>(items.size());
  setInfo.pBindings = items.data();
  const Functions &vk = device->functions();
  if (Status status = device->make(vk.CreateDescriptorSetLayout,
                                   "CreateDescriptorSetLayout", setInfo, set);
      !status.isOk())
    return status;

  VkPushConstantRange sizes = {
      VK_SHADER_STAGE_COMPUTE_BIT, 0,
      static_cast<uint32_t>(source.size_count * sizeof(int32_t))};
  VkPipelineLayoutCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  info.setLayoutCount = 1;
  info.pSetLayouts = &set;
  info.pushConstantRangeCount = source.size_count ? 1 : 0;
  info.pPushConstantRanges = &sizes;
  return device->make(vk.CreatePipelineLayout, "CreatePipelineLayout", info,
                      pipelineLayout);
}

Status VulkanProgram::createPipelines() {
  VkShaderModuleCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  info.codeSize = code.image_size;
  info.pCode = static_cast<const uint32_t *>(code.image);
  VkShaderModule module = VK_NULL_HANDLE;
  const Functions &vk = device->functions();
  if (Status status = device->make(vk.CreateShaderModule, "CreateShaderModule",
                                   info, module);
      !status.isOk())
    return status;
  Status status = createPipelines(module);
  vk.DestroyShaderModule(device->handle(), module, nullptr);
  return status;
}

Status VulkanProgram::createPipelines(VkShaderModule module) {
  std::vector<VkComputePipelineCreateInfo> infos(code.launch_count);
  for (uint32_t i = 0; i < code.launch_count; ++i) {
    infos[i] = {};
    infos[i].sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    infos[i].layout = pipelineLayout;
    if (code.cuts)
      infos[i].flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
    infos[i].stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    infos[i].stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    infos[i].stage.module = module;
    infos[i].stage.pName = code.launches[i].entry;
  }
  pipelines.resize(code.launch_count, VK_NULL_HANDLE);
  PipelineCache cache(*device, code.image_hash);
  // Those that were made before one failed are not null, and destroyed.
  Status status =
      device->check(device->functions().CreateComputePipelines(
                        device->handle(), cache.handle(), code.launch_count,
                        infos.data(), nullptr, pipelines.data()),
                    "CreateComputePipelines");
  if (status.isOk())
    cache.save();
  return status;
}

} // namespace sparkle::runtime
