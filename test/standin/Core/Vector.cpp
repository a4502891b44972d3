// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sources, results and modifiers of vector instructions.

#include "test/standin/Core/Vector.h"
#include "test/standin/Core/Half.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>

namespace sparkle::standin {
namespace {

struct Result {
  alignas(64) uint8_t bytes[kLanes * 8];
  alignas(64) bool carry[kLanes];
  uint32_t lanes; ///< To be written.
  /// Of two registers: the lanes in which the second is known.
  uint32_t highKnown = ~0u;

  template <class T> T *as() { return reinterpret_cast<T *>(bytes); }
};

/// One register of each lane, or two.
struct Raw {
  uint32_t low[kLanes], high[kLanes];
};

bool isWide(Type type) { return type == Type::B64 || type == Type::F64; }
bool isMask(Type type) { return type == Type::Mask; }

void broadcast(uint32_t *to, uint32_t value) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    to[lane] = value;
}

float flushed(float value) {
  uint32_t bits = bitsAs<uint32_t>(value);
  return bits & 0x7f800000u ? value : bitsAs<float>(bits & 0x80000000u);
}
double flushed(double value) {
  uint64_t bits = bitsAs<uint64_t>(value);
  return bits & 0x7ffull << 52 ? value : bitsAs<double>(bits & 1ull << 63);
}

/// The lanes in which the second of two registers has been written; all where
/// that has to be, and is checked as it is read.
uint32_t getHighKnown(const Wave &wave, const Source &source) {
  if (!source.highOptional || source.from == Source::From::Constant ||
      source.index == kNull)
    return ~0u;
  if (source.from == Source::From::Vector)
    return wave.ready[source.index + 1];
  return wave.scalarBits[source.index + 1] == ~0u ? ~0u : 0;
}

void readRaw(Wave &wave, const Source &source, Raw &raw) {
  bool wide = isWide(source.type);
  if (source.from == Source::From::Vector) {
    bool needsBoth = wide && !source.highOptional;
    if (!wave.mayRead(source.index, needsBoth ? 2 : 1, wave.exec()))
      return;
    std::memcpy(raw.low, wave.vector[source.index], sizeof(raw.low));
    if (wide)
      std::memcpy(raw.high, wave.vector[source.index + 1], sizeof(raw.high));
    return;
  }
  broadcast(raw.low, wave.readScalar(source.index));
  if (wide)
    broadcast(raw.high, source.index == kNull || !getHighKnown(wave, source)
                            ? 0
                            : wave.readScalar(source.index + 1));
}

/// The first source of an instruction with a permutation; takes the lanes that
/// get nothing out of `lanes`.
void readPermuted(Wave &wave, const Source &source, const Permutation &how,
                  Raw &raw, uint32_t &lanes) {
  uint32_t read = 0;
  lanes &= how.enabled;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    unsigned from = how.from[lane];
    bool found = from < kLanes && (how.inactive || wave.exec() >> from & 1);
    raw.low[lane] = found ? wave.vector[source.index][from] : 0;
    if (found && (lanes >> lane & 1))
      read |= 1u << from;
    if (!found && !how.zero)
      lanes &= ~(1u << lane);
  }
  wave.mayRead(source.index, 1, read);
}

uint16_t signs(const Source &source, uint16_t bits) {
  if (source.absolute)
    bits &= 0x7fff;
  return source.negate ? bits ^ 0x8000 : bits;
}

void toWords(const Source &source, const Raw &raw, void *buffer) {
  auto *to = static_cast<Words *>(buffer);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint16_t low = raw.low[lane] >> (source.low ? 16 : 0);
    uint16_t high = raw.low[lane] >> (source.high ? 16 : 0);
    to[lane] = {uint16_t(low ^ (source.negate ? 0x8000 : 0)),
                uint16_t(high ^ (source.negateHigh ? 0x8000 : 0))};
  }
}

