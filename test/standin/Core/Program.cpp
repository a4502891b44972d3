// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fetches and decodes code as it is reached.

#include "test/standin/Core/Program.h"
#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Memory.h"

#include <algorithm>
#include <cstring>

namespace sparkle::standin {

size_t Program::fetch(uint64_t pc, uint8_t *to, size_t size,
                      std::string &fault) {
  size_t done = 0;
  while (done < size) {
    uint64_t address = pc + done;
    size_t part =
        std::min<size_t>(size - done, Port::kPage - address % Port::kPage);
    const uint8_t *from = memory.read(Port::Client::Instruction, address, part);
    if (!from) {
      fault = memory.getFault();
      break;
    }
    std::memcpy(to + done, from, part);
    done += part;
  }
  return done;
}

void Program::read(Step &step) {
  // Zeros behind what there is: LLVM wants a whole instruction to look at.
  uint8_t bytes[kLongest] = {};
  std::string fault;
  if (step.pc % 4) {
    step.refusal = "program counter that is not a multiple of 4";
    return;
  }
  // No further than the page: most instructions end in it, and the next one
  // may not be there.
  size_t inside =
      std::min<size_t>(kLongest, Port::kPage - step.pc % Port::kPage);
  size_t size = fetch(step.pc, bytes, inside, fault);
  auto isWhole = [&] {
    step.instruction = decode(generation, bytes, kLongest);
    return step.instruction && step.instruction->size <= size;
  };
  if (size && isWhole())
    return;
  if (size && size < kLongest) {
    size += fetch(step.pc + size, bytes + size, kLongest - size, fault);
    if (isWhole())
      return;
  }
  step.instruction = {};
  step.faultAddress = fault.empty() ? 0 : step.pc + size;
  uint32_t word = 0;
  std::memcpy(&word, bytes, size < 4 ? 0 : 4);
  step.refusal = fault.empty() ? "unknown instruction " + hex(word)
                               : "instruction fetch: " + fault;
}

Step &Program::load(uint64_t pc) {
  auto step = std::make_unique<Step>();
  step->pc = pc;
  read(*step);
  if (step->instruction) {
    const Instruction &instruction = *step->instruction;
    step->execute = instruction.execute;
    step->next = pc + instruction.size;
    step->refusal = instruction.refusal;
    if (step->refusal.empty() && instruction.highestVector > vectors)
      step->refusal = "use of v" +
                      std::to_string(instruction.highestVector - 1) +
                      ", but the wave has " + std::to_string(vectors) +
                      " vector registers (VGPRS of rsrc1)";
  }
  return *(steps[pc] = std::move(step));
}

} // namespace sparkle::standin
