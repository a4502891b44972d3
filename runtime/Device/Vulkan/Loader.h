// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The seam to Vulkan: its loader, opened at run time, and the table of the
// functions that the runtime calls. No other file names the library.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_LOADER_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_LOADER_H

#include "runtime/Reference.h"
#include "runtime/Settings.h"
#include "runtime/Status.h"

#include <atomic>
#include <mutex>
#include <vector>
#include <vulkan/vulkan_core.h>

namespace sparkle::runtime {

/// The functions of Functions.def, null until they are loaded.
struct Functions {
#define VULKAN_FUNCTION(name, isNeeded) PFN_vk##name name = nullptr;
#include "runtime/Device/Vulkan/Functions.def"

  /// Each returns the first function that is missing, or null.
  const char *loadGlobal(PFN_vkGetInstanceProcAddr get);
  const char *loadInstance(PFN_vkGetInstanceProcAddr get, VkInstance instance);
  const char *loadDevice(VkDevice device);
};

/// The opened library and the instance made from it; all devices own it.
class Instance : public Counted {
public:
  /// SPARKLE_UNAVAILABLE and what is missing if there is no library or driver.
  static Status create(const Settings &settings, Ref<Instance> &result);

  VkInstance handle() const { return instance; }
  const Functions &functions() const { return vk; }
  /// Of the instance: what its devices may use at most.
  uint32_t version() const { return apiVersion; }

  /// What the validation layer has said since the last call, as a failure with
  /// SPARKLE_DRIVER; OK if it was silent. Cheap.
  Status takeMessage();

  Status enumerate(std::vector<VkPhysicalDevice> &devices) const;

private:
  explicit Instance(const Settings &settings) : settings(settings) {}
  ~Instance() override;

  Status open();
  Status createHandle();
  Status checkLayer() const;
  Status createMessenger();
  VkDebugUtilsMessengerCreateInfoEXT describeMessenger();
  static VkBool32 VKAPI_PTR
  receive(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
          VkDebugUtilsMessageTypeFlagsEXT types,
          const VkDebugUtilsMessengerCallbackDataEXT *data, void *instance);

  Settings settings;
  void *library = nullptr;
  PFN_vkGetInstanceProcAddr getInstanceProcAddr = nullptr;
  Functions vk;
  VkInstance instance = VK_NULL_HANDLE;
  uint32_t apiVersion = 0;
  bool isValidating = false;
  VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;

  std::atomic<bool> hasMessage{false};
  std::mutex messageMutex;
  Status message; // the first one not taken yet
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_LOADER_H
