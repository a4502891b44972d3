// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads, stores and atomics on global memory: global_* and flat_*, the latter
// for global addresses only.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Memory.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace sparkle::standin {
namespace {

// from[0] is the vector address, from[1] the scalar one, from[2] the data.
constexpr unsigned kAddress = 0, kScalarAddress = 1, kData = 2;

bool isFlat(const Line &line) { return line.mnemonic[0] == 'f'; }

/// `v[0:1], off`, `v0, s[2:3]` or, flat, `v[0:1]`.
bool decodeAddress(const Line &line, size_t vector, size_t scalar,
                   Instruction &to) {
  to.offset = line.number("offset", 0);
  bool off = isFlat(line) || line.operands[scalar] == "off";
  Type type = off ? Type::B64 : Type::B32;
  if (!parseSource(line.operands[vector], type, line, to, to.from[kAddress]))
    return false;
  if (off)
    return true;
  return parseSource(line.operands[scalar], Type::B64, line, to,
                     to.from[kScalarAddress]);
}

void decodeLoad(const Line &line, Instruction &to) {
  size_t count = isFlat(line) ? 2 : 3;
  if (expectOperands(line, count, count, to) &&
      parseTarget(line.operands[0], Register::File::Vector, to.dwords, to,
                  to.to))
    decodeAddress(line, 1, 2, to);
  to.offset1 = isFlat(line);
}

void decodeStore(const Line &line, Instruction &to) {
  size_t count = isFlat(line) ? 2 : 3;
  if (!expectOperands(line, count, count, to) ||
      !parseSource(line.operands[1], Type::B32, line, to, to.from[kData]))
    return;
  if (to.from[kData].upper && Form(to.kind) == Form::Low16)
    to.kind = uint32_t(Form::High16);
  decodeAddress(line, 0, 2, to);
  to.offset1 = isFlat(line);
}

void decodeAtomic(const Line &line, Instruction &to) {
  bool returns = line.has("glc");
  size_t count = (isFlat(line) ? 2 : 3) + returns;
  if (!expectOperands(line, count, count, to))
    return;
  if (returns && !parseTarget(line.operands[0], Register::File::Vector,
                              to.dwords, to, to.to))
    return;
  if (parseSource(line.operands[1 + returns], Type::B32, line, to,
                  to.from[kData]))
    decodeAddress(line, returns, 2 + returns, to);
  to.offset1 = isFlat(line);
}

struct Addresses {
  uint64_t of[kLanes];
};

bool computeAddresses(Wave &wave, const Instruction &instruction,
                      Addresses &addresses) {
  const Source &vector = instruction.from[kAddress];
  const Source &scalar = instruction.from[kScalarAddress];
  bool wide = vector.type == Type::B64;
  uint64_t start = uint64_t(instruction.offset);
  if (scalar.from == Source::From::Scalar)
    start += wave.readScalar64(scalar.index);
  if (!wave.mayRead(vector.index, wide ? 2 : 1, wave.exec()))
    return false;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint64_t address = wave.vector[vector.index][lane];
    if (wide)
      address |= uint64_t(wave.vector[vector.index + 1][lane]) << 32;
    addresses.of[lane] = address + start;
  }
  return !wave.failed();
}

/// How many lanes from `lane` on touch one run of memory, in order.
unsigned runOf(const Wave &wave, const Addresses &addresses, unsigned lane,
               unsigned bytes) {
  unsigned count = 1;
  while (lane + count < kLanes && (wave.exec() >> (lane + count) & 1) &&
         addresses.of[lane + count] == addresses.of[lane] + count * bytes)
    ++count;
  return count;
}

void load(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  if (!computeAddresses(wave, instruction, addresses))
    return;
  Form form = Form(instruction.kind);
  unsigned bytes = sizeOf(form, instruction.dwords);
  uint8_t elements[kLanes * 16];
  for (unsigned lane = 0; lane < kLanes;) {
    if (!(wave.exec() >> lane & 1)) {
      ++lane;
      continue;
    }
    uint8_t *to = elements + lane * bytes;
    bool again = lane && (wave.exec() >> (lane - 1) & 1) &&
                 addresses.of[lane] == addresses.of[lane - 1];
    unsigned count = again ? 1 : runOf(wave, addresses, lane, bytes);
    if (again)
      std::memcpy(to, to - bytes, bytes);
    else if (!readMemory(wave, Port::Client::Vector, addresses.of[lane], to,
                         count * bytes))
      return;
    lane += count;
  }
  scatter(wave, form, instruction.to.index, instruction.dwords, wave.exec(),
          elements);
  wave.depart(Counter::Vector, instruction.to.index, instruction.dwords);
  if (instruction.offset1)
    wave.depart(Counter::Local, 0, 0);
}

