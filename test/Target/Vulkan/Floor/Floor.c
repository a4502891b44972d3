/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The descriptor of convolution.comp, by hand, with seven plain loops as its
 * reference: a shared object that the runtime opens like any other.
 *
 * y[m, o] = relu?(b[o] + sum(i, j, l: x[image(m), row, column, l] *
 * f[i, j, l, o]) + z[m, o]?), m counting the pixels of all images. The
 * runtime's sizes are linear, so the caller multiplies: pixels = n * p * q. */

#include "sparkle/kernel.h"

#include "image.h"

#include <math.h>
#include <stddef.h>

/* The sizes, in the order of the push constants. */
enum {
  N,
  H,
  W,
  C,
  K,
  R,
  S,
  P,
  Q,
  PIXELS,
  STRIDE_H,
  STRIDE_W,
  PAD_H,
  PAD_W,
  DILATION_H,
  DILATION_W,
  ADDED,
  SUM,
  RELU,
  SIZES
};

static const char *const sizeNames[SIZES] = {
    "n",          "h",        "w",     "c",     "k",
    "r",          "s",        "p",     "q",     "pixels",
    "stride_h",   "stride_w", "pad_h", "pad_w", "dilation_h",
    "dilation_w", "added",    "sum",   "relu"};

static const int64_t one[SIZES][SIZES] = {
    [N] = {[N] = 1}, [H] = {[H] = 1},           [W] = {[W] = 1},
    [C] = {[C] = 1}, [K] = {[K] = 1},           [R] = {[R] = 1},
    [S] = {[S] = 1}, [PIXELS] = {[PIXELS] = 1}, [ADDED] = {[ADDED] = 1}};

static const sparkle_extent_t xExtents[] = {
    {0, 1, one[N]}, {0, 1, one[H]}, {0, 1, one[W]}, {0, 1, one[C]}};
static const sparkle_extent_t filterExtents[] = {
    {0, 1, one[R]}, {0, 1, one[S]}, {0, 1, one[C]}, {0, 1, one[K]}};
static const sparkle_extent_t biasExtents[] = {{0, 1, one[K]}};
static const sparkle_extent_t zExtents[] = {{0, 1, one[ADDED]}, {0, 1, one[K]}};
static const sparkle_extent_t yExtents[] = {{0, 1, one[PIXELS]},
                                            {0, 1, one[K]}};

static const sparkle_factor_t rowMajor[] = {
    {0, 0, 1, 0}, {1, 0, 1, 0}, {2, 0, 1, 0}, {3, 0, 1, 0}};

static const sparkle_tensor_t tensors[] = {
    {"x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 4, 4, xExtents, rowMajor, 0,
     0},
    {"f", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 4, 4, filterExtents,
     rowMajor, 0, 0},
    {"b", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 1, 1, biasExtents, rowMajor,
     0, 0},
    {"z", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 2, 2, zExtents, rowMajor, 0,
     0},
    {"y", SPARKLE_ROLE_OUTPUT, SPARKLE_ELEMENT_F32, 2, 2, yExtents, rowMajor, 0,
     0}};

/* Tiles of 64 pixels and 64 channels, as the shader's. */
static const sparkle_extent_t grid[] = {{63, 64, one[PIXELS]},
                                        {63, 64, one[K]}};
static const sparkle_launch_t launch = {
    "main", grid, 2, 128, 16 * 17 * 16 + 16 * 16 * 16, 0};

static const sparkle_code_t code = {.target = SPARKLE_TARGET_Vulkan,
                                    .processor = "small",
                                    .pattern = "",
                                    .image = image,
                                    .image_size = sizeof image,
                                    .image_hash = IMAGE_HASH,
                                    .launches = &launch,
                                    .launch_count = 1};

/* Taps of `size` that meet the input, over all `outputs` along one side. */
static int64_t countTaps(const int64_t *sizes, int outputs, int taps, int input,
                         int stride, int pad, int dilation) {
  int64_t count = 0;
  for (int64_t i = 0; i < sizes[outputs]; ++i)
    for (int64_t j = 0; j < sizes[taps]; ++j) {
      int64_t at = i * sizes[stride] + j * sizes[dilation] - sizes[pad];
      count += at >= 0 && at < sizes[input];
    }
  return count;
}

static int64_t countOperations(const int64_t *sizes) {
  if (sizes[P] <= 0 || sizes[Q] <= 0)
    return -1;
  return 2 * sizes[C] * sizes[K] * (sizes[PIXELS] / (sizes[P] * sizes[Q])) *
         countTaps(sizes, P, R, H, STRIDE_H, PAD_H, DILATION_H) *
         countTaps(sizes, Q, S, W, STRIDE_W, PAD_W, DILATION_W);
}

/* One output, and in `*size` what its error is measured by. */
static double computeOne(const int64_t *z, const float *x, const float *f,
                         int64_t pixel, int64_t channel, double *size) {
  int64_t at = pixel / (z[P] * z[Q]);
  int64_t rest = pixel % (z[P] * z[Q]);
  double sum = 0;
  *size = 0;
  for (int64_t i = 0; i < z[R]; ++i)
    for (int64_t j = 0; j < z[S]; ++j) {
      int64_t row = rest / z[Q] * z[STRIDE_H] + i * z[DILATION_H] - z[PAD_H];
      int64_t column = rest % z[Q] * z[STRIDE_W] + j * z[DILATION_W] - z[PAD_W];
      if (at >= z[N] || row < 0 || row >= z[H] || column < 0 || column >= z[W])
        continue;
      for (int64_t c = 0; c < z[C]; ++c) {
        double term =
            (double)x[((at * z[H] + row) * z[W] + column) * z[C] + c] *
            f[((i * z[S] + j) * z[C] + c) * z[K] + channel];
        sum += term;
        *size += fabs(term);
      }
    }
  return sum;
}

/* The error of any order of summation: Higham, Accuracy and Stability of
 * Numerical Algorithms, 3.1. */
static int computeReference(void *const *arguments, const int64_t *sizes) {
  const float *x = arguments[0], *f = arguments[1], *bias = arguments[2];
  const float *z = arguments[3];
  double *y = arguments[4], *bounds = arguments[5];
  if (!x || !f || !bias || !z || !y || sizes[P] <= 0 || sizes[Q] <= 0)
    return 1;
  double terms = (double)(sizes[R] * sizes[S] * sizes[C]) + 3;
  for (int64_t m = 0; m < sizes[PIXELS]; ++m)
    for (int64_t o = 0; o < sizes[K]; ++o) {
      double size;
      double other = sizes[SUM] ? z[m * sizes[K] + o] : 0;
      double value = computeOne(sizes, x, f, m, o, &size) + bias[o] + other;
      y[m * sizes[K] + o] = sizes[RELU] && value < 0 ? 0 : value;
      if (bounds)
        bounds[m * sizes[K] + o] =
            terms * 0x1p-24 * (size + fabs(bias[o]) + fabs(other));
    }
  return 0;
}

const sparkle_kernel_t floor_convolution_kernel = {
    .magic = SPARKLE_KERNEL_MAGIC,
    .version = SPARKLE_KERNEL_VERSION,
    .struct_size = sizeof(sparkle_kernel_t),
    .size_count = SIZES,
    .tensor_count = 5,
    .code_count = 1,
    .name = "floor_convolution",
    .compiler = "glslang",
    .size_names = sizeNames,
    .tensors = tensors,
    .codes = &code,
    .operation_count = countOperations,
    .reference = computeReference};

const sparkle_kernel_t *const sparkle_kernels[] = {&floor_convolution_kernel,
                                                   NULL};
