/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Loads a shared object by path and prints what its kernels say of themselves.
 * Nothing else brings the libraries that it needs. */

#include "sparkle/runtime.h"

#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : 0;
  if (!object) {
    puts(dlerror());
    return 1;
  }
  const sparkle_kernel_t *const *kernels =
      (const sparkle_kernel_t *const *)dlsym(object, "sparkle_kernels");
  for (; *kernels; ++kernels) {
    sparkle_error_t error;
    if (sparkle_kernel_validate(*kernels, &error) != SPARKLE_OK) {
      puts(error.message);
      return 1;
    }
    printf("%s: %u tensors, for %s\n", (*kernels)->name,
           (*kernels)->tensor_count, (*kernels)->codes[0].processor);
    for (uint32_t i = 1; i < (*kernels)->code_count; ++i) {
      const sparkle_code_t *code = &(*kernels)->codes[i];
      printf("%s %s: %u bytes, %u launch%s\n",
             code->target == SPARKLE_TARGET_Vulkan ? "vulkan" : "cpu",
             code->processor, (unsigned)code->image_size, code->launch_count,
             code->launch_count == 1 ? "" : "es");
    }
  }
  return 0;
}
