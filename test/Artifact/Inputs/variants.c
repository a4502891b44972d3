/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Calls every variant that this machine runs by its own name, then lets the
 * kernel choose, and asks the runtime what it would have chosen. */

#include "product.h"
#include "sparkle/kernel.h"
#include "sparkle/runtime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 7, K = 20, C = 5 };

static float x[N * C], w[K * C], y[N * K];
static double exact[N * K], bound[N * K];

typedef int (*pack_t)(const float *, float *);
typedef int (*kernel_t)(const float *, const float *, float *, void *, int64_t);

static int run(const char *name, int64_t packed_size, int64_t workspace_size,
               pack_t pack, kernel_t kernel) {
  float *packed = malloc((size_t)packed_size);
  void *workspace = malloc((size_t)workspace_size);
  memset(y, 0xff, sizeof(y));
  int wrong = pack(w, packed) || kernel(x, packed, y, workspace, N);
  for (int i = 0; i < N * K; ++i)
    wrong += !(fabs(y[i] - exact[i]) <= bound[i]);
  free(packed), free(workspace);
  printf("%s: %d wrong\n", name, wrong);
  return wrong;
}

#define RUN(label, name)                                                       \
  run(label, name##_packed_w_size(), name##_workspace_size(N), name##_pack_w,  \
      name)

int main(void) {
  for (int i = 0; i < N * C; ++i)
    x[i] = (float)((i * 7919 + 13) % 2003) / 1001.5f - 1;
  for (int i = 0; i < K * C; ++i)
    w[i] = (float)((i * 104729 + 7) % 1999) / 999.5f - 1;
  const sparkle_code_t *best, *codes = product_kernel.codes;
  uint64_t features;
  if (product_reference(x, w, exact, bound, N) ||
      sparkle_cpu_find_code(&product_kernel, &best, 0) ||
      sparkle_cpu_query_features(&features, 0))
    return 1;
  int wrong = 0;
  if (!(codes[0].features & ~features))
    wrong += RUN("avx512", product_avx512);
  if (!(codes[1].features & ~features))
    wrong += RUN("avx2", product_avx2);
  wrong += RUN("baseline", product_baseline);
  /* Every variant packs to another size. */
  int same = product_packed_w_size() == best->packings[0].size;
  printf("same choice: %d\n", same);
  wrong += RUN("chosen", product);
  return wrong || !same;
}