void store(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  const Source &data = instruction.from[kData];
  if (!computeAddresses(wave, instruction, addresses) ||
      !wave.mayRead(data.index, instruction.dwords, wave.exec()))
    return;
  Form form = Form(instruction.kind);
  unsigned bytes = sizeOf(form, instruction.dwords);
  uint8_t elements[kLanes * 16];
  gather(wave, form, data.index, instruction.dwords, elements);
  for (unsigned lane = 0; lane < kLanes;) {
    if (!(wave.exec() >> lane & 1)) {
      ++lane;
      continue;
    }
    unsigned count = runOf(wave, addresses, lane, bytes);
    if (!writeMemory(wave, addresses.of[lane], elements + lane * bytes,
                     count * bytes))
      return;
    lane += count;
  }
  wave.depart(Counter::Store, 0, 0);
  if (instruction.offset1)
    wave.depart(Counter::Local, 0, 0);
}

/// One or two registers of a lane.
uint64_t readElement(const Wave &wave, unsigned index, unsigned dwords,
                     unsigned lane) {
  uint64_t value = wave.vector[index][lane];
  return dwords == 1 ? value
                     : value | uint64_t(wave.vector[index + 1][lane]) << 32;
}

void atomic(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  const Source &data = instruction.from[kData];
  Atomic what = Atomic(instruction.kind);
  unsigned dwords = instruction.dwords, bytes = dwords * 4;
  bool compares = what == Atomic::CompareSwap;
  bool returns = instruction.to.to == Target::To::Vector;
  if (!computeAddresses(wave, instruction, addresses) ||
      !wave.mayRead(data.index, dwords * (compares ? 2 : 1), wave.exec()))
    return;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(wave.exec() >> lane & 1))
      continue;
    uint64_t address = addresses.of[lane];
    if (address % bytes)
      return wave.fail("atomic operation at " + hex(address) +
                       ", which is not a multiple of " + std::to_string(bytes));
    uint8_t *at = wave.memory->modify(address, bytes);
    if (!at) {
      failAt(wave, address);
      return;
    }
    uint64_t old = 0;
    std::memcpy(&old, at, bytes);
    uint64_t value = readElement(wave, data.index, dwords, lane);
    uint64_t compare =
        compares ? readElement(wave, data.index + dwords, dwords, lane) : 0;
    uint64_t now = applyAtomic(what, bytes, old, value, compare);
    std::memcpy(at, &now, bytes);
    if (!returns)
      continue;
    for (unsigned i = 0; i < dwords; ++i)
      wave.vector[instruction.to.index + i][lane] = uint32_t(old >> 32 * i);
  }
  if (returns)
    wave.depart(Counter::Vector, instruction.to.index, dwords);
  else
    wave.depart(Counter::Store, 0, 0);
  if (instruction.offset1)
    wave.depart(Counter::Local, 0, 0);
}

#define SPARKLE_LOAD(Name, AsForm, Dwords)                                     \
  {"global_load_" Name, decodeLoad, load, uint32_t(Form::AsForm), Dwords}, {   \
    "flat_load_" Name, decodeLoad, load, uint32_t(Form::AsForm), Dwords        \
  }
#define SPARKLE_STORE(Name, AsForm, Dwords)                                    \
  {"global_store_" Name, decodeStore, store, uint32_t(Form::AsForm), Dwords},  \
  {                                                                            \
    "flat_store_" Name, decodeStore, store, uint32_t(Form::AsForm), Dwords     \
  }
#define SPARKLE_ONE_ATOMIC(Name, What, Dwords)                                 \
  {"global_atomic_" Name, decodeAtomic, atomic, uint32_t(Atomic::What),        \
   Dwords},                                                                    \
  {                                                                            \
    "flat_atomic_" Name, decodeAtomic, atomic, uint32_t(Atomic::What), Dwords  \
  }
// The names of gfx10 in 32 and 64 bits, then those of gfx11.
#define SPARKLE_ATOMIC(Old, New, Letter, What)                                 \
  SPARKLE_ONE_ATOMIC(Old, What, 1), SPARKLE_ONE_ATOMIC(Old "_x2", What, 2),    \
      SPARKLE_ONE_ATOMIC(New "_" Letter "32", What, 1),                        \
      SPARKLE_ONE_ATOMIC(New "_" Letter "64", What, 2)

