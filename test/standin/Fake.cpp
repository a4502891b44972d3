// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the programs of Fake.h.

#include "test/standin/Fake.h"
#include "test/standin/Core/Core.h"

#include <algorithm>
#include <cstring>

namespace sparkle::standin {

namespace {

using Client = Port::Client;

class Machine {
public:
  Machine(Generation generation, const Dispatch &dispatch, Port &memory,
          uint64_t seed)
      : dispatch(dispatch), memory(memory), seed(seed) {
    size_t first = generation == Generation::Gfx1100 ? 0 : 4;
    arguments =
        dispatch.userData[first] | uint64_t(dispatch.userData[first + 1]) << 32;
  }

  Outcome run(uint64_t budget) {
    Outcome outcome;
    FakeInstruction next = {};
    for (uint64_t address = dispatch.program;; address += sizeof next) {
      ++outcome.instructions;
      bool isGood = load(Client::Instruction, address, &next, sizeof next);
      if (isGood && next.opcode == FakeInstruction::End)
        return outcome;
      if (isGood && next.opcode == FakeInstruction::Loop) {
        outcome.kind = Outcome::Kind::Hang;
        outcome.instructions = budget;
        outcome.message = "a loop";
        return outcome;
      }
      if (!isGood || !execute(next)) {
        outcome.kind = Outcome::Kind::Fault;
        outcome.message = memory.getFault();
        outcome.address = address;
        return outcome;
      }
    }
  }

private:
  bool load(Client client, uint64_t address, void *to, size_t size) {
    for (size_t done = 0; done < size;) {
      size_t count = std::min<size_t>(
          size - done, Port::kPage - (address + done) % Port::kPage);
      const uint8_t *bytes = memory.read(client, address + done, count);
      if (!bytes)
        return false;
      std::memcpy(static_cast<char *>(to) + done, bytes, count);
      done += count;
    }
    return true;
  }

  bool execute(const FakeInstruction &instruction) {
    uint64_t from = 0, to = 0;
    if (!load(Client::Scalar, arguments + 8 * instruction.from, &from, 8) ||
        !load(Client::Scalar, arguments + 8 * instruction.to, &to, 8))
      return false;
    switch (instruction.opcode) {
    case FakeInstruction::Copy:
      return copy(Client::Vector, from, to, instruction.count);
    case FakeInstruction::CopyByScalar:
      return copy(Client::Scalar, from, to, instruction.count);
    case FakeInstruction::Add:
      return add(to, instruction.count);
    default:
      return describe(to);
    }
  }

  bool copy(Client client, uint64_t from, uint64_t to, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t value = 0;
      if (!load(client, from + 4 * i, &value, 4))
        return false;
      ++value;
      if (!memory.write(to + 4 * i, &value, 4))
        return false;
    }
    return true;
  }

  bool add(uint64_t to, uint32_t count) {
    uint8_t *bytes = memory.modify(to, 4);
    if (!bytes)
      return false;
    uint32_t value = 0;
    std::memcpy(&value, bytes, 4);
    value += count;
    std::memcpy(bytes, &value, 4);
    return true;
  }

  bool describe(uint64_t to) {
    FakeDispatch what = {};
    what.rsrc1 = dispatch.rsrc1;
    what.rsrc2 = dispatch.rsrc2;
    what.rsrc3 = dispatch.rsrc3;
    what.initiator = dispatch.initiator;
    for (size_t i = 0; i < 3; ++i) {
      what.threads[i] = dispatch.threads[i];
      what.start[i] = dispatch.start[i];
      what.end[i] = dispatch.end[i];
    }
    std::copy_n(dispatch.userData, 16, what.userData);
    what.userDataWritten = dispatch.userDataWritten;
    what.seed = seed;
    return memory.write(to, &what, sizeof what);
  }

  const Dispatch &dispatch;
  Port &memory;
  uint64_t seed, arguments;
};

} // namespace

Outcome run(Generation generation, const Dispatch &dispatch, Port &memory,
            uint64_t seed, uint64_t budget, BankUses *) {
  return Machine(generation, dispatch, memory, seed).run(budget);
}

} // namespace sparkle::standin
