// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compute registers of each generation, by name and address.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_REGISTERS_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_REGISTERS_H

#include "test/standin/Core/Core.h"

#include <string>
#include <unordered_map>

namespace sparkle::standin {

/// Byte addresses; the names are those of the tables in docs/amdgpu.md without
/// COMPUTE_.
enum Register : uint32_t {
  DISPATCH_INITIATOR = 0xb800,
  START_X = 0xb810,
  NUM_THREAD_X = 0xb81c,
  PGM_LO = 0xb830,
  PGM_HI = 0xb834,
  DISPATCH_SCRATCH_BASE_LO = 0xb840,
  PGM_RSRC1 = 0xb848,
  PGM_RSRC2 = 0xb84c,
  RESOURCE_LIMITS = 0xb854,
  STATIC_THREAD_MGMT_SE0 = 0xb858,
  STATIC_THREAD_MGMT_SE1 = 0xb85c,
  TMPRING_SIZE = 0xb860,
  STATIC_THREAD_MGMT_SE2 = 0xb864,
  STATIC_THREAD_MGMT_SE3 = 0xb868,
  PGM_RSRC3 = 0xb8a0,
  STATIC_THREAD_MGMT_SE4 = 0xb8ac,
  USER_DATA_0 = 0xb900,
};
constexpr uint32_t firstShaderRegister = 0xb000;

/// What the command processor holds while it reads an IB. Nothing is known to
/// be in a register before the IB writes it.
class Registers {
public:
  explicit Registers(Generation generation) : generation(generation) {}

  void poison() { values.clear(); }
  /// Empty if the register took the value, else why not.
  std::string write(uint32_t address, uint32_t value);
  /// Empty if all that a dispatch needs has been written and makes sense.
  std::string checkDispatch() const;
  uint32_t get(uint32_t address) const;
  bool isWritten(uint32_t address) const { return values.count(address); }

private:
  Generation generation;
  std::unordered_map<uint32_t, uint32_t> values;
};

/// "COMPUTE_PGM_LO", or empty.
std::string getRegisterName(Generation generation, uint32_t address);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_REGISTERS_H
