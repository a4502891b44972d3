// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes at GPU addresses, whatever pages they lie in, and the forms that
// elements of memory take in registers.

#ifndef SPARKLE_TEST_STANDIN_CORE_MEMORY_H
#define SPARKLE_TEST_STANDIN_CORE_MEMORY_H

#include "test/standin/Core/Wave.h"

namespace sparkle::standin {

std::string hex(uint64_t value);

/// False, with the wave failed, on a fault.
bool readMemory(Wave &wave, Port::Client client, uint64_t address, void *to,
                size_t size);
bool writeMemory(Wave &wave, uint64_t address, const void *from, size_t size);
/// Fails the wave with the port's fault; returns false.
bool failAt(Wave &wave, uint64_t address);

/// How an element lies in a register: whole registers, one byte or two of one
/// extended, or 16 bits of it with the rest kept.
enum class Form : uint32_t {
  Whole,
  U8,
  S8,
  U16,
  S16,
  LowU8,
  LowS8,
  Low16,
  HighU8,
  HighS8,
  High16
};

/// Bytes of an element in memory.
inline unsigned sizeOf(Form form, unsigned dwords) {
  switch (form) {
  case Form::Whole:
    return dwords * 4;
  case Form::U16:
  case Form::S16:
  case Form::Low16:
  case Form::High16:
    return 2;
  default:
    return 1;
  }
}

/// Puts the lanes' elements, `sizeOf` bytes apart, into registers.
void scatter(Wave &wave, Form form, unsigned first, unsigned dwords,
             uint32_t lanes, const uint8_t *elements);
/// Takes them out of registers.
void gather(const Wave &wave, Form form, unsigned first, unsigned dwords,
            uint8_t *elements);

/// An atomic operation on 4 or 8 bytes; `kind` of its instruction.
enum class Atomic : uint32_t {
  Add,
  Sub,
  MinS,
  MinU,
  MaxS,
  MaxU,
  And,
  Or,
  Xor,
  Inc,
  Dec,
  Swap,
  CompareSwap,
  AddF,
  MinF,
  MaxF
};
/// The new value; `compare` is of CompareSwap only.
uint64_t applyAtomic(Atomic what, unsigned bytes, uint64_t old, uint64_t value,
                     uint64_t compare);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_MEMORY_H
