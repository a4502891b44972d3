// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16: computed in double, where sums, products and their fused sum are exact,
// and rounded once. Internal linkage, see Lanes.h.

#ifndef SPARKLE_TEST_STANDIN_CORE_HALF_H
#define SPARKLE_TEST_STANDIN_CORE_HALF_H

#include "test/standin/Core/Lanes.h"

namespace sparkle::standin {
namespace {

inline double powerOfTwo(int exponent) {
  return bitsAs<double>(uint64_t(exponent + 1023) << 52);
}

inline double halfToDouble(uint16_t bits) {
  unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
  uint64_t sign = uint64_t(bits >> 15) << 63;
  double magnitude;
  if (exponent == 31)
    magnitude = bitsAs<double>(0x7ffull << 52 | uint64_t(mantissa) << 42);
  else if (exponent == 0)
    magnitude = mantissa * powerOfTwo(-24);
  else
    magnitude = (1024 + mantissa) * powerOfTwo(int(exponent) - 25);
  return bitsAs<double>(bitsAs<uint64_t>(magnitude) | sign);
}

/// Whether `rest`, in parts of the last place, moves the magnitude up.
inline bool roundsUp(unsigned round, bool negative, bool odd, double rest) {
  switch (round) {
  case 0:
    return rest > 0.5 || (rest == 0.5 && odd);
  case 1:
    return !negative && rest > 0;
  case 2:
    return negative && rest > 0;
  default:
    return false;
  }
}

inline uint16_t doubleToHalf(double value, unsigned round) {
  uint64_t bits = bitsAs<uint64_t>(value);
  uint16_t sign = bits >> 48 & 0x8000;
  int exponent = int(bits >> 52 & 0x7ff) - 1023;
  if (exponent == 1024)
    return sign | 0x7c00 | (bits << 12 ? 0x200 | (bits >> 42 & 0x3ff) : 0);
  double magnitude = bitsAs<double>(bits & ~(1ull << 63));
  if (exponent < -14)
    exponent = -14;
  if (exponent > 16)
    exponent = 16;
  double scaled = magnitude * powerOfTwo(10 - exponent);
  uint32_t units = scaled >= 4096 ? 4096 : uint32_t(scaled);
  units += roundsUp(round, sign, units & 1, scaled - units);
  if (units >= 2048) {
    units = 1024;
    ++exponent;
  }
  if (exponent > 15) {
    bool infinite = round == 0 || (round == 1 && !sign) || (round == 2 && sign);
    return sign | (infinite ? 0x7c00 : 0x7bff);
  }
  return sign | (units < 1024 ? units : ((exponent + 15) << 10) + units - 1024);
}

inline bool isDenormal(Half half) {
  return !(half.bits & 0x7c00) && (half.bits & 0x3ff);
}

inline double widen(const Mode &mode, Half half) {
  if (!(mode.denormal64 & 1) && isDenormal(half))
    half.bits &= 0x8000;
  return halfToDouble(half.bits);
}

inline Half narrow(const Mode &mode, double value) {
  Half half = {doubleToHalf(value, mode.round64)};
  if (!(mode.denormal64 & 2) && isDenormal(half))
    half.bits &= 0x8000;
  return half;
}

} // namespace
} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_HALF_H
