/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The public headers are C11, and the library links into a C program. */

#include "sparkle/runtime.h"

_Static_assert(SPARKLE_TARGET_CPU == 1, "numbers of targets never change");
_Static_assert(sizeof(sparkle_error_t) == 252, "part of the ABI");
_Static_assert(sizeof(sparkle_extent_t) == 24, "part of the ABI");
_Static_assert(sizeof(sparkle_factor_t) == 24, "part of the ABI");
_Static_assert(sizeof(sparkle_tensor_t) == 40, "part of the ABI");
_Static_assert(sizeof(sparkle_packing_t) == 32, "part of the ABI");
_Static_assert(sizeof(sparkle_launch_t) == 32, "part of the ABI");
_Static_assert(sizeof(sparkle_code_t) == 120, "part of the ABI");
_Static_assert(sizeof(sparkle_kernel_t) == 88, "part of the ABI");

int main(void) {
  uint64_t features = 0;
  return sparkle_cpu_query_features(&features, 0) == SPARKLE_OK ? 0 : 1;
}
