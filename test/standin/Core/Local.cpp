// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LDS: loads, stores and atomics, one element of a lane or two, and the
// exchanges between lanes that take the same path. What was not written may not
// be read; what lies outside of LDS_SIZE is a fault.

#include "test/standin/Core/Banks.h"
#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Memory.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace sparkle::standin {
namespace {

// from[0] is the address, from[1] and from[2] the data.
constexpr unsigned kAddress = 0, kData = 1, kSecondData = 2;

void decodeLoad(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) &&
      parseTarget(line.operands[0], Register::File::Vector, to.dwords, to,
                  to.to))
    parseSource(line.operands[1], Type::B32, line, to, to.from[kAddress]);
  to.offset = line.number("offset", 0);
}

void decodeStore(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) &&
      parseSource(line.operands[0], Type::B32, line, to, to.from[kAddress]))
    parseSource(line.operands[1], Type::B32, line, to, to.from[kData]);
  if (to.from[kData].upper && Form(to.kind) == Form::Low16)
    to.kind = uint32_t(Form::High16);
  to.offset = line.number("offset", 0);
}

/// Of two elements: `kind` is the distance that one step of offset means, in
/// elements; `dwords` are of one element.
void decodeOffsets(const Line &line, Instruction &to) {
  int64_t step = int64_t(to.kind) * to.dwords * 4;
  to.offset = line.number("offset0", 0) * step;
  to.offset1 = line.number("offset1", 0) * step;
}
void decodeLoadTwo(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) &&
      parseTarget(line.operands[0], Register::File::Vector, 2u * to.dwords, to,
                  to.to))
    parseSource(line.operands[1], Type::B32, line, to, to.from[kAddress]);
  decodeOffsets(line, to);
}
void decodeStoreTwo(const Line &line, Instruction &to) {
  if (expectOperands(line, 3, 3, to) &&
      parseSource(line.operands[0], Type::B32, line, to, to.from[kAddress]) &&
      parseSource(line.operands[1], Type::B32, line, to, to.from[kData]))
    parseSource(line.operands[2], Type::B32, line, to, to.from[kSecondData]);
  decodeOffsets(line, to);
}

void decodeAtomic(const Line &line, Instruction &to) {
  bool returns = line.mnemonic.find("_rtn_") != std::string::npos;
  bool compares = Atomic(to.kind) == Atomic::CompareSwap;
  size_t count = 2u + returns + compares;
  if (!expectOperands(line, count, count, to))
    return;
  size_t operand = 0;
  if (returns && !parseTarget(line.operands[operand++], Register::File::Vector,
                              to.dwords, to, to.to))
    return;
  if (!parseSource(line.operands[operand], Type::B32, line, to,
                   to.from[kAddress]) ||
      !parseSource(line.operands[operand + 1], Type::B32, line, to,
                   to.from[kData]))
    return;
  if (compares)
    parseSource(line.operands[operand + 2], Type::B32, line, to,
                to.from[kSecondData]);
  to.offset = line.number("offset", 0);
}

/// Fails and says why unless the access of one lane is aligned and inside.
bool isInside(Wave &wave, uint64_t address, unsigned bytes) {
  // 12 and 16 bytes are read from 16-byte rows.
  unsigned alignment = bytes > 8 ? 16 : bytes;
  if (address + bytes > wave.group->local.size()) {
    wave.faultAddress = address;
    wave.fail("access of " + std::to_string(bytes) + " bytes of LDS at " +
              hex(address) + ", but the workgroup has " +
              std::to_string(wave.group->local.size()) +
              " (LDS_SIZE of rsrc2)");
    return false;
  }
  if (address % alignment) {
    wave.fail("access of " + std::to_string(bytes) + " bytes of LDS at " +
              hex(address) + ", which is not a multiple of " +
              std::to_string(alignment));
    return false;
  }
  return true;
}

bool isWritten(Wave &wave, uint64_t address, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    if (!wave.group->localWritten[address + i]) {
      wave.fail("read of LDS at " + hex(address + i) +
                ", which has not been written");
      return false;
    }
  return true;
}

bool readAddresses(Wave &wave, const Instruction &instruction,
                   Addresses &addresses) {
  unsigned index = instruction.from[kAddress].index;
  uint32_t exec = wave.exec();
  if (!wave.mayRead(index, 1, exec))
    return false;
  uint32_t one = exec ? wave.vector[index][__builtin_ctz(exec)] : 0;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    addresses.of[lane] = (wave.vector[index][lane] & wave.active[lane]) |
                         (one & ~wave.active[lane]);
  return true;
}

/// The sum has 32 bits: a negative address and an offset are one inside.
Addresses operator+(const Addresses &addresses, int64_t offset) {
  Addresses sums;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    sums.of[lane] = addresses.of[lane] + uint32_t(offset);
  return sums;
}

