// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words of each packet, as docs/amdgpu.md has them.

#include "runtime/Device/AMDGPU/Packet.h"

#include <algorithm>
#include <initializer_list>

namespace sparkle::runtime {

const char *getRegisterName(GpuGeneration generation, uint32_t offset) {
  constexpr bool ALL = true;
  const bool GFX11 = generation == GpuGeneration::Gfx11;
#define AMDGPU_REGISTER(name, address, generations)                            \
  if (offset == (address - 0xB000) / 4 && generations)                         \
    return "COMPUTE_" #name;
#include "runtime/Device/AMDGPU/Registers.def"
  return nullptr;
}

static uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }
static uint32_t high(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

static void write(Words &words, PacketOp op,
                  std::initializer_list<uint32_t> body) {
  words.push_back(makeHeader(op, static_cast<uint32_t>(body.size())));
  words.insert(words.end(), body);
}

static void writeRegisters(Words &words, ShRegister first,
                           std::initializer_list<uint32_t> values) {
  words.push_back(
      makeHeader(PacketOp::SetShReg, static_cast<uint32_t>(values.size()) + 1));
  words.push_back(static_cast<uint32_t>(first));
  words.insert(words.end(), values);
}

//===----------------------------------------------------------------------===//
// Caches and order
//===----------------------------------------------------------------------===//

void writeAcquire(Words &words, Acquire what) {
  // All addresses; 0xA is the poll interval that every source gives.
  write(words, PacketOp::AcquireMem,
        {0, 0xffffffff, 0x00ffffff, 0, 0, 0xA, static_cast<uint32_t>(what)});
}

void writeFlush(Words &words) {
  constexpr uint32_t csPartialFlush = 7, index = 4;
  write(words, PacketOp::EventWrite, {csPartialFlush | index << 8});
}

void writePadding(Words &words) {
  while (words.size() % 8)
    words.push_back(nopPad);
}

//===----------------------------------------------------------------------===//
// Dispatches
//===----------------------------------------------------------------------===//

void writeState(Words &words, GpuGeneration generation,
                const DispatchState &state) {
  constexpr uint32_t all = 0xffffffff; // compute units
  using R = ShRegister;
  const GroupBox &groups = state.groups;
  writeRegisters(words, R::START_X, {groups.startX, groups.startY, 0});
  writeRegisters(words, R::NUM_THREAD_X, {state.invocations, 1, 1});
  writeRegisters(words, R::PGM_LO,
                 {low(state.program >> 8), high(state.program >> 8)});
  writeRegisters(words, R::PGM_RSRC1, {state.rsrc1, state.rsrc2});
  writeRegisters(words, R::PGM_RSRC3, {state.rsrc3});
  writeRegisters(words, R::RESOURCE_LIMITS, {0});
  writeRegisters(words, R::STATIC_THREAD_MGMT_SE0, {all, all});
  writeRegisters(words, R::STATIC_THREAD_MGMT_SE2, {all, all});
  if (generation == GpuGeneration::Gfx11) // six shader engines at most
    writeRegisters(words, R::STATIC_THREAD_MGMT_SE4, {all, all, 0, 0});
  writeRegisters(words, R::TMPRING_SIZE, {0});
  // What comes before the address is a buffer for scratch memory, of which
  // there is none.
  if (state.kernargRegister)
    writeRegisters(words, R::USER_DATA_0,
                   {0, 0, 0, 0, low(state.kernarg), high(state.kernarg)});
  else
    writeRegisters(words, R::USER_DATA_0,
                   {low(state.kernarg), high(state.kernarg)});
}

void writeDispatch(Words &words, const DispatchState &state) {
  constexpr uint32_t enable = 1u << 0, startAtZero = 1u << 2, wave32 = 1u << 15;
  const GroupBox &groups = state.groups;
  bool isWhole = groups.startX == 0 && groups.startY == 0;
  // Where it does not start at zero the sizes are the ends.
  write(words, PacketOp::DispatchDirect,
        {groups.endX, groups.endY, 1,
         enable | (isWhole ? startAtZero : 0) | (state.isWave32 ? wave32 : 0)});
}

//===----------------------------------------------------------------------===//
// The end of work
//===----------------------------------------------------------------------===//

void writeRelease(Words &words, uint64_t address, uint64_t value) {
  // CACHE_FLUSH_AND_INV_TS, index 5, GLM_WB, GLM_INV (one needs the other),
  // GL2_WB, SEQ.
  constexpr uint32_t event = 0x00603514, data64 = 2u << 29;
  write(
      words, PacketOp::ReleaseMem,
      {event, data64, low(address), high(address), low(value), high(value), 0});
}

void writeTimestamp(Words &words, uint64_t address) {
  constexpr uint32_t bottomOfPipe = 0x28, index = 5, clock = 3u << 29;
  write(
      words, PacketOp::ReleaseMem,
      {bottomOfPipe | index << 8, clock, low(address), high(address), 0, 0, 0});
}

//===----------------------------------------------------------------------===//
// Copies and fills
//===----------------------------------------------------------------------===//

/// Of one packet: 26 bits, in whole lines of 64 bytes.
static constexpr uint64_t maxDmaSize = (uint64_t(1) << 26) - 64;

static constexpr uint32_t dmaSync = 1u << 31; // wait until it is done
static constexpr uint32_t dmaToL2 = 3u << 20;
static constexpr uint32_t dmaFromL2 = 3u << 29;
static constexpr uint32_t dmaFromData = 2u << 29;

void writeCopy(Words &words, uint64_t from, uint64_t to, uint64_t size) {
  while (size) {
    uint64_t part = std::min(size, maxDmaSize);
    write(words, PacketOp::DmaData,
          {dmaSync | dmaFromL2 | dmaToL2, low(from), high(from), low(to),
           high(to), low(part)});
    from += part;
    to += part;
    size -= part;
  }
}

void writeFill(Words &words, uint64_t to, uint64_t size, uint32_t value) {
  while (size) {
    uint64_t part = std::min(size, maxDmaSize);
    write(words, PacketOp::DmaData,
          {dmaSync | dmaFromData | dmaToL2, value, 0, low(to), high(to),
           low(part)});
    to += part;
    size -= part;
  }
}

} // namespace sparkle::runtime
