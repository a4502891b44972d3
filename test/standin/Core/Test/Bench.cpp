// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory, prologue and epilogue for the tests of the shader cores.

#include "test/standin/Core/Test/Bench.h"

#include <cstdio>
#include <cstdlib>

namespace sparkle::standin {

uint64_t Memory::allocate(size_t size) {
  uint64_t address = next;
  buffers[address].resize((size + kPage - 1) / kPage * kPage);
  // A page that is not there behind each buffer.
  next += buffers[address].size() + kPage;
  return address;
}

uint8_t *Memory::find(uint64_t address, size_t size) {
  auto after = buffers.upper_bound(address);
  if (after == buffers.begin())
    return nullptr;
  auto &[start, bytes] = *--after;
  if (address + size > start + bytes.size())
    return nullptr;
  return bytes.data() + (address - start);
}

uint8_t *Memory::access(const char *what, uint64_t address, size_t size) {
  uint8_t *bytes = find(address, size);
  if (address % kPage + size > kPage) {
    std::fprintf(stderr, "an access crosses a page\n");
    std::abort();
  }
  if (!bytes) {
    char text[128];
    std::snprintf(text, sizeof(text),
                  "%s of %zu bytes at 0x%llx, which is not mapped", what, size,
                  (unsigned long long)address);
    fault = text;
  }
  return bytes;
}

const uint8_t *Memory::read(Client, uint64_t address, size_t size) {
  return access("read", address, size);
}
bool Memory::write(uint64_t address, const void *bytes, size_t size) {
  uint8_t *to = access("write", address, size);
  if (to)
    std::memcpy(to, bytes, size);
  return to;
}
uint8_t *Memory::modify(uint64_t address, size_t size) {
  return access("atomic operation", address, size);
}

Bench::Bench(Generation generation) : generation(generation) {
  bool isGfx11 = generation == Generation::Gfx1100;
  // 64 vector registers; the x of the workgroup's id in the last scalar.
  dispatch.rsrc1 = 7 | kRsrc1;
  dispatch.rsrc2 = (isGfx11 ? 15u : 6u) << 1 | 1u << 7;
  dispatch.initiator = 0x8005;
  for (unsigned i = 0; i < 3; ++i) {
    dispatch.threads[i] = i ? 1 : 32;
    dispatch.end[i] = 1;
  }
}

uint64_t Bench::load(const std::vector<uint8_t> &code) {
  return memory.place(code);
}

Outcome Bench::run(const std::string &text) {
  dispatch.program = load(assemble(generation, text));
  return standin::run(generation, dispatch, memory, seed, budget, banks);
}

Outcome Bench::run(const Kernel &kernel, uint32_t groups, uint32_t threads,
                   const std::vector<uint8_t> &arguments) {
  std::vector<uint8_t> padded = arguments;
  padded.resize((padded.size() + 63) / 64 * 64);
  uint64_t address = memory.place(padded);
  dispatch.program = load(kernel.code);
  dispatch.rsrc1 = kernel.rsrc1;
  dispatch.rsrc2 = kernel.rsrc2 | (kernel.localBytes + 511) / 512 << 15;
  dispatch.rsrc3 = kernel.rsrc3;
  dispatch.threads[0] = threads;
  dispatch.end[0] = groups;
  // The segment descriptor of gfx10.3 goes first.
  unsigned first = generation == Generation::Gfx1100 ? 0 : 4;
  dispatch.userData[first] = uint32_t(address);
  dispatch.userData[first + 1] = uint32_t(address >> 32);
  dispatch.userDataWritten = (1u << (first + 2)) - 1;
  return standin::run(generation, dispatch, memory, seed, budget, banks);
}

std::vector<Lanes32> Bench::compute(const std::string &text,
                                    const std::vector<Lanes32> &inputs,
                                    unsigned results) {
  std::vector<uint32_t> data;
  for (const Lanes32 &input : inputs)
    for (unsigned lane = 0; lane < 32; ++lane)
      data.push_back(input[lane % input.size()]);
  uint64_t from = memory.place(data);
  uint64_t to = memory.allocate(results * 128);
  dispatch.userData[0] = uint32_t(from);
  dispatch.userData[1] = uint32_t(from >> 32);
  dispatch.userData[2] = uint32_t(to);
  dispatch.userData[3] = uint32_t(to >> 32);
  dispatch.userDataWritten = 15;
  std::string program = "v_lshlrev_b32 v3, 2, v0\n";
  for (size_t i = 0; i < inputs.size(); ++i)
    program += "global_load_dword v" + std::to_string(4 + i) +
               ", v3, s[0:1] offset:" + std::to_string(i * 128) + "\n";
  program += "s_waitcnt vmcnt(0)\n" + text + "\ns_mov_b32 exec_lo, -1\n";
  for (unsigned i = 0; i < results; ++i)
    program += "global_store_dword v3, v" + std::to_string(16 + i) +
               ", s[2:3] offset:" + std::to_string(i * 128) + "\n";
  Outcome outcome = run(program + "s_endpgm\n");
  std::vector<Lanes32> values(results);
  if (outcome.kind != Outcome::Kind::Done) {
    std::fprintf(stderr, "%s\n", outcome.message.c_str());
    for (Lanes32 &value : values)
      value.assign(32, 0xdeadbeef);
    return values;
  }
  for (unsigned i = 0; i < results; ++i)
    values[i] = memory.take<uint32_t>(to + i * 128, 32);
  return values;
}

uint32_t Bench::value(const std::string &text,
                      const std::vector<uint32_t> &inputs) {
  std::vector<Lanes32> lists;
  for (uint32_t input : inputs)
    lists.push_back({input});
  return lanes(text, lists)[0];
}

uint32_t bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
float real(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

} // namespace sparkle::standin
