// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WMMA of gfx11: D = A x B + C of 16 by 16, in waves of 32. A holds row
// `lane % 16`, B column `lane % 16`, 16 elements in 8 registers, lanes 16 to 31
// the same again; register r of C and D holds row 2r, in lanes 16 to 31 row
// 2r + 1, of column `lane % 16`.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Half.h"
#include "test/standin/Core/Wave.h"

#include <cstring>
#include <iterator>

namespace sparkle::standin {
namespace {

constexpr unsigned kSide = 16, kRegisters = 8;

void decodeProduct(const Line &line, Instruction &to) {
  if (!expectOperands(line, 4, 4, to) ||
      !parseTarget(line.operands[0], Register::File::Vector, kRegisters, to,
                   to.to))
    return;
  for (unsigned i = 0; i < 3; ++i)
    if (!parseSource(line.operands[1 + i], Type::B32, line, to, to.from[i]))
      return;
  if (!line.modifiers.empty())
    refuse(to, "unknown modifier " + line.modifiers.begin()->first + " of '" +
                   line.mnemonic + "'");
  if (to.from[0].from != Source::From::Vector ||
      to.from[1].from != Source::From::Vector)
    refuse(to, "expected matrices in vector registers");
}

enum class Element : uint32_t { F16, BF16 };

double elementOf(Element element, uint16_t bits) {
  if (element == Element::BF16)
    return bitsAs<float>(uint32_t(bits) << 16);
  return halfToDouble(bits);
}

/// The 16 elements of a lane's row or column.
bool readMatrix(Wave &wave, Element element, unsigned index,
                double to[kSide][kSide]) {
  if (!wave.mayRead(index, kRegisters, ~0u))
    return false;
  for (unsigned i = 0; i < kRegisters; ++i)
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      uint32_t bits = wave.vector[index + i][lane];
      if (bits != wave.vector[index + i][lane % kSide]) {
        wave.fail("matrix in v" + std::to_string(index) +
                  " that differs between lanes " +
                  std::to_string(lane % kSide) + " and " +
                  std::to_string(lane));
        return false;
      }
      to[lane % kSide][2 * i] = elementOf(element, uint16_t(bits));
      to[lane % kSide][2 * i + 1] = elementOf(element, uint16_t(bits >> 16));
    }
  return true;
}

bool mayMultiply(Wave &wave, const Instruction &instruction) {
  if (wave.exec() != ~0u) {
    wave.fail("matrix product with some lanes off in EXEC");
    return false;
  }
  const Source &sum = instruction.from[2];
  return (sum.from != Source::From::Vector ||
          wave.mayRead(sum.index, kRegisters, ~0u)) &&
         wave.mayWrite(instruction.to.index, kRegisters);
}

/// The manuals leave the order of the sum open: rounded once here. Float is
/// whether C and D are f32; else f16 in the low halves.
template <bool Float>
void multiply(Wave &wave, const Instruction &instruction) {
  double rows[kSide][kSide], columns[kSide][kSide];
  Element element = Element(instruction.kind);
  const Source &c = instruction.from[2];
  if (!mayMultiply(wave, instruction) ||
      !readMatrix(wave, element, instruction.from[0].index, rows) ||
      !readMatrix(wave, element, instruction.from[1].index, columns))
    return;
  for (unsigned i = 0; i < kRegisters; ++i)
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      unsigned row = 2 * i + lane / kSide, column = lane % kSide;
      uint32_t &to = wave.vector[instruction.to.index + i][lane];
      uint32_t old = c.from == Source::From::Vector
                         ? wave.vector[c.index + i][lane]
                         : uint32_t(c.value);
      double sum =
          Float ? double(bitsAs<float>(old)) : halfToDouble(uint16_t(old));
      for (unsigned k = 0; k < kSide; ++k)
        sum += rows[row][k] * columns[column][k];
      to = Float ? bitsAs<uint32_t>(float(sum))
                 : (to & 0xffff0000u) | doubleToHalf(sum, 0);
    }
  wave.define(instruction.to.index, kRegisters, ~0u);
}

constexpr Opcode kMatrix[] = {
    {"v_wmma_f32_16x16x16_f16", decodeProduct, multiply<true>,
     uint32_t(Element::F16)},
    {"v_wmma_f32_16x16x16_bf16", decodeProduct, multiply<true>,
     uint32_t(Element::BF16)},
    {"v_wmma_f16_16x16x16_f16", decodeProduct, multiply<false>,
     uint32_t(Element::F16)},
};

} // namespace

Opcodes listMatrix() { return {kMatrix, std::size(kMatrix)}; }

} // namespace sparkle::standin
