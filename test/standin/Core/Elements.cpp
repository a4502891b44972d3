// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of memory in registers, and atomic arithmetic on them.

#include "test/standin/Core/Memory.h"

#include <cmath>
#include <cstring>

namespace sparkle::standin {
namespace {

uint32_t widened(Form form, uint32_t old, uint32_t element) {
  switch (form) {
  case Form::S8:
    return uint32_t(int32_t(int8_t(element)));
  case Form::S16:
    return uint32_t(int32_t(int16_t(element)));
  case Form::LowU8:
  case Form::Low16:
    return (old & 0xffff0000u) | element;
  case Form::LowS8:
    return (old & 0xffff0000u) | uint16_t(int8_t(element));
  case Form::HighU8:
  case Form::High16:
    return (old & 0xffffu) | element << 16;
  case Form::HighS8:
    return (old & 0xffffu) | uint32_t(uint16_t(int8_t(element))) << 16;
  default:
    return element;
  }
}

bool isHigh(Form form) { return form >= Form::HighU8; }

template <class T> T extreme(T a, T b, bool most) {
  return (a < b) == most ? b : a;
}

float floatOf(uint64_t bits) {
  uint32_t low = uint32_t(bits);
  float value;
  std::memcpy(&value, &low, 4);
  return value;
}
uint64_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

uint64_t applySigned(Atomic what, unsigned bytes, uint64_t old,
                     uint64_t value) {
  bool most = what == Atomic::MaxS;
  if (bytes == 4)
    return uint32_t(extreme(int32_t(old), int32_t(value), most));
  return uint64_t(extreme(int64_t(old), int64_t(value), most));
}

} // namespace

void scatter(Wave &wave, Form form, unsigned first, unsigned dwords,
             uint32_t lanes, const uint8_t *elements) {
  unsigned bytes = sizeOf(form, dwords);
  if (form == Form::Whole) {
    for (unsigned i = 0; i < dwords; ++i)
      for (unsigned lane = 0; lane < kLanes; ++lane)
        if (lanes >> lane & 1)
          std::memcpy(&wave.vector[first + i][lane],
                      elements + lane * bytes + 4 * i, 4);
    return;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane, elements += bytes) {
    if (!(lanes >> lane & 1))
      continue;
    uint32_t element = 0;
    std::memcpy(&element, elements, bytes);
    uint32_t &to = wave.vector[first][lane];
    to = widened(form, to, element);
  }
}

void gather(const Wave &wave, Form form, unsigned first, unsigned dwords,
            uint8_t *elements) {
  unsigned bytes = sizeOf(form, dwords);
  if (form == Form::Whole) {
    for (unsigned i = 0; i < dwords; ++i)
      for (unsigned lane = 0; lane < kLanes; ++lane)
        std::memcpy(elements + lane * bytes + 4 * i,
                    &wave.vector[first + i][lane], 4);
    return;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane, elements += bytes) {
    uint32_t element = wave.vector[first][lane] >> (isHigh(form) ? 16 : 0);
    std::memcpy(elements, &element, bytes);
  }
}

uint64_t applyAtomic(Atomic what, unsigned bytes, uint64_t old, uint64_t value,
                     uint64_t compare) {
  switch (what) {
  case Atomic::Add:
    return old + value;
  case Atomic::Sub:
    return old - value;
  case Atomic::MinS:
  case Atomic::MaxS:
    return applySigned(what, bytes, old, value);
  case Atomic::MinU:
    return extreme(old, value, false);
  case Atomic::MaxU:
    return extreme(old, value, true);
  case Atomic::And:
    return old & value;
  case Atomic::Or:
    return old | value;
  case Atomic::Xor:
    return old ^ value;
  case Atomic::Inc:
    return old >= value ? 0 : old + 1;
  case Atomic::Dec:
    return old == 0 || old > value ? value : old - 1;
  case Atomic::Swap:
    return value;
  case Atomic::CompareSwap:
    return old == compare ? value : old;
  case Atomic::AddF:
    return bitsOf(floatOf(old) + floatOf(value));
  case Atomic::MinF:
    return bitsOf(std::fmin(floatOf(old), floatOf(value)));
  case Atomic::MaxF:
    return bitsOf(std::fmax(floatOf(old), floatOf(value)));
  }
  return old;
}

} // namespace sparkle::standin
