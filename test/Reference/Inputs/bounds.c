/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Computes what bounds.spk does in float, in several orders, and in double, and
 * holds both against the reference: the doubles agree, the floats are within
 * the bound, and the bound is not so wide that it would hide a mistake. */

#include "bounds.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { N = 200, C = 301, OUTPUTS = 24, SMOOTH = 16 };

/* Of the outputs from SMOOTH on: how far apart two values may be at all; what
 * may be none has no bound. */
static const double range[] = {1e-40, 2.08, 1.5, 2, 6, 2, INFINITY, INFINITY};

static float x[N * C], w[C];

static float relu6f(float v) { return fminf(fmaxf(v, 0), 6); }
static double relu6(double v) { return fmin(fmax(v, 0), 6); }

/* Of the sum `v`, every function of the language. */
static void functionsf(float v, float *out) {
  out[0] = fmaxf(v, 0);
  out[1] = relu6f(v);
  out[2] = 1 / (1 + expf(-v));
  out[3] = tanhf(v);
  out[4] = v / (1 + expf(-v));
  out[5] = 0.5f * v * (1 + erff(v * 0.70710678f));
  out[6] = v * (relu6f(v + 3) * (1.0f / 6));
  out[7] = fminf(fmaxf(v * 0.1f - 0.5f, -1), 1.25f);
  out[8] = -v / (v * v + 1);
  out[9] = expf(fminf(v, 2));
  out[10] = logf(v * v + 0.5f);
  out[11] = sqrtf(v * v + 0.5f);
  out[12] = rintf(v);
  out[13] = fmaxf(v, 0) + log1pf(expf(-fabsf(v)));
  out[14] = (float)((v < 0) + (v >= 0.5f));
  out[15] = v > 0 ? v : -1;
  out[16] = 0;
  out[17] = logf(fminf(fmaxf(v, 0.5f), 4));
  out[18] = 1 / fminf(fmaxf(v, 0.5f), 2);
  out[19] = 1;
  out[20] = relu6f(expf(v));
  out[21] = v > 1 ? sqrtf(v) : fminf(v, 0) / (1 + expf(-fminf(v, 0)));
  out[22] = NAN;
  out[23] = -1;
}

static void functions(double v, double *out) {
  out[0] = fmax(v, 0);
  out[1] = relu6(v);
  out[2] = 1 / (1 + exp(-v));
  out[3] = tanh(v);
  out[4] = v / (1 + exp(-v));
  out[5] = 0.5 * v * (1 + erf(v * 0.70710678118654752));
  out[6] = v * relu6(v + 3) / 6;
  out[7] = fmin(fmax(v * 0.1f - 0.5, -1), 1.25);
  out[8] = -v / (v * v + 1);
  out[9] = exp(fmin(v, 2));
  out[10] = log(v * v + 0.5);
  out[11] = sqrt(v * v + 0.5);
  out[12] = rint(v);
  out[13] = fmax(v, 0) + log1p(exp(-fabs(v)));
  out[14] = (v < 0) + (v >= 0.5);
  out[15] = v > 0 ? v : -1;
  out[16] = 0;
  out[17] = log(fmin(fmax(v, 0.5), 4));
  out[18] = 1 / fmin(fmax(v, 0.5), 2);
  out[19] = 1;
  out[20] = relu6(exp(v));
  out[21] = v > 1 ? sqrt(v) : fmin(v, 0) / (1 + exp(-fmin(v, 0)));
  out[22] = NAN;
  out[23] = -1;
}

/* Forwards, backwards, in two halves, fused. */
static float sum(const float *row, int order) {
  float left = 0, right = 0;
  for (int i = 0; i < C; ++i) {
    int c = order == 1 ? C - 1 - i : i;
    float *side = order == 2 && i % 2 ? &right : &left;
    *side = order == 3 ? fmaf(row[c], w[c], *side) : *side + row[c] * w[c];
  }
  return left + right;
}

static double magnitude(const float *row) {
  double total = 0;
  for (int c = 0; c < C; ++c)
    total += fabs((double)row[c] * w[c]);
  return total;
}

int main(void) {
  static double y[OUTPUTS][N], bound[OUTPUTS][N];
  for (int c = 0; c < C; ++c)
    w[c] = (float)((c * 7919) % 2003) / 1001.5f - 1;
  /* From rows whose sum is far below 1 to some far above, and some where a
   * float has no exp any more. */
  for (int i = 0; i < N * C; ++i)
    x[i] = ((float)((i * 104729) % 2017) / 1008.5f - 1) *
           powf(2, (float)(i / C % 20 - 10));
  for (int i = 0; i < C; ++i)
    x[i] = w[i] * -0.9f, x[C + i] = w[i] * -0.88f, x[2 * C + i] = w[i] * -1.1f;
  if (bounds_reference(x, w, y[0], bound[0], y[1], bound[1], y[2], bound[2],
                       y[3], bound[3], y[4], bound[4], y[5], bound[5], y[6],
                       bound[6], y[7], bound[7], y[8], bound[8], y[9], bound[9],
                       y[10], bound[10], y[11], bound[11], y[12], bound[12],
                       y[13], bound[13], y[14], bound[14], y[15], bound[15],
                       y[16], bound[16], y[17], bound[17], y[18], bound[18],
                       y[19], bound[19], y[20], bound[20], y[21], bound[21],
                       y[22], bound[22], y[23], bound[23], N) != 0)
    return 1;

  int wrong = 0;
  for (int n = 0; n < N; ++n) {
    const float *row = x + n * C;
    double total = 0, exact[OUTPUTS];
    for (int c = 0; c < C; ++c)
      total += (double)row[c] * w[c];
    functions(total, exact);
    double scale = magnitude(row);
    for (int i = 0; i < OUTPUTS; ++i) {
      /* Some number stands for what may be none, or infinite. */
      if (i < 22)
        wrong += !(fabs(y[i][n] - exact[i]) <= 1e-12 * (scale + 1));
      wrong += isnan(y[i][n]) || isnan(bound[i][n]);
      wrong += i >= SMOOTH && isinf(range[i - SMOOTH]) && !isinf(bound[i][n]);
      /* exp is steeper, by up to exp(2); round and comparisons jump. */
      double slope = i == 9 ? 8 : 1, jump = i == 12 || i >= 14;
      double widest = 4 * slope * (C + 8) * FLT_EPSILON * (scale + 1) + jump;
      wrong += !(bound[i][n] <= (i < SMOOTH ? widest : range[i - SMOOTH]));
    }
    for (int order = 0; order < 4; ++order) {
      float inexact[OUTPUTS];
      functionsf(sum(row, order), inexact);
      for (int i = 0; i < OUTPUTS; ++i)
        if (!isinf(bound[i][n]) &&
            !(fabs(inexact[i] - y[i][n]) <= bound[i][n])) {
          printf("output %d, row %d, order %d: %.9g is not within %.3g of "
                 "%.17g\n",
                 i, n, order, inexact[i], bound[i][n], y[i][n]);
          ++wrong;
        }
    }
  }
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