uint32_t selected(const Source &source, uint32_t bits) {
  bits >>= source.shift;
  if (source.width == 32)
    return bits;
  unsigned unused = 32 - source.width;
  return source.signExtend ? uint32_t(int32_t(bits << unused) >> unused)
                           : bits << unused >> unused;
}

void toShort(const Source &source, const Raw &raw, void *buffer) {
  auto *to = static_cast<uint16_t *>(buffer);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t bits = selected(source, raw.low[lane]);
    to[lane] = signs(source, uint16_t(bits >> (source.upper ? 16 : 0)));
  }
}

void toMixed(const Mode &mode, const Source &source, const Raw &raw,
             void *buffer) {
  auto *to = static_cast<float *>(buffer);
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t bits = raw.low[lane];
    Half half = {uint16_t(bits >> (source.upper ? 16 : 0))};
    float value = source.half ? float(widen(mode, half)) : bitsAs<float>(bits);
    value = source.absolute ? std::fabs(value) : value;
    to[lane] = source.negate ? -value : value;
  }
}

void toDword(const Mode &mode, const Source &source, const Raw &raw,
             void *buffer) {
  auto *to = static_cast<uint32_t *>(buffer);
  bool flush = source.type == Type::F32 && !(mode.denormal32 & 1);
  uint32_t keep = source.absolute ? 0x7fffffffu : ~0u;
  uint32_t flip = source.negate ? 0x80000000u : 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t bits = (selected(source, raw.low[lane]) & keep) ^ flip;
    to[lane] = flush ? bitsAs<uint32_t>(flushed(bitsAs<float>(bits))) : bits;
  }
}

void toWide(const Mode &mode, const Source &source, const Raw &raw,
            void *buffer) {
  auto *to = static_cast<uint64_t *>(buffer);
  bool flush = source.type == Type::F64 && !(mode.denormal64 & 1);
  uint64_t keep = source.absolute ? ~0ull >> 1 : ~0ull;
  uint64_t flip = source.negate ? 1ull << 63 : 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint64_t bits = uint64_t(raw.high[lane]) << 32 | raw.low[lane];
    bits = (bits & keep) ^ flip;
    to[lane] = flush ? bitsAs<uint64_t>(flushed(bitsAs<double>(bits))) : bits;
  }
}

void convert(const Mode &mode, const Source &source, const Raw &raw,
             void *buffer) {
  switch (source.type) {
  case Type::Words:
  case Type::Halves:
    return toWords(source, raw, buffer);
  case Type::B16:
  case Type::F16:
    return toShort(source, raw, buffer);
  case Type::Mixed:
    return toMixed(mode, source, raw, buffer);
  case Type::B64:
  case Type::F64:
    return toWide(mode, source, raw, buffer);
  default:
    return toDword(mode, source, raw, buffer);
  }
}

const void *fetchMask(Wave &wave, const Source &source, void *buffer) {
  // Of lanes that are off, a mask need not be known.
  bool may = wave.mayReadScalar(source.index, wave.exec());
  uint32_t bits = may ? wave.scalar[source.index] : 0;
  auto *to = static_cast<bool *>(buffer);
  for (unsigned lane = 0; lane < kLanes; ++lane)
    to[lane] = bits >> lane & 1;
  return buffer;
}

template <class T>
void modify(const Wave &wave, const Target &target, T *values, bool keeps) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    T value = values[lane];
    if (target.scale)
      value = T(std::ldexp(value, target.scale));
    if (target.clamp) {
      bool nan = value != value;
      if (nan ? wave.mode.clampsNan : !(value > 0))
        value = 0;
      else if (value > 1)
        value = 1;
    }
    values[lane] = keeps ? value : flushed(value);
  }
}

void modifyHalf(const Wave &wave, const Target &target, Half *values) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    double value = widen(wave.mode, values[lane]);
    if (target.scale)
      value = std::ldexp(value, target.scale);
    if (target.clamp) {
      bool nan = value != value;
      if (nan ? wave.mode.clampsNan : !(value > 0))
        value = 0;
      else if (value > 1)
        value = 1;
    }
    values[lane] = narrow(wave.mode, value);
  }
}

