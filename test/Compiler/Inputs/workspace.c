/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Prints how large a workspace each code of a kernel wants, for several values
 * of its one size. */

#include "sparkle/kernel.h"

#include <stdio.h>

extern const sparkle_kernel_t product_kernel;

int main(void) {
  const int64_t sizes[] = {3, 10, 0, -1};
  for (uint32_t c = 0; c < product_kernel.code_count; ++c) {
    const sparkle_code_t *code = &product_kernel.codes[c];
    printf("%s:", code->processor);
    for (int i = 0; i < 4; ++i)
      printf(" %d", (int)code->workspace_size(&sizes[i]));
    printf("\n");
  }
  return 0;
}
