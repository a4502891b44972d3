// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A descriptor around GLSL: y[i] = 2 * x[i] + 1 for i < N.

#ifndef SPARKLE_TEST_RUNTIME_VULKAN_KERNELS_H
#define SPARKLE_TEST_RUNTIME_VULKAN_KERNELS_H

#include "sparkle/runtime.h"

#include "Affine.comp.h" // affineCode, made from Affine.comp

/// Everything in one place that can be written.
struct AffineKernel {
  AffineKernel() {
    tensors[0] = {
        "x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 1, 1, &extent, &factor, 0,
        0};
    tensors[1] = tensors[0];
    tensors[1].name = "y";
    tensors[1].role = SPARKLE_ROLE_OUTPUT;
    launch.entry = "main";
    launch.grid = &groups;
    launch.grid_count = 1;
    launch.invocations = 64;
    code.target = SPARKLE_TARGET_Vulkan;
    code.processor = "any";
    code.pattern = "";
    code.image = image;
    code.image_size = sizeof(image);
    code.launches = &launch;
    code.launch_count = 1;
    kernel.magic = SPARKLE_KERNEL_MAGIC;
    kernel.version = SPARKLE_KERNEL_VERSION;
    kernel.struct_size = sizeof(kernel);
    kernel.size_count = 1;
    kernel.tensor_count = 2;
    kernel.code_count = 1;
    kernel.name = "affine";
    kernel.compiler = "by hand";
    kernel.size_names = &sizeName;
    kernel.tensors = tensors;
    kernel.codes = &code;
    for (size_t i = 0; i < sizeof(image) / 4; ++i)
      setImage(i, affineCode[i]);
  }
  AffineKernel(const AffineKernel &) = delete;

  /// Changes a word, and the hash with it.
  void setImage(size_t word, uint32_t value) {
    image[word] = value;
    code.image_hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < sizeof(image); ++i)
      code.image_hash =
          (code.image_hash ^ reinterpret_cast<const uint8_t *>(image)[i]) *
          0x100000001b3;
  }

  const char *sizeName = "N";
  int64_t one[1] = {1};
  sparkle_extent_t extent = {0, 1, one};
  sparkle_extent_t groups = {63, 64, one};
  sparkle_factor_t factor = {0, 0, 1, 0};
  sparkle_tensor_t tensors[2];
  sparkle_launch_t launch = {};
  alignas(16) uint32_t image[sizeof(affineCode) / 4] = {};
  sparkle_code_t code = {};
  sparkle_kernel_t kernel = {};
};

#endif // SPARKLE_TEST_RUNTIME_VULKAN_KERNELS_H