void applyModifiers(const Wave &wave, const Target &target, Result &result) {
  switch (target.type) {
  case Type::F32:
    return modify(wave, target, result.as<float>(), wave.mode.denormal32 & 2);
  case Type::F64:
    return modify(wave, target, result.as<double>(), wave.mode.denormal64 & 2);
  case Type::F16:
    return modifyHalf(wave, target, result.as<Half>());
  case Type::Halves:
    for (unsigned part = 0; part < 2; ++part) {
      Half halves[kLanes];
      for (unsigned lane = 0; lane < kLanes; ++lane)
        halves[lane] = result.as<Half>()[2 * lane + part];
      modifyHalf(wave, target, halves);
      for (unsigned lane = 0; lane < kLanes; ++lane)
        result.as<Half>()[2 * lane + part] = halves[lane];
    }
    return;
  default:
    return;
  }
}

void blend(Wave &wave, unsigned index, const uint32_t *values, uint32_t lanes) {
  uint32_t *to = wave.vector[index];
  if (lanes == ~0u) {
    std::memcpy(to, values, kLanes * sizeof(uint32_t));
  } else if (lanes == wave.exec()) {
    for (unsigned lane = 0; lane < kLanes; ++lane)
      to[lane] =
          (values[lane] & wave.active[lane]) | (to[lane] & ~wave.active[lane]);
  } else {
    for (unsigned lane = 0; lane < kLanes; ++lane)
      if (lanes >> lane & 1)
        to[lane] = values[lane];
  }
  wave.ready[index] |= lanes;
}

void storeWide(Wave &wave, const Target &target, Result &result) {
  uint32_t low[kLanes], high[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    low[lane] = uint32_t(result.as<uint64_t>()[lane]);
    high[lane] = uint32_t(result.as<uint64_t>()[lane] >> 32);
  }
  blend(wave, target.index, low, result.lanes);
  blend(wave, target.index + 1, high, result.lanes);
  wave.ready[target.index + 1] &= ~(result.lanes & ~result.highKnown);
}

/// Part of a register: 16 bits of it, or what SDWA says.
void storePart(Wave &wave, const Target &target, Result &result) {
  bool isShort = target.type == Type::B16 || target.type == Type::F16;
  unsigned shift = target.shift, width = target.width;
  Rest rest = target.rest;
  if (isShort && width == 32) {
    shift = target.upper ? 16 : 0;
    width = 16;
    rest = Rest::Kept;
  }
  uint32_t mask = (width == 32 ? ~0u : (1u << width) - 1) << shift;
  uint32_t values[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t value =
        isShort ? result.as<uint16_t>()[lane] : result.as<uint32_t>()[lane];
    uint32_t other = rest == Rest::Kept ? wave.vector[target.index][lane] : 0;
    uint32_t part = value << shift & mask;
    if (rest == Rest::Sign)
      other = uint32_t(int32_t(value << (32 - width)) >> (32 - width)) << shift;
    values[lane] = part | (other & ~mask);
  }
  blend(wave, target.index, values, result.lanes);
}

void storeMask(Wave &wave, unsigned index, const bool *lanes, uint32_t wanted) {
  wave.writeScalar(index, maskOf(lanes) & wanted);
}

void store(Wave &wave, const Instruction &instruction, Result &result) {
  const Target &target = instruction.to;
  if (target.clamp || target.scale || wave.flushes)
    applyModifiers(wave, target, result);
  if (target.to == Target::To::Scalar) {
    storeMask(wave, target.index, result.as<bool>(), result.lanes);
  } else if (wave.mayWrite(target.index, isWide(target.type) ? 2 : 1)) {
    if (isWide(target.type))
      storeWide(wave, target, result);
    else if (target.plain)
      blend(wave, target.index, result.as<uint32_t>(), result.lanes);
    else
      storePart(wave, target, result);
  }
  if (instruction.carry.to == Target::To::Scalar)
    storeMask(wave, instruction.carry.index, result.carry, result.lanes);
}