/// All lanes at once; the lane that is to blame is looked for only then.
bool areInside(Wave &wave, const Addresses &addresses, unsigned bytes) {
  uint32_t most = 0, low = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    most = std::max(most, addresses.of[lane]);
    low |= addresses.of[lane];
  }
  unsigned alignment = bytes > 8 ? 16 : bytes;
  if (uint64_t(most) + bytes <= wave.group->local.size() &&
      low % alignment == 0)
    return true;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (!isInside(wave, addresses.of[lane], bytes))
      return false;
  return true;
}

/// The lanes of each register that a load leaves unknown: memory of which the
/// program has written other parts. A wide load may bring more than is wanted.
struct Unknown {
  uint32_t lanes[8] = {};
};

/// Fails where a lane finds nothing that has been written.
bool findUnknown(Wave &wave, const Addresses &addresses, unsigned dwords,
                 uint32_t *unknown) {
  const uint8_t *written = wave.group->localWritten.data();
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(wave.exec() >> lane & 1))
      continue;
    unsigned missing = 0;
    for (unsigned i = 0; i < dwords; ++i) {
      const uint8_t *marks = written + addresses.of[lane] + 4 * i;
      if (std::all_of(marks, marks + 4, [](uint8_t mark) { return mark; }))
        continue;
      unknown[i] |= 1u << lane;
      ++missing;
    }
    if (missing == dwords && !isWritten(wave, addresses.of[lane], 4 * dwords))
      return false;
  }
  return true;
}

/// Whole registers, of every lane.
template <unsigned Dwords>
bool readWhole(Wave &wave, const Addresses &addresses, unsigned first,
               uint32_t *unknown) {
  const uint8_t *local = wave.group->local.data();
  const uint8_t *written = wave.group->localWritten.data();
  uint32_t values[Dwords][kLanes];
  uint32_t all = 0x01010101u;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t from[Dwords], marks[Dwords];
    std::memcpy(from, local + addresses.of[lane], sizeof(from));
    std::memcpy(marks, written + addresses.of[lane], sizeof(marks));
    for (unsigned i = 0; i < Dwords; ++i) {
      values[i][lane] = from[i];
      all &= marks[i];
    }
  }
  if (all != 0x01010101u && !findUnknown(wave, addresses, Dwords, unknown))
    return false;
  for (unsigned i = 0; i < Dwords; ++i) {
    uint32_t *to = wave.vector[first + i];
    for (unsigned lane = 0; lane < kLanes; ++lane)
      to[lane] = (values[i][lane] & wave.active[lane]) |
                 (to[lane] & ~wave.active[lane]);
  }
  return true;
}

bool readParts(Wave &wave, const Addresses &addresses, Form form,
               unsigned first) {
  unsigned bytes = sizeOf(form, 1);
  uint8_t elements[kLanes * 4];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t at = addresses.of[lane];
    if (!isWritten(wave, at, bytes))
      return false;
    std::memcpy(elements + lane * bytes, &wave.group->local[at], bytes);
  }
  scatter(wave, form, first, 1, wave.exec(), elements);
  return true;
}

/// The lanes' elements at one offset.
bool readElements(Wave &wave, const Instruction &instruction,
                  const Addresses &addresses, Form form, unsigned first,
                  uint32_t *unknown) {
  if (!wave.exec())
    return true;
  if (!areInside(wave, addresses, sizeOf(form, instruction.dwords)))
    return false;
  if (wave.banks)
    countPasses(wave, addresses, instruction.dwords, Access::Load);
  if (form != Form::Whole)
    return readParts(wave, addresses, form, first);
  switch (instruction.dwords) {
  case 1:
    return readWhole<1>(wave, addresses, first, unknown);
  case 2:
    return readWhole<2>(wave, addresses, first, unknown);
  case 3:
    return readWhole<3>(wave, addresses, first, unknown);
  default:
    return readWhole<4>(wave, addresses, first, unknown);
  }
}

bool writeElements(Wave &wave, const Instruction &instruction,
                   const Addresses &addresses, Form form, const Source &data) {
  unsigned bytes = sizeOf(form, instruction.dwords);
  if (!wave.mayRead(data.index, instruction.dwords, wave.exec()))
    return false;
  if (!wave.exec())
    return true;
  if (!areInside(wave, addresses, bytes))
    return false;
  if (wave.banks)
    countPasses(wave, addresses, instruction.dwords, Access::Store);
  uint8_t elements[kLanes * 16];
  gather(wave, form, data.index, instruction.dwords, elements);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(wave.exec() >> lane & 1))
      continue;
    uint32_t at = addresses.of[lane];
    std::memcpy(&wave.group->local[at], elements + lane * bytes, bytes);
    std::memset(&wave.group->localWritten[at], 1, bytes);
  }
  return true;
}

