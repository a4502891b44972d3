// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector functions for every x86-64 and those for AVX2 are the same: run
// side by side on the same bits.

#include "test/standin/Core/Tables.h"

#include <gtest/gtest.h>

#include <cstring>

namespace sparkle::standin {
namespace {

struct Values {
  alignas(64) uint8_t to[kLanes * 8];
  alignas(64) bool carry[kLanes];
};

/// Bits of numbers, special numbers and masks in turn.
void fill(uint8_t *bytes, Type type, uint32_t seed) {
  constexpr uint32_t kSpecial[] = {0,          0x80000000, 0x3f800000,
                                   0x7f800000, 0xff800000, 0x7fc00000,
                                   1,          0xffffffff, 0x7f7fffff};
  for (unsigned i = 0; i < kLanes * 2; ++i) {
    seed = seed * 1664525 + 1013904223;
    uint32_t word = seed % 3 ? seed : kSpecial[(seed >> 8) % 9];
    if (type == Type::Mask)
      word &= 0x01010101;
    std::memcpy(bytes + 4 * i, &word, 4);
  }
}

/// Of two NaN, which one comes out is the compiler's choice.
template <class Bits>
bool areSame(const uint8_t *a, const uint8_t *b, Bits infinity) {
  for (unsigned i = 0; i < kLanes; ++i) {
    Bits x, y;
    std::memcpy(&x, a + i * sizeof(Bits), sizeof(Bits));
    std::memcpy(&y, b + i * sizeof(Bits), sizeof(Bits));
    Bits magnitude = Bits(~(Bits(1) << (sizeof(Bits) * 8 - 1)));
    bool areNan = (x & magnitude) > infinity && (y & magnitude) > infinity;
    if (x != y && !areNan)
      return false;
  }
  return true;
}

bool areSame(Type type, const uint8_t *a, const uint8_t *b) {
  switch (type) {
  case Type::F16:
    return areSame<uint16_t>(a, b, 0x7c00);
  case Type::F32:
    return areSame<uint32_t>(a, b, 0x7f800000);
  case Type::F64:
    return areSame<uint64_t>(a, b, 0x7ffull << 52);
  case Type::Halves:
    return areSame<uint16_t>(a, b, 0x7c00) &&
           areSame<uint16_t>(a + 64, b + 64, 0x7c00);
  default:
    return std::memcmp(a, b, kLanes * 8) == 0;
  }
}

void compare(const Operation &one, const Operation &other) {
  alignas(64) uint8_t from[4][kLanes * 8];
  Mode mode;
  for (uint32_t round = 0; round < 8; ++round) {
    for (unsigned i = 0; i < 4; ++i)
      fill(from[i], one.from[i], round * 16 + i);
    Values values[2];
    std::memset(values, 0, sizeof(values));
    for (unsigned i = 0; i < 2; ++i) {
      Lanes lanes = {values[i].to,
                     values[i].carry,
                     {from[0], from[1], from[2], from[3]},
                     &mode};
      (i ? other : one).lanes(lanes);
    }
    EXPECT_TRUE(areSame(one.to, values[0].to, values[1].to)) << one.name;
    EXPECT_EQ(std::memcmp(values[0].carry, values[1].carry, kLanes), 0)
        << one.name;
  }
}

TEST(Variants, Agree) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    GTEST_SKIP() << "no AVX2";
  const std::pair<Operations, Operations> tables[] = {
#define SPARKLE_STANDIN_PAIR(Name) {list##Name##Baseline(), list##Name##Avx2()},
      SPARKLE_STANDIN_TABLES(SPARKLE_STANDIN_PAIR)
#undef SPARKLE_STANDIN_PAIR
  };
  for (const auto &[one, other] : tables) {
    ASSERT_EQ(one.count, other.count);
    for (size_t i = 0; i < one.count; ++i)
      compare(one.first[i], other.first[i]);
  }
}

} // namespace
} // namespace sparkle::standin
