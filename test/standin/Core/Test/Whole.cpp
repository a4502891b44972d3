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

TEST_P(Whole, Reduction) {
  std::vector<uint32_t> in(1024), sums(4);
  for (uint32_t i = 0; i < 1024; ++i)
    sums[i / 256] += in[i] = i * 2654435761u;
  uint64_t out = bench.memory.allocate(16);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(in));
  append(arguments, out);
  for (uint64_t seed = 1; seed < 5; ++seed) {
    bench.seed = seed;
    run(kReduction, 4, 256, arguments);
    EXPECT_EQ(bench.memory.take<uint32_t>(out, 4), sums);
  }
}

TEST_P(Whole, Search) {
  std::vector<uint32_t> a(64), b(64);
  for (uint32_t i = 0; i < 64; ++i) {
    a[i] = i * 37 % 100;
    b[i] = i * 53 % 100;
  }
  constexpr uint32_t kTries = 40;
  uint64_t y = bench.memory.allocate(256);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(a));
  append(arguments, bench.memory.place(b));
  append(arguments, y);
  append(arguments, kTries);
  run(kSearch, 1, 64, arguments);
  std::vector<uint32_t> found = bench.memory.take<uint32_t>(y, 64);
  for (uint32_t t = 0; t < 64; ++t) {
    uint32_t i = 0;
    while (i < kTries && b[(7 * i + t) % 64] != a[t])
      ++i;
    EXPECT_EQ(found[t], i < kTries ? 1000 + i : kTries) << t;
  }
}

TEST_P(Whole, Division) {
  std::vector<uint64_t> a(32), b(32);
  uint64_t state = 9;
  auto next = [&state] {
    return state = state * 6364136223846793005ull + 1442695040888963407ull;
  };
  for (unsigned i = 0; i < 32; ++i) {
    a[i] = next();
    b[i] = (next() >> i) | 1;
  }
  a[0] = ~0ull, b[0] = 1, a[1] = 1ull << 63, b[1] = 3;
  uint64_t q = bench.memory.allocate(1024), r = bench.memory.allocate(1024);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(a));
  append(arguments, bench.memory.place(b));
  append(arguments, q);
  append(arguments, r);
  run(kDivision, 1, 32, arguments);
  std::vector<uint64_t> qs = bench.memory.take<uint64_t>(q, 128);
  std::vector<uint64_t> rs = bench.memory.take<uint64_t>(r, 128);
  for (unsigned i = 0; i < 32; ++i) {
    auto x = int64_t(a[i]), y = int64_t(b[i]);
    auto x32 = uint32_t(a[i]), y32 = uint32_t(b[i]);
    EXPECT_EQ(qs[i], a[i] / b[i]) << i;
    EXPECT_EQ(rs[i], a[i] % b[i]) << i;
    EXPECT_EQ(int64_t(qs[32 + i]), x / y) << i;
    EXPECT_EQ(int64_t(rs[32 + i]), x % y) << i;
    EXPECT_EQ(qs[64 + i], x32 / y32) << i;
    EXPECT_EQ(rs[64 + i], x32 % y32) << i;
    EXPECT_EQ(int64_t(qs[96 + i]), int64_t(int32_t(x32)) / int32_t(y32)) << i;
    EXPECT_EQ(int64_t(rs[96 + i]), int64_t(int32_t(x32)) % int32_t(y32)) << i;
  }
}

/// f16 of small integers and their halves, exactly.
uint16_t halfOf(float value) {
  if (value == 0)
    return 0;
  int exponent;
  float mantissa = std::frexp(std::fabs(value), &exponent);
  return uint16_t((value < 0 ? 0x8000 : 0) | (exponent + 14) << 10 |
                  (int(mantissa * 2048) - 1024));
}

TEST_P(Whole, Halves) {
  // -8 to 7.75; 2 x + 2^x is exact for whole x from -4 on.
  std::vector<uint16_t> x;
  for (int i = -32; i < 32; ++i)
    x.push_back(halfOf(float(i) / 4));
  for (const char *features : {"-real-true16", "+real-true16"}) {
    uint64_t y = bench.memory.allocate(128);
    std::vector<uint8_t> arguments;
    append(arguments, bench.memory.place(x));
    append(arguments, y);
    Outcome outcome =
        bench.run(compile(GetParam(), kHalves, features), 1, 64, arguments);
    EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
    std::vector<uint16_t> found = bench.memory.take<uint16_t>(y, 64);
    for (int i = -16; i < 32; i += 4)
      EXPECT_EQ(found[unsigned(i + 32)],
                halfOf(float(i) / 2 + std::exp2(float(i) / 4)))
          << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Whole,
                         testing::Values(Generation::Gfx1030,
                                         Generation::Gfx1036,
                                         Generation::Gfx1100),
                         [](const auto &info) { return nameOf(info.param); });

TEST(Gfx11, MultipliesMatrices) {
  Bench bench(Generation::Gfx1100);
  std::vector<uint16_t> a(256), b(256);
  for (unsigned i = 0; i < 256; ++i) {
    a[i] = halfOf(float(int(i * 7 % 13) - 6));
    b[i] = halfOf(float(int(i * 5 % 11) - 5) / 2);
  }
  uint64_t c = bench.memory.allocate(1024);
  std::vector<uint8_t> arguments;
  append(arguments, bench.memory.place(a));
  append(arguments, bench.memory.place(b));
  append(arguments, c);
  Outcome outcome =
      bench.run(compile(Generation::Gfx1100, kMatrix), 1, 32, arguments);
  EXPECT_EQ(outcome.kind, Outcome::Kind::Done) << outcome.message;
  std::vector<float> found = bench.memory.take<float>(c, 256);
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned column = 0; column < 16; ++column) {
      float sum = 1;
      for (unsigned k = 0; k < 16; ++k)
        sum += float(int((row * 16 + k) * 7 % 13) - 6) *
               float(int((column * 16 + k) * 5 % 11) - 5) / 2;
      EXPECT_EQ(found[row * 16 + column], sum) << row << " " << column;
    }
}

} // namespace
} // namespace sparkle::standin
