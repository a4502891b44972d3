// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors, good and damaged: each check of runtime/Validate.cpp fails once,
// with its own sentence.

#include "sparkle/runtime.h"
#include "test/runtime/Descriptor.h"

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
  good.kernel.version = 3;
  expectMessage("expected kernel descriptor version 2, but got 3");
}

TEST_F(Validate, structSize) {
  good.kernel.struct_size = 104;
  expectMessage("expected a kernel descriptor of 88 bytes, but got 104");
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

TEST_F(Validate, reserved) {
  good.code.reserved = 7;
  expectMessage("code for cpu x86-64: expected reserved to be 0, but got 7");
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
