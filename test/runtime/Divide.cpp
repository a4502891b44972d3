// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts of a run against the whole, on the model of a convolution along one
// dimension with a residual input: every part of every small problem.

#include "runtime/Divide.h"

#include "runtime/Shape.h"
#include "sparkle/runtime.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace sparkle::runtime {
namespace {

using Values = std::vector<int64_t>;

/// y[p] = z[p] + sum(r < taps: (r + 1) * x[stride*p + dilation*r - pad]), with
/// the extent of x the size, and that of y and z
/// (size + 2*pad - dilation*(taps - 1) - 1) / stride + 1.
struct Rows {
  int64_t stride, pad, taps, dilation;
  int64_t one[1] = {1};
  sparkle_extent_t input = {0, 1, one};
  sparkle_extent_t output = {2 * pad - dilation * (taps - 1) - 1 + stride,
                             stride, one};
  sparkle_factor_t layout = {0, 0, 1, 0};
  sparkle_tensor_t tensors[3] = {{"x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32,
                                  1, 1, &input, &layout, 0, 0},
                                 {"z", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32,
                                  1, 1, &output, &layout, 0, 0},
                                 {"y", SPARKLE_ROLE_OUTPUT, SPARKLE_ELEMENT_F32,
                                  1, 1, &output, &layout, 0, 0}};
  sparkle_slice_t slices[3] = {{0, 0, stride, -pad, dilation *(taps - 1) - pad},
                               {1, 0, 1, 0, 0},
                               {2, 0, 1, 0, 0}};
  sparkle_split_t split = {0, 3, stride, slices};
  const char *names[1] = {"H"};
  sparkle_code_t code = {};
  sparkle_kernel_t kernel = {};

  Rows(int64_t stride, int64_t pad, int64_t taps, int64_t dilation)
      : stride(stride), pad(pad), taps(taps), dilation(dilation) {
    code.target = SPARKLE_TARGET_CPU;
    code.processor = "x86-64";
    code.pattern = "";
    code.invoke = [](void *const *, const int64_t *) { return 0; };
    kernel.magic = SPARKLE_KERNEL_MAGIC;
    kernel.version = SPARKLE_KERNEL_VERSION;
    kernel.struct_size = sizeof(kernel);
    kernel.name = "rows";
    kernel.compiler = "by hand";
    kernel.size_names = names;
    kernel.size_count = 1;
    kernel.tensors = tensors;
    kernel.tensor_count = 3;
    kernel.codes = &code;
    kernel.code_count = 1;
    kernel.splits = &split;
    kernel.split_count = 1;
  }
  Rows(const Rows &) = delete;

