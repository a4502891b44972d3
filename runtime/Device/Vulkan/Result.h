// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Vulkan's results are to the rest of the runtime.

#ifndef SPARKLE_RUNTIME_DEVICE_VULKAN_RESULT_H
#define SPARKLE_RUNTIME_DEVICE_VULKAN_RESULT_H

#include "runtime/Status.h"

#include <vulkan/vulkan_core.h>

namespace sparkle::runtime {

/// "VK_ERROR_DEVICE_LOST".
const char *getResultName(VkResult result);

/// Of a call of `function`; OK if `result` is no error.
Status toStatus(VkResult result, const char *function);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_VULKAN_RESULT_H
