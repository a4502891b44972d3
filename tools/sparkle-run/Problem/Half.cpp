// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// By arithmetic, so that it depends on no compiler's type and no instruction.

#include "tools/sparkle-run/Problem/Half.h"

#include <cmath>

using namespace sparkle;

float sparkle::fromHalf(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
                    : exponent
                        ? std::ldexp(1024.0F + float(fraction), exponent - 25)
                        : std::ldexp(float(fraction), -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}

uint16_t sparkle::toHalf(float value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  float magnitude = std::fabs(value);
  if (std::isnan(value))
    return sign | 0x7e00;
  if (magnitude >= 65520) // Halfway to what follows the largest, 65504.
    return sign | 0x7c00;
  if (magnitude < 0x1p-14F) // Units of the least one; 1024 is 2^-14 itself.
    return uint16_t(sign | int(std::nearbyint(magnitude * 0x1p24F)));
  int exponent;
  float fraction = std::frexp(magnitude, &exponent);
  // 2048 carries into the exponent, as it should.
  int units = int(std::nearbyint(fraction * 2048));
  return uint16_t(sign | (((exponent + 14) << 10) + units - 1024));
}
