// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Vulkan loader that fails on demand: it forwards to the real one, and wraps
// every function of the runtime's list that returns a VkResult. The runtime
// opens it by SPARKLE_VULKAN_LIBRARY and cannot tell it from the real one.

#include "test/runtime/Vulkan/Fault.h"
#include "test/runtime/Vulkan/Between.h"

#include <atomic>
#include <cstring>

namespace {

enum Index : uint32_t {
#define VULKAN_FUNCTION(name, isNeeded) index##name,
#include "runtime/Device/Vulkan/Functions.def"
  functionCount
};

std::atomic<uint32_t> calls[functionCount];
std::atomic<uint32_t> failingFunction{0}, failingCall{0};
std::atomic<int32_t> failingResult{0};
std::atomic<uint32_t> devices{0}; // made and not destroyed

/// What stands in for a function of this type; itself unless it can fail, or
/// ends a device.
template <uint32_t index, typename Type> struct Wrapper {
  static constexpr bool canFail = false;
  static PFN_vkVoidFunction wrap(PFN_vkVoidFunction function) {
    return function;
  }
};

template <uint32_t index, typename... Arguments>
struct Wrapper<index, VkResult (*)(Arguments...)> {
  static constexpr bool canFail = true;
  static inline std::atomic<VkResult (*)(Arguments...)> real{nullptr};

  static VkResult call(Arguments... arguments) {
    uint32_t number = ++calls[index];
    if (failingFunction == index && failingCall == number)
      return static_cast<VkResult>(failingResult.load());
    VkResult result = real.load()(arguments...);
    if constexpr (index == indexCreateDevice)
      devices += result == VK_SUCCESS;
    return result;
  }
  static PFN_vkVoidFunction wrap(PFN_vkVoidFunction function) {
    if (!function)
      return nullptr;
    real = reinterpret_cast<VkResult (*)(Arguments...)>(function);
    return reinterpret_cast<PFN_vkVoidFunction>(call);
  }
};

template <> struct Wrapper<indexDestroyDevice, PFN_vkDestroyDevice> {
  static constexpr bool canFail = false;
  static inline std::atomic<PFN_vkDestroyDevice> real{nullptr};

  static void call(VkDevice device, const VkAllocationCallbacks *allocator) {
    real.load()(device, allocator);
    --devices;
  }
  static PFN_vkVoidFunction wrap(PFN_vkVoidFunction function) {
    real = reinterpret_cast<PFN_vkDestroyDevice>(function);
    return reinterpret_cast<PFN_vkVoidFunction>(call);
  }
};

struct Function {
  const char *name;
  bool canFail;
  PFN_vkVoidFunction (*wrap)(PFN_vkVoidFunction function);
};

constexpr Function functions[] = {
#define VULKAN_FUNCTION(name, isNeeded)                                        \
  {#name, Wrapper<index##name, PFN_vk##name>::canFail,                         \
   Wrapper<index##name, PFN_vk##name>::wrap},
#include "runtime/Device/Vulkan/Functions.def"
};

const char *getName(uint32_t function) { return functions[function].name; }

bool canFail(uint32_t function) { return functions[function].canFail; }

void set(uint32_t function, uint32_t call, int32_t result) {
  failingCall = 0;
  for (auto &count : calls)
    count = 0;
  failingFunction = function;
  failingResult = result;
  failingCall = call;
}

uint32_t countCalls(uint32_t function) { return calls[function]; }

uint32_t countDevices() { return devices; }

} // namespace

PFN_vkVoidFunction wrap(const char *name, PFN_vkVoidFunction real) {
  for (const Function &known : functions)
    if (std::strcmp(known.name, name + 2) == 0) // without `vk`
      return known.wrap(real);
  return real;
}

extern "C" {

__attribute__((visibility("default"))) extern const VulkanFault vulkanFault;
const VulkanFault vulkanFault = {functionCount, getName,    canFail,
                                 set,           countCalls, countDevices};
}
