// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packing by factors does what the compiler's packing functions do.

#include "runtime/Pack.h"
#include "sparkle/runtime.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

using namespace sparkle::runtime;

namespace {

using Floats = std::vector<float>;

/// 1, 2, 3, ...
Floats count(size_t size) {
  Floats values(size);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

struct PackTest : testing::Test {
  /// A matrix of some rows and columns, from one layout to another.
  Floats pack(int64_t rows, int64_t columns,
              const std::vector<sparkle_factor_t> &from,
              const std::vector<sparkle_factor_t> &to, size_t sourceSize,
              size_t packedSize) {
    sparkle_extent_t extents[] = {{rows, 1, nullptr}, {columns, 1, nullptr}};
    sparkle_tensor_t tensor = {"w",
                               SPARKLE_ROLE_WEIGHT,
                               SPARKLE_ELEMENT_F32,
                               2,
                               static_cast<uint32_t>(from.size()),
                               extents,
                               from.data(),
                               0,
                               0};
    sparkle_kernel_t kernel = {};
    sparkle_packing_t packing = {
        0,       static_cast<uint32_t>(to.size()),     to.data(),
        nullptr, static_cast<int64_t>(packedSize * 4), nullptr};
    Floats source = count(sourceSize), packed(packedSize, -1);
    Status status =
        packByLayout(kernel, tensor, packing, source.data(), packed.data());
    EXPECT_TRUE(status.isOk()) << status.message();
    return packed;
  }

  const std::vector<sparkle_factor_t> plain{{0, 0, 1, 0}, {1, 0, 1, 0}};
  const std::vector<sparkle_factor_t> turned{{1, 0, 1, 0}, {0, 0, 1, 0}};
  /// Rows in blocks of two, a block's rows side by side.
  const std::vector<sparkle_factor_t> blocked{
      {0, 0, 2, 0}, {1, 0, 1, 0}, {0, 0, 1, 2}};
};

TEST_F(PackTest, same) { EXPECT_EQ(pack(2, 3, plain, plain, 6, 6), count(6)); }

TEST_F(PackTest, otherOrder) {
  EXPECT_EQ(pack(2, 3, plain, turned, 6, 6), (Floats{1, 4, 2, 5, 3, 6}));
}

TEST_F(PackTest, wholeBlocks) {
  EXPECT_EQ(pack(2, 3, plain, blocked, 6, 6), (Floats{1, 4, 2, 5, 3, 6}));
}

TEST_F(PackTest, lastBlockIsFilledUp) {
  EXPECT_EQ(pack(3, 2, plain, blocked, 6, 8), (Floats{1, 3, 2, 4, 5, 0, 6, 0}));
}

TEST_F(PackTest, fromBlocks) {
  // In memory: rows 0 and 1 side by side, then row 2 beside nothing.
  EXPECT_EQ(pack(3, 2, blocked, plain, 8, 6), (Floats{1, 3, 2, 4, 5, 7}));
}

TEST_F(PackTest, halves) {
  sparkle_extent_t extents[] = {{2, 1, nullptr}, {2, 1, nullptr}};
  sparkle_tensor_t tensor = {"w",
                             SPARKLE_ROLE_WEIGHT,
                             SPARKLE_ELEMENT_F16,
                             2,
                             2,
                             extents,
                             plain.data(),
                             0,
                             0};
  sparkle_packing_t packing = {0, 2, turned.data(), nullptr, 8, nullptr};
  uint16_t source[] = {1, 2, 3, 4}, packed[4] = {};
  Status status = packByLayout({}, tensor, packing, source, packed);
  EXPECT_TRUE(status.isOk());
  const uint16_t expected[] = {1, 3, 2, 4};
  EXPECT_EQ(std::memcmp(packed, expected, 8), 0);
}

/// Every weight of every kernel of the conformance suite.
TEST_F(PackTest, asTheCompilerDoes) {
  sparkle_error_t error;
  sparkle_library_t *library = nullptr;
  ASSERT_EQ(sparkle_library_open(SPARKLE_TEST_KERNELS, &library, &error),
            SPARKLE_OK)
      << error.message;
  int compared = 0;
  for (size_t i = 0; i < sparkle_library_get_kernel_count(library); ++i) {
    const sparkle_kernel_t &kernel = *sparkle_library_get_kernel(library, i);
    const sparkle_code_t &code = kernel.codes[0];
    ASSERT_EQ(code.target, SPARKLE_TARGET_CPU);
    for (uint32_t j = 0; j < code.packing_count; ++j) {
      const sparkle_packing_t &packing = code.packings[j];
      const sparkle_tensor_t &tensor = kernel.tensors[packing.tensor];
      size_t size = 1;
      for (uint32_t k = 0; k < tensor.rank; ++k)
        size *= static_cast<size_t>(tensor.extents[k].constant);
      Floats source = count(size), expected(packing.size / 4, -1),
             packed(packing.size / 4, -2);
      ASSERT_EQ(packing.pack(source.data(), expected.data()), 0);
      Status status =
          packByLayout(kernel, tensor, packing, source.data(), packed.data());
      EXPECT_TRUE(status.isOk()) << status.message();
      EXPECT_EQ(packed, expected) << kernel.name << " " << tensor.name;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 16);
  sparkle_library_release(library);
}

} // namespace
