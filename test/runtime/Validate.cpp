// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors, good and damaged: each check of runtime/Validate.cpp fails once,
// with its own sentence.

#include "sparkle/runtime.h"
#include "test/runtime/Descriptor.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

struct Validate : testing::Test {
  Descriptor good;

  void expectMessage(const char *message) {
    sparkle_error_t error;
    EXPECT_EQ(sparkle_kernel_validate(&good.kernel, &error),
              SPARKLE_INVALID_ARTIFACT);
    EXPECT_EQ(error.status, SPARKLE_INVALID_ARTIFACT);
    EXPECT_STREQ(error.message, message);
  }
};

TEST_F(Validate, good) {
  sparkle_error_t error;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, &error), SPARKLE_OK);
  EXPECT_STREQ(error.message, "");
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
}

TEST_F(Validate, null) {
  sparkle_error_t error;
  EXPECT_EQ(sparkle_kernel_validate(nullptr, &error), SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message,
               "expected a kernel descriptor, but got a null pointer");
}

TEST_F(Validate, magic) {
  good.kernel.magic = 0x464c457f;
  expectMessage("expected a kernel descriptor, but got magic 0x464c457f");
}

TEST_F(Validate, version) {
  good.kernel.version = 4;
  expectMessage("expected kernel descriptor version 6, but got 4");
}

TEST_F(Validate, structSize) {
  good.kernel.struct_size = 88;
  expectMessage("expected a kernel descriptor of 104 bytes, but got 88");
}

TEST_F(Validate, kernelName) {
  good.kernel.name = nullptr;
  expectMessage("expected a name of the kernel, but got a null pointer");
  good.kernel.name = "two words";
  expectMessage("expected an identifier as name of the kernel, but got "
                "'two words'");
}

TEST_F(Validate, compiler) {
  good.kernel.compiler = nullptr;
  expectMessage("kernel 'product': expected the name of a compiler, but got a "
                "null pointer");
}

TEST_F(Validate, sizes) {
  good.kernel.size_count = 257;
  expectMessage("expected at most 256 sizes, but got 257");
  good.kernel.size_count = 0;
  expectMessage("expected 0 sizes, but got a pointer");
  good.kernel.size_count = 1;
  good.names[0] = "1";
  expectMessage("expected an identifier as name of the size, but got '1'");
}

TEST_F(Validate, tensors) {
  good.kernel.tensors = nullptr;
  expectMessage("expected 3 tensors, but got a null pointer");
}

TEST_F(Validate, noTensor) {
  good.kernel.tensors = nullptr;
  good.kernel.tensor_count = 0;
  expectMessage("kernel 'product': expected an output, but got none");
}

TEST_F(Validate, noOutput) {
  good.kernel.tensor_count = 2;
  expectMessage("kernel 'product': expected an output, but got none");
}

TEST_F(Validate, tensorName) {
  good.tensors[1].name = "";
  expectMessage("expected an identifier as name of the tensor, but got ''");
  good.tensors[1].name = "x";
  expectMessage("expected distinct tensors, but got 'x' twice");
}

TEST_F(Validate, role) {
  good.tensors[0].role = 4;
  expectMessage("tensor 'x': expected a role from 0 to 3, but got 4");
}

TEST_F(Validate, element) {
  good.tensors[0].element = 0;
  expectMessage("tensor 'x': expected element type 1 (f32) or 2 (f16), but "
                "got 0");
  good.tensors[0].element = SPARKLE_ELEMENT_F16;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
}

