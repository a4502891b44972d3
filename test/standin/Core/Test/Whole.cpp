// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole kernels, compiled as the tests run, against the host's results.

#include "test/standin/Core/Test/Bench.h"
#include "test/standin/Core/Test/Kernels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sparkle::standin {
namespace {

class Whole : public testing::TestWithParam<Generation> {
protected:
  Bench bench{GetParam()};

  void run(const char *ir, uint32_t groups, uint32_t threads,
           const std::vector<uint8_t> &arguments) {
    Outcome outcome =
        bench.run(compile(GetParam(), ir), groups, threads, arguments);
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  }
};

/// Numbers between -1 and 1, the same on every machine.
std::vector<float> numbers(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  for (float &value : values) {
    seed = seed * 1664525 + 1013904223;
    value = float(int32_t(seed >> 8)) / 8388608.0f - 1.0f;
  }
  return values;
}

TEST_P(Whole, Sum) {
  std::vector<float> a = numbers(200, 1), b = numbers(200, 2);
  uint64_t c = bench.memory.allocate(200 * 4);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(a));
  append(arguments, bench.memory.place(b));
  append(arguments, c);
  append(arguments, 200u);
  run(kSum, 4, 64, arguments);
  std::vector<float> found = bench.memory.take<float>(c, 200);
  for (size_t i = 0; i < 200; ++i)
    EXPECT_EQ(found[i], a[i] + b[i]) << i;
}

TEST_P(Whole, TiledProduct) {
  constexpr uint32_t kSize = 128;
  std::vector<float> a = numbers(kSize * kSize, 3),
                     b = numbers(kSize * kSize, 4);
  uint64_t c = bench.memory.allocate(kSize * kSize * 4);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(a));
  append(arguments, bench.memory.place(b));
  append(arguments, c);
  append(arguments, kSize);
  run(kTiledProduct, 4, 256, arguments);
  std::vector<float> found = bench.memory.take<float>(c, kSize * kSize);
  for (uint32_t i = 0; i < kSize; ++i)
    for (uint32_t j = 0; j < kSize; ++j) {
      float sum = 0;
      for (uint32_t k = 0; k < kSize; ++k)
        sum = std::fma(a[i * kSize + k], b[k * kSize + j], sum);
      ASSERT_EQ(found[i * kSize + j], sum) << i << " " << j;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Whole,
                         testing::Values(Generation::Gfx1030,
                                         Generation::Gfx1036,
                                         Generation::Gfx1100),
                         [](const auto &info) { return nameOf(info.param); });

} // namespace
} // namespace sparkle::standin
