// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shader cores of the stand-in GPU: they run one dispatch of machine code.
// Driver/ knows submissions, packets, pages and caches; Core/ knows waves,
// registers and instructions. This header is all that passes between the two.
//
// Strict where hardware is silent: what it cannot do, or what no program may
// rely on, ends the run with a message that names it.

#ifndef SPARKLE_TEST_STANDIN_CORE_CORE_H
#define SPARKLE_TEST_STANDIN_CORE_CORE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace sparkle::standin {

enum class Generation { Gfx1030, Gfx1036, Gfx1100 };

/// Memory as the shader cores see it, at GPU addresses, behind caches and page
/// table. No access crosses a multiple of `kPage`; the core splits those that
/// would.
class Port {
public:
  static constexpr uint64_t kPage = 4096;
  /// Whose cache an access goes through.
  enum class Client { Instruction, Scalar, Vector };

  virtual ~Port() = default;

  /// The bytes from `address` on as `client` sees them, good until the next
  /// call of `write` or `modify`; null on a fault, which `getFault` tells.
  virtual const uint8_t *read(Client client, uint64_t address, size_t size) = 0;
  /// By the vector client. False on a fault.
  virtual bool write(uint64_t address, const void *bytes, size_t size) = 0;
  /// The bytes that an atomic operation changes, in the last cache; null on a
  /// fault. Good until the next call.
  virtual uint8_t *modify(uint64_t address, size_t size) = 0;
  /// Of the last call that failed: "read of 16 bytes at 0x1234500000, which is
  /// not mapped".
  virtual const std::string &getFault() const = 0;
};

/// What the registers held when a DISPATCH_DIRECT came, checked by nobody yet.
/// Names and fields: COMPUTE_* in docs/amdgpu.md.
struct Dispatch {
  uint64_t program = 0; ///< Byte address: PGM_HI, PGM_LO << 8.
  uint32_t rsrc1 = 0, rsrc2 = 0, rsrc3 = 0;
  uint32_t initiator = 0;
  uint32_t threads[3] = {0, 0, 0}; ///< NUM_THREAD_X, Y, Z: of a workgroup.
  uint32_t start[3] = {0, 0, 0};   ///< The first workgroup.
  uint32_t end[3] = {0, 0, 0};     ///< Behind the last one.
  uint32_t userData[16] = {};
  uint32_t userDataWritten = 0; ///< Bit i: USER_DATA_i has been set.
};

struct Outcome {
  /// Hang: the budget of instructions is used up.
  enum class Kind { Done, Fault, Hang } kind = Kind::Done;
  /// Of a fault or a hang: what, at which program counter, in which workgroup.
  std::string message;
  uint64_t address = 0;      ///< Of a fault of memory.
  uint64_t instructions = 0; ///< By all waves.
};

/// What one load or store of workgroup memory asks of the banks, by all waves.
/// README.md says how passes are counted.
struct BankUse {
  std::string instruction;
  bool isStore = false;
  uint64_t passes = 0, least = 0; ///< What it takes, and without conflicts.
};
/// By program counter.
using BankUses = std::map<uint64_t, BankUse>;

/// Runs all waves of a dispatch. Workgroups run in an order drawn from `seed`,
/// as do the waves of one between barriers; the same seed gives the same order.
/// Adds to `banks` if there are any.
Outcome run(Generation generation, const Dispatch &dispatch, Port &memory,
            uint64_t seed, uint64_t budget, BankUses *banks = nullptr);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_CORE_H