void load(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  Unknown unknown;
  if (!readAddresses(wave, instruction, addresses) ||
      !readElements(wave, instruction, addresses + instruction.offset,
                    Form(instruction.kind), instruction.to.index,
                    unknown.lanes))
    return;
  wave.depart(Counter::Local, instruction.to.index, instruction.dwords);
  wave.leaveUnknown(instruction.to.index, instruction.dwords, unknown.lanes);
}
void loadTwo(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  unsigned to = instruction.to.index, dwords = instruction.dwords;
  Unknown unknown;
  if (!readAddresses(wave, instruction, addresses) ||
      !readElements(wave, instruction, addresses + instruction.offset,
                    Form::Whole, to, unknown.lanes) ||
      !readElements(wave, instruction, addresses + instruction.offset1,
                    Form::Whole, to + dwords, unknown.lanes + dwords))
    return;
  wave.depart(Counter::Local, to, 2 * dwords);
  wave.leaveUnknown(to, 2 * dwords, unknown.lanes);
}
void store(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  if (readAddresses(wave, instruction, addresses) &&
      writeElements(wave, instruction, addresses + instruction.offset,
                    Form(instruction.kind), instruction.from[kData]))
    wave.depart(Counter::Local, 0, 0, true);
}
void storeTwo(Wave &wave, const Instruction &instruction) {
  Addresses addresses;
  if (readAddresses(wave, instruction, addresses) &&
      writeElements(wave, instruction, addresses + instruction.offset,
                    Form::Whole, instruction.from[kData]) &&
      writeElements(wave, instruction, addresses + instruction.offset1,
                    Form::Whole, instruction.from[kSecondData]))
    wave.depart(Counter::Local, 0, 0, true);
}

uint64_t readElement(const Wave &wave, unsigned index, unsigned dwords,
                     unsigned lane) {
  uint64_t value = wave.vector[index][lane];
  return dwords == 1 ? value
                     : value | uint64_t(wave.vector[index + 1][lane]) << 32;
}

void atomic(Wave &wave, const Instruction &instruction) {
  unsigned dwords = instruction.dwords, bytes = dwords * 4;
  Atomic what = Atomic(instruction.kind);
  bool compares = what == Atomic::CompareSwap;
  const Source &address = instruction.from[kAddress];
  // gfx10 has the comparand first, gfx11 last.
  bool comparandFirst = compares && !wave.isGfx11();
  const Source &data = instruction.from[comparandFirst ? kSecondData : kData];
  const Source &comparand =
      instruction.from[comparandFirst ? kData : kSecondData];
  if (!wave.mayRead(address.index, 1, wave.exec()) ||
      !wave.mayRead(data.index, dwords, wave.exec()) ||
      (compares && !wave.mayRead(comparand.index, dwords, wave.exec())))
    return;
  bool returns = instruction.to.to == Target::To::Vector;
  uint32_t results[2][kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(wave.exec() >> lane & 1))
      continue;
    uint32_t at =
        wave.vector[address.index][lane] + uint32_t(instruction.offset);
    uint64_t old = 0;
    if (!isInside(wave, at, bytes) || !isWritten(wave, at, bytes))
      return;
    std::memcpy(&old, &wave.group->local[at], bytes);
    uint64_t now = applyAtomic(
        what, bytes, old, readElement(wave, data.index, dwords, lane),
        compares ? readElement(wave, comparand.index, dwords, lane) : 0);
    std::memcpy(&wave.group->local[at], &now, bytes);
    for (unsigned i = 0; i < dwords; ++i)
      results[i][lane] = uint32_t(old >> 32 * i);
  }
  if (!returns)
    return wave.depart(Counter::Local, 0, 0, true);
  for (unsigned lane = 0; lane < kLanes; ++lane)
    for (unsigned i = 0; i < dwords; ++i)
      if (wave.exec() >> lane & 1)
        wave.vector[instruction.to.index + i][lane] = results[i][lane];
  wave.depart(Counter::Local, instruction.to.index, dwords, true);
}

#define SPARKLE_LOAD(Old, New, AsForm, Dwords)                                 \
  {"ds_read_" Old, decodeLoad, load, uint32_t(Form::AsForm), Dwords}, {        \
    "ds_load_" New, decodeLoad, load, uint32_t(Form::AsForm), Dwords           \
  }
#define SPARKLE_STORE(Name, AsForm, Dwords)                                    \
  {"ds_write_" Name, decodeStore, store, uint32_t(Form::AsForm), Dwords}, {    \
    "ds_store_" Name, decodeStore, store, uint32_t(Form::AsForm), Dwords       \
  }
