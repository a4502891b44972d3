// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The code of one run: each program counter decoded once, each step linked to
// those that follow it.

#ifndef SPARKLE_TEST_STANDIN_CORE_PROGRAM_H
#define SPARKLE_TEST_STANDIN_CORE_PROGRAM_H

#include "test/standin/Core/Core.h"
#include "test/standin/Core/Instruction.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace sparkle::standin {

/// One instruction at its place.
struct Step {
  std::shared_ptr<const Instruction> instruction;
  Execute execute = nullptr;
  uint64_t pc = 0, next = 0; ///< Where it is, where the following one is.
  std::string refusal;       ///< Why it cannot run; empty if it can.
  uint64_t faultAddress = 0;
  const Step *following = nullptr; ///< The step at `next`, once known.
};

class Program {
public:
  /// `vectors`: the vector registers that a wave has.
  Program(Generation generation, unsigned vectors, Port &memory)
      : generation(generation), vectors(vectors), memory(memory) {}

  Step &at(uint64_t pc) {
    auto found = steps.find(pc);
    return found != steps.end() ? *found->second : load(pc);
  }

private:
  Step &load(uint64_t pc);
  /// Bytes of code, fewer where the page behind is not there.
  size_t fetch(uint64_t pc, uint8_t *to, size_t size, std::string &fault);
  void read(Step &step);

  Generation generation;
  unsigned vectors;
  Port &memory;
  std::unordered_map<uint64_t, std::unique_ptr<Step>> steps;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_PROGRAM_H
