/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Prints how many operations two kernels have, and how many their first code
 * does, for several values of their one size. */

#include "sparkle/kernel.h"

#include <stdio.h>

extern const sparkle_kernel_t direct_kernel, rewritten_kernel;

static void print(const sparkle_kernel_t *kernel) {
  const int64_t sizes[] = {2, 0, -1};
  const sparkle_code_t *code = &kernel->codes[0];
  for (int i = 0; i < 3; ++i) {
    printf("%s, N = %d: %d", kernel->name, (int)sizes[i],
           (int)kernel->operation_count(&sizes[i]));
    if (code->operation_count)
      printf(", does %d", (int)code->operation_count(&sizes[i]));
    printf("\n");
  }
}

int main(void) {
  print(&direct_kernel);
  print(&rewritten_kernel);
  return 0;
}
