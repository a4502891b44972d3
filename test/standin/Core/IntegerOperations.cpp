// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions on integers of 32 and 64 bits, and moves. A name that
// ends in `_clamp` is what the instruction is with that modifier.

#include "test/standin/Core/Lanes.h"
#include "test/standin/Core/Tables.h"

namespace sparkle::standin {
namespace {

using U32 = uint32_t;
using S32 = int32_t;
using U64 = uint64_t;
using S64 = int64_t;

U32 mov(U32 a) { return a; }
U32 bitNot(U32 a) { return ~a; }
U32 bitAnd(U32 a, U32 b) { return a & b; }
U32 bitOr(U32 a, U32 b) { return a | b; }
U32 bitXor(U32 a, U32 b) { return a ^ b; }
U32 bitXnor(U32 a, U32 b) { return ~(a ^ b); }
U32 or3(U32 a, U32 b, U32 c) { return a | b | c; }
U32 xor3(U32 a, U32 b, U32 c) { return a ^ b ^ c; }
U32 andOr(U32 a, U32 b, U32 c) { return (a & b) | c; }
U32 cndmask(U32 a, U32 b, bool second) { return second ? b : a; }

U32 add(U32 a, U32 b) { return a + b; }
U32 sub(U32 a, U32 b) { return a - b; }
U32 subrev(U32 a, U32 b) { return b - a; }
U32 addClamp(U32 a, U32 b) { return a + b < a ? ~0u : a + b; }
U32 subClamp(U32 a, U32 b) { return a < b ? 0 : a - b; }
U32 subrevClamp(U32 a, U32 b) { return subClamp(b, a); }
U32 saturated(S64 a) {
  return U32(S32(a > INT32_MAX ? INT32_MAX : a < INT32_MIN ? INT32_MIN : a));
}
U32 addSignedClamp(S32 a, S32 b) { return saturated(S64(a) + b); }
U32 subSignedClamp(S32 a, S32 b) { return saturated(S64(a) - b); }
U32 add3(U32 a, U32 b, U32 c) { return a + b + c; }
U32 addCarry(U32 a, U32 b, bool &carry) {
  U64 sum = U64(a) + b;
  carry = sum >> 32;
  return sum;
}
U32 subBorrow(U32 a, U32 b, bool &borrow) {
  borrow = b > a;
  return a - b;
}
U32 subrevBorrow(U32 a, U32 b, bool &borrow) { return subBorrow(b, a, borrow); }
U32 addCarryIn(U32 a, U32 b, bool in, bool &carry) {
  U64 sum = U64(a) + b + in;
  carry = sum >> 32;
  return sum;
}
U32 subBorrowIn(U32 a, U32 b, bool in, bool &borrow) {
  borrow = U64(b) + in > a;
  return a - b - in;
}
U32 subrevBorrowIn(U32 a, U32 b, bool in, bool &borrow) {
  return subBorrowIn(b, a, in, borrow);
}

U32 shl(U32 a, U32 b) { return a << (b & 31); }
U32 shlrev(U32 a, U32 b) { return b << (a & 31); }
U32 shrrev(U32 a, U32 b) { return b >> (a & 31); }
U32 sarrev(U32 a, S32 b) { return U32(b >> (a & 31)); }
U64 shlrev64(U32 a, U64 b) { return b << (a & 63); }
U64 shrrev64(U32 a, U64 b) { return b >> (a & 63); }
U64 sarrev64(U32 a, S64 b) { return U64(b >> (a & 63)); }
U32 shlAdd(U32 a, U32 b, U32 c) { return shl(a, b) + c; }
U32 addShl(U32 a, U32 b, U32 c) { return shl(a + b, c); }
U32 shlOr(U32 a, U32 b, U32 c) { return shl(a, b) | c; }
U32 xad(U32 a, U32 b, U32 c) { return (a ^ b) + c; }

U32 mulLow(U32 a, U32 b) { return a * b; }
U32 mulHigh(U32 a, U32 b) { return U64(a) * b >> 32; }
U32 mulHighSigned(S32 a, S32 b) { return U32(S64(a) * b >> 32); }
U32 low24(U32 a) { return a & 0xffffff; }
S32 signed24(U32 a) { return S32(a << 8) >> 8; }
U32 mul24(U32 a, U32 b) { return low24(a) * low24(b); }
U32 mulHigh24(U32 a, U32 b) { return U64(low24(a)) * low24(b) >> 32; }
U32 mulSigned24(U32 a, U32 b) { return U32(S64(signed24(a)) * signed24(b)); }
U32 mulHighSigned24(U32 a, U32 b) {
  return U32(S64(signed24(a)) * signed24(b) >> 32);
}
U32 mad24(U32 a, U32 b, U32 c) { return mul24(a, b) + c; }
U32 madSigned24(U32 a, U32 b, U32 c) { return mulSigned24(a, b) + c; }
U64 mad64(U32 a, U32 b, U64 c, bool &carry) {
  U64 sum = U64(a) * b + c;
  carry = sum < c;
  return sum;
}
U64 madSigned64(S32 a, S32 b, U64 c, bool &carry) {
  S64 product = S64(a) * b;
  U64 sum = U64(product) + c;
  // The carry out of 64 bits of the signed sum.
  carry = (product < 0) != (sum < c);
  return sum;
}

U32 minimum(U32 a, U32 b) { return a < b ? a : b; }
U32 maximum(U32 a, U32 b) { return a > b ? a : b; }
U32 min3(U32 a, U32 b, U32 c) { return minimum(minimum(a, b), c); }
U32 max3(U32 a, U32 b, U32 c) { return maximum(maximum(a, b), c); }
U32 maxmin(U32 a, U32 b, U32 c) { return minimum(maximum(a, b), c); }
U32 minmax(U32 a, U32 b, U32 c) { return maximum(minimum(a, b), c); }
U32 med3(U32 a, U32 b, U32 c) {
  return maximum(minimum(a, b), minimum(maximum(a, b), c));
}
S32 minimumSigned(S32 a, S32 b) { return a < b ? a : b; }
S32 maximumSigned(S32 a, S32 b) { return a > b ? a : b; }
S32 min3Signed(S32 a, S32 b, S32 c) {
  return minimumSigned(minimumSigned(a, b), c);
}
S32 max3Signed(S32 a, S32 b, S32 c) {
  return maximumSigned(maximumSigned(a, b), c);
}
S32 maxminSigned(S32 a, S32 b, S32 c) {
  return minimumSigned(maximumSigned(a, b), c);
}
S32 minmaxSigned(S32 a, S32 b, S32 c) {
  return maximumSigned(minimumSigned(a, b), c);
}
S32 med3Signed(S32 a, S32 b, S32 c) {
  return maximumSigned(minimumSigned(a, b),
                       minimumSigned(maximumSigned(a, b), c));
}

U32 maskOf(U32 width) { return (1u << (width & 31)) - 1; }
U32 bfe(U32 a, U32 offset, U32 width) {
  return a >> (offset & 31) & maskOf(width);
}
U32 bfeSigned(S32 a, U32 offset, U32 width) {
  width &= 31;
  U32 field = U32(a >> (offset & 31)) & maskOf(width);
  U32 sign = width ? 1u << (width - 1) : 0;
  return (field ^ sign) - sign;
}
U32 bfi(U32 mask, U32 a, U32 b) { return (mask & a) | (~mask & b); }
U32 bfm(U32 width, U32 offset) { return maskOf(width) << (offset & 31); }
U32 alignBit(U32 high, U32 low, U32 shift) {
  return (U64(high) << 32 | low) >> (shift & 31);
}
U32 alignByte(U32 high, U32 low, U32 shift) {
  return (U64(high) << 32 | low) >> (shift & 3) * 8;
}
U32 permByte(U64 data, U32 select) {
  if (select >= 13)
    return 0xff;
  if (select == 12)
    return 0;
  if (select >= 8)
    return data >> ((select - 8) * 16 + 15) & 1 ? 0xff : 0;
  return data >> select * 8 & 0xff;
}
U32 perm(U32 high, U32 low, U32 select) {
  U64 data = U64(high) << 32 | low;
  U32 to = 0;
  for (unsigned i = 0; i < 4; ++i)
    to |= permByte(data, select >> i * 8 & 0xff) << i * 8;
  return to;
}
U32 reverse(U32 a) { return __builtin_bitreverse32(a); }
U32 countLeading(U32 a) { return a ? __builtin_clz(a) : ~0u; }
U32 countLeadingSigned(S32 a) {
  return a == 0 || a == -1 ? ~0u : 1u + __builtin_clrsb(a);
}
U32 countTrailing(U32 a) { return a ? __builtin_ctz(a) : ~0u; }
U32 countBits(U32 a, U32 b) { return __builtin_popcount(a) + b; }
U32 lanesBelow(U32 a, U32 b, Lane lane) {
  return __builtin_popcount(a & ((1u << lane.index) - 1)) + b;
}
// Of lanes 32 to 63, which a wave of 32 has not.
U32 lanesBelowHigh(U32, U32 b) { return b; }
U32 sad(U32 a, U32 b, U32 c) { return (a > b ? a - b : b - a) + c; }
U32 sadBytes(U32 a, U32 b, U32 c) {
  for (unsigned i = 0; i < 32; i += 8)
    c += sad(a >> i & 255, b >> i & 255, 0);
  return c;
}

S64 dotBytes(U32 a, U32 b, bool signedA, bool signedB) {
  S64 sum = 0;
  for (unsigned i = 0; i < 32; i += 8) {
    S32 x = a >> i & 255, y = b >> i & 255;
    sum += S64(signedA ? int8_t(x) : x) * (signedB ? int8_t(y) : y);
  }
  return sum;
}
template <bool SignedA, bool SignedB> U32 dot4(U32 a, U32 b, U32 c) {
  return U32(dotBytes(a, b, SignedA, SignedB)) + c;
}
U32 dot4SignedClamp(U32 a, U32 b, U32 c) {
  return saturated(dotBytes(a, b, true, true) + S32(c));
}
U32 dot2Signed(Words a, Words b, U32 c) {
  return U32(int16_t(a.low) * int16_t(b.low)) +
         U32(int16_t(a.high) * int16_t(b.high)) + c;
}
U32 dot2Unsigned(Words a, Words b, U32 c) {
  return U32(a.low) * b.low + U32(a.high) * b.high + c;
}

constexpr Operation kInteger[] = {
    operation<mov>("v_mov_b32"),
    operation<bitNot>("v_not_b32"),
    operation<bitAnd>("v_and_b32"),
    operation<bitOr>("v_or_b32"),
    operation<bitXor>("v_xor_b32"),
    operation<bitXnor>("v_xnor_b32"),
    operation<or3>("v_or3_b32"),
    operation<xor3>("v_xor3_b32"),
    operation<andOr>("v_and_or_b32"),
    operation<cndmask>("v_cndmask_b32"),
    operation<add>("v_add_nc_u32"),
    operation<sub>("v_sub_nc_u32"),
    operation<subrev>("v_subrev_nc_u32"),
    operation<add>("v_add_nc_i32"),
    operation<sub>("v_sub_nc_i32"),
    operation<addClamp>("v_add_nc_u32_clamp"),
    operation<subClamp>("v_sub_nc_u32_clamp"),
    operation<subrevClamp>("v_subrev_nc_u32_clamp"),
    operation<addSignedClamp>("v_add_nc_i32_clamp"),
    operation<subSignedClamp>("v_sub_nc_i32_clamp"),
    operation<add3>("v_add3_u32"),
    operation<addCarry>("v_add_co_u32"),
    operation<subBorrow>("v_sub_co_u32"),
    operation<subrevBorrow>("v_subrev_co_u32"),
    operation<addCarryIn>("v_add_co_ci_u32"),
    operation<subBorrowIn>("v_sub_co_ci_u32"),
    operation<subrevBorrowIn>("v_subrev_co_ci_u32"),
    operation<shlrev>("v_lshlrev_b32"),
    operation<shrrev>("v_lshrrev_b32"),
    operation<sarrev>("v_ashrrev_i32"),
    operation<shlrev64>("v_lshlrev_b64"),
    operation<shrrev64>("v_lshrrev_b64"),
    operation<sarrev64>("v_ashrrev_i64"),
    operation<shlAdd>("v_lshl_add_u32"),
    operation<addShl>("v_add_lshl_u32"),
    operation<shlOr>("v_lshl_or_b32"),
    operation<xad>("v_xad_u32"),
    operation<mulLow>("v_mul_lo_u32"),
    operation<mulHigh>("v_mul_hi_u32"),
    operation<mulHighSigned>("v_mul_hi_i32"),
    operation<mul24>("v_mul_u32_u24"),
    operation<mulHigh24>("v_mul_hi_u32_u24"),
    operation<mulSigned24>("v_mul_i32_i24"),
    operation<mulHighSigned24>("v_mul_hi_i32_i24"),
    operation<mad24>("v_mad_u32_u24"),
    operation<madSigned24>("v_mad_i32_i24"),
    operation<mad64>("v_mad_u64_u32"),
    operation<madSigned64>("v_mad_i64_i32"),
    operation<minimum>("v_min_u32"),
    operation<maximum>("v_max_u32"),
    operation<min3>("v_min3_u32"),
    operation<max3>("v_max3_u32"),
    operation<med3>("v_med3_u32"),
    operation<maxmin>("v_maxmin_u32"),
    operation<minmax>("v_minmax_u32"),
    operation<minimumSigned>("v_min_i32"),
    operation<maximumSigned>("v_max_i32"),
    operation<min3Signed>("v_min3_i32"),
    operation<max3Signed>("v_max3_i32"),
    operation<med3Signed>("v_med3_i32"),
    operation<maxminSigned>("v_maxmin_i32"),
    operation<minmaxSigned>("v_minmax_i32"),
    operation<bfe>("v_bfe_u32"),
    operation<bfeSigned>("v_bfe_i32"),
    operation<bfi>("v_bfi_b32"),
    operation<bfm>("v_bfm_b32"),
    operation<alignBit>("v_alignbit_b32"),
    operation<alignByte>("v_alignbyte_b32"),
    operation<perm>("v_perm_b32"),
    operation<reverse>("v_bfrev_b32"),
    operation<countLeading>("v_ffbh_u32"),
    operation<countLeading>("v_clz_i32_u32"),
    operation<countLeadingSigned>("v_ffbh_i32"),
    operation<countLeadingSigned>("v_cls_i32"),
    operation<countTrailing>("v_ffbl_b32"),
    operation<countTrailing>("v_ctz_i32_b32"),
    operation<countBits>("v_bcnt_u32_b32"),
    operation<lanesBelow>("v_mbcnt_lo_u32_b32"),
    operation<lanesBelowHigh>("v_mbcnt_hi_u32_b32"),
    operation<sad>("v_sad_u32"),
    operation<sadBytes>("v_sad_u8"),
    operation<dot4<true, true>>("v_dot4_i32_i8"),
    operation<dot4SignedClamp>("v_dot4_i32_i8_clamp"),
    operation<dot4<false, false>>("v_dot4_u32_u8"),
    operation<dot4<true, true>>("v_dot4c_i32_i8", kAccumulates),
    // neg_lo says which sources are signed, see findVariant.
    operation<dot4<false, false>>("v_dot4_i32_iu8"),
    operation<dot4<true, false>>("v_dot4_i32_iu8_su"),
    operation<dot4<false, true>>("v_dot4_i32_iu8_us"),
    operation<dot4<true, true>>("v_dot4_i32_iu8_ss"),
    operation<dot2Signed>("v_dot2_i32_i16"),
    operation<dot2Unsigned>("v_dot2_u32_u16"),
};

} // namespace

Operations SPARKLE_STANDIN_TABLE(Integer)() {
  return {kInteger, sizeof(kInteger) / sizeof(*kInteger)};
}

} // namespace sparkle::standin
