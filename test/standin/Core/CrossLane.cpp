// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between lanes: readlane and its kin, permutes through registers and through
// LDS's crossbar, swaps.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Wave.h"

#include <cstring>
#include <iterator>
#include <utility>

namespace sparkle::standin {
namespace {

void decodeRead(const Line &line, Instruction &to) {
  bool first = line.mnemonic == "v_readfirstlane_b32";
  if (!expectOperands(line, first ? 2 : 3, first ? 2 : 3, to) ||
      !parseTarget(line.operands[0], Register::File::Scalar, 1, to, to.to) ||
      !parseSource(line.operands[1], Type::B32, line, to, to.from[0]))
    return;
  if (!first)
    parseSource(line.operands[2], Type::B32, line, to, to.from[1]);
  if (to.from[0].from != Source::From::Vector)
    refuse(to, "expected a vector register to read a lane of");
}

uint32_t scalarOf(Wave &wave, const Source &source) {
  return source.from == Source::From::Constant ? uint32_t(source.value)
                                               : wave.readScalar(source.index);
}

void readLaneOf(Wave &wave, const Instruction &instruction, unsigned lane) {
  unsigned index = instruction.from[0].index;
  if (wave.mayRead(index, 1, 1u << lane))
    wave.writeScalar(instruction.to.index, wave.vector[index][lane]);
}
void readFirst(Wave &wave, const Instruction &instruction) {
  unsigned lane = wave.exec() ? unsigned(__builtin_ctz(wave.exec())) : 0;
  readLaneOf(wave, instruction, lane);
}
void readLane(Wave &wave, const Instruction &instruction) {
  readLaneOf(wave, instruction, scalarOf(wave, instruction.from[1]) % kLanes);
}

void decodeWrite(const Line &line, Instruction &to) {
  if (expectOperands(line, 3, 3, to) &&
      parseTarget(line.operands[0], Register::File::Vector, 1, to, to.to) &&
      parseSource(line.operands[1], Type::B32, line, to, to.from[0]))
    parseSource(line.operands[2], Type::B32, line, to, to.from[1]);
}
void writeLane(Wave &wave, const Instruction &instruction) {
  uint32_t value = scalarOf(wave, instruction.from[0]);
  unsigned lane = scalarOf(wave, instruction.from[1]) % kLanes;
  unsigned index = instruction.to.index;
  if (wave.failed() || !wave.mayWrite(index, 1))
    return;
  wave.vector[index][lane] = value;
  wave.define(index, 1, 1u << lane);
}

// v_permlane16_b32 v0, v1, s2, s3 op_sel:[fetch inactive, zero if inactive]
void decodePermlane(const Line &line, Instruction &to) {
  if (!expectOperands(line, 4, 4, to) ||
      !parseTarget(line.operands[0], Register::File::Vector, 1, to, to.to))
    return;
  for (unsigned i = 0; i < 3; ++i)
    if (!parseSource(line.operands[1 + i], Type::B32, line, to, to.from[i]))
      return;
  std::vector<int64_t> select = line.list("op_sel");
  to.offset = !select.empty() && select[0];
  to.offset1 = select.size() > 1 && select[1];
}
/// `kind` is what is added to the row: 16 reads the other one.
void permlane(Wave &wave, const Instruction &instruction) {
  uint64_t selects = scalarOf(wave, instruction.from[1]) |
                     uint64_t(scalarOf(wave, instruction.from[2])) << 32;
  unsigned source = instruction.from[0].index, target = instruction.to.index;
  uint32_t values[kLanes], written = 0, read = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    unsigned from = ((lane & 16) ^ instruction.kind) |
                    unsigned(selects >> lane % 16 * 4 & 15);
    bool found = instruction.offset || (wave.exec() >> from & 1);
    values[lane] = found ? wave.vector[source][from] : 0;
    if (!(wave.exec() >> lane & 1) || (!found && !instruction.offset1))
      continue;
    written |= 1u << lane;
    read |= found ? 1u << from : 0;
  }
  if (wave.failed() || !wave.mayRead(source, 1, read) ||
      !wave.mayWrite(target, 1))
    return;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (written >> lane & 1)
      wave.vector[target][lane] = values[lane];
  wave.define(target, 1, written);
}

void decodeSwap(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) &&
      parseTarget(line.operands[0], Register::File::Vector, 1, to, to.to))
    parseSource(line.operands[1], Type::B32, line, to, to.from[0]);
}
void swap(Wave &wave, const Instruction &instruction) {
  unsigned a = instruction.to.index, b = instruction.from[0].index;
  if (!wave.mayRead(a, 1, wave.exec()) || !wave.mayRead(b, 1, wave.exec()))
    return;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (wave.exec() >> lane & 1)
      std::swap(wave.vector[a][lane], wave.vector[b][lane]);
}

// --- through the crossbar of LDS: as slow as a load ------------------------

