/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Prints what the first code of a kernel says that it moves, for several
 * values of its one size. */

#include "sparkle/kernel.h"

#include <stdio.h>

extern const sparkle_kernel_t product_kernel;

int main(void) {
  const sparkle_code_t *code = &product_kernel.codes[0];
  const int64_t sizes[] = {10, 0, -1};
  for (int i = 0; i < 3; ++i)
    printf("N = %d: %d far, %d near\n", (int)sizes[i],
           (int)code->far_bytes(&sizes[i]), (int)code->near_bytes(&sizes[i]));
  return 0;
}
