// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PM4 packets as pure functions: each appends words to an indirect buffer, and
// does nothing else. Recording.cpp and Slot.cpp own the buffers, Context.cpp
// submits them.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_PACKET_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_PACKET_H

#include <cstdint>
#include <vector>

namespace sparkle::runtime {

/// What the packets and registers of a GPU depend on.
enum class GpuGeneration { Gfx10, Gfx11 };

using Words = std::vector<uint32_t>;

/// Registers by their offset in SET_SH_REG, in words from 0xB000 on.
enum class ShRegister : uint32_t {
#define AMDGPU_REGISTER(name, address, generations)                            \
  name = (address - 0xB000) / 4,
#include "runtime/Device/AMDGPU/Registers.def"
};

/// "COMPUTE_PGM_LO"; null if there is none at the offset that this generation
/// may be given.
const char *getRegisterName(GpuGeneration generation, uint32_t offset);

// Opcodes of type 3 packets. Sources: Mesa's src/amd/common/sid.h and the
// kernel's nvd.h and soc21d.h, which agree.
enum class PacketOp : uint32_t {
  Nop = 0x10,
  DispatchDirect = 0x15,
  EventWrite = 0x46,
  ReleaseMem = 0x49,
  DmaData = 0x50,
  AcquireMem = 0x58,
  SetShReg = 0x76,
};

/// A NOP of one word: count 0x3fff. Mesa: PKT3_NOP_PAD.
constexpr uint32_t nopPad = 0xffff1000;

/// The header of a packet with `count` words after it. Bit 1 says that it is
/// for compute, which ACQUIRE_MEM does not have.
constexpr uint32_t makeHeader(PacketOp op, uint32_t count) {
  uint32_t isCompute = op == PacketOp::AcquireMem ? 0 : 1;
  return UINT32_C(3) << 30 | (count - 1) << 16 |
         static_cast<uint32_t>(op) << 8 | isCompute << 1;
}

/// GCR_CNTL of ACQUIRE_MEM.
enum class Acquire : uint32_t {
  /// Everything, as the kernel's emit_mem_sync: GLI, GLM, GLK, GLV, GL1
  /// invalidated, GLM, GLK and GL2 written back, GL2 invalidated. Before the
  /// first read of what the host, another ring or a new program wrote.
  All = 0xC3B1,
  /// GLK, GLV and GL1, the caches above the GL2. Between commands.
  Shader = 0x380,
};

void writeAcquire(Words &words, Acquire what);

/// Waits until all waves before it have ended: CS_PARTIAL_FLUSH.
void writeFlush(Words &words);

/// A box of workgroups: from `start` up to, and without, `end`.
struct GroupBox {
  uint32_t startX = 0, startY = 0;
  uint32_t endX = 1, endY = 1;
};

/// What a program's descriptor and a launch make of the registers.
struct DispatchState {
  GroupBox groups;
  uint32_t invocations; // of a workgroup, all along x
  uint64_t program;     // the address of the first instruction
  uint32_t rsrc1, rsrc2, rsrc3;
  uint64_t kernarg;         // its address
  uint32_t kernargRegister; // the first of the two user SGPRs that hold it
  bool isWave32;
};

/// Every register that a dispatch depends on: none is kept between submissions.
void writeState(Words &words, GpuGeneration generation,
                const DispatchState &state);

/// The dispatch itself.
void writeDispatch(Words &words, const DispatchState &state);

/// When all before it is done: writes the caches back and `value` to `address`,
/// a multiple of 8.
void writeRelease(Words &words, uint64_t address, uint64_t value);

/// The same with the time of the GPU's clock, and no caches written back.
void writeTimestamp(Words &words, uint64_t address);

/// Copies through the GL2 and waits until that is done.
void writeCopy(Words &words, uint64_t from, uint64_t to, uint64_t size);

/// Fills whole words in the same way.
void writeFill(Words &words, uint64_t to, uint64_t size, uint32_t value);

/// Up to a multiple of 8 words, which is how long an indirect buffer has to be.
void writePadding(Words &words);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_PACKET_H