/// The rounding of f64, while this lives, if it is not that of f32.
class DoubleRounding {
public:
  DoubleRounding(const Mode &mode, Type type) {
    constexpr int kDirections[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                                   FE_TOWARDZERO};
    if (type != Type::F64 || mode.round32 == mode.round64)
      return;
    former = std::fegetround();
    std::fesetround(kDirections[mode.round64]);
  }
  ~DoubleRounding() {
    if (former >= 0)
      std::fesetround(former);
  }

private:
  int former = -1;
};

/// All but the writing.
bool compute(Wave &wave, const Instruction &instruction, Result &result) {
  alignas(64) uint8_t buffers[4][kLanes * 8];
  Lanes lanes = {result.bytes, result.carry, {}, &wave.mode};
  result.lanes = wave.exec();
  unsigned first = 0;
  if (instruction.permutation) {
    Raw raw;
    readPermuted(wave, instruction.from[0], *instruction.permutation, raw,
                 result.lanes);
    convert(wave.mode, instruction.from[0], raw, buffers[0]);
    lanes.from[0] = buffers[0];
    first = 1;
  }
  for (unsigned i = first; i < instruction.sources; ++i)
    lanes.from[i] = fetch(wave, instruction.from[i], buffers[i]);
  for (unsigned i = first; i < instruction.sources; ++i)
    result.highKnown &= getHighKnown(wave, instruction.from[i]);
  if (wave.failed())
    return false;
  DoubleRounding rounding(wave.mode, instruction.to.type);
  instruction.lanes(lanes);
  return true;
}

} // namespace

uint32_t maskOf(const bool *lanes) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < kLanes; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, lanes + i, 8);
    mask |= uint32_t(bytes * 0x0102040810204080ull >> 56) << i;
  }
  return mask;
}

void makeConstant(Source &source) {
  Raw raw;
  broadcast(raw.low, uint32_t(source.value));
  broadcast(raw.high, uint32_t(source.value >> 32));
  auto constant = std::make_shared<Broadcast>();
  convert(Mode(), source, raw, constant->bytes);
  source.constant = std::move(constant);
}

const void *fetch(Wave &wave, const Source &source, void *buffer) {
  if (source.from == Source::From::Constant)
    return source.constant->bytes;
  if (isMask(source.type))
    return fetchMask(wave, source, buffer);
  if (source.plain && !wave.flushes) {
    if (source.from == Source::From::Vector) {
      wave.mayRead(source.index, 1, wave.exec());
      return wave.vector[source.index];
    }
    broadcast(static_cast<uint32_t *>(buffer), wave.readScalar(source.index));
    return buffer;
  }
  Raw raw;
  readRaw(wave, source, raw);
  if (!wave.failed())
    convert(wave.mode, source, raw, buffer);
  return buffer;
}

void executePlain(Wave &wave, const Instruction &instruction) {
  if (wave.flushes)
    return executeVector(wave, instruction);
  alignas(64) uint32_t buffers[4][kLanes];
  alignas(64) uint32_t result[kLanes];
  Lanes lanes = {result, nullptr, {}, &wave.mode};
  for (unsigned i = 0; i < instruction.sources; ++i)
    lanes.from[i] = fetch(wave, instruction.from[i], buffers[i]);
  if (wave.failed() || !wave.mayWrite(instruction.to.index, 1))
    return;
  instruction.lanes(lanes);
  blend(wave, instruction.to.index, result, wave.exec());
}

void executeVector(Wave &wave, const Instruction &instruction) {
  Result result;
  if (compute(wave, instruction, result))
    store(wave, instruction, result);
}

void executePair(Wave &wave, const Instruction &instruction) {
  Result results[2];
  if (!compute(wave, instruction, results[0]) ||
      !compute(wave, *instruction.second, results[1]))
    return;
  store(wave, instruction, results[0]);
  store(wave, *instruction.second, results[1]);
}

} // namespace sparkle::standin
