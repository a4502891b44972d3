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

// --- logic and moves of 32 bits ---------------------------------------------
// Compilers merge masks of lanes of which some bits were never written, and
// drop these bits with EXEC: so these know bits, not registers.

struct Bits {
  U32 value, known;
};

Bits readBits(Wave &wave, const Source &source) {
  if (source.from == Source::From::Constant)
    return {U32(source.value), ~0u};
  if (source.index == kNull)
    return {0, ~0u};
  if (wave.scalarFlies[source.index])
    wave.mayReadScalar(source.index);
  return {wave.scalar[source.index], wave.scalarBits[source.index]};
}

/// SCC of a result: whether any bit is set, if that is known.
void setScc(Wave &wave, Bits bits) {
  wave.writeScc(bits.value & bits.known);
  wave.sccReady = (bits.value & bits.known) || bits.known == ~0u;
}

constexpr Bits knownNot(Bits a) { return {~a.value, a.known}; }
constexpr Bits knownAnd(Bits a, Bits b) {
  return {a.value & b.value,
          (a.known & b.known) | (a.known & ~a.value) | (b.known & ~b.value)};
}
constexpr Bits knownOr(Bits a, Bits b) {
  return knownNot(knownAnd(knownNot(a), knownNot(b)));
}
constexpr Bits knownXor(Bits a, Bits b) {
  return {a.value ^ b.value, a.known & b.known};
}
constexpr Bits knownAndNot(Bits a, Bits b) { return knownAnd(a, knownNot(b)); }
constexpr Bits knownOrNot(Bits a, Bits b) { return knownOr(a, knownNot(b)); }
constexpr Bits knownNotAnd(Bits a, Bits b) { return knownAnd(knownNot(a), b); }
constexpr Bits knownNotOr(Bits a, Bits b) { return knownOr(knownNot(a), b); }
constexpr Bits knownNand(Bits a, Bits b) { return knownNot(knownAnd(a, b)); }
constexpr Bits knownNor(Bits a, Bits b) { return knownNot(knownOr(a, b)); }
constexpr Bits knownXnor(Bits a, Bits b) { return knownNot(knownXor(a, b)); }

template <auto F> void combine(Wave &wave, const Instruction &instruction) {
  Bits a = readBits(wave, instruction.from[0]);
  Bits result = F(a, readBits(wave, instruction.from[1]));
  wave.writeScalarBits(instruction.to.index, result.value, result.known);
  setScc(wave, result);
}
void invert(Wave &wave, const Instruction &instruction) {
  Bits result = knownNot(readBits(wave, instruction.from[0]));
  wave.writeScalarBits(instruction.to.index, result.value, result.known);
  setScc(wave, result);
}
/// To be copied: some bits have to be known.
Bits readSome(Wave &wave, const Source &source) {
  Bits bits = readBits(wave, source);
  if (!bits.known)
    wave.mayReadScalar(source.index);
  return bits;
}
void move(Wave &wave, const Instruction &instruction) {
  Bits result = readSome(wave, instruction.from[0]);
  wave.writeScalarBits(instruction.to.index, result.value, result.known);
}
void choose(Wave &wave, const Instruction &instruction) {
  Bits result = readSome(wave, instruction.from[wave.readScc() ? 0 : 1]);
  wave.writeScalarBits(instruction.to.index, result.value, result.known);
}
/// The result is the old EXEC; F computes the new one.
template <auto F> void saveExec(Wave &wave, const Instruction &instruction) {
  U32 old = wave.exec();
  Bits now = F(readBits(wave, instruction.from[0]), Bits{old, ~0u});
  wave.writeScalarBits(kExec, now.value, now.known);
  wave.writeScalar(instruction.to.index, old);
  setScc(wave, now);
}
/// The result is the new EXEC.
template <auto F> void writeExec(Wave &wave, const Instruction &instruction) {
  Bits now = F(readBits(wave, instruction.from[0]), Bits{wave.exec(), ~0u});
  wave.writeScalarBits(kExec, now.value, now.known);
  wave.writeScalar(instruction.to.index, now.value);
  setScc(wave, now);
}

