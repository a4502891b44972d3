// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on f64.

#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

#include <cmath>

namespace sparkle::standin {
namespace {

constexpr uint64_t kSign = 1ull << 63;
constexpr uint64_t kQuiet = 1ull << 51;
constexpr uint64_t kInfinity = 0x7ffull << 52;

uint64_t bitsOf(double a) { return bitsAs<uint64_t>(a); }
double doubleOf(uint64_t a) { return bitsAs<double>(a); }
bool isNan(double a) { return (bitsOf(a) & ~kSign) > kInfinity; }
bool isSignalling(double a) { return isNan(a) && !(bitsOf(a) & kQuiet); }
double quiet(double a) { return doubleOf(bitsOf(a) | kQuiet); }
bool isInfinite(double a) { return (bitsOf(a) & ~kSign) == kInfinity; }
int exponentOf(double a) { return bitsOf(a) >> 52 & 0x7ff; }
bool isDenormal(double a) { return !exponentOf(a) && (bitsOf(a) << 1); }

double add(double a, double b) { return a + b; }
double mul(double a, double b) { return a * b; }
double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
double minimum(const Mode &mode, double a, double b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (a == 0 && b == 0)
    return doubleOf(bitsOf(a) | bitsOf(b));
  return a < b ? a : b;
}
double maximum(const Mode &mode, double a, double b) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  if (a == 0 && b == 0)
    return doubleOf(bitsOf(a) & bitsOf(b));
  return a > b ? a : b;
}

double trunc(double a) { return std::trunc(a); }
double ceil(double a) { return std::ceil(a); }
double floor(double a) { return std::floor(a); }
double rndne(double a) {
  double down = std::floor(a), rest = a - down;
  double to = rest < 0.5   ? down
              : rest > 0.5 ? down + 1
                           : 2 * std::floor(down * 0.5 + 0.5);
  return std::fabs(a) < 4503599627370496.0 ? std::copysign(to, a) : a;
}
double fract(double a) {
  if (isInfinite(a))
    return doubleOf(0x7ff8ull << 48);
  double rest = a - std::floor(a);
  return rest >= 1 ? doubleOf(0x3fefffffffffffffull) : rest;
}

// Hardware has about 2^-29 relative error here; these are rounded once.
double rcp(double a) { return 1 / a; }
double rsq(double a) { return 1 / std::sqrt(a); }
double sqrt(double a) { return std::sqrt(a); }

double ldexp(double a, int32_t exponent) {
  return std::scalbn(a, exponent > 5000    ? 5000
                        : exponent < -5000 ? -5000
                                           : exponent);
}
int32_t frexpExponent(double a) {
  if (a == 0 || isNan(a) || isInfinite(a))
    return 0;
  int exponent;
  (void)std::frexp(a, &exponent);
  return exponent;
}
double frexpMantissa(double a) {
  if (a == 0 || isNan(a) || isInfinite(a))
    return a;
  int exponent;
  return std::frexp(a, &exponent);
}

double divScale(double a, double denominator, double numerator, bool &scaled) {
  scaled = false;
  int down = exponentOf(denominator), up = exponentOf(numerator);
  if (numerator == 0 || denominator == 0)
    return doubleOf(0x7ff8ull << 48);
  if (up - down >= 768) {
    scaled = true;
    return bitsOf(a) == bitsOf(denominator) ? ldexp(a, 128) : a;
  }
  if (isDenormal(denominator))
    return ldexp(a, 128);
  bool tinyInverse = isDenormal(1 / denominator);
  bool tinyQuotient = isDenormal(numerator / denominator);
  // The manuals print +128 for this one, which makes the denominator infinite;
  // the sequence of a division needs the inverse to become normal.
  if (tinyInverse && tinyQuotient) {
    scaled = true;
    return bitsOf(a) == bitsOf(denominator) ? ldexp(a, -128) : a;
  }
  if (tinyInverse)
    return ldexp(a, -128);
  if (tinyQuotient) {
    scaled = true;
    return bitsOf(a) == bitsOf(numerator) ? ldexp(a, 128) : a;
  }
  return up <= 53 ? ldexp(a, 128) : a;
}
double divFmas(double a, double b, double c, bool scaled) {
  double sum = __builtin_fma(a, b, c);
  return scaled ? ldexp(sum, exponentOf(c) > 1023 ? 128 : -128) : sum;
}
double divFixup(double quotient, double denominator, double numerator) {
  uint64_t sign = (bitsOf(denominator) ^ bitsOf(numerator)) & kSign;
  if (isNan(numerator))
    return quiet(numerator);
  if (isNan(denominator))
    return quiet(denominator);
  if ((denominator == 0 && numerator == 0) ||
      (isInfinite(denominator) && isInfinite(numerator)))
    return doubleOf(0xfff8ull << 48);
  if (denominator == 0 || isInfinite(numerator))
    return doubleOf(sign | kInfinity);
  if (isInfinite(denominator) || numerator == 0)
    return doubleOf(sign);
  if (exponentOf(numerator) - exponentOf(denominator) < -1075)
    return doubleOf(sign);
  // The steps before overflowed: so does the quotient.
  if (isNan(quotient))
    return doubleOf(sign | kInfinity);
  return doubleOf(sign | (bitsOf(quotient) & ~kSign));
}

constexpr Operation kDouble[] = {
    operation<add>("v_add_f64"),
    operation<mul>("v_mul_f64"),
    operation<fma>("v_fma_f64"),
    operation<minimum>("v_min_f64"),
    operation<maximum>("v_max_f64"),
    operation<trunc>("v_trunc_f64"),
    operation<ceil>("v_ceil_f64"),
    operation<floor>("v_floor_f64"),
    operation<rndne>("v_rndne_f64"),
    operation<fract>("v_fract_f64"),
    operation<rcp>("v_rcp_f64"),
    operation<rsq>("v_rsq_f64"),
    operation<sqrt>("v_sqrt_f64"),
    operation<ldexp>("v_ldexp_f64"),
    operation<frexpExponent>("v_frexp_exp_i32_f64"),
    operation<frexpMantissa>("v_frexp_mant_f64"),
    operation<divScale>("v_div_scale_f64"),
    operation<divFmas>("v_div_fmas_f64"),
    operation<divFixup>("v_div_fixup_f64"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Double)() {
  return {kDouble, sizeof(kDouble) / sizeof(*kDouble)};
}

} // namespace sparkle::standin