TEST_F(Validate, inPlace) {
  auto refuse = [&](const std::string &tensor, uint32_t number) {
    std::string message =
        "tensor '" + tensor +
        "': expected 0 in place, or of an input 1 + the number of an output "
        "like it, but got " +
        std::to_string(number);
    expectMessage(message.c_str());
  };
  sparkle_tensor_t &x = good.tensors[0], &y = good.tensors[2];
  for (uint32_t number : {1, 2, 3, 4, 0x7fffffff}) { // x: [N, 8], y: [N, 20]
    x.in_place = number;
    refuse("x", number);
  }
  sparkle_tensor_t like = y;
  like.name = "x";
  like.role = SPARKLE_ROLE_INPUT;
  like.in_place = 3;
  x = like;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
  x.element = SPARKLE_ELEMENT_F16;
  refuse("x", 3);
  x = like;
  sparkle_factor_t turned[2] = {{1, 0, 1, 0}, {0, 0, 1, 0}};
  x.layout = turned;
  refuse("x", 3);
  x = like;
  sparkle_extent_t longer[2] = {{1, 1, good.n}, {20, 1, nullptr}};
  x.extents = longer;
  refuse("x", 3);
  x = like;
  y.in_place = 1;
  refuse("y", 1);
  y.in_place = 0;
  y.reserved = 1;
  refuse("y", 0);
}

TEST_F(Validate, cuts) {
  sparkle_cut_t cuts[] = {{0, 0, 1}, {1, 1, 16}};
  good.code.cuts = cuts;
  expectMessage("code for cpu x86-64: expected a function for bands");
  good.code.invoke_band = Descriptor::invoke;
  expectMessage("expected 0 cuts, but got a pointer");
  good.code.cut_count = 2;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
  for (sparkle_cut_t wrong :
       {sparkle_cut_t{0, 1, 16}, sparkle_cut_t{2, 1, 16},
        sparkle_cut_t{1, 2, 16}, sparkle_cut_t{1, 1, 0}}) {
    cuts[1] = wrong;
    std::string message =
        "code for cpu x86-64: expected cuts of dimensions below 2 and indices "
        "below 2, once each, and positive tiles, but got " +
        std::to_string(wrong.dimension) + ", " + std::to_string(wrong.index) +
        " and " + std::to_string(wrong.tile);
    expectMessage(message.c_str());
  }
  good.kernel.split_count = 0;
  good.kernel.splits = nullptr;
  good.tensors[0].role = SPARKLE_ROLE_OUTPUT;
  expectMessage("code for cpu x86-64: expected one output and one launch of "
                "what has cuts, but got 2 and 0");
  good.code.cuts = nullptr;
  expectMessage("code for cpu x86-64: expected no function for bands");
}

TEST_F(Validate, operation_count) {
  good.code.operation_count = [](const int64_t *) -> int64_t { return 0; };
  expectMessage("code for cpu x86-64: expected no operation_count, since the "
                "kernel has none");
  good.kernel.operation_count = good.code.operation_count;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
}

TEST_F(Validate, rank) {
  good.tensors[0].rank = 17;
  expectMessage("expected at most 16 extents of a tensor, but got 17");
  good.tensors[0].rank = 1;
  expectMessage("tensor 'x': expected factor 1 of its layout to be of a "
                "dimension below 1, but got 1");
}

TEST_F(Validate, extent) {
  good.xExtents[0].divisor = 0;
  expectMessage("tensor 'x': expected a positive divisor in extent 0, but got "
                "0");
  good.xExtents[0].divisor = 1;
  good.xExtents[1].constant = -8;
  expectMessage("tensor 'x': expected extent 1 of 0 or more, but got -8");
}

TEST_F(Validate, extentWithoutSizes) {
  good.kernel.size_count = 0;
  good.kernel.size_names = nullptr;
  expectMessage("tensor 'x': expected extent 0 without coefficients, since the "
                "kernel has no sizes");
}

TEST_F(Validate, weightOfSizes) {
  good.wExtents[0].coefficients = good.n;
  expectMessage("tensor 'w': expected a weight of fixed extents, but extent 0 "
                "depends on a size");
}

TEST_F(Validate, layout) {
  good.tensors[0].layout_count = 1;
  expectMessage("tensor 'x': expected its layout to cover dimension 1 exactly "
                "once");
  good.tensors[0].layout_count = 2;
  good.plain[1].divisor = 0;
  expectMessage(
      "tensor 'x': expected factor 1 of its layout to have a positive "
      "divisor and no negative modulus, but got 0 and 0");
}