constexpr U32 kOneSource = kHasTarget | 1u << 8;
constexpr U32 kTwoSources = kHasTarget | 2u << 8;

// --- arithmetic -------------------------------------------------------------

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

#define SPARKLE_BOTH(Name, Function)                                           \
  scalar<Function<U32>>(Name "_b32"), scalar<Function<U64>>(Name "_b64")
#define SPARKLE_LOGIC(Name, Known, Wide)                                       \
  {Name "_b32", decodeScalar, combine<Known>, kTwoSources},                    \
      scalar<Wide<U64>>(Name "_b64")
#define SPARKLE_SAVE(Name, Known)                                              \
  { "s_" Name "_saveexec_b32", decodeScalar, saveExec<Known>, kOneSource }
#define SPARKLE_WRITE(Name, Known)                                             \
  { "s_" Name "_wrexec_b32", decodeScalar, writeExec<Known>, kOneSource }
#define SPARKLE_COMPARE(Name, Function)                                        \
  scalar<Function<S32>>("s_cmp_" Name "_i32"),                                 \
      scalar<Function<U32>>("s_cmp_" Name "_u32"),                             \
      scalar<Function<S32>>("s_cmpk_" Name "_i32", kImmediate),                \
      scalar<Function<U32>>("s_cmpk_" Name "_u32", kImmediate)

const Opcode kScalar[] = {
    {"s_mov_b32", decodeScalar, move, kOneSource},
    scalar<mov<U64>>("s_mov_b64"),
    {"s_not_b32", decodeScalar, invert, kOneSource},
    scalar<bitNot<U64>>("s_not_b64"),
    SPARKLE_LOGIC("s_and", knownAnd, bitAnd),
    SPARKLE_LOGIC("s_or", knownOr, bitOr),
    SPARKLE_LOGIC("s_xor", knownXor, bitXor),
    SPARKLE_LOGIC("s_andn2", knownAndNot, andNot),
    SPARKLE_LOGIC("s_and_not1", knownAndNot, andNot),
    SPARKLE_LOGIC("s_orn2", knownOrNot, orNot),
    SPARKLE_LOGIC("s_or_not1", knownOrNot, orNot),
    SPARKLE_LOGIC("s_nand", knownNand, nand),
    SPARKLE_LOGIC("s_nor", knownNor, nor),
    SPARKLE_LOGIC("s_xnor", knownXnor, xnor),
    SPARKLE_BOTH("s_lshl", shl),
    SPARKLE_BOTH("s_lshr", shr),
    {"s_cselect_b32", decodeScalar, choose, kTwoSources},
    scalar<select<U64>>("s_cselect_b64"),
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
    SPARKLE_SAVE("and", knownAnd),
    SPARKLE_SAVE("or", knownOr),
    SPARKLE_SAVE("xor", knownXor),
    SPARKLE_SAVE("andn2", knownAndNot),
    SPARKLE_SAVE("and_not1", knownAndNot),
    SPARKLE_SAVE("andn1", knownNotAnd),
    SPARKLE_SAVE("and_not0", knownNotAnd),
    SPARKLE_SAVE("orn2", knownOrNot),
    SPARKLE_SAVE("or_not1", knownOrNot),
    SPARKLE_SAVE("orn1", knownNotOr),
    SPARKLE_SAVE("or_not0", knownNotOr),
    SPARKLE_SAVE("nand", knownNand),
    SPARKLE_SAVE("nor", knownNor),
    SPARKLE_SAVE("xnor", knownXnor),
    SPARKLE_WRITE("andn1", knownNotAnd),
    SPARKLE_WRITE("and_not0", knownNotAnd),
    SPARKLE_WRITE("andn2", knownAndNot),
    SPARKLE_WRITE("and_not1", knownAndNot),
};

} // namespace

Opcodes listScalar() { return {kScalar, std::size(kScalar)}; }

} // namespace sparkle::standin
