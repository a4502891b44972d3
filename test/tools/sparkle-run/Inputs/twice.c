/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A shared object by hand, whose kernel y[i] = 2 * x[i] does what MODE says. */

#include "sparkle/kernel.h"

#include <math.h>
#include <stddef.h>

enum {
  RIGHT,
  WRONG,
  FORGETFUL,
  REACHING,
  MEDDLING,
  REFUSING,
  UNBOUND,
  SHARING
};
enum { COUNT = 8 };

static int invoke(void *const *arguments, const int64_t *sizes) {
  float *x = arguments[0], *y = arguments[1];
  (void)sizes;
  if (MODE == SHARING) /* x is no longer what it was */
    y[5] = 1;
  for (int i = 0; i < COUNT - (MODE == FORGETFUL); ++i)
    y[i] = 2 * x[i];
  if (MODE == WRONG)
    y[5] += 1;
  if (MODE == REACHING)
    y[COUNT] = 0;
  if (MODE == MEDDLING)
    x[3] = 0;
  return MODE == REFUSING;
}

static int reference(void *const *arguments, const int64_t *sizes) {
  const float *x = arguments[0];
  double *y = arguments[1], *bound = arguments[2];
  (void)sizes;
  for (int i = 0; i < COUNT; ++i) {
    y[i] = 2 * (double)x[i];
    if (bound)
      bound[i] = MODE == UNBOUND && i == 2 ? (double)NAN : 1e-6;
  }
  return 0;
}

static int64_t count_operations(const int64_t *sizes) {
  (void)sizes;
  /* Far more than there are, which no machine can do in the time. */
  return MODE == RIGHT ? INT64_C(1000000000000) : COUNT;
}

static const sparkle_extent_t extents[] = {{COUNT, 1, NULL}};
static const sparkle_factor_t layout[] = {{0, 0, 1, 0}};
static const sparkle_tensor_t tensors[] = {
    {"x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 1, 1, extents, layout,
     MODE == SHARING ? 2 : 0, 0},
    {"y", SPARKLE_ROLE_OUTPUT, SPARKLE_ELEMENT_F32, 1, 1, extents, layout, 0,
     0}};
static const sparkle_code_t codes[] = {{.target = SPARKLE_TARGET_CPU,
                                        .processor = "x86-64",
                                        .pattern = "",
                                        .invoke = invoke}};

const sparkle_kernel_t twice_kernel = {.magic = SPARKLE_KERNEL_MAGIC,
                                       .version = SPARKLE_KERNEL_VERSION,
                                       .struct_size = sizeof(sparkle_kernel_t),
                                       .tensor_count = 2,
                                       .code_count = 1,
                                       .name = "twice",
                                       .compiler = "by hand",
                                       .tensors = tensors,
                                       .codes = codes,
                                       .operation_count = count_operations,
                                       .reference = reference};

/* What a shared object's kernels are found by. */
const sparkle_kernel_t *const sparkle_kernels[] = {&twice_kernel, NULL};
