/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Calls the kernel of conv3x3.spk from C: packs the weights once, runs it,
 * checks every output against conv3x3_reference, and times it.
 *
 *   sparkle-opt conv3x3.spk -o conv3x3.o
 *   cc main.c conv3x3.o -lomp -lm -o conv3x3 && ./conv3x3 */

#define _POSIX_C_SOURCE 200809L

#include "conv3x3.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1, K = 64, C = 64, H = 56, W = 56, R = 3, S = 3 };
enum { X_COUNT = N * C * H * W, Y_COUNT = N * K * H * W, REPEATS = 101 };

/* The integer hash "lowbias32" of Chris Wellons, as a number in [-1, 1). */
static float hash(uint32_t seed, uint32_t i) {
  uint32_t x = i + seed * 0x9e3779b9u;
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  x ^= x >> 16;
  return (float)(x >> 8) / 8388608.0f - 1.0f;
}

/* 64 bytes is a cache line, and a whole vector. */
static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) {
    perror("conv3x3");
    exit(2);
  }
  return memory;
}

static float *fill(size_t count, uint32_t seed) {
  float *values = allocate(count * sizeof *values);
  for (size_t i = 0; i < count; ++i)
    values[i] = hash(seed, (uint32_t)i);
  return values;
}

/* Returns the number of outputs that are not within the reference's bound. */
static size_t count_wrong(const float *x, const float *w, const float *b,
                          const float *y) {
  double *exact = allocate(Y_COUNT * sizeof *exact);
  double *bound = allocate(Y_COUNT * sizeof *bound);
  size_t wrong = 0;
  double worst = 0;
  if (conv3x3_reference(x, w, b, exact, bound, N) != 0) {
    fprintf(stderr, "conv3x3_reference failed\n");
    exit(2);
  }
  for (size_t i = 0; i < Y_COUNT; ++i) {
    double error = fabs(y[i] - exact[i]);
    wrong += !(error <= bound[i]); /* So that not-a-number is wrong. */
    worst = error > worst ? error : worst;
  }
  printf("%d outputs, %zu beyond their error bound, largest error %.2g\n",
         Y_COUNT, wrong, worst);
  free(exact);
  free(bound);
  return wrong;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A tap of the filter is real work where it meets the picture, and none where
 * it meets the padding. */
static double count_operations(void) {
  double taps = 0;
  for (int p = 0; p < H; ++p)
    for (int q = 0; q < W; ++q)
      for (int r = 0; r < R; ++r)
        for (int s = 0; s < S; ++s)
          taps += p + r >= 1 && p + r <= H && q + s >= 1 && q + s <= W;
  return 2.0 * N * K * C * taps;
}

int main(void) {
  float *x = fill(X_COUNT, 1); /* [N, H, W, C] */
  float *w = fill((size_t)K * C * R * S, 2);
  float *b = fill(K, 3);
  float *y = allocate(Y_COUNT * sizeof *y); /* [N, P, Q, K] */
  float *packed = allocate((size_t)conv3x3_packed_w_size());
  double seconds[REPEATS];

  if (conv3x3_pack_w(w, packed) != 0 || conv3x3(x, packed, b, y, N) != 0) {
    fprintf(stderr, "conv3x3 failed\n");
    return 2;
  }
  size_t wrong = count_wrong(x, w, b, y);

  for (int i = 0; i < REPEATS; ++i) {
    double start = now();
    conv3x3(x, packed, b, y, N);
    seconds[i] = now() - start;
  }
  qsort(seconds, REPEATS, sizeof *seconds, compare);
  double median = seconds[REPEATS / 2];
  printf("median of %d runs: %.3f ms, %.1f GFLOPS\n", REPEATS, median * 1e3,
         count_operations() / median * 1e-9);

  free(x);
  free(w);
  free(b);
  free(y);
  free(packed);
  return wrong != 0;
}
