// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the packets as the device's command processor would.

#include "runtime/Device/AMDGPU/Check.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <optional>

namespace sparkle::runtime {
namespace {

[[gnu::format(printf, 1, 2)]] Status wrong(const char *format, ...) {
  char text[sizeof(sparkle_error_t::message)];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return Status::failure(SPARKLE_DRIVER, "%s", text);
}

/// Registers as the packets set them.
class Registers {
public:
  void set(uint32_t offset, uint32_t value) { values[offset & mask] = value; }
  /// Nothing if it was never set.
  std::optional<uint32_t> get(ShRegister name, uint32_t behind = 0) const {
    return values[(static_cast<uint32_t>(name) + behind) & mask];
  }

private:
  static constexpr uint32_t mask = 0x3ff;
  std::optional<uint32_t> values[mask + 1];
};

class BufferCheck {
public:
  BufferCheck(GpuGeneration generation, const CheckedBuffer &buffer,
              const std::vector<MappedRange> &mapped)
      : generation(generation), buffer(buffer), mapped(mapped) {}

  Status check();

private:
  Status checkPlace() const;
  Status checkPacket(PacketOp op, const uint32_t *body, uint32_t count);
  Status checkRegisters(const uint32_t *body, uint32_t count);
  Status checkDispatch(const uint32_t *body, uint32_t count);
  Status checkGeometry(const CheckedLaunch &launch, const uint32_t *body) const;
  Status checkProgram(const CheckedLaunch &launch) const;
  Status checkArguments(const CheckedLaunch &launch) const;
  Status checkRelease(const uint32_t *body, uint32_t count) const;
  Status checkMove(const uint32_t *body, uint32_t count) const;
  Status checkRange(const char *what, uint64_t address, uint64_t size) const;
  Status expect(const CheckedLaunch &launch, ShRegister name, uint32_t behind,
                uint32_t value) const;

