// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on f16, one in a register.

#include "test/standin/Core/Half.h"
#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

#include <cmath>

namespace sparkle::standin {
namespace {

bool isNan(Half a) { return (a.bits & 0x7fff) > 0x7c00; }
bool isSignalling(Half a) { return isNan(a) && !(a.bits & 0x200); }
bool isInfinite(Half a) { return (a.bits & 0x7fff) == 0x7c00; }
Half quiet(Half a) { return {uint16_t(a.bits | 0x200)}; }
bool isZero(Half a) { return !(a.bits & 0x7fff); }

Half add(const Mode &mode, Half a, Half b) {
  return narrow(mode, widen(mode, a) + widen(mode, b));
}
Half sub(const Mode &mode, Half a, Half b) {
  return narrow(mode, widen(mode, a) - widen(mode, b));
}
Half subrev(const Mode &mode, Half a, Half b) { return sub(mode, b, a); }
Half mul(const Mode &mode, Half a, Half b) {
  return narrow(mode, widen(mode, a) * widen(mode, b));
}
Half fma(const Mode &mode, Half a, Half b, Half c) {
  return narrow(mode, widen(mode, a) * widen(mode, b) + widen(mode, c));
}
Half minimum(const Mode &mode, Half a, Half b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (isZero(a) && isZero(b))
    return {uint16_t(a.bits | b.bits)};
  return widen(mode, a) < widen(mode, b) ? a : b;
}
Half maximum(const Mode &mode, Half a, Half b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (isZero(a) && isZero(b))
    return {uint16_t(a.bits & b.bits)};
  return widen(mode, a) > widen(mode, b) ? a : b;
}
Half min3(const Mode &mode, Half a, Half b, Half c) {
  return minimum(mode, minimum(mode, a, b), c);
}
Half max3(const Mode &mode, Half a, Half b, Half c) {
  return maximum(mode, maximum(mode, a, b), c);
}
Half maxmin(const Mode &mode, Half a, Half b, Half c) {
  return minimum(mode, maximum(mode, a, b), c);
}
Half minmax(const Mode &mode, Half a, Half b, Half c) {
  return maximum(mode, minimum(mode, a, b), c);
}
Half med3(const Mode &mode, Half a, Half b, Half c) {
  if (isNan(a) || isNan(b) || isNan(c))
    return min3(mode, a, b, c);
  return maximum(mode, minimum(mode, a, b),
                 minimum(mode, maximum(mode, a, b), c));
}

Half trunc(const Mode &mode, Half a) {
  return narrow(mode, std::trunc(widen(mode, a)));
}
Half ceil(const Mode &mode, Half a) {
  return narrow(mode, std::ceil(widen(mode, a)));
}
Half floor(const Mode &mode, Half a) {
  return narrow(mode, std::floor(widen(mode, a)));
}
Half rndne(const Mode &mode, Half a) {
  double value = widen(mode, a), down = std::floor(value), rest = value - down;
  double to = rest < 0.5   ? down
              : rest > 0.5 ? down + 1
                           : 2 * std::floor(down * 0.5 + 0.5);
  return std::fabs(value) < 2048 ? narrow(mode, std::copysign(to, value)) : a;
}
Half fract(const Mode &mode, Half a) {
  if (isInfinite(a))
    return {0x7e00};
  double value = widen(mode, a);
  Half rest = narrow(mode, value - std::floor(value));
  return rest.bits >= 0x3c00 && !isNan(rest) ? Half{0x3bff} : rest;
}
// Rounded once; hardware is within 0.51 ulp.
Half rcp(const Mode &mode, Half a) { return narrow(mode, 1 / widen(mode, a)); }
Half sqrt(const Mode &mode, Half a) {
  return narrow(mode, std::sqrt(widen(mode, a)));
}
Half rsq(const Mode &mode, Half a) {
  return narrow(mode, 1 / std::sqrt(widen(mode, a)));
}
Half exp(const Mode &mode, Half a) {
  return narrow(mode, std::exp2(widen(mode, a)));
}
Half log(const Mode &mode, Half a) {
  return narrow(mode, std::log2(widen(mode, a)));
}
constexpr double kTurn = 6.283185307179586;
Half sin(const Mode &mode, Half a) {
  double value = widen(mode, a);
  return narrow(mode, std::sin((value - std::floor(value)) * kTurn));
}
Half cos(const Mode &mode, Half a) {
  double value = widen(mode, a);
  return narrow(mode, std::cos((value - std::floor(value)) * kTurn));
}
Half ldexp(const Mode &mode, Half a, int16_t exponent) {
  return narrow(mode, std::scalbn(widen(mode, a), exponent));
}
int16_t frexpExponent(const Mode &mode, Half a) {
  if (isZero(a) || isNan(a) || isInfinite(a))
    return 0;
  int exponent;
  (void)std::frexp(widen(mode, a), &exponent);
  return int16_t(exponent);
}
Half frexpMantissa(const Mode &mode, Half a) {
  if (isZero(a) || isNan(a) || isInfinite(a))
    return a;
  int exponent;
  return narrow(mode, std::frexp(widen(mode, a), &exponent));
}
Half divFixup(Half quotient, Half denominator, Half numerator) {
  uint16_t sign = (denominator.bits ^ numerator.bits) & 0x8000;
  if (isNan(numerator))
    return quiet(numerator);
  if (isNan(denominator))
    return quiet(denominator);
  if ((isZero(denominator) && isZero(numerator)) ||
      (isInfinite(denominator) && isInfinite(numerator)))
    return {0xfe00};
  if (isZero(denominator) || isInfinite(numerator))
    return {uint16_t(sign | 0x7c00)};
  if (isInfinite(denominator) || isZero(numerator))
    return {sign};
  return {uint16_t(sign | (quotient.bits & 0x7fff))};
}

float widened(const Mode &mode, Half a) { return float(widen(mode, a)); }
Half narrowed(const Mode &mode, float a) { return narrow(mode, a); }
uint16_t toUnsigned(const Mode &mode, Half a) {
  double value = widen(mode, a);
  return value > 0 ? value >= 65535 ? 65535 : uint16_t(value) : 0;
}
int16_t toSigned(const Mode &mode, Half a) {
  double value = widen(mode, a);
  if (!(value == value))
    return 0;
  return value >= 32767 ? 32767 : value <= -32768 ? -32768 : int16_t(value);
}
Half fromUnsigned(const Mode &mode, uint16_t a) { return narrow(mode, a); }
Half fromSigned(const Mode &mode, int16_t a) { return narrow(mode, a); }

Half mix(const Mode &mode, Mixed a, Mixed b, Mixed c) {
  return narrow(mode,
                std::fma(double(a.value), double(b.value), double(c.value)));
}
Half dot2(const Mode &mode, Halves a, Halves b, Half c) {
  return narrow(mode, widen(mode, a.low) * widen(mode, b.low) +
                          widen(mode, a.high) * widen(mode, b.high) +
                          widen(mode, c));
}

constexpr Operation kHalf[] = {
    operation<add>("v_add_f16"),
    operation<sub>("v_sub_f16"),
    operation<subrev>("v_subrev_f16"),
    operation<mul>("v_mul_f16"),
    operation<fma>("v_fma_f16"),
    operation<fma>("v_fmac_f16", kAccumulates),
    operation<fma>("v_fmamk_f16"),
    operation<fma>("v_fmaak_f16"),
    operation<minimum>("v_min_f16"),
    operation<maximum>("v_max_f16"),
    operation<min3>("v_min3_f16"),
    operation<max3>("v_max3_f16"),
    operation<med3>("v_med3_f16"),
    operation<maxmin>("v_maxmin_f16"),
    operation<minmax>("v_minmax_f16"),
    operation<trunc>("v_trunc_f16"),
    operation<ceil>("v_ceil_f16"),
    operation<floor>("v_floor_f16"),
    operation<rndne>("v_rndne_f16"),
    operation<fract>("v_fract_f16"),
    operation<rcp>("v_rcp_f16"),
    operation<sqrt>("v_sqrt_f16"),
    operation<rsq>("v_rsq_f16"),
    operation<exp>("v_exp_f16"),
    operation<log>("v_log_f16"),
    operation<sin>("v_sin_f16"),
    operation<cos>("v_cos_f16"),
    operation<ldexp>("v_ldexp_f16"),
    operation<frexpExponent>("v_frexp_exp_i16_f16"),
    operation<frexpMantissa>("v_frexp_mant_f16"),
    operation<divFixup>("v_div_fixup_f16"),
    operation<widened>("v_cvt_f32_f16"),
    operation<narrowed>("v_cvt_f16_f32"),
    operation<toUnsigned>("v_cvt_u16_f16"),
    operation<toSigned>("v_cvt_i16_f16"),
    operation<fromUnsigned>("v_cvt_f16_u16"),
    operation<fromSigned>("v_cvt_f16_i16"),
    operation<mix>("v_fma_mixlo_f16"),
    operation<mix>("v_fma_mixhi_f16", kWritesHigh),
    operation<dot2>("v_dot2_f16_f16"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Half)() {
  return {kHalf, sizeof(kHalf) / sizeof(*kHalf)};
}

} // namespace sparkle::standin
