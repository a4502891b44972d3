// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on f32. Rounding comes from the processor, which the
// scheduler sets as MODE says.

#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

#include <cmath>

namespace sparkle::standin {
namespace {

constexpr uint32_t kSign = 0x80000000u;
constexpr uint32_t kQuiet = 0x00400000u;

uint32_t bitsOf(float a) { return bitsAs<uint32_t>(a); }
float floatOf(uint32_t a) { return bitsAs<float>(a); }
bool isNan(float a) { return (bitsOf(a) & ~kSign) > 0x7f800000u; }
bool isSignalling(float a) { return isNan(a) && !(bitsOf(a) & kQuiet); }
float quiet(float a) { return floatOf(bitsOf(a) | kQuiet); }
bool isInfinite(float a) { return (bitsOf(a) & ~kSign) == 0x7f800000u; }
int exponentOf(float a) { return bitsOf(a) >> 23 & 255; }
bool isDenormal(float a) { return !exponentOf(a) && (bitsOf(a) << 1); }
float flush(float a) { return isDenormal(a) ? floatOf(bitsOf(a) & kSign) : a; }

float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float subrev(float a, float b) { return b - a; }
float mul(float a, float b) { return a * b; }
float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
float mulZero(float a, float b) { return a == 0 || b == 0 ? 0 : a * b; }
float fmaZero(float a, float b, float c) {
  return a == 0 || b == 0 ? c : __builtin_fmaf(a, b, c);
}

// -0 is less than +0, a NaN gives way to a number.
float minimum(const Mode &mode, float a, float b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (a == 0 && b == 0)
    return floatOf(bitsOf(a) | bitsOf(b));
  return a < b ? a : b;
}
float maximum(const Mode &mode, float a, float b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (a == 0 && b == 0)
    return floatOf(bitsOf(a) & bitsOf(b));
  return a > b ? a : b;
}
float min3(const Mode &mode, float a, float b, float c) {
  return minimum(mode, minimum(mode, a, b), c);
}
float max3(const Mode &mode, float a, float b, float c) {
  return maximum(mode, maximum(mode, a, b), c);
}
float maxmin(const Mode &mode, float a, float b, float c) {
  return minimum(mode, maximum(mode, a, b), c);
}
float minmax(const Mode &mode, float a, float b, float c) {
  return maximum(mode, minimum(mode, a, b), c);
}
float med3(const Mode &mode, float a, float b, float c) {
  if (isNan(a) || isNan(b) || isNan(c))
    return min3(mode, a, b, c);
  float most = max3(mode, a, b, c);
  if (bitsOf(most) == bitsOf(a))
    return maximum(mode, b, c);
  if (bitsOf(most) == bitsOf(b))
    return maximum(mode, a, c);
  return maximum(mode, a, b);
}

float trunc(float a) { return __builtin_truncf(a); }
float ceil(float a) { return __builtin_ceilf(a); }
float floor(float a) { return __builtin_floorf(a); }
float rndne(float a) {
  // Exact for every rounding of the processor.
  float down = __builtin_floorf(a), rest = a - down;
  float to = rest < 0.5f   ? down
             : rest > 0.5f ? down + 1
                           : 2 * __builtin_floorf(down * 0.5f + 0.5f);
  return std::fabs(a) < 8388608.0f ? std::copysign(to, a) : a;
}
float fract(float a) {
  if (isInfinite(a))
    return floatOf(0x7fc00000u);
  float rest = a - __builtin_floorf(a);
  return rest >= 1 ? floatOf(0x3f7fffffu) : rest;
}

// Hardware is within 1 ulp and makes denormals zero, in and out; these are
// rounded once from double.
float exp(float a) { return flush(float(std::exp2(double(flush(a))))); }
float log(float a) { return float(std::log2(double(flush(a)))); }
float rcp(float a) { return flush(float(1 / double(flush(a)))); }
float rsq(float a) { return float(1 / std::sqrt(double(flush(a)))); }
float sqrt(float a) { return float(std::sqrt(double(flush(a)))); }

// In revolutions, of any number: the reduced range is that of earlier chips.
constexpr double kTurn = 6.283185307179586;
float sin(float a) {
  if (isNan(a) || isInfinite(a))
    return floatOf(0x7fc00000u);
  double part = double(a) - std::floor(double(a));
  return float(std::sin(part * kTurn));
}
float cos(float a) {
  if (isNan(a) || isInfinite(a))
    return floatOf(0x7fc00000u);
  double part = double(a) - std::floor(double(a));
  return float(std::cos(part * kTurn));
}

float ldexp(float a, int32_t exponent) {
  return std::scalbn(a, exponent > 1000    ? 1000
                        : exponent < -1000 ? -1000
                                           : exponent);
}
int32_t frexpExponent(float a) {
  if (a == 0 || isNan(a) || isInfinite(a))
    return 0;
  int exponent;
  (void)std::frexp(a, &exponent);
  return exponent;
}
float frexpMantissa(float a) {
  if (a == 0 || isNan(a) || isInfinite(a))
    return a;
  int exponent;
  return std::frexp(a, &exponent);
}

float divScale(float a, float denominator, float numerator, bool &scaled) {
  scaled = false;
  int down = exponentOf(denominator), up = exponentOf(numerator);
  if (numerator == 0 || denominator == 0)
    return floatOf(0x7fc00000u);
  if (up - down >= 96) {
    scaled = true;
    return bitsOf(a) == bitsOf(denominator) ? ldexp(a, 64) : a;
  }
  if (isDenormal(denominator))
    return ldexp(a, 64);
  bool tinyInverse = isDenormal(float(1 / double(denominator)));
  bool tinyQuotient = isDenormal(float(double(numerator) / denominator));
  // The manuals print +64 for this one, which makes the denominator infinite;
  // the sequence of a division needs the inverse to become normal.
  if (tinyInverse && tinyQuotient) {
    scaled = true;
    return bitsOf(a) == bitsOf(denominator) ? ldexp(a, -64) : a;
  }
  if (tinyInverse)
    return ldexp(a, -64);
  if (tinyQuotient) {
    scaled = true;
    return bitsOf(a) == bitsOf(numerator) ? ldexp(a, 64) : a;
  }
  return up <= 23 ? ldexp(a, 64) : a;
}
float divFmas(float a, float b, float c, bool scaled) {
  double sum = std::fma(double(a), double(b), double(c));
  if (scaled)
    sum = std::scalbn(sum, exponentOf(c) > 127 ? 64 : -64);
  return float(sum);
}
float divFixup(float quotient, float denominator, float numerator) {
  uint32_t sign = (bitsOf(denominator) ^ bitsOf(numerator)) & kSign;
  if (isNan(numerator))
    return quiet(numerator);
  if (isNan(denominator))
    return quiet(denominator);
  if ((denominator == 0 && numerator == 0) ||
      (isInfinite(denominator) && isInfinite(numerator)))
    return floatOf(0xffc00000u);
  if (denominator == 0 || isInfinite(numerator))
    return floatOf(sign | 0x7f800000u);
  if (isInfinite(denominator) || numerator == 0)
    return floatOf(sign);
  if (exponentOf(numerator) - exponentOf(denominator) < -150)
    return floatOf(sign);
  // The steps before overflowed: so does the quotient.
  if (isNan(quotient))
    return floatOf(sign | 0x7f800000u);
  return floatOf(sign | (bitsOf(quotient) & ~kSign));
}

float mix(Mixed a, Mixed b, Mixed c) {
  return __builtin_fmaf(a.value, b.value, c.value);
}

constexpr Operation kFloat[] = {
    operation<add>("v_add_f32"),
    operation<sub>("v_sub_f32"),
    operation<subrev>("v_subrev_f32"),
    operation<mul>("v_mul_f32"),
    operation<mulZero>("v_mul_legacy_f32"),
    operation<mulZero>("v_mul_dx9_zero_f32"),
    operation<fma>("v_fma_f32"),
    operation<fma>("v_fmac_f32", kAccumulates),
    operation<fma>("v_fmamk_f32"),
    operation<fma>("v_fmaak_f32"),
    operation<fmaZero>("v_fma_legacy_f32"),
    operation<fmaZero>("v_fma_dx9_zero_f32"),
    operation<fmaZero>("v_fmac_legacy_f32", kAccumulates),
    operation<fmaZero>("v_fmac_dx9_zero_f32", kAccumulates),
    operation<mix>("v_fma_mix_f32"),
    operation<minimum>("v_min_f32"),
    operation<maximum>("v_max_f32"),
    operation<min3>("v_min3_f32"),
    operation<max3>("v_max3_f32"),
    operation<med3>("v_med3_f32"),
    operation<maxmin>("v_maxmin_f32"),
    operation<minmax>("v_minmax_f32"),
    operation<trunc>("v_trunc_f32"),
    operation<ceil>("v_ceil_f32"),
    operation<floor>("v_floor_f32"),
    operation<rndne>("v_rndne_f32"),
    operation<fract>("v_fract_f32"),
    operation<exp>("v_exp_f32"),
    operation<log>("v_log_f32"),
    operation<rcp>("v_rcp_f32"),
    operation<rcp>("v_rcp_iflag_f32"),
    operation<rsq>("v_rsq_f32"),
    operation<sqrt>("v_sqrt_f32"),
    operation<sin>("v_sin_f32"),
    operation<cos>("v_cos_f32"),
    operation<ldexp>("v_ldexp_f32"),
    operation<frexpExponent>("v_frexp_exp_i32_f32"),
    operation<frexpMantissa>("v_frexp_mant_f32"),
    operation<divScale>("v_div_scale_f32"),
    operation<divFmas>("v_div_fmas_f32"),
    operation<divFixup>("v_div_fixup_f32"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Float)() {
  return {kFloat, sizeof(kFloat) / sizeof(*kFloat)};
}

} // namespace sparkle::standin