void decodeExchange(const Line &line, Instruction &to) {
  if (expectOperands(line, 3, 3, to) &&
      parseTarget(line.operands[0], Register::File::Vector, 1, to, to.to) &&
      parseSource(line.operands[1], Type::B32, line, to, to.from[0]))
    parseSource(line.operands[2], Type::B32, line, to, to.from[1]);
  to.offset = line.number("offset", 0);
}
void finish(Wave &wave, const Instruction &instruction,
            const uint32_t *values) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (wave.exec() >> lane & 1)
      wave.vector[instruction.to.index][lane] = values[lane];
  wave.depart(Counter::Local, instruction.to.index, 1);
}
unsigned laneAt(const Wave &wave, const Instruction &instruction,
                unsigned lane) {
  uint32_t address = wave.vector[instruction.from[0].index][lane] +
                     uint32_t(instruction.offset);
  return address / 4 % kLanes;
}
bool mayExchange(Wave &wave, const Instruction &instruction) {
  return wave.mayRead(instruction.from[0].index, 1, wave.exec()) &&
         wave.mayRead(instruction.from[1].index, 1, wave.exec());
}
/// Each lane names the one it reads; one that is off gives zero.
void pull(Wave &wave, const Instruction &instruction) {
  if (!mayExchange(wave, instruction))
    return;
  uint32_t values[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    unsigned from = laneAt(wave, instruction, lane);
    values[lane] = wave.exec() >> from & 1
                       ? wave.vector[instruction.from[1].index][from]
                       : 0;
  }
  finish(wave, instruction, values);
}
/// Each lane names the one it writes; one that nobody names gets zero.
void push(Wave &wave, const Instruction &instruction) {
  if (!mayExchange(wave, instruction))
    return;
  uint32_t values[kLanes] = {};
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (wave.exec() >> lane & 1)
      values[laneAt(wave, instruction, lane)] =
          wave.vector[instruction.from[1].index][lane];
  finish(wave, instruction, values);
}

/// The pieces of `swizzle(SWAP,16)`.
std::vector<std::string> piecesOf(const std::string &text) {
  std::vector<std::string> pieces;
  size_t at = text.find('(') + 1;
  while (at < text.size()) {
    size_t end = text.find_first_of(",)", at);
    std::string piece = text.substr(at, end - at);
    piece.erase(0, piece.find_first_not_of(" \""));
    piece.erase(piece.find_last_not_of(" \"") + 1);
    pieces.push_back(piece);
    at = end == std::string::npos ? end : end + 1;
  }
  return pieces;
}

void setMasks(Permutation &how, unsigned keep, unsigned set, unsigned flip) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    how.from[lane] = uint8_t(((lane & keep) | set) ^ flip);
}

bool parseSwizzle(const std::string &text, Permutation &how) {
  std::vector<std::string> pieces = piecesOf(text);
  auto number = [&](size_t i) {
    return i < pieces.size() ? unsigned(parseNumber(pieces[i]).value_or(0)) : 0;
  };
  const std::string &mode = pieces[0];
  if (mode == "QUAD_PERM") {
    for (unsigned lane = 0; lane < kLanes; ++lane)
      how.from[lane] = uint8_t((lane & ~3u) | number(1 + lane % 4));
  } else if (mode == "SWAP") {
    setMasks(how, 31, 0, number(1));
  } else if (mode == "REVERSE") {
    setMasks(how, 31, 0, number(1) - 1);
  } else if (mode == "BROADCAST") {
    setMasks(how, 32 - number(1), number(2), 0);
  } else if (mode == "BITMASK_PERM" && pieces.size() > 1) {
    unsigned keep = 0, set = 0, flip = 0;
    for (char letter : pieces[1]) {
      keep = keep << 1 | (letter == 'p' || letter == 'i');
      set = set << 1 | (letter == '1');
      flip = flip << 1 | (letter == 'i');
    }
    setMasks(how, keep, set, flip);
  } else {
    return false;
  }
  return true;
}

/// The number of the encoding, where the disassembler prints no name.
void numberSwizzle(unsigned bits, Permutation &how) {
  if (!(bits >> 15 & 1))
    return setMasks(how, bits & 31, bits >> 5 & 31, bits >> 10 & 31);
  for (unsigned lane = 0; lane < kLanes; ++lane)
    how.from[lane] = uint8_t((lane & ~3u) | (bits >> lane % 4 * 2 & 3));
}

void decodeSwizzle(const Line &line, Instruction &to) {
  if (!expectOperands(line, 2, 2, to) ||
      !parseTarget(line.operands[0], Register::File::Vector, 1, to, to.to) ||
      !parseSource(line.operands[1], Type::B32, line, to, to.from[0]))
    return;
  auto how = std::make_shared<Permutation>();
  auto offset = line.modifiers.find("offset");
  std::string text = offset == line.modifiers.end() ? "0" : offset->second;
  if (std::optional<int64_t> bits = parseNumber(text))
    numberSwizzle(unsigned(*bits), *how);
  else if (!parseSwizzle(text, *how))
    return refuse(to, "unknown swizzle '" + text + "'");
  to.permutation = std::move(how);
}
void swizzle(Wave &wave, const Instruction &instruction) {
  unsigned source = instruction.from[0].index;
  if (!wave.mayRead(source, 1, wave.exec()))
    return;
  uint32_t values[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    unsigned from = instruction.permutation->from[lane];
    values[lane] = wave.exec() >> from & 1 ? wave.vector[source][from] : 0;
  }
  finish(wave, instruction, values);
}

constexpr Opcode kCrossLane[] = {
    {"v_readfirstlane_b32", decodeRead, readFirst},
    {"v_readlane_b32", decodeRead, readLane},
    {"v_writelane_b32", decodeWrite, writeLane},
    {"v_permlane16_b32", decodePermlane, permlane, 0},
    {"v_permlanex16_b32", decodePermlane, permlane, 16},
    {"v_swap_b32", decodeSwap, swap},
    {"ds_bpermute_b32", decodeExchange, pull},
    {"ds_permute_b32", decodeExchange, push},
    {"ds_swizzle_b32", decodeSwizzle, swizzle},
};

} // namespace

Opcodes listCrossLane() { return {kCrossLane, std::size(kCrossLane)}; }

} // namespace sparkle::standin
