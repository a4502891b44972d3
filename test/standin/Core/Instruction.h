// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoded instruction: all of the text that execution needs, with operands
// resolved to register numbers and constants. Shared by all runs.

#ifndef SPARKLE_TEST_STANDIN_CORE_INSTRUCTION_H
#define SPARKLE_TEST_STANDIN_CORE_INSTRUCTION_H

#include "test/standin/Core/Lanes.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sparkle::standin {

struct Wave;
struct Instruction;
using Execute = void (*)(Wave &, const Instruction &);

// Scalar registers by number: s0 to s105, then these.
constexpr unsigned kVcc = 106;
constexpr unsigned kM0 = 124;
constexpr unsigned kNull = 125;
constexpr unsigned kExec = 126;
constexpr unsigned kScalars = 128;
constexpr unsigned kVectors = 256;

/// 32 copies of a constant, in the C++ type of the source's `Type`.
struct Broadcast {
  alignas(64) uint8_t bytes[kLanes * 8];
};

/// A source of a vector instruction, or any operand of another.
struct Source {
  enum class From : uint8_t {
    None,
    Vector,
    Scalar,
    Constant
  } from = From::None;
  Type type = Type::None;
  uint16_t index = 0;
  /// One register of 32 bits, as it stands.
  bool plain = true;
  bool negate = false, absolute = false, signExtend = false;
  /// Words and halves: which half each half comes from, and its sign.
  bool low = false, high = true, negateHigh = false;
  /// Of two registers, the second need not have been written: what depends on
  /// it then has not been, either.
  bool highOptional = false;
  /// One of 16 bits: the high half. Of `Mixed`, with `half`: f16.
  bool upper = false, half = false;
  /// SDWA: the bits of the register that are the source.
  uint8_t shift = 0, width = 32;
  uint64_t value = 0; ///< Of a constant.
  std::shared_ptr<const Broadcast> constant;
};

/// What becomes of the rest of a register of which SDWA writes a part.
enum class Rest : uint8_t { Zero, Sign, Kept };

struct Target {
  enum class To : uint8_t { None, Vector, Scalar } to = To::None;
  Type type = Type::None;
  uint16_t index = 0;
  bool plain = true;
  bool clamp = false, upper = false;
  int8_t scale = 0; ///< Output modifier: times 2 to this.
  uint8_t shift = 0, width = 32;
  Rest rest = Rest::Kept;
};

/// Data parallel primitive: where the first source's lanes come from.
struct Permutation {
  uint8_t from[kLanes];   ///< kLanes and above: from nowhere.
  uint32_t enabled = ~0u; ///< By row_mask and bank_mask.
  bool zero = false;      ///< bound_ctrl: from nowhere is zero.
  bool inactive = false;  ///< fi: reads lanes that EXEC has off.
};

/// Which counter an instruction of memory raises.
enum class Counter : uint8_t { Vector, Store, Local, Scalar };

struct Instruction {
  Execute execute = nullptr;
  // Of vector instructions.
  void (*lanes)(const Lanes &) = nullptr;
  Target to, carry;
  Source from[4];
  uint8_t sources = 0;
  std::shared_ptr<const Permutation> permutation;
  std::shared_ptr<const Instruction> second; ///< The other half of a pair.
  // Of others.
  int64_t offset = 0, offset1 = 0;
  uint32_t kind = 0;  ///< An executor's own choice.
  uint8_t dwords = 0; ///< Of data, or bytes where an executor says so.

  uint8_t size = 0;           ///< In bytes.
  uint16_t highestVector = 0; ///< The vector registers it needs.
  std::string mnemonic, text;
  std::string refusal; ///< Why it cannot run; empty if it can.
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_INSTRUCTION_H