constexpr Opcode kGlobal[] = {
    SPARKLE_LOAD("ubyte", U8, 1),
    SPARKLE_LOAD("sbyte", S8, 1),
    SPARKLE_LOAD("ushort", U16, 1),
    SPARKLE_LOAD("sshort", S16, 1),
    SPARKLE_LOAD("dword", Whole, 1),
    SPARKLE_LOAD("dwordx2", Whole, 2),
    SPARKLE_LOAD("dwordx3", Whole, 3),
    SPARKLE_LOAD("dwordx4", Whole, 4),
    SPARKLE_LOAD("ubyte_d16", LowU8, 1),
    SPARKLE_LOAD("ubyte_d16_hi", HighU8, 1),
    SPARKLE_LOAD("sbyte_d16", LowS8, 1),
    SPARKLE_LOAD("sbyte_d16_hi", HighS8, 1),
    SPARKLE_LOAD("short_d16", Low16, 1),
    SPARKLE_LOAD("short_d16_hi", High16, 1),
    SPARKLE_LOAD("u8", U8, 1),
    SPARKLE_LOAD("i8", S8, 1),
    SPARKLE_LOAD("u16", U16, 1),
    SPARKLE_LOAD("i16", S16, 1),
    SPARKLE_LOAD("b32", Whole, 1),
    SPARKLE_LOAD("b64", Whole, 2),
    SPARKLE_LOAD("b96", Whole, 3),
    SPARKLE_LOAD("b128", Whole, 4),
    SPARKLE_LOAD("d16_u8", LowU8, 1),
    SPARKLE_LOAD("d16_hi_u8", HighU8, 1),
    SPARKLE_LOAD("d16_i8", LowS8, 1),
    SPARKLE_LOAD("d16_hi_i8", HighS8, 1),
    SPARKLE_LOAD("d16_b16", Low16, 1),
    SPARKLE_LOAD("d16_hi_b16", High16, 1),
    SPARKLE_STORE("byte", LowU8, 1),
    SPARKLE_STORE("byte_d16_hi", HighU8, 1),
    SPARKLE_STORE("short", Low16, 1),
    SPARKLE_STORE("short_d16_hi", High16, 1),
    SPARKLE_STORE("dword", Whole, 1),
    SPARKLE_STORE("dwordx2", Whole, 2),
    SPARKLE_STORE("dwordx3", Whole, 3),
    SPARKLE_STORE("dwordx4", Whole, 4),
    SPARKLE_STORE("b8", LowU8, 1),
    SPARKLE_STORE("d16_hi_b8", HighU8, 1),
    SPARKLE_STORE("b16", Low16, 1),
    SPARKLE_STORE("d16_hi_b16", High16, 1),
    SPARKLE_STORE("b32", Whole, 1),
    SPARKLE_STORE("b64", Whole, 2),
    SPARKLE_STORE("b96", Whole, 3),
    SPARKLE_STORE("b128", Whole, 4),
    SPARKLE_ATOMIC("add", "add", "u", Add),
    SPARKLE_ATOMIC("sub", "sub", "u", Sub),
    SPARKLE_ATOMIC("smin", "min", "i", MinS),
    SPARKLE_ATOMIC("umin", "min", "u", MinU),
    SPARKLE_ATOMIC("smax", "max", "i", MaxS),
    SPARKLE_ATOMIC("umax", "max", "u", MaxU),
    SPARKLE_ATOMIC("and", "and", "b", And),
    SPARKLE_ATOMIC("or", "or", "b", Or),
    SPARKLE_ATOMIC("xor", "xor", "b", Xor),
    SPARKLE_ATOMIC("inc", "inc", "u", Inc),
    SPARKLE_ATOMIC("dec", "dec", "u", Dec),
    SPARKLE_ATOMIC("swap", "swap", "b", Swap),
    SPARKLE_ATOMIC("cmpswap", "cmpswap", "b", CompareSwap),
    SPARKLE_ONE_ATOMIC("add_f32", AddF, 1),
    SPARKLE_ONE_ATOMIC("fmin", MinF, 1),
    SPARKLE_ONE_ATOMIC("fmax", MaxF, 1),
    SPARKLE_ONE_ATOMIC("min_f32", MinF, 1),
    SPARKLE_ONE_ATOMIC("max_f32", MaxF, 1),
};

} // namespace

Opcodes listGlobal() { return {kGlobal, std::size(kGlobal)}; }

} // namespace sparkle::standin