TEST_F(Validate, packedLayout) {
  good.blocked[2].modulus = 8;
  expectMessage("tensor 'w': expected its packed layout to cover dimension 0 "
                "exactly once");
}

TEST_F(Validate, packedSize) {
  good.packing.size = 1020;
  expectMessage("tensor 'w': expected a packed size of 1024 bytes, but got "
                "1020");
}

TEST_F(Validate, pack) {
  good.packing.pack = nullptr;
  expectMessage("code for cpu x86-64: expected a packing function of weight "
                "'w'");
  good.packing.tensor = 0;
  expectMessage("code for cpu x86-64: expected the packing of tensor 1, but "
                "got that of 0");
}

TEST_F(Validate, packings) {
  good.code.packings = nullptr;
  expectMessage("expected 1 packings, but got a null pointer");
  good.code.packing_count = 0;
  expectMessage("code for cpu x86-64: expected a packing of weight 'w', but "
                "got none");
}

TEST_F(Validate, packingOfNoWeight) {
  sparkle_packing_t two[] = {good.packing, good.packing};
  good.code.packings = two;
  good.code.packing_count = 2;
  expectMessage("code for cpu x86-64: expected 1 packings, but got 2");
}

TEST_F(Validate, transform) {
  const int64_t shape[] = {36, 8};
  good.packing.shape = shape;
  expectMessage(
      "tensor 'w': expected a packed size of 1536 bytes, but got 1024");
  good.packing.size = 48 * 8 * 4;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
  const int64_t empty[] = {36, 0};
  good.packing.shape = empty;
  expectMessage("tensor 'w': expected extents of its transform from 1 to "
                "2147483647, but got 0");
  good.packing.pack = nullptr;
  expectMessage("code for cpu x86-64: expected a packing function of weight "
                "'w'");
}

TEST_F(Validate, workspace) {
  good.code.workspace_size = Descriptor::workspaceSize;
  expectMessage("code for cpu x86-64: expected no workspace_size, since the "
                "kernel has no temps");
  good.code.workspace_size = nullptr;
  good.tensors[0].role = SPARKLE_ROLE_TEMP;
  expectMessage("code for cpu x86-64: expected a workspace_size, since the "
                "kernel has temps");
}

TEST_F(Validate, noCode) {
  good.kernel.codes = nullptr;
  good.kernel.code_count = 0;
  expectMessage("kernel 'product': expected code for a target, but got none");
}

TEST_F(Validate, target) {
  good.code.target = 99;
  expectMessage("expected a known target, but got number 99");
}

TEST_F(Validate, processor) {
  good.code.processor = nullptr;
  expectMessage("code for cpu: expected the names of processor and pattern, "
                "but got a null pointer");
}

TEST_F(Validate, cpuCode) {
  good.code.features = UINT64_C(1) << 63;
  expectMessage("code for cpu x86-64: expected known features, but got "
                "bits 0x8000000000000000");
  good.code.image = &good;
  expectMessage("code for cpu x86-64: expected neither image nor launches");
  good.code.invoke = nullptr;
  expectMessage(
      "code for cpu x86-64: expected an entry, but got a null pointer");
}

//===----------------------------------------------------------------------===//
// Code for a GPU
//===----------------------------------------------------------------------===//

/// The descriptor with code for a GPU in place of the CPU's. Validation looks
/// at what surrounds an image, never into it.
struct ValidateImage : Validate {
  ValidateImage() {
    good.packing.pack = nullptr;
    good.code.target = SPARKLE_TARGET_Vulkan;
    good.code.processor = "small";
    good.code.invoke = nullptr;
    good.code.image = image;
    good.code.image_size = 6;
    // The hash of "foobar" as its authors publish it.
    good.code.image_hash = UINT64_C(0x85944171f73967e8);
    good.code.launches = &launch;
    good.code.launch_count = 1;
  }