  Values run(const Values &x, const Values &z) const {
    Values y = z;
    for (int64_t p = 0; p < static_cast<int64_t>(z.size()); ++p)
      for (int64_t r = 0; r < taps; ++r) {
        int64_t at = stride * p + dilation * r - pad;
        if (at >= 0 && at < static_cast<int64_t>(x.size()))
          y[p] += (r + 1) * x[at];
      }
    return y;
  }
};

Values draw(int64_t count, int64_t salt) {
  Values values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = (i * 7919 + salt * 104729) % 1009 + 1;
  return values;
}

/// What a part has of a tensor, which has to lie within it.
Values cut(const Values &whole, const PartSlice &slice) {
  EXPECT_GE(slice.first, 0);
  EXPECT_GE(slice.length, 0);
  EXPECT_LE(slice.first + slice.length, static_cast<int64_t>(whole.size()));
  return Values(whole.begin() + slice.first,
                whole.begin() + slice.first + slice.length);
}

struct Divide : testing::Test {
  void checkParts(const Rows &rows, int64_t size);
  void checkPart(const Rows &rows, int64_t size, int64_t begin, int64_t end);
};

void Divide::checkPart(const Rows &rows, int64_t size, int64_t begin,
                       int64_t end) {
  int64_t units = countUnits(rows.kernel, rows.split, &size);
  Values x = draw(size, 1), z = draw(units, 2), y = rows.run(x, z);
  Part part = makePart(rows.kernel, rows.split, &size, begin, end);
  ASSERT_EQ(part.slices.size(), 3u);
  ASSERT_TRUE(checkSizes(rows.kernel, part.sizes.data(), 1).isOk());
  ASSERT_LE(part.sizes[0], size);
  Values ownX = cut(x, part.slices[0]), ownZ = cut(z, part.slices[1]);
  const PartSlice &output = part.slices[2];
  ASSERT_EQ(ownX.size(), part.sizes[0]);
  ASSERT_EQ(output.length,
            countUnits(rows.kernel, rows.split, part.sizes.data()));
  ASSERT_EQ(ownZ.size(), output.length);
  Values own = rows.run(ownX, ownZ);
  ASSERT_EQ(output.count, end - begin);
  ASSERT_LE(output.begin + output.count, output.length);
  for (int64_t i = 0; i < output.count; ++i)
    ASSERT_EQ(own[output.begin + i], y[begin + i]) << "unit " << begin + i;
}

void Divide::checkParts(const Rows &rows, int64_t size) {
  if (!checkSizes(rows.kernel, &size, 1).isOk())
    return; // an extent is below 0
  int64_t units = countUnits(rows.kernel, rows.split, &size);
  for (int64_t begin = 0; begin < units; ++begin)
    for (int64_t end = begin + 1; end <= units; ++end) {
      SCOPED_TRACE(testing::Message()
                   << "stride " << rows.stride << ", pad " << rows.pad
                   << ", taps " << rows.taps << ", dilation " << rows.dilation
                   << ", size " << size << ", units " << begin << " to "
                   << end);
      checkPart(rows, size, begin, end);
      if (HasFatalFailure())
        return;
    }
}

TEST_F(Divide, everyPart) {
  for (int64_t stride = 1; stride <= 3; ++stride)
    for (int64_t pad = -2; pad <= 4; ++pad) // -2: the first two are never read
      for (int64_t taps = 1; taps <= 5; ++taps)
        for (int64_t dilation = 1; dilation <= 2; ++dilation) {
          Rows rows(stride, pad, taps, dilation);
          sparkle_error_t error;
          ASSERT_EQ(sparkle_kernel_validate(&rows.kernel, &error), SPARKLE_OK)
              << error.message;
          for (int64_t size = 0; size <= 13; ++size)
            checkParts(rows, size);
        }
}

/// What is expected of one slice.
void expectSlice(const PartSlice &slice, int64_t first, int64_t length,
                 int64_t begin, int64_t count) {
  EXPECT_EQ(slice.first, first);
  EXPECT_EQ(slice.length, length);
  EXPECT_EQ(slice.begin, begin);
  EXPECT_EQ(slice.count, count);
}

// 3 taps and a padding of 1: a row more on either side, of which the first and
// the last of the result are for nothing, but not at the edges.
TEST_F(Divide, rows) {
  Rows rows(1, 1, 3, 1);
  int64_t size = 56;
  EXPECT_EQ(countUnits(rows.kernel, rows.split, &size), 56);
  Part part = makePart(rows.kernel, rows.split, &size, 0, 20);
  EXPECT_EQ(part.sizes, Values{21});
  expectSlice(part.slices[0], 0, 21, 0, 21);
  expectSlice(part.slices[2], 0, 21, 0, 20);
  part = makePart(rows.kernel, rows.split, &size, 20, 40);
  EXPECT_EQ(part.sizes, Values{22});
  expectSlice(part.slices[0], 19, 22, 0, 22);
  expectSlice(part.slices[1], 19, 22, 0, 22);
  expectSlice(part.slices[2], 19, 22, 1, 20);
  part = makePart(rows.kernel, rows.split, &size, 40, 56);
  EXPECT_EQ(part.sizes, Values{17});
  expectSlice(part.slices[2], 39, 17, 1, 16);
  part = makePart(rows.kernel, rows.split, &size, 0, 56);
  EXPECT_EQ(part.sizes, Values{56});
}

TEST_F(Divide, stridedRows) {
  Rows rows(2, 1, 3, 1);
  int64_t size = 57;
  EXPECT_EQ(countUnits(rows.kernel, rows.split, &size), 29);
  Part part = makePart(rows.kernel, rows.split, &size, 10, 20);
  EXPECT_EQ(part.sizes, Values{22});
  expectSlice(part.slices[0], 18, 22, 0, 22);
  expectSlice(part.slices[1], 9, 11, 0, 11);
  expectSlice(part.slices[2], 9, 11, 1, 10);
}

// A batch, at the largest size there is.
TEST_F(Divide, numbersOfAllBits) {
  Rows rows(1, 0, 1, 1);
  int64_t size = INT64_MAX - 7;
  Part part =
      makePart(rows.kernel, rows.split, &size, INT64_MAX - 20, INT64_MAX - 10);
  EXPECT_EQ(part.sizes, Values{10});
  expectSlice(part.slices[0], INT64_MAX - 20, 10, 0, 10);
  // Reaches that no tensor has.
  rows.slices[0].low = INT64_MIN;
  rows.slices[0].high = INT64_MAX;
  part = makePart(rows.kernel, rows.split, &size, 5, 6);
  EXPECT_EQ(part.sizes, Values{size});
  expectSlice(part.slices[2], 0, size, 5, 1);
  rows.slices[0].high = INT64_MIN;
  part = makePart(rows.kernel, rows.split, &size, 5, 6);
  EXPECT_EQ(part.sizes, Values{6});
}

// Of [n, c, h, w] stored as n h w c.
TEST_F(Divide, cut) {
  int64_t n[2] = {1, 0}, h[2] = {0, 1}, sizes[2] = {4, 10};
  sparkle_extent_t extents[4] = {
      {0, 1, n}, {20, 1, nullptr}, {0, 1, h}, {7, 1, nullptr}};
  sparkle_factor_t layout[5] = {
      {0, 0, 1, 0}, {1, 0, 16, 0}, {2, 0, 1, 0}, {3, 0, 1, 0}, {1, 0, 1, 16}};
  sparkle_tensor_t tensor = {
      "x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F16, 4, 5, extents, layout, 0,
      0};
  sparkle_kernel_t kernel = {};
  kernel.tensors = &tensor;
  kernel.tensor_count = 1;
  kernel.size_count = 2;
  Cut batch = getCut(kernel, {0, 0, 1, 0, 0}, sizes);
  EXPECT_EQ(batch.runs, 1u);
  EXPECT_EQ(batch.bytes, 2u * 10 * 7 * 16 * 2);
  Cut rows = getCut(kernel, {0, 2, 1, 0, 0}, sizes);
  EXPECT_EQ(rows.runs, 4u * 2);
  EXPECT_EQ(rows.bytes, 7u * 16 * 2);
}

} // namespace
} // namespace sparkle::runtime
