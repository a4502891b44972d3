// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table from Vulkan's results to statuses.

#include "runtime/Device/Vulkan/Result.h"

namespace sparkle::runtime {

namespace {

struct Known {
  VkResult result;
  const char *name;
  sparkle_status_t status;
};

#define KNOWN(name, status)                                                    \
  { name, #name, SPARKLE_##status }
const Known table[] = {
    KNOWN(VK_SUCCESS, OK),
    KNOWN(VK_NOT_READY, OK),
    KNOWN(VK_TIMEOUT, TIMEOUT),
    KNOWN(VK_INCOMPLETE, OK),
    KNOWN(VK_ERROR_OUT_OF_HOST_MEMORY, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_OUT_OF_DEVICE_MEMORY, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_OUT_OF_POOL_MEMORY, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_FRAGMENTED_POOL, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_FRAGMENTATION, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_MEMORY_MAP_FAILED, OUT_OF_MEMORY),
    KNOWN(VK_ERROR_TOO_MANY_OBJECTS, OUT_OF_RESOURCES),
    KNOWN(VK_ERROR_DEVICE_LOST, DEVICE_LOST),
    KNOWN(VK_ERROR_INITIALIZATION_FAILED, DRIVER),
    KNOWN(VK_ERROR_LAYER_NOT_PRESENT, MISSING_FEATURE),
    KNOWN(VK_ERROR_EXTENSION_NOT_PRESENT, MISSING_FEATURE),
    KNOWN(VK_ERROR_FEATURE_NOT_PRESENT, MISSING_FEATURE),
    KNOWN(VK_ERROR_INCOMPATIBLE_DRIVER, UNAVAILABLE),
    KNOWN(VK_ERROR_INVALID_SHADER_NV, DRIVER),
    KNOWN(VK_ERROR_UNKNOWN, DRIVER),
};
#undef KNOWN

const Known *find(VkResult result) {
  for (const Known &known : table)
    if (known.result == result)
      return &known;
  return nullptr;
}

} // namespace

const char *getResultName(VkResult result) {
  const Known *known = find(result);
  return known ? known->name : "an unknown result";
}

Status toStatus(VkResult result, const char *function) {
  const Known *known = find(result);
  sparkle_status_t status = known ? known->status : SPARKLE_DRIVER;
  if (status == SPARKLE_OK || (!known && result > 0))
    return {};
  if (known)
    return Status::failure(status, "expected vk%s to succeed, but got %s",
                           function, known->name);
  return Status::failure(status, "expected vk%s to succeed, but got result %d",
                         function, static_cast<int>(result));
}

} // namespace sparkle::runtime
