// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands between the runtime and the real Vulkan loader: a library that
// the runtime opens by SPARKLE_VULKAN_LIBRARY and cannot tell from the loader,
// and that puts functions of its own in the place of some.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_BETWEEN_H
#define SPARKLE_TEST_RUNTIME_VULKAN_BETWEEN_H

#include <vulkan/vulkan_core.h>

/// Exported by the real loader, or null. It finds the driver by the handle that
/// it is given, so it serves all instances.
PFN_vkVoidFunction getReal(const char *name);

/// Of the library that is made with Between.cpp: what the runtime gets when it
/// asks for `name` and the real loader would give `real`.
PFN_vkVoidFunction wrap(const char *name, PFN_vkVoidFunction real);

#endif // SPARKLE_TEST_RUNTIME_VULKAN_BETWEEN_H
