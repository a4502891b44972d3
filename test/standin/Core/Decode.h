// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code to instructions: LLVM's disassembler prints it, the text is
// parsed, the mnemonic found in a table.

#ifndef SPARKLE_TEST_STANDIN_CORE_DECODE_H
#define SPARKLE_TEST_STANDIN_CORE_DECODE_H

#include "test/standin/Core/Core.h"
#include "test/standin/Core/Instruction.h"
#include "test/standin/Core/Text.h"

#include <memory>

namespace sparkle::standin {

/// The longest instruction there is for these generations, in bytes.
constexpr size_t kLongest = 12;

/// The instruction at the start of `bytes`, shared by all who ask for the same
/// bytes; null if they are none. What it cannot be run for is in its `refusal`.
/// Safe to call from any thread.
std::shared_ptr<const Instruction> decode(Generation generation,
                                          const uint8_t *bytes, size_t size);

/// An instruction that is not of the tables of vector functions.
struct Opcode {
  const char *name;
  /// Reads the operands; leaves a refusal if it does not understand them.
  void (*decode)(const Line &line, Instruction &to);
  Execute execute;
  uint32_t kind = 0;
  uint8_t dwords = 1;
};
struct Opcodes {
  const Opcode *first;
  size_t count;
};
Opcodes listScalar();
Opcodes listFlow();
Opcodes listScalarMemory();
Opcodes listGlobal();
Opcodes listLocal();
Opcodes listCrossLane();
Opcodes listMatrix();

/// The vector instruction of that name; null if there is none.
const Operation *findOperation(const std::string &name);
/// Reads operands and modifiers of a vector instruction.
void decodeVector(const Line &line, const Operation &operation,
                  Instruction &to);
/// Of a pair: what the hardware demands of the two together.
void checkPair(const Instruction &first, Instruction &to);

/// A register, number or special name as a source of that type. False, with a
/// refusal, if it is none.
bool parseSource(std::string_view text, Type type, const Line &line,
                 Instruction &to, Source &source);
/// A register of the file as a destination of `count` registers.
bool parseTarget(std::string_view text, Register::File file, unsigned count,
                 Instruction &to, Target &target);
/// False, with a refusal, unless the line has so many operands.
bool expectOperands(const Line &line, size_t least, size_t most,
                    Instruction &to);
void refuse(Instruction &to, std::string why);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_DECODE_H
