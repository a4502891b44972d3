// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A wave: its registers, what of them may be read, and the memory operations
// that are under way.

#ifndef SPARKLE_TEST_STANDIN_CORE_WAVE_H
#define SPARKLE_TEST_STANDIN_CORE_WAVE_H

#include "test/standin/Core/Core.h"
#include "test/standin/Core/Instruction.h"

#include <bitset>
#include <deque>
#include <string>
#include <vector>

namespace sparkle::standin {

struct Step;

/// The waves of a workgroup share its local memory.
struct Workgroup {
  uint32_t id[3];
  std::vector<uint8_t> local, localWritten; ///< By byte.
};

/// Vector registers that an operation will write when it is waited for.
struct Flight {
  uint16_t first;
  uint8_t count;
  bool stores; ///< Writes local memory.
};

struct Wave {
  enum class State : uint8_t { Runs, Waits, Ended, Failed };

  alignas(64) uint32_t vector[kVectors][kLanes];
  uint32_t ready[kVectors];   ///< The lanes that may be read.
  uint32_t landing[kVectors]; ///< Those that may be when all flights are back.
  uint8_t flights[kVectors];  ///< Operations that will write it.
  alignas(64) uint32_t active[kLanes]; ///< EXEC, all ones or zeros per lane.
  uint32_t scalar[kScalars];
  uint32_t scalarBits[kScalars]; ///< The bits that may be read.
  std::bitset<kScalars> scalarFlies;
  bool scc = false, sccReady = false;
  Mode mode;
  bool flushes = false; ///< MODE makes some denormals zero.

  std::deque<Flight> vectorFlights, localFlights;
  uint32_t scalarFlights = 0, storeFlights = 0;

  State state = State::Runs;
  Generation generation = Generation::Gfx1100;
  unsigned number = 0; ///< In its workgroup.
  Workgroup *group = nullptr;
  Port *memory = nullptr;
  BankUses *banks = nullptr; ///< Null: nobody counts.
  uint64_t pc = 0;
  const Step *step = nullptr; ///< Of the instruction that runs.
  std::string failure;
  uint64_t faultAddress = 0;

  uint32_t exec() const { return scalar[kExec]; }
  bool isGfx11() const { return generation == Generation::Gfx1100; }

  /// Ends the wave with a message; the first one counts.
  void fail(std::string message);
  bool failed() const { return state == State::Failed; }

  /// True if the lanes of `lanes` may be read in `count` registers; fails and
  /// names the register otherwise.
  bool mayRead(unsigned first, unsigned count, uint32_t lanes) {
    uint32_t missing = 0;
    for (unsigned i = 0; i < count; ++i)
      missing |= lanes & ~ready[first + i];
    return !missing || refuseRead(first, count, lanes);
  }
  bool mayWrite(unsigned first, unsigned count) {
    uint8_t pending = 0;
    for (unsigned i = 0; i < count; ++i)
      pending |= flights[first + i];
    return !pending || refuseWrite(first, count);
  }
  void define(unsigned first, unsigned count, uint32_t lanes) {
    for (unsigned i = 0; i < count; ++i)
      ready[first + i] |= lanes;
  }

  bool mayReadScalar(unsigned index, uint32_t bits = ~0u) {
    return !(bits & ~scalarBits[index]) || refuseReadScalar(index);
  }
  uint32_t readScalar(unsigned index) {
    if (index == kNull || !mayReadScalar(index))
      return 0;
    return scalar[index];
  }
  uint64_t readScalar64(unsigned index) {
    if (index == kNull)
      return 0;
    uint64_t low = readScalar(index);
    return low | uint64_t(readScalar(index + 1)) << 32;
  }
  void writeScalar(unsigned index, uint32_t value) {
    if (index == kNull)
      return;
    if (scalarFlies[index])
      refuseWriteScalar(index);
    scalar[index] = value;
    scalarBits[index] = ~0u;
    if (index == kExec)
      setActive();
  }
  /// A value of which only some bits are known.
  void writeScalarBits(unsigned index, uint32_t value, uint32_t bits) {
    if (index == kExec && bits != ~0u)
      return fail("write of exec_lo with bits that have not been written");
    writeScalar(index, value);
    if (index != kNull)
      scalarBits[index] = bits;
  }
  void writeScalar64(unsigned index, uint64_t value) {
    if (index == kNull)
      return;
    writeScalar(index, uint32_t(value));
    writeScalar(index + 1, uint32_t(value >> 32));
  }
  bool readScc() {
    if (!sccReady)
      fail("read of SCC, which has not been written");
    return scc;
  }
  void writeScc(bool value) {
    scc = value;
    sccReady = true;
  }
  void setActive();

  /// An operation of memory leaves: its registers are not to be touched until
  /// it has been waited for.
  void depart(Counter counter, unsigned first, unsigned count,
              bool stores = false);
  /// Of what has departed: lanes that are not known when it lands.
  void leaveUnknown(unsigned first, unsigned count, const uint32_t *lanes) {
    for (unsigned i = 0; i < count; ++i)
      landing[first + i] &= ~lanes[i];
  }
  void departScalar(unsigned first, unsigned count);
  /// s_waitcnt: at most so many operations may still be under way.
  void waitVector(unsigned most);
  void waitLocalAndScalar(unsigned most);

private:
  bool refuseRead(unsigned first, unsigned count, uint32_t lanes);
  bool refuseWrite(unsigned first, unsigned count);
  bool refuseReadScalar(unsigned index);
  void refuseWriteScalar(unsigned index);
  const char *nameWait(unsigned index) const;
  void land(const Flight &flight);
};

/// `v3`, `s7`, `vcc_lo`.
std::string nameScalar(unsigned index);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_WAVE_H
