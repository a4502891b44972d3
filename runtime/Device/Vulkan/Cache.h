// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled pipelines on disk: one file for each image and driver. It never is
// a reason to fail: what cannot be read is made again.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_CACHE_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_CACHE_H

#include "runtime/Device/Vulkan/Device.h"

namespace sparkle::runtime {

/// The cache of one image while its pipelines are made.
class PipelineCache {
public:
  /// Reads the file, if there is one that fits.
  PipelineCache(VulkanDevice &device, uint64_t imageHash);
  ~PipelineCache();
  PipelineCache(const PipelineCache &) = delete;

  /// Null if there is none.
  VkPipelineCache handle() const { return cache; }
  /// Writes the file if the driver has more to say than what was read.
  void save();

private:
  VulkanDevice &device;
  uint64_t imageHash;
  std::string path; // empty: nothing is kept
  std::vector<char> old;
  VkPipelineCache cache = VK_NULL_HANDLE;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_CACHE_H
