// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command processor of one compute ring: reads indirect buffers packet by
// packet, keeps the registers and has the shader cores run what is dispatched.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_PROCESSOR_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_PROCESSOR_H

#include "test/standin/Driver/Hardware/Cache.h"
#include "test/standin/Driver/Hardware/Registers.h"

#include <string>
#include <vector>

namespace sparkle::standin {

struct IndirectBuffer {
  uint64_t address = 0;
  uint32_t bytes = 0, flags = 0; ///< AMDGPU_IB_FLAG_*
};

class Processor {
public:
  /// Wait: nothing happened, a packet polls memory. Error: hardware would hang.
  enum class Step { More, Wait, Done, Error };

  Processor(Generation generation, SecondLevel &second)
      : generation(generation), second(second), caches(second),
        registers(generation) {}

  /// A job begins. `drained`: what the ring has run before is known to be over.
  enum class Before { Drained, Unknown };
  void begin(View view, std::vector<IndirectBuffer> buffers, uint64_t seed,
             uint64_t budget, Before before);
  /// One packet.
  Step step();
  const std::string &getError() const { return error; }
  Caches &getCaches() { return caches; }

private:
  using Body = std::vector<uint32_t>;
  struct Packet {
    uint32_t opcode;
    const char *name;
    size_t least, most; ///< Dwords of the body.
    Step (Processor::*execute)(const Body &body);
  };
  static const Packet packets[];

  Step fail(const std::string &what);
  Step enterNext();
  Step enter();
  Step execute(uint32_t header, const Body &body);

  Step ignore(const Body &body);
  Step setShaderRegisters(const Body &body);
  Step setIndexedRegisters(const Body &body);
  Step setUserConfig(const Body &body);
  Step writeRegisters(uint32_t offset, const Body &body);
  Step dispatch(const Body &body);
  std::string checkInitiator(uint32_t initiator) const;
  std::string readDispatch(const Body &body, Dispatch &dispatch) const;
  Step writeEvent(const Body &body);
  Step acquire(const Body &body);
  Step release(const Body &body);
  Step writeReleased(const Body &body);
  Step writeData(const Body &body);
  Step copyData(const Body &body);
  Step moveData(const Body &body);
  Step waitForMemory(const Body &body);
  Step chain(const Body &body);

  Generation generation;
  SecondLevel &second;
  Caches caches;
  Registers registers;
  std::vector<IndirectBuffer> buffers;
  size_t current = 0;     ///< Of `buffers`.
  IndirectBuffer running; ///< The current one, or what it chains to.
  uint32_t position = 0;  ///< Dword within `running`.
  bool isInside = false, hasMoved = false;
  const char *packet = ""; ///< The name of the one that is executed.
  uint64_t seed = 0, budget = 0;
  std::string error;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_PROCESSOR_H