  alignas(16) char image[8] = "foobar";
  sparkle_extent_t grid[2] = {{7, 8, good.n}, {2, 1, nullptr}};
  sparkle_launch_t launch = {"product_0", grid, 2, 128, 1024, 0};
};

TEST_F(ValidateImage, good) {
  sparkle_error_t error;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, &error), SPARKLE_OK);
  EXPECT_STREQ(error.message, "");
  // A workspace without temps: for partial sums.
  good.code.workspace_size = Descriptor::workspaceSize;
  good.code.features = SPARKLE_GPU_STORAGE_16BIT;
  EXPECT_EQ(sparkle_kernel_validate(&good.kernel, nullptr), SPARKLE_OK);
}

TEST_F(ValidateImage, hash) {
  image[2] ^= 1;
  expectMessage("code for vulkan small: expected an image with hash "
                "85944171f73967e8, but got 337dd16aef60a1e1");
}

TEST_F(ValidateImage, image) {
  good.code.image = image + 1;
  expectMessage("code for vulkan small: expected its image at a multiple of 16 "
                "bytes");
  good.code.image_size = 0;
  expectMessage("code for vulkan small: expected an image, but got none");
  good.code.invoke = Descriptor::invoke;
  expectMessage("code for vulkan small: expected no entry");
}

TEST_F(ValidateImage, features) {
  good.code.features = SPARKLE_CPU_AVX2;
  expectMessage("code for vulkan small: expected known features, but got bits "
                "0x100");
}

TEST_F(ValidateImage, pack) {
  good.packing.pack = Descriptor::pack;
  expectMessage("code for vulkan small: expected no packing function of weight "
                "'w'");
}

TEST_F(ValidateImage, sizes) {
  const char *names[33];
  std::fill(std::begin(names), std::end(names), "N");
  int64_t coefficients[33] = {1};
  good.xExtents[0].coefficients = coefficients;
  good.yExtents[0].coefficients = coefficients;
  good.kernel.size_names = names;
  good.kernel.size_count = 33;
  expectMessage("code for vulkan small: expected at most 32 sizes, but got 33");
}

TEST_F(ValidateImage, launches) {
  good.code.launches = nullptr;
  expectMessage("expected 1 launches, but got a null pointer");
  good.code.launch_count = 0;
  expectMessage("code for vulkan small: expected a launch, but got none");
}

TEST_F(ValidateImage, launch) {
  launch.invocations = 0;
  expectMessage("code for vulkan small: expected a grid and invocations of "
                "launch 0, but got 2 and 0");
  launch.grid_count = 0;
  expectMessage("expected 0 extents of a grid, but got a pointer");
  launch.entry = nullptr;
  expectMessage("code for vulkan small: expected an entry of launch 0, but got "
                "a null pointer");
}

TEST_F(ValidateImage, grid) {
  grid[1].divisor = 0;
  expectMessage("code for vulkan small: expected a positive divisor in the "
                "grid of launch 0, but got 0");
}

TEST_F(ValidateImage, gridWithoutSizes) {
  good.kernel.size_count = 0;
  good.kernel.size_names = nullptr;
  good.xExtents[0] = good.yExtents[0] = {4, 1, nullptr};
  good.kernel.splits = nullptr;
  good.kernel.split_count = 0;
  expectMessage("code for vulkan small: expected the grid of launch 0 without "
                "coefficients, since the kernel has no sizes");
}

TEST(Status, names) {
  EXPECT_STREQ(sparkle_status_name(SPARKLE_OK), "OK");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_INVALID_ARGUMENT),
               "INVALID_ARGUMENT");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_INVALID_ARTIFACT),
               "INVALID_ARTIFACT");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_NO_IMAGE), "NO_IMAGE");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_UNAVAILABLE), "UNAVAILABLE");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_OUT_OF_RESOURCES),
               "OUT_OF_RESOURCES");
  EXPECT_STREQ(sparkle_status_name(SPARKLE_STATUS_MAX), "UNKNOWN");
}

} // namespace
