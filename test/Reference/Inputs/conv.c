/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A strided, dilated, unevenly padded convolution in blocked layouts by eight
 * loops, against the reference. */

#include "conv.h"
#include "sparkle/kernel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 2, C = 5, H = 11, W = 10, K = 6, P = 5, Q = 9 };

static float x[N * 2 * H * W * 4], w[K * C * 3 * 2];
static double y[N * 2 * P * Q * 4];

static double at(int n, int c, int h, int v) {
  if (h < 0 || h >= H || v < 0 || v >= W)
    return 0;
  return x[(((n * 2 + c / 4) * H + h) * W + v) * 4 + c % 4];
}

int main(void) {
  for (unsigned i = 0; i < sizeof(x) / sizeof(*x); ++i)
    x[i] = (float)(i * 31 % 17) - 8;
  for (unsigned i = 0; i < sizeof(w) / sizeof(*w); ++i)
    w[i] = (float)(i * 23 % 13) - 6;
  memset(y, -1, sizeof y);
  if (conv_reference(x, w, y, 0, N) != 0)
    return 1;

  int wrong = 0;
  int64_t terms = 0;
  for (int n = 0; n < N; ++n)
    for (int k = 0; k < K; ++k)
      for (int p = 0; p < P; ++p)
        for (int q = 0; q < Q; ++q) {
          double sum = 0;
          for (int c = 0; c < C; ++c)
            for (int r = 0; r < 3; ++r)
              for (int s = 0; s < 2; ++s) {
                int h = 2 * p + 2 * r - 1, v = q + 3 * s - 2;
                sum += at(n, c, h, v) * w[((k * C + c) * 3 + r) * 2 + s];
                terms += h >= 0 && h < H && v >= 0 && v < W;
              }
          wrong += y[(((n * 2 + k / 4) * P + p) * Q + q) * 4 + k % 4] != sum;
        }
  int64_t sizes[] = {N};
  printf("%d wrong\n", wrong);
  printf("%d\n", conv_kernel.operation_count(sizes) == 2 * terms);
  return wrong != 0;
}