#define SPARKLE_TWO(Old, New, Step, Dwords)                                    \
  {"ds_read2" Old, decodeLoadTwo, loadTwo, Step, Dwords},                      \
      {"ds_load_2addr" New, decodeLoadTwo, loadTwo, Step, Dwords},             \
      {"ds_write2" Old, decodeStoreTwo, storeTwo, Step, Dwords}, {             \
    "ds_store_2addr" New, decodeStoreTwo, storeTwo, Step, Dwords               \
  }
#define SPARKLE_ONE_ATOMIC(Name, What, Dwords)                                 \
  { "ds_" Name, decodeAtomic, atomic, uint32_t(Atomic::What), Dwords }
#define SPARKLE_ATOMIC(Name, Letter, What)                                     \
  SPARKLE_ONE_ATOMIC(Name "_" Letter "32", What, 1),                           \
      SPARKLE_ONE_ATOMIC(Name "_" Letter "64", What, 2),                       \
      SPARKLE_ONE_ATOMIC(Name "_rtn_" Letter "32", What, 1),                   \
      SPARKLE_ONE_ATOMIC(Name "_rtn_" Letter "64", What, 2)

constexpr Opcode kLocal[] = {
    SPARKLE_LOAD("u8", "u8", U8, 1),
    SPARKLE_LOAD("i8", "i8", S8, 1),
    SPARKLE_LOAD("u16", "u16", U16, 1),
    SPARKLE_LOAD("i16", "i16", S16, 1),
    SPARKLE_LOAD("u8_d16", "u8_d16", LowU8, 1),
    SPARKLE_LOAD("u8_d16_hi", "u8_d16_hi", HighU8, 1),
    SPARKLE_LOAD("i8_d16", "i8_d16", LowS8, 1),
    SPARKLE_LOAD("i8_d16_hi", "i8_d16_hi", HighS8, 1),
    SPARKLE_LOAD("u16_d16", "u16_d16", Low16, 1),
    SPARKLE_LOAD("u16_d16_hi", "u16_d16_hi", High16, 1),
    SPARKLE_LOAD("b32", "b32", Whole, 1),
    SPARKLE_LOAD("b64", "b64", Whole, 2),
    SPARKLE_LOAD("b96", "b96", Whole, 3),
    SPARKLE_LOAD("b128", "b128", Whole, 4),
    SPARKLE_STORE("b8", LowU8, 1),
    SPARKLE_STORE("b8_d16_hi", HighU8, 1),
    SPARKLE_STORE("b16", Low16, 1),
    SPARKLE_STORE("b16_d16_hi", High16, 1),
    SPARKLE_STORE("b32", Whole, 1),
    SPARKLE_STORE("b64", Whole, 2),
    SPARKLE_STORE("b96", Whole, 3),
    SPARKLE_STORE("b128", Whole, 4),
    SPARKLE_TWO("_b32", "_b32", 1, 1),
    SPARKLE_TWO("_b64", "_b64", 1, 2),
    SPARKLE_TWO("st64_b32", "_stride64_b32", 64, 1),
    SPARKLE_TWO("st64_b64", "_stride64_b64", 64, 2),
    SPARKLE_ATOMIC("add", "u", Add),
    SPARKLE_ATOMIC("sub", "u", Sub),
    SPARKLE_ATOMIC("inc", "u", Inc),
    SPARKLE_ATOMIC("dec", "u", Dec),
    SPARKLE_ATOMIC("min", "i", MinS),
    SPARKLE_ATOMIC("max", "i", MaxS),
    SPARKLE_ATOMIC("min", "u", MinU),
    SPARKLE_ATOMIC("max", "u", MaxU),
    SPARKLE_ATOMIC("and", "b", And),
    SPARKLE_ATOMIC("or", "b", Or),
    SPARKLE_ATOMIC("xor", "b", Xor),
    SPARKLE_ATOMIC("wrxchg", "b", Swap),
    SPARKLE_ATOMIC("storexchg", "b", Swap),
    SPARKLE_ATOMIC("cmpst", "b", CompareSwap),
    SPARKLE_ATOMIC("cmpstore", "b", CompareSwap),
    SPARKLE_ONE_ATOMIC("add_f32", AddF, 1),
    SPARKLE_ONE_ATOMIC("add_rtn_f32", AddF, 1),
    SPARKLE_ONE_ATOMIC("min_f32", MinF, 1),
    SPARKLE_ONE_ATOMIC("min_rtn_f32", MinF, 1),
    SPARKLE_ONE_ATOMIC("max_f32", MaxF, 1),
    SPARKLE_ONE_ATOMIC("max_rtn_f32", MaxF, 1),
};

} // namespace

Opcodes listLocal() { return {kLocal, std::size(kLocal)}; }

} // namespace sparkle::standin
