// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A descriptor written by hand: y[n, k] = sum(c: x[n, c] * w[k, c]), with w
// packed in blocks of 16, and divided along N. Tests damage copies of it.

#ifndef SPARKLE_TEST_RUNTIME_DESCRIPTOR_H
#define SPARKLE_TEST_RUNTIME_DESCRIPTOR_H

#include "sparkle/kernel.h"

/// Everything that a descriptor points to, in one place that can be written.
struct Descriptor {
  Descriptor() {
    tensors[0] = {
        "x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 2, 2, xExtents, plain, 0,
        0};
    tensors[1] = {
        "w", SPARKLE_ROLE_WEIGHT, SPARKLE_ELEMENT_F32, 2, 2, wExtents, plain, 0,
        0};
    tensors[2] = {
        "y", SPARKLE_ROLE_OUTPUT, SPARKLE_ELEMENT_F32, 2, 2, yExtents, plain, 0,
        0};
    code.target = SPARKLE_TARGET_CPU;
    code.packing_count = 1;
    code.processor = "x86-64";
    code.pattern = "";
    code.packings = &packing;
    code.invoke = invoke;
    kernel.tensors = tensors;
    kernel.codes = &code;
    kernel.splits = &split;
  }
  Descriptor(const Descriptor &) = delete;

  static int pack(const void *, void *) { return 0; }
  static int invoke(void *const *, const int64_t *) { return 0; }
  static int64_t workspaceSize(const int64_t *) { return 0; }

  int64_t n[1] = {1};
  const char *names[1] = {"N"};
  sparkle_extent_t xExtents[2] = {{0, 1, n}, {8, 1, nullptr}};
  sparkle_extent_t wExtents[2] = {{20, 1, nullptr}, {8, 1, nullptr}};
  sparkle_extent_t yExtents[2] = {{0, 1, n}, {20, 1, nullptr}};
  sparkle_factor_t plain[2] = {{0, 0, 1, 0}, {1, 0, 1, 0}};
  sparkle_factor_t blocked[3] = {{0, 0, 16, 0}, {1, 0, 1, 0}, {0, 0, 1, 16}};
  sparkle_tensor_t tensors[3];
  sparkle_packing_t packing = {1, 3, blocked, nullptr, 32 * 8 * 4, pack};
  sparkle_code_t code = {};
  sparkle_slice_t slices[2] = {{0, 0, 1, 0, 0}, {2, 0, 1, 0, 0}};
  sparkle_split_t split = {0, 2, 1, slices};
  sparkle_kernel_t kernel = {SPARKLE_KERNEL_MAGIC,
                             SPARKLE_KERNEL_VERSION,
                             sizeof(sparkle_kernel_t),
                             1,
                             3,
                             1,
                             1,
                             0,
                             "product",
                             "by hand",
                             0,
                             names,
                             nullptr,
                             nullptr,
                             nullptr,
                             nullptr,
                             nullptr};
};

#endif // SPARKLE_TEST_RUNTIME_DESCRIPTOR_H
