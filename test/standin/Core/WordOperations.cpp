// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on integers of 16 bits, one or two in a register. A name
// that ends in `_clamp` is what the instruction is with that modifier.

#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

namespace sparkle::standin {
namespace {

using U16 = uint16_t;
using S16 = int16_t;
using U32 = uint32_t;
using S32 = int32_t;

U16 mov(U16 a) { return a; }
U16 bitNot(U16 a) { return ~a; }
U16 bitAnd(U16 a, U16 b) { return a & b; }
U16 bitOr(U16 a, U16 b) { return a | b; }
U16 bitXor(U16 a, U16 b) { return a ^ b; }
U16 cndmask(U16 a, U16 b, bool second) { return second ? b : a; }
U16 add(U16 a, U16 b) { return a + b; }
U16 sub(U16 a, U16 b) { return a - b; }
U16 addClamp(U16 a, U16 b) { return a + b > 0xffff ? 0xffff : a + b; }
U16 subClamp(U16 a, U16 b) { return a < b ? 0 : a - b; }
U16 saturated(S32 a) { return a > 32767 ? 32767 : a < -32768 ? -32768 : a; }
U16 addSignedClamp(S16 a, S16 b) { return saturated(a + b); }
U16 subSignedClamp(S16 a, S16 b) { return saturated(a - b); }
U16 mul(U16 a, U16 b) { return U32(a) * b; }
U16 mad(U16 a, U16 b, U16 c) { return U32(a) * b + c; }
U16 shlrev(U16 a, U16 b) { return b << (a & 15); }
U16 shrrev(U16 a, U16 b) { return b >> (a & 15); }
U16 sarrev(U16 a, S16 b) { return b >> (a & 15); }
U16 minimum(U16 a, U16 b) { return a < b ? a : b; }
U16 maximum(U16 a, U16 b) { return a > b ? a : b; }
U16 min3(U16 a, U16 b, U16 c) { return minimum(minimum(a, b), c); }
U16 max3(U16 a, U16 b, U16 c) { return maximum(maximum(a, b), c); }
U16 med3(U16 a, U16 b, U16 c) {
  return maximum(minimum(a, b), minimum(maximum(a, b), c));
}
S16 minimumSigned(S16 a, S16 b) { return a < b ? a : b; }
S16 maximumSigned(S16 a, S16 b) { return a > b ? a : b; }
S16 min3Signed(S16 a, S16 b, S16 c) {
  return minimumSigned(minimumSigned(a, b), c);
}
S16 max3Signed(S16 a, S16 b, S16 c) {
  return maximumSigned(maximumSigned(a, b), c);
}
S16 med3Signed(S16 a, S16 b, S16 c) {
  return maximumSigned(minimumSigned(a, b),
                       minimumSigned(maximumSigned(a, b), c));
}
U32 madWide(U16 a, U16 b, U32 c) { return U32(a) * b + c; }
U32 madWideSigned(S16 a, S16 b, U32 c) { return U32(a * b) + c; }
U32 widenSigned(S16 a) { return U32(S32(a)); }
U32 widen(U16 a) { return a; }

/// The same function on both halves.
template <auto F> Words both(Words a, Words b) {
  return {U16(F(a.low, b.low)), U16(F(a.high, b.high))};
}
template <auto F> Words both3(Words a, Words b, Words c) {
  return {U16(F(a.low, b.low, c.low)), U16(F(a.high, b.high, c.high))};
}

constexpr Operation kWord[] = {
    operation<mov>("v_mov_b16"),
    operation<bitNot>("v_not_b16"),
    operation<bitAnd>("v_and_b16"),
    operation<bitOr>("v_or_b16"),
    operation<bitXor>("v_xor_b16"),
    operation<cndmask>("v_cndmask_b16"),
    operation<add>("v_add_nc_u16"),
    operation<sub>("v_sub_nc_u16"),
    operation<add>("v_add_nc_i16"),
    operation<sub>("v_sub_nc_i16"),
    operation<addClamp>("v_add_nc_u16_clamp"),
    operation<subClamp>("v_sub_nc_u16_clamp"),
    operation<addSignedClamp>("v_add_nc_i16_clamp"),
    operation<subSignedClamp>("v_sub_nc_i16_clamp"),
    operation<mul>("v_mul_lo_u16"),
    operation<mad>("v_mad_u16"),
    operation<mad>("v_mad_i16"),
    operation<shlrev>("v_lshlrev_b16"),
    operation<shrrev>("v_lshrrev_b16"),
    operation<sarrev>("v_ashrrev_i16"),
    operation<minimum>("v_min_u16"),
    operation<maximum>("v_max_u16"),
    operation<min3>("v_min3_u16"),
    operation<max3>("v_max3_u16"),
    operation<med3>("v_med3_u16"),
    operation<minimumSigned>("v_min_i16"),
    operation<maximumSigned>("v_max_i16"),
    operation<min3Signed>("v_min3_i16"),
    operation<max3Signed>("v_max3_i16"),
    operation<med3Signed>("v_med3_i16"),
    operation<madWide>("v_mad_u32_u16"),
    operation<madWideSigned>("v_mad_i32_i16"),
    operation<widenSigned>("v_cvt_i32_i16"),
    operation<widen>("v_cvt_u32_u16"),
    operation<both<add>>("v_pk_add_u16"),
    operation<both<add>>("v_pk_add_i16"),
    operation<both<sub>>("v_pk_sub_u16"),
    operation<both<sub>>("v_pk_sub_i16"),
    operation<both<addClamp>>("v_pk_add_u16_clamp"),
    operation<both<subClamp>>("v_pk_sub_u16_clamp"),
    operation<both<addSignedClamp>>("v_pk_add_i16_clamp"),
    operation<both<subSignedClamp>>("v_pk_sub_i16_clamp"),
    operation<both<mul>>("v_pk_mul_lo_u16"),
    operation<both3<mad>>("v_pk_mad_u16"),
    operation<both3<mad>>("v_pk_mad_i16"),
    operation<both<shlrev>>("v_pk_lshlrev_b16"),
    operation<both<shrrev>>("v_pk_lshrrev_b16"),
    operation<both<sarrev>>("v_pk_ashrrev_i16"),
    operation<both<minimum>>("v_pk_min_u16"),
    operation<both<maximum>>("v_pk_max_u16"),
    operation<both<minimumSigned>>("v_pk_min_i16"),
    operation<both<maximumSigned>>("v_pk_max_i16"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Word)() {
  return {kWord, sizeof(kWord) / sizeof(*kWord)};
}

} // namespace sparkle::standin
