/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints how the kernels of a shared object may be divided. */
#include "sparkle/kernel.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>

static void print(const sparkle_kernel_t *kernel,
                  const sparkle_split_t *split) {
  printf("%s along %s by %" PRId64 ":", kernel->name,
         kernel->size_names[split->size], split->step);
  for (uint32_t i = 0; i < split->slice_count; ++i) {
    const sparkle_slice_t *slice = &split->slices[i];
    printf(" %s[%u] %" PRId64 " (%" PRId64 " to %" PRId64 ")",
           kernel->tensors[slice->tensor].name, slice->dimension, slice->stride,
           slice->low, slice->high);
  }
  printf("\n");
}

int main(int argc, char **argv) {
  void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!object) {
    fprintf(stderr, "expected a shared object\n");
    return 1;
  }
  const sparkle_kernel_t *const *kernels = dlsym(object, "sparkle_kernels");
  for (; *kernels; ++kernels) {
    printf("%s: %u\n", (*kernels)->name, (*kernels)->split_count);
    for (uint32_t i = 0; i < (*kernels)->split_count; ++i)
      print(*kernels, &(*kernels)->splits[i]);
  }
  return 0;
}