  const GpuGeneration generation;
  const CheckedBuffer &buffer;
  const std::vector<MappedRange> &mapped;
  Registers registers;
  bool hasAcquired = false;
  size_t dispatches = 0;
};

uint64_t join(uint32_t low, uint32_t high) {
  return uint64_t(high) << 32 | low;
}

} // namespace

Status BufferCheck::checkRange(const char *what, uint64_t address,
                               uint64_t size) const {
  for (const MappedRange &range : mapped)
    if (address >= range.address && address - range.address <= range.size &&
        size <= range.size - (address - range.address))
      return {};
  return wrong("%s: expected %" PRIu64
               " mapped bytes, but got address 0x%" PRIx64,
               what, size, address);
}

Status BufferCheck::checkPlace() const {
  if (buffer.address % buffer.alignment || buffer.count % 8)
    return wrong("expected an indirect buffer at a multiple of %u and of whole "
                 "8 words, but got %zu at 0x%" PRIx64,
                 buffer.alignment, buffer.count, buffer.address);
  return checkRange("indirect buffer", buffer.address,
                    buffer.count * sizeof(uint32_t));
}

Status BufferCheck::check() {
  if (Status status = checkPlace(); !status.isOk())
    return status;
  for (size_t at = 0; at < buffer.count;) {
    uint32_t header = buffer.words[at];
    if (header == nopPad) {
      ++at;
      continue;
    }
    auto op = static_cast<PacketOp>(header >> 8 & 0xff);
    uint32_t count = (header >> 16 & 0x3fff) + 1;
    if (header != makeHeader(op, count))
      return wrong("word %zu: expected a packet of type 3 for a compute ring, "
                   "but got 0x%x",
                   at, header);
    if (count > buffer.count - at - 1)
      return wrong("word %zu: expected a packet of %u words to end inside of "
                   "the buffer, but got %zu words",
                   at, count, buffer.count - at - 1);
    if (Status status = checkPacket(op, buffer.words + at + 1, count);
        !status.isOk())
      return status;
    at += 1 + count;
  }
  if (dispatches != buffer.launches.size())
    return wrong("expected %zu dispatches, but got %zu", buffer.launches.size(),
                 dispatches);
  return {};
}

Status BufferCheck::checkPacket(PacketOp op, const uint32_t *body,
                                uint32_t count) {
  switch (op) {
  case PacketOp::AcquireMem:
    if (count != 7)
      return wrong("expected ACQUIRE_MEM of 7 words, but got %u", count);
    hasAcquired |= body[6] == static_cast<uint32_t>(Acquire::All);
    return {};
  case PacketOp::EventWrite:
    if (count != 1 || body[0] != 0x407)
      return wrong("expected EVENT_WRITE of CS_PARTIAL_FLUSH, but got 0x%x",
                   body[0]);
    return {};
  case PacketOp::SetShReg:
    return checkRegisters(body, count);
  case PacketOp::DispatchDirect:
    return checkDispatch(body, count);
  case PacketOp::ReleaseMem:
    return checkRelease(body, count);
  case PacketOp::DmaData:
    return checkMove(body, count);
  default:
    return wrong("expected a packet that the runtime writes, but got opcode "
                 "0x%x",
                 static_cast<uint32_t>(op));
  }
}

Status BufferCheck::checkRegisters(const uint32_t *body, uint32_t count) {
  for (uint32_t i = 1; i < count; ++i) {
    uint32_t offset = body[0] + i - 1;
    if (!getRegisterName(generation, offset))
      return wrong("expected a register that this generation may be given, but "
                   "got offset 0x%x",
                   offset);
    registers.set(offset, body[i]);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// A dispatch
//===----------------------------------------------------------------------===//

Status BufferCheck::checkDispatch(const uint32_t *body, uint32_t count) {
  if (count != 4)
    return wrong("expected DISPATCH_DIRECT of 4 words, but got %u", count);
  if (dispatches >= buffer.launches.size())
    return wrong("expected %zu dispatches, but got more",
                 buffer.launches.size());
  const CheckedLaunch &launch = *buffer.launches[dispatches++];
  if (!hasAcquired)
    return wrong("entry '%s': expected ACQUIRE_MEM of all caches before, but "
                 "got none",
                 launch.entry);
  if (Status status = checkGeometry(launch, body); !status.isOk())
    return status;
  if (Status status = checkProgram(launch); !status.isOk())
    return status;
  return checkArguments(launch);
}

Status BufferCheck::expect(const CheckedLaunch &launch, ShRegister name,
                           uint32_t behind, uint32_t value) const {
  std::optional<uint32_t> got = registers.get(name, behind);
  if (got == value)
    return {};
  const char *text =
      getRegisterName(generation, static_cast<uint32_t>(name) + behind);
  if (!got)
    return wrong("entry '%s': expected 0x%x in %s, but got nothing",
                 launch.entry, value, text);
  return wrong("entry '%s': expected 0x%x in %s, but got 0x%x", launch.entry,
               value, text, *got);
}

Status BufferCheck::checkGeometry(const CheckedLaunch &launch,
                                  const uint32_t *body) const {
  constexpr uint32_t maxInvocations = 1024;
  using R = ShRegister;
  if (!launch.invocations || launch.invocations > maxInvocations)
    return wrong("entry '%s': expected 1 to %u invocations, but got %u",
                 launch.entry, maxInvocations, launch.invocations);
  const uint32_t threads[] = {launch.invocations, 1, 1};
  uint32_t starts = 0;
  for (uint32_t i = 0; i < 3; ++i) {
    if (Status status = expect(launch, R::NUM_THREAD_X, i, threads[i]);
        !status.isOk())
      return status;
    std::optional<uint32_t> start = registers.get(R::START_X, i);
    if (!start || *start >= body[i] || body[i] > SPARKLE_GRID_WIDTH)
      return wrong("entry '%s': expected workgroups from 0x%x up to at most "
                   "%u, but got 0x%x",
                   launch.entry, start.value_or(~0u), SPARKLE_GRID_WIDTH,
                   body[i]);
    starts |= *start;
  }
  uint32_t initiator = 1u | (starts ? 0 : 1u << 2) |
                       (launch.descriptor.isWave32() ? 1u << 15 : 0);
  if (body[3] != initiator)
    return wrong("entry '%s': expected dispatch initiator 0x%x, but got 0x%x",
                 launch.entry, initiator, body[3]);
  return {};
}

Status BufferCheck::checkProgram(const CheckedLaunch &launch) const {
  using R = ShRegister;
  const KernelDescriptor &descriptor = launch.descriptor;
  if (launch.code % 256)
    return wrong("entry '%s': expected code at a multiple of 256, but got "
                 "0x%" PRIx64,
                 launch.entry, launch.code);
  if (Status status = checkRange(launch.entry, launch.code, 256);
      !status.isOk())
    return status;
  const struct {
    ShRegister name;
    uint32_t value;
  } wanted[] = {
      {R::PGM_LO, static_cast<uint32_t>(launch.code >> 8)},
      {R::PGM_HI, static_cast<uint32_t>(launch.code >> 40)},
      {R::PGM_RSRC1, descriptor.rsrc1},
      {R::PGM_RSRC2, descriptor.fullRsrc2()},
      {R::PGM_RSRC3, descriptor.rsrc3},
      {R::RESOURCE_LIMITS, 0},
      {R::TMPRING_SIZE, 0},
      {R::STATIC_THREAD_MGMT_SE0, ~0u},
      {R::STATIC_THREAD_MGMT_SE1, ~0u},
      {R::STATIC_THREAD_MGMT_SE2, ~0u},
      {R::STATIC_THREAD_MGMT_SE3, ~0u},
  };
  for (const auto &entry : wanted)
    if (Status status = expect(launch, entry.name, 0, entry.value);
        !status.isOk())
      return status;
  return {};
}

Status BufferCheck::checkArguments(const CheckedLaunch &launch) const {
  constexpr uint64_t alignment = 64;
  uint32_t first = launch.descriptor.kernargRegister();
  using R = ShRegister;
  if (Status status = expect(launch, R::USER_DATA_0, first,
                             static_cast<uint32_t>(launch.kernarg));
      !status.isOk())
    return status;
  if (Status status = expect(launch, R::USER_DATA_0, first + 1,
                             static_cast<uint32_t>(launch.kernarg >> 32));
      !status.isOk())
    return status;
  if (launch.kernarg % alignment)
    return wrong("entry '%s': expected arguments at a multiple of 64, but got "
                 "0x%" PRIx64,
                 launch.entry, launch.kernarg);
  if (launch.descriptor.kernargSize > (launch.argumentSize + 7) / 8 * 8)
    return wrong("entry '%s': expected %u bytes of arguments, but got %" PRIu64,
                 launch.entry, launch.descriptor.kernargSize,
                 launch.argumentSize);
  if (Status status =
          checkRange(launch.entry, launch.kernarg, launch.argumentSize);
      !status.isOk())
    return status;
  for (size_t i = 0; i < launch.bindings.size(); ++i) {
    uint64_t address;
    std::memcpy(&address, launch.arguments + i * sizeof(address),
                sizeof(address));
    if (address != launch.bindings[i].address)
      return wrong("entry '%s', argument '%s': expected address 0x%" PRIx64
                   ", but got 0x%" PRIx64,
                   launch.entry, launch.names[i], launch.bindings[i].address,
                   address);
    if (address % 16)
      return wrong("entry '%s', argument '%s': expected a multiple of 16, but "
                   "got address 0x%" PRIx64,
                   launch.entry, launch.names[i], address);
    if (Status status =
            checkRange(launch.names[i], address, launch.bindings[i].size);
        !status.isOk())
      return status;
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Other packets
//===----------------------------------------------------------------------===//

Status BufferCheck::checkRelease(const uint32_t *body, uint32_t count) const {
  if (count != 7)
    return wrong("expected RELEASE_MEM of 7 words, but got %u", count);
  uint64_t address = join(body[2], body[3]);
  if (address % 8)
    return wrong("expected RELEASE_MEM to write to a multiple of 8, but got "
                 "0x%" PRIx64,
                 address);
  return checkRange("RELEASE_MEM", address, 8);
}

Status BufferCheck::checkMove(const uint32_t *body, uint32_t count) const {
  if (count != 6)
    return wrong("expected DMA_DATA of 6 words, but got %u", count);
  uint64_t size = body[5] & 0x3ffffff;
  constexpr uint32_t fromData = 2;
  if ((body[0] >> 29 & 3) != fromData)
    if (Status status =
            checkRange("DMA_DATA's source", join(body[1], body[2]), size);
        !status.isOk())
      return status;
  return checkRange("DMA_DATA's destination", join(body[3], body[4]), size);
}

Status checkBuffer(GpuGeneration generation, const CheckedBuffer &buffer,
                   const std::vector<MappedRange> &mapped) {
  return BufferCheck(generation, buffer, mapped).check();
}

} // namespace sparkle::runtime
