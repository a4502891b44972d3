// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar loads and what they share with vector memory: bytes at GPU addresses.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Memory.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace sparkle::standin {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
  return text;
}

bool failAt(Wave &wave, uint64_t address) {
  if (!wave.failed())
    wave.faultAddress = address;
  wave.fail(wave.memory->getFault());
  return false;
}

bool readMemory(Wave &wave, Port::Client client, uint64_t address, void *to,
                size_t size) {
  auto *bytes = static_cast<uint8_t *>(to);
  while (size) {
    size_t part = std::min<size_t>(size, Port::kPage - address % Port::kPage);
    const uint8_t *from = wave.memory->read(client, address, part);
    if (!from)
      return failAt(wave, address);
    std::memcpy(bytes, from, part);
    address += part;
    bytes += part;
    size -= part;
  }
  return true;
}

bool writeMemory(Wave &wave, uint64_t address, const void *from, size_t size) {
  auto *bytes = static_cast<const uint8_t *>(from);
  while (size) {
    size_t part = std::min<size_t>(size, Port::kPage - address % Port::kPage);
    if (!wave.memory->write(address, bytes, part))
      return failAt(wave, address);
    address += part;
    bytes += part;
    size -= part;
  }
  return true;
}

namespace {

// s_load_b64 s[0:1], s[2:3], 0x10, where the last may be null or a register.
void decodeScalarLoad(const Line &line, Instruction &to) {
  if (!expectOperands(line, 3, 3, to) ||
      !parseTarget(line.operands[0], Register::File::Scalar, to.dwords, to,
                   to.to) ||
      !parseSource(line.operands[1], Type::B64, line, to, to.from[0]) ||
      !parseSource(line.operands[2], Type::B32, line, to, to.from[1]))
    return;
  to.offset = line.number("offset", 0);
  const Source &last = to.from[1];
  if (last.from == Source::From::Constant)
    to.offset += int64_t(last.value);
  if (to.from[0].from != Source::From::Scalar ||
      last.from == Source::From::Vector)
    refuse(to, "expected scalar operands");
}

void loadScalar(Wave &wave, const Instruction &instruction) {
  uint64_t address = wave.readScalar64(instruction.from[0].index) +
                     uint64_t(instruction.offset);
  if (instruction.from[1].from == Source::From::Scalar)
    address += wave.readScalar(instruction.from[1].index);
  if (address % 4)
    return wave.fail("scalar load at " + hex(address) +
                     ", which is not a multiple of 4");
  uint32_t values[16];
  if (wave.failed() || !readMemory(wave, Port::Client::Scalar, address, values,
                                   instruction.dwords * 4u))
    return;
  for (unsigned i = 0; i < instruction.dwords && !wave.failed(); ++i)
    if (instruction.to.index != kNull)
      wave.writeScalar(instruction.to.index + i, values[i]);
  wave.departScalar(instruction.to.index, instruction.dwords);
}

constexpr Opcode kScalarMemory[] = {
    {"s_load_dword", decodeScalarLoad, loadScalar, 0, 1},
    {"s_load_dwordx2", decodeScalarLoad, loadScalar, 0, 2},
    {"s_load_dwordx4", decodeScalarLoad, loadScalar, 0, 4},
    {"s_load_dwordx8", decodeScalarLoad, loadScalar, 0, 8},
    {"s_load_dwordx16", decodeScalarLoad, loadScalar, 0, 16},
    {"s_load_b32", decodeScalarLoad, loadScalar, 0, 1},
    {"s_load_b64", decodeScalarLoad, loadScalar, 0, 2},
    {"s_load_b128", decodeScalarLoad, loadScalar, 0, 4},
    {"s_load_b256", decodeScalarLoad, loadScalar, 0, 8},
    {"s_load_b512", decodeScalarLoad, loadScalar, 0, 16},
};

} // namespace

Opcodes listScalarMemory() { return {kScalarMemory, std::size(kScalarMemory)}; }

} // namespace sparkle::standin
