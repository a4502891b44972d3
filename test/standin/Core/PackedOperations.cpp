// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on two f16 in a register, and their sums of products.

#include "test/standin/Core/Half.h"
#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

namespace sparkle::standin {
namespace {

bool isNan(Half a) { return (a.bits & 0x7fff) > 0x7c00; }
Half quiet(Half a) { return {uint16_t(a.bits | 0x200)}; }
bool isSignalling(Half a) { return isNan(a) && !(a.bits & 0x200); }

Half addOne(const Mode &mode, Half a, Half b) {
  return narrow(mode, widen(mode, a) + widen(mode, b));
}
Half mulOne(const Mode &mode, Half a, Half b) {
  return narrow(mode, widen(mode, a) * widen(mode, b));
}
Half fmaOne(const Mode &mode, Half a, Half b, Half c) {
  return narrow(mode, widen(mode, a) * widen(mode, b) + widen(mode, c));
}
Half extreme(const Mode &mode, Half a, Half b, bool most) {
  if (mode.ieee && isSignalling(a))
    return quiet(a);
  if (mode.ieee && isSignalling(b))
    return quiet(b);
  if (isNan(a))
    return b;
  if (isNan(b))
    return a;
  double x = widen(mode, a), y = widen(mode, b);
  if (x == y)
    return {uint16_t(most ? a.bits & b.bits : a.bits | b.bits)};
  return (x > y) == most ? a : b;
}

Halves add(const Mode &mode, Halves a, Halves b) {
  return {addOne(mode, a.low, b.low), addOne(mode, a.high, b.high)};
}
Halves mul(const Mode &mode, Halves a, Halves b) {
  return {mulOne(mode, a.low, b.low), mulOne(mode, a.high, b.high)};
}
Halves fma(const Mode &mode, Halves a, Halves b, Halves c) {
  return {fmaOne(mode, a.low, b.low, c.low),
          fmaOne(mode, a.high, b.high, c.high)};
}
Halves minimum(const Mode &mode, Halves a, Halves b) {
  return {extreme(mode, a.low, b.low, false),
          extreme(mode, a.high, b.high, false)};
}
Halves maximum(const Mode &mode, Halves a, Halves b) {
  return {extreme(mode, a.low, b.low, true),
          extreme(mode, a.high, b.high, true)};
}
uint32_t pack(Half a, Half b) { return a.bits | uint32_t(b.bits) << 16; }

// The manuals leave the order of the sum open: rounded once here.
float dot2(const Mode &mode, Halves a, Halves b, float c) {
  return float(widen(mode, a.low) * widen(mode, b.low) +
               widen(mode, a.high) * widen(mode, b.high) + double(c));
}
float brain(uint16_t bits) { return bitsAs<float>(uint32_t(bits) << 16); }
float dot2Brain(Words a, Words b, float c) {
  return float(double(brain(a.low)) * brain(b.low) +
               double(brain(a.high)) * brain(b.high) + double(c));
}

constexpr Operation kPacked[] = {
    operation<add>("v_pk_add_f16"),
    operation<mul>("v_pk_mul_f16"),
    operation<fma>("v_pk_fma_f16"),
    operation<fma>("v_pk_fmac_f16", kAccumulates),
    operation<minimum>("v_pk_min_f16"),
    operation<maximum>("v_pk_max_f16"),
    operation<pack>("v_pack_b32_f16"),
    operation<dot2>("v_dot2_f32_f16"),
    operation<dot2>("v_dot2c_f32_f16", kAccumulates),
    operation<dot2>("v_dot2acc_f32_f16", kAccumulates),
    operation<dot2Brain>("v_dot2_f32_bf16"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Packed)() {
  return {kPacked, sizeof(kPacked) / sizeof(*kPacked)};
}

} // namespace sparkle::standin
