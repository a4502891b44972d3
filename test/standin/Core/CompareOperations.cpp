// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector comparisons. `v_cmpx_*` are the same, with EXEC as their destination.

#include "test/standin/Core/Half.h"
#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

namespace sparkle::standin {
namespace {

// A comparison as a set of outcomes: less, equal, greater, unordered.
constexpr unsigned kLess = 1, kEqual = 2, kGreater = 4, kUnordered = 8;

template <unsigned Wanted, class T> bool compare(T a, T b) {
  return ((Wanted & kLess) && a < b) || ((Wanted & kEqual) && a == b) ||
         ((Wanted & kGreater) && a > b) ||
         ((Wanted & kUnordered) && (a != a || b != b));
}
template <unsigned Wanted> bool compareHalf(const Mode &mode, Half a, Half b) {
  return compare<Wanted, double>(widen(mode, a), widen(mode, b));
}

// The bits of v_cmp_class: signalling, quiet NaN, then from -inf to +inf.
template <unsigned ExponentBits, unsigned MantissaBits>
bool inClass(uint64_t bits, uint32_t wanted) {
  uint64_t mantissa = bits & ((1ull << MantissaBits) - 1);
  uint64_t exponent = bits >> MantissaBits & ((1ull << ExponentBits) - 1);
  bool negative = bits >> (ExponentBits + MantissaBits) & 1;
  bool special = exponent == (1ull << ExponentBits) - 1;
  if (special && mantissa)
    return wanted >> (mantissa >> (MantissaBits - 1)) & 1;
  unsigned size = special ? 3 : exponent ? 2 : mantissa ? 1 : 0;
  return wanted >> (negative ? 5 - size : 6 + size) & 1;
}
bool classFloat(float a, uint32_t wanted) {
  return inClass<8, 23>(bitsAs<uint32_t>(a), wanted);
}
bool classDouble(double a, uint32_t wanted) {
  return inClass<11, 52>(bitsAs<uint64_t>(a), wanted);
}
bool classHalf(Half a, uint16_t wanted) {
  return inClass<5, 10>(a.bits, wanted);
}

#define SPARKLE_INTEGER(Suffix, T)                                             \
  operation<compare<0, T>>("v_cmp_f_" Suffix),                                 \
      operation<compare<kLess, T>>("v_cmp_lt_" Suffix),                        \
      operation<compare<kEqual, T>>("v_cmp_eq_" Suffix),                       \
      operation<compare<kLess | kEqual, T>>("v_cmp_le_" Suffix),               \
      operation<compare<kGreater, T>>("v_cmp_gt_" Suffix),                     \
      operation<compare<kLess | kGreater, T>>("v_cmp_ne_" Suffix),             \
      operation<compare<kGreater | kEqual, T>>("v_cmp_ge_" Suffix),            \
      operation<compare<7, T>>("v_cmp_t_" Suffix)

#define SPARKLE_FLOATS(Suffix, Compare)                                        \
  operation<Compare(0)>("v_cmp_f_" Suffix),                                    \
      operation<Compare(kLess)>("v_cmp_lt_" Suffix),                           \
      operation<Compare(kEqual)>("v_cmp_eq_" Suffix),                          \
      operation<Compare(kLess | kEqual)>("v_cmp_le_" Suffix),                  \
      operation<Compare(kGreater)>("v_cmp_gt_" Suffix),                        \
      operation<Compare(kLess | kGreater)>("v_cmp_lg_" Suffix),                \
      operation<Compare(kGreater | kEqual)>("v_cmp_ge_" Suffix),               \
      operation<Compare(7)>("v_cmp_o_" Suffix),                                \
      operation<Compare(kUnordered)>("v_cmp_u_" Suffix),                       \
      operation<Compare(kUnordered | kLess)>("v_cmp_nge_" Suffix),             \
      operation<Compare(kUnordered | kEqual)>("v_cmp_nlg_" Suffix),            \
      operation<Compare(kUnordered | kLess | kEqual)>("v_cmp_ngt_" Suffix),    \
      operation<Compare(kUnordered | kGreater)>("v_cmp_nle_" Suffix),          \
      operation<Compare(kUnordered | kLess | kGreater)>("v_cmp_neq_" Suffix),  \
      operation<Compare(kUnordered | kGreater | kEqual)>("v_cmp_nlt_" Suffix), \
      operation<Compare(15)>("v_cmp_tru_" Suffix),                             \
      operation<Compare(15)>("v_cmp_t_" Suffix)

#define SPARKLE_F16(Wanted) compareHalf<Wanted>
#define SPARKLE_F32(Wanted) compare<Wanted, float>
#define SPARKLE_F64(Wanted) compare<Wanted, double>

constexpr Operation kCompare[] = {
    SPARKLE_INTEGER("i16", int16_t),
    SPARKLE_INTEGER("u16", uint16_t),
    SPARKLE_INTEGER("i32", int32_t),
    SPARKLE_INTEGER("u32", uint32_t),
    SPARKLE_INTEGER("i64", int64_t),
    SPARKLE_INTEGER("u64", uint64_t),
    SPARKLE_FLOATS("f16", SPARKLE_F16),
    SPARKLE_FLOATS("f32", SPARKLE_F32),
    SPARKLE_FLOATS("f64", SPARKLE_F64),
    operation<classHalf>("v_cmp_class_f16"),
    operation<classFloat>("v_cmp_class_f32"),
    operation<classDouble>("v_cmp_class_f64"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Compare)() {
  return {kCompare, sizeof(kCompare) / sizeof(*kCompare)};
}

} // namespace sparkle::standin
