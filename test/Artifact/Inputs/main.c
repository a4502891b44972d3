/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs the kernels of first.o and second.o, in C and in C++, and compares them
 * with their references: directly, and through the descriptor. */

#include "first.h"
#include "second.h"
#include "sparkle/kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 3, C = 20, K = 17, H = 5, W = 7 };
enum { X = N * C * H * W, D = C * 9, V = K * C, Y = N * K * H * W };

static float x[X], d[D], w[V], y[Y], z[Y];
static double exact[Y], bound[Y];

static void fill(float *values, int count) {
  for (int i = 0; i < count; ++i)
    values[i] = (float)((i * 7919 + 13) % 2003) / 1001.5f - 1;
}

static int compare(const char *what, const float *values) {
  int wrong = 0;
  for (int i = 0; i < Y; ++i)
    wrong += !(fabs(values[i] - exact[i]) <= bound[i]);
  printf("%s: %d wrong\n", what, wrong);
  return wrong != 0;
}

/* As a runtime does it: nothing but the descriptor. */
static int invoke(const sparkle_kernel_t *kernel, void *packed_d,
                  void *packed_w, void *workspace) {
  int64_t sizes[] = {N};
  void *arguments[] = {x, packed_d, packed_w, z, workspace};
  void *references[] = {x, d, w, exact, bound};
  if (kernel->codes[0].packings[0].pack(d, packed_d) ||
      kernel->codes[0].packings[1].pack(w, packed_w) ||
      kernel->codes[0].invoke(arguments, sizes) ||
      kernel->reference(references, sizes))
    return 1;
  /* Of 9 taps, those that lie inside: 7 of 9 along 3 rows of 5, and so on. */
  int64_t taps = (int64_t)N * C * (3 * H - 2) * (3 * W - 2);
  int64_t products = (int64_t)N * K * H * W * C;
  printf("%d\n", kernel->operation_count(sizes) == 2 * (taps + products));
  return compare("invoke", z);
}

int main(void) {
  fill(x, X), fill(d, D), fill(w, V);
  void *packed_d = malloc((size_t)separable_packed_d_size());
  void *packed_w = malloc((size_t)separable_packed_w_size());
  void *workspace = malloc((size_t)separable_workspace_size(N));
  int failed =
      separable_pack_d(d, (float *)packed_d) ||
      separable_pack_w(w, (float *)packed_w) ||
      separable(x, (float *)packed_d, (float *)packed_w, y, workspace, N) ||
      separable_reference(x, d, w, exact, bound, N) || compare("call", y);
  failed |= invoke(&separable_kernel, packed_d, packed_w, workspace);

  /* The second object's kernel twice: the first one's state is its own. */
  float out[8];
  failed |= scale(x, out) || out[3] != x[3] * 2;

  /* Errors. No memory is touched where there is nothing to do. */
  failed |=
      separable(x, (float *)packed_d, (float *)packed_w, y, workspace, -1) != 1;
  failed |=
      separable(0, (float *)packed_d, (float *)packed_w, y, workspace, N) != 1;
  failed |= separable(0, 0, 0, 0, 0, 0) != 0;
  failed |= separable_reference(x, d, w, exact, bound, -1) != 1;
  failed |= separable_reference(0, d, w, exact, bound, N) != 1;
  failed |= separable_reference(x, d, w, exact, 0, N) != 0;
  failed |= separable_reference(0, 0, 0, 0, 0, 0) != 0;
  failed |= separable_reference(x, d, w, exact, bound, INT64_MAX) != 1;
  failed |= separable_workspace_size(-1) != -1;
  free(packed_d), free(packed_w), free(workspace);
  puts(failed ? "failed" : "passed");
  return failed;
}
