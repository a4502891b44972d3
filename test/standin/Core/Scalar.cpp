// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar arithmetic: SOP1, SOP2, SOPC and SOPK without the flow of control.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Wave.h"

#include <iterator>
#include <type_traits>

namespace sparkle::standin {
namespace {

using U32 = uint32_t;
using S32 = int32_t;
using U64 = uint64_t;
using S64 = int64_t;

template <class T> T readOperand(Wave &wave, const Source &source) {
  if (source.from == Source::From::Constant)
    return T(source.value);
  if (sizeof(T) == 8)
    return T(wave.readScalar64(source.index));
  return T(wave.readScalar(source.index));
}

// Instruction::kind: what the operands are.
constexpr U32 kHasTarget = 1, kWideTarget = 2, kImmediate = 4, kReadsTarget = 8;
constexpr U32 wideSource(unsigned i) { return 16u << i; }
constexpr U32 countOf(U32 kind) { return kind >> 8; }

/// A function of a wave and its scalar sources, as an instruction.
template <auto Function> struct Each;
template <class R, class... A, R (*Function)(Wave &, A...)>
struct Each<Function> {
  template <size_t... I>
  static R call(Wave &wave, const Instruction &instruction,
                std::index_sequence<I...>) {
    return Function(wave, readOperand<A>(wave, instruction.from[I])...);
  }
  static void run(Wave &wave, const Instruction &instruction) {
    auto indices = std::index_sequence_for<A...>();
    if constexpr (std::is_void_v<R>) {
      call(wave, instruction, indices);
    } else {
      R result = call(wave, instruction, indices);
      if (sizeof(R) == 8)
        wave.writeScalar64(instruction.to.index, U64(result));
      else
        wave.writeScalar(instruction.to.index, U32(result));
    }
  }
  static constexpr U32 kind() {
    U32 kind = U32(sizeof...(A)) << 8;
    if (!std::is_void_v<R>)
      kind |= kHasTarget;
    if constexpr (!std::is_void_v<R>)
      kind |= sizeof(R) == 8 ? kWideTarget : 0;
    unsigned position = 0;
    ((kind |= sizeof(A) == 8 ? wideSource(position) : 0, ++position), ...);
    return kind;
  }
};

void decodeScalar(const Line &line, Instruction &to) {
  U32 kind = to.kind;
  unsigned operand = 0, sources = countOf(kind);
  size_t wanted = sources + (kind & kHasTarget ? 1 : 0) -
                  (kind & kReadsTarget && kind & kHasTarget ? 1 : 0);
  if (!expectOperands(line, wanted, wanted, to))
    return;
  if (kind & kHasTarget &&
      !parseTarget(line.operands[operand++], Register::File::Scalar,
                   kind & kWideTarget ? 2 : 1, to, to.to))
    return;
  if (kind & kReadsTarget)
    operand = 0;
  for (unsigned i = 0; i < sources; ++i) {
    Type type = kind & wideSource(i) ? Type::B64 : Type::B32;
    if (!parseSource(line.operands[operand++], type, line, to, to.from[i]))
      return;
    if (to.from[i].from == Source::From::Vector)
      return refuse(to, "expected a scalar operand");
  }
  bool extends =
      kind & kImmediate && line.mnemonic.find("_u32") == std::string::npos;
  Source &last = to.from[sources ? sources - 1 : 0];
  if (extends && last.from == Source::From::Constant)
    last.value = U64(S64(int16_t(last.value)));
}

template <auto F> constexpr Opcode scalar(const char *name, U32 flags = 0) {
  return {name, decodeScalar, Each<F>::run, Each<F>::kind() | flags};
}

// Results of logic set SCC if they are not zero.
template <class T> T logic(Wave &wave, T value) {
  wave.writeScc(value != 0);
  return value;
}

template <class T> T mov(Wave &, T a) { return a; }
template <class T> T bitNot(Wave &wave, T a) { return logic<T>(wave, ~a); }
template <class T> T bitAnd(Wave &w, T a, T b) { return logic<T>(w, a & b); }
template <class T> T bitOr(Wave &w, T a, T b) { return logic<T>(w, a | b); }
template <class T> T bitXor(Wave &w, T a, T b) { return logic<T>(w, a ^ b); }
template <class T> T andNot(Wave &w, T a, T b) { return logic<T>(w, a & ~b); }
template <class T> T orNot(Wave &w, T a, T b) { return logic<T>(w, a | ~b); }
template <class T> T nand(Wave &w, T a, T b) { return logic<T>(w, ~(a & b)); }
template <class T> T nor(Wave &w, T a, T b) { return logic<T>(w, ~(a | b)); }
template <class T> T xnor(Wave &w, T a, T b) { return logic<T>(w, ~(a ^ b)); }
template <class T> T shl(Wave &w, T a, U32 b) {
  return logic<T>(w, a << (b & (sizeof(T) * 8 - 1)));
}
template <class T> T shr(Wave &w, T a, U32 b) {
  return logic<T>(w, a >> (b & (sizeof(T) * 8 - 1)));
}
template <class T> T select(Wave &wave, T a, T b) {
  return wave.readScc() ? a : b;
}
template <class T> T selectOrKeep(Wave &wave, T kept, T a) {
  return wave.readScc() ? a : kept;
}
template <class T> T bfe(Wave &wave, T a, U32 field) {
  unsigned bits = sizeof(T) * 8;
  unsigned offset = field & (bits - 1), width = field >> 16 & 127;
  using Unsigned = std::make_unsigned_t<T>;
  T shifted = T(a >> offset);
  if (width < bits) {
    Unsigned mask = (Unsigned(1) << width) - 1;
    Unsigned value = Unsigned(shifted) & mask;
    if (std::is_signed_v<T> && width && (value >> (width - 1) & 1))
      value |= ~mask;
    shifted = T(value);
  }
  return logic<T>(wave, shifted);
}
template <class T> T bfm(Wave &, U32 width, U32 offset) {
  unsigned last = sizeof(T) * 8 - 1;
  return ((T(1) << (width & last)) - 1) << (offset & last);
}

U32 addUnsigned(Wave &wave, U32 a, U32 b) {
  wave.writeScc(a + b < a);
  return a + b;
}
U32 subUnsigned(Wave &wave, U32 a, U32 b) {
  wave.writeScc(b > a);
  return a - b;
}
U32 addSigned(Wave &wave, S32 a, S32 b) {
  wave.writeScc(S64(a) + b != S32(U32(a) + U32(b)));
  return U32(a) + U32(b);
}
U32 subSigned(Wave &wave, S32 a, S32 b) {
  wave.writeScc(S64(a) - b != S32(U32(a) - U32(b)));
  return U32(a) - U32(b);
}
U32 addCarry(Wave &wave, U32 a, U32 b) {
  U64 sum = U64(a) + b + wave.readScc();
  wave.writeScc(sum >> 32);
  return U32(sum);
}
U32 subBorrow(Wave &wave, U32 a, U32 b) {
  U64 taken = U64(b) + wave.readScc();
  wave.writeScc(taken > a);
  return U32(a - taken);
}
template <class T> T minimum(Wave &wave, T a, T b) {
  wave.writeScc(a < b);
  return a < b ? a : b;
}
template <class T> T maximum(Wave &wave, T a, T b) {
  wave.writeScc(a > b);
  return a > b ? a : b;
}
U32 mul(Wave &, U32 a, U32 b) { return a * b; }
U32 mulHigh(Wave &, U32 a, U32 b) { return U32(U64(a) * b >> 32); }
U32 mulHighSigned(Wave &, S32 a, S32 b) { return U32(S64(a) * b >> 32); }
U32 absolute(Wave &wave, U32 a) {
  return logic<U32>(wave, S32(a) < 0 ? 0u - a : a);
}
U32 difference(Wave &wave, S32 a, S32 b) {
  U32 value = U32(a) - U32(b);
  return logic<U32>(wave, S32(value) < 0 ? 0u - value : value);
}
template <unsigned N> U32 shlAdd(Wave &wave, U32 a, U32 b) {
  U64 sum = (U64(a) << N) + b;
  wave.writeScc(sum >> 32);
  return U32(sum);
}
U32 packLowLow(Wave &, U32 a, U32 b) { return (a & 0xffff) | b << 16; }
U32 packLowHigh(Wave &, U32 a, U32 b) {
  return (a & 0xffff) | (b & 0xffff0000u);
}
U32 packHighHigh(Wave &, U32 a, U32 b) { return a >> 16 | (b & 0xffff0000u); }
U32 packHighLow(Wave &, U32 a, U32 b) { return a >> 16 | b << 16; }

U32 reverse(Wave &, U32 a) { return __builtin_bitreverse32(a); }
U64 reverse64(Wave &, U64 a) { return __builtin_bitreverse64(a); }
U32 countOnes(Wave &wave, U32 a) {
  return logic<U32>(wave, U32(__builtin_popcount(a)));
}
U32 countOnes64(Wave &wave, U64 a) {
  return logic<U32>(wave, U32(__builtin_popcountll(a)));
}
U32 countZeros(Wave &wave, U32 a) {
  return logic<U32>(wave, 32u - U32(__builtin_popcount(a)));
}
U32 trailing(Wave &, U32 a) { return a ? U32(__builtin_ctz(a)) : ~0u; }
U32 trailing64(Wave &, U64 a) { return a ? U32(__builtin_ctzll(a)) : ~0u; }
U32 leading(Wave &, U32 a) { return a ? U32(__builtin_clz(a)) : ~0u; }
U32 leading64(Wave &, U64 a) { return a ? U32(__builtin_clzll(a)) : ~0u; }
U32 leadingSigned(Wave &, S32 a) {
  return a == 0 || a == -1 ? ~0u : 1u + U32(__builtin_clrsb(a));
}
U32 extendByte(Wave &, U32 a) { return U32(S32(int8_t(a))); }
U32 extendWord(Wave &, U32 a) { return U32(S32(int16_t(a))); }
U32 clearBit(Wave &, U32 kept, U32 bit) { return kept & ~(1u << (bit & 31)); }
U32 setBit(Wave &, U32 kept, U32 bit) { return kept | 1u << (bit & 31); }

template <class T> void equal(Wave &w, T a, T b) { w.writeScc(a == b); }
template <class T> void unequal(Wave &w, T a, T b) { w.writeScc(a != b); }
template <class T> void less(Wave &w, T a, T b) { w.writeScc(a < b); }
template <class T> void atMost(Wave &w, T a, T b) { w.writeScc(a <= b); }
template <class T> void greater(Wave &w, T a, T b) { w.writeScc(a > b); }
template <class T> void atLeast(Wave &w, T a, T b) { w.writeScc(a >= b); }
template <class T> void bitClear(Wave &wave, T a, U32 b) {
  wave.writeScc(!(a >> (b & (sizeof(T) * 8 - 1)) & 1));
}
template <class T> void bitSet(Wave &wave, T a, U32 b) {
  wave.writeScc(a >> (b & (sizeof(T) * 8 - 1)) & 1);
}

U32 addImmediate(Wave &wave, U32 kept, U32 a) {
  return addSigned(wave, S32(kept), S32(a));
}
U32 mulImmediate(Wave &, U32 kept, U32 a) { return kept * a; }

/// The result is the old EXEC; F computes the new one.
template <auto F> U32 saveExec(Wave &wave, U32 a) {
  U32 old = wave.exec();
  U32 now = F(a, old);
  wave.writeScalar(kExec, now);
  wave.writeScc(now != 0);
  return old;
}
/// The result is the new EXEC.
template <auto F> U32 writeExec(Wave &wave, U32 a) {
  U32 now = F(a, wave.exec());
  wave.writeScalar(kExec, now);
  wave.writeScc(now != 0);
  return now;
}
constexpr U32 execAnd(U32 a, U32 exec) { return a & exec; }
constexpr U32 execOr(U32 a, U32 exec) { return a | exec; }
constexpr U32 execXor(U32 a, U32 exec) { return a ^ exec; }
constexpr U32 execAndNot(U32 a, U32 exec) { return a & ~exec; }
constexpr U32 execNotAnd(U32 a, U32 exec) { return ~a & exec; }
constexpr U32 execOrNot(U32 a, U32 exec) { return a | ~exec; }
constexpr U32 execNotOr(U32 a, U32 exec) { return ~a | exec; }
constexpr U32 execNand(U32 a, U32 exec) { return ~(a & exec); }
constexpr U32 execNor(U32 a, U32 exec) { return ~(a | exec); }
constexpr U32 execXnor(U32 a, U32 exec) { return ~(a ^ exec); }

#define SPARKLE_BOTH(Name, Function)                                           \
  scalar<Function<U32>>(Name "_b32"), scalar<Function<U64>>(Name "_b64")
#define SPARKLE_COMPARE(Name, Function)                                        \
  scalar<Function<S32>>("s_cmp_" Name "_i32"),                                 \
      scalar<Function<U32>>("s_cmp_" Name "_u32"),                             \
      scalar<Function<S32>>("s_cmpk_" Name "_i32", kImmediate),                \
      scalar<Function<U32>>("s_cmpk_" Name "_u32", kImmediate)

const Opcode kScalar[] = {
    SPARKLE_BOTH("s_mov", mov),
    SPARKLE_BOTH("s_not", bitNot),
    SPARKLE_BOTH("s_and", bitAnd),
    SPARKLE_BOTH("s_or", bitOr),
    SPARKLE_BOTH("s_xor", bitXor),
    SPARKLE_BOTH("s_andn2", andNot),
    SPARKLE_BOTH("s_and_not1", andNot),
    SPARKLE_BOTH("s_orn2", orNot),
    SPARKLE_BOTH("s_or_not1", orNot),
    SPARKLE_BOTH("s_nand", nand),
    SPARKLE_BOTH("s_nor", nor),
    SPARKLE_BOTH("s_xnor", xnor),
    SPARKLE_BOTH("s_lshl", shl),
    SPARKLE_BOTH("s_lshr", shr),
    SPARKLE_BOTH("s_cselect", select),
    SPARKLE_BOTH("s_bfm", bfm),
    SPARKLE_BOTH("s_bitcmp0", bitClear),
    SPARKLE_BOTH("s_bitcmp1", bitSet),
    scalar<selectOrKeep<U32>>("s_cmov_b32", kReadsTarget),
    scalar<selectOrKeep<U64>>("s_cmov_b64", kReadsTarget),
    scalar<selectOrKeep<U32>>("s_cmovk_i32", kReadsTarget | kImmediate),
    scalar<mov<U32>>("s_movk_i32", kImmediate),
    scalar<addImmediate>("s_addk_i32", kReadsTarget | kImmediate),
    scalar<mulImmediate>("s_mulk_i32", kReadsTarget | kImmediate),
    scalar<shr<S32>>("s_ashr_i32"),
    scalar<shr<S64>>("s_ashr_i64"),
    scalar<bfe<U32>>("s_bfe_u32"),
    scalar<bfe<S32>>("s_bfe_i32"),
    scalar<bfe<U64>>("s_bfe_u64"),
    scalar<bfe<S64>>("s_bfe_i64"),
    scalar<addUnsigned>("s_add_u32"),
    scalar<subUnsigned>("s_sub_u32"),
    scalar<addSigned>("s_add_i32"),
    scalar<subSigned>("s_sub_i32"),
    scalar<addCarry>("s_addc_u32"),
    scalar<subBorrow>("s_subb_u32"),
    scalar<minimum<S32>>("s_min_i32"),
    scalar<minimum<U32>>("s_min_u32"),
    scalar<maximum<S32>>("s_max_i32"),
    scalar<maximum<U32>>("s_max_u32"),
    scalar<mul>("s_mul_i32"),
    scalar<mulHigh>("s_mul_hi_u32"),
    scalar<mulHighSigned>("s_mul_hi_i32"),
    scalar<absolute>("s_abs_i32"),
    scalar<difference>("s_absdiff_i32"),
    scalar<shlAdd<1>>("s_lshl1_add_u32"),
    scalar<shlAdd<2>>("s_lshl2_add_u32"),
    scalar<shlAdd<3>>("s_lshl3_add_u32"),
    scalar<shlAdd<4>>("s_lshl4_add_u32"),
    scalar<packLowLow>("s_pack_ll_b32_b16"),
    scalar<packLowHigh>("s_pack_lh_b32_b16"),
    scalar<packHighHigh>("s_pack_hh_b32_b16"),
    scalar<packHighLow>("s_pack_hl_b32_b16"),
    scalar<reverse>("s_brev_b32"),
    scalar<reverse64>("s_brev_b64"),
    scalar<countOnes>("s_bcnt1_i32_b32"),
    scalar<countOnes64>("s_bcnt1_i32_b64"),
    scalar<countZeros>("s_bcnt0_i32_b32"),
    scalar<trailing>("s_ff1_i32_b32"),
    scalar<trailing>("s_ctz_i32_b32"),
    scalar<trailing64>("s_ff1_i32_b64"),
    scalar<trailing64>("s_ctz_i32_b64"),
    scalar<leading>("s_flbit_i32_b32"),
    scalar<leading>("s_clz_i32_u32"),
    scalar<leading64>("s_flbit_i32_b64"),
    scalar<leading64>("s_clz_i32_u64"),
    scalar<leadingSigned>("s_flbit_i32"),
    scalar<leadingSigned>("s_cls_i32"),
    scalar<extendByte>("s_sext_i32_i8"),
    scalar<extendWord>("s_sext_i32_i16"),
    scalar<clearBit>("s_bitset0_b32", kReadsTarget),
    scalar<setBit>("s_bitset1_b32", kReadsTarget),
    SPARKLE_COMPARE("eq", equal),
    SPARKLE_COMPARE("lg", unequal),
    SPARKLE_COMPARE("lt", less),
    SPARKLE_COMPARE("le", atMost),
    SPARKLE_COMPARE("gt", greater),
    SPARKLE_COMPARE("ge", atLeast),
    scalar<equal<U64>>("s_cmp_eq_u64"),
    scalar<unequal<U64>>("s_cmp_lg_u64"),
    scalar<saveExec<execAnd>>("s_and_saveexec_b32"),
    scalar<saveExec<execOr>>("s_or_saveexec_b32"),
    scalar<saveExec<execXor>>("s_xor_saveexec_b32"),
    scalar<saveExec<execAndNot>>("s_andn2_saveexec_b32"),
    scalar<saveExec<execAndNot>>("s_and_not1_saveexec_b32"),
    scalar<saveExec<execNotAnd>>("s_andn1_saveexec_b32"),
    scalar<saveExec<execNotAnd>>("s_and_not0_saveexec_b32"),
    scalar<saveExec<execOrNot>>("s_orn2_saveexec_b32"),
    scalar<saveExec<execOrNot>>("s_or_not1_saveexec_b32"),
    scalar<saveExec<execNotOr>>("s_orn1_saveexec_b32"),
    scalar<saveExec<execNotOr>>("s_or_not0_saveexec_b32"),
    scalar<saveExec<execNand>>("s_nand_saveexec_b32"),
    scalar<saveExec<execNor>>("s_nor_saveexec_b32"),
    scalar<saveExec<execXnor>>("s_xnor_saveexec_b32"),
    scalar<writeExec<execNotAnd>>("s_andn1_wrexec_b32"),
    scalar<writeExec<execNotAnd>>("s_and_not0_wrexec_b32"),
    scalar<writeExec<execAndNot>>("s_andn2_wrexec_b32"),
    scalar<writeExec<execAndNot>>("s_and_not1_wrexec_b32"),
};

} // namespace

Opcodes listScalar() { return {kScalar, std::size(kScalar)}; }

} // namespace sparkle::standin
