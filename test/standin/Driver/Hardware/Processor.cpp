// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From dwords to packets. What each packet does is in Packets.cpp.

#include "test/standin/Driver/Hardware/Processor.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Settings.h"

#include <drm.h>

#include <amdgpu_drm.h>

namespace sparkle::standin {

namespace {

constexpr uint32_t bufferAlignment = 32;
constexpr uint32_t opcodeNop = 0x10, countOfPad = 0x3fff;
constexpr uint32_t isPredicated = 1, isCompute = 2;

} // namespace

void Processor::begin(View view, std::vector<IndirectBuffer> of,
                      uint64_t withSeed, uint64_t withBudget, Before before) {
  buffers = std::move(of);
  current = 0;
  isInside = false;
  seed = withSeed;
  budget = withBudget;
  error.clear();
  caches.beginJob(view);
  if (before == Before::Drained)
    caches.drain();
}

Processor::Step Processor::fail(const std::string &what) {
  error = format("%s, IB at 0x%jx, dword %u: %s%s%s",
                 standin::getName(generation), uintmax_t(running.address),
                 position, packet, *packet ? ": " : "", what.c_str());
  return Step::Error;
}

Processor::Step Processor::enter() {
  packet = "";
  position = 0;
  isInside = true;
  if (running.address % bufferAlignment)
    return fail(
        format("expected an IB at a multiple of %u bytes", bufferAlignment));
  if (!running.bytes || running.bytes % bufferAlignment)
    return fail(format("expected an IB of a multiple of %u bytes, but got %u",
                       bufferAlignment, running.bytes));
  return Step::More;
}

Processor::Step Processor::enterNext() {
  if (current == buffers.size())
    return Step::Done;
  running = buffers[current++];
  registers.poison();
  Step step = enter();
  if (step == Step::More && (running.flags & AMDGPU_IB_FLAG_EMIT_MEM_SYNC) &&
      !caches.acquire(gcrAll))
    return fail(caches.getFault());
  return step;
}

Processor::Step Processor::step() {
  if (!isInside)
    return enterNext();
  packet = "";
  // So that a chain of IBs that leads to itself ends too.
  if (!budget)
    return fail("hang: the budget of instructions is used up");
  --budget;
  uint32_t size = running.bytes / 4, header = 0;
  if (!caches.fetch(running.address + 4ull * position, &header, 4))
    return fail(caches.getFault());
  if (header >> 30 != 3)
    return fail(format("expected a packet of type 3, but got 0x%08x", header));
  uint32_t count = (header >> 16 & 0x3fff) + 1;
  if ((header >> 8 & 0xff) == opcodeNop && count == countOfPad + 1)
    count = 0;
  if (count >= size - position)
    return fail(format("expected a packet within the IB's %u dwords, but "
                       "0x%08x is %u long",
                       size, header, count + 1));
  Body body(count);
  if (!caches.fetch(running.address + 4ull * position + 4, body.data(),
                    4 * count))
    return fail(caches.getFault());
  hasMoved = false;
  Step step = execute(header, body);
  if (step == Step::Wait || step == Step::Error)
    return step;
  if (!hasMoved)
    position += count + 1;
  isInside = position < running.bytes / 4;
  return step;
}

Processor::Step Processor::execute(uint32_t header, const Body &body) {
  uint32_t opcode = header >> 8 & 0xff;
  for (const Packet *known = packets; known->name; ++known) {
    if (known->opcode != opcode)
      continue;
    packet = known->name;
    if (body.size() < known->least || body.size() > known->most)
      return fail(format("expected %zu to %zu dwords behind the header, but "
                         "got %zu",
                         known->least, known->most, body.size()));
    if (header & isPredicated)
      return fail("expected no predicate, which compute rings do not have");
    bool needsType = known->execute == &Processor::setShaderRegisters ||
                     known->execute == &Processor::setIndexedRegisters ||
                     known->execute == &Processor::dispatch;
    if (needsType && !(header & isCompute))
      return fail("expected SHADER_TYPE to say compute (bit 1 of the header)");
    return (this->*known->execute)(body);
  }
  return fail(format("unknown packet 0x%02x (header 0x%08x)", opcode, header));
}

} // namespace sparkle::standin
