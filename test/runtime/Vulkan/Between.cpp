// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens the real loader and hands out its functions, wrapped.

#include "test/runtime/Vulkan/Between.h"

#include <cstring>
#include <dlfcn.h>

PFN_vkVoidFunction getReal(const char *name) {
  // Stays open: what it gave out is used until the process ends.
  static void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  return library ? reinterpret_cast<PFN_vkVoidFunction>(dlsym(library, name))
                 : nullptr;
}

static PFN_vkGetDeviceProcAddr realGetDeviceProcAddr;

static PFN_vkVoidFunction getDeviceProcAddr(VkDevice device, const char *name) {
  return wrap(name, realGetDeviceProcAddr(device, name));
}

extern "C" __attribute__((visibility("default"))) PFN_vkVoidFunction
vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  auto real = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      getReal("vkGetInstanceProcAddr"));
  if (!real)
    return nullptr;
  PFN_vkVoidFunction function = real(instance, name);
  if (std::strcmp(name, "vkGetDeviceProcAddr") != 0)
    return wrap(name, function);
  realGetDeviceProcAddr = reinterpret_cast<PFN_vkGetDeviceProcAddr>(function);
  return reinterpret_cast<PFN_vkVoidFunction>(getDeviceProcAddr);
}
