// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts instructions by their names.

#include "lib/Target/AMDGPU/Report.h"
#include "lib/Target/AMDGPU/AMDGPU.h"

using namespace llvm;

namespace sparkle::amdgpu {
namespace {

/// Instructions from the target of a branch up to it.
struct Loop {
  uint64_t first, last;
  bool contains(const Loop &other) const {
    return first <= other.first && other.last <= last && !(*this == other);
  }
  bool operator==(const Loop &other) const {
    return first == other.first && last == other.last;
  }
};

/// What a stretch of code is made of.
struct Mix {
  unsigned vector = 0, fused = 0, fusedInPairs = 0;
  unsigned scalar = 0, waits = 0;
  unsigned nearLoads = 0, wideNearLoads = 0, nearStores = 0, wideNearStores = 0;
  unsigned farLoads = 0, wideFarLoads = 0, farStores = 0;
  unsigned scratch = 0, total = 0;

  void add(StringRef text);

private:
  void addVector(StringRef text);
};

bool isFused(StringRef text) {
  StringRef name = text.ltrim().take_until([](char c) { return c == ' '; });
  return name.contains("_fma") && !name.contains("_mix");
}

void Mix::addVector(StringRef text) {
  auto [first, second] = text.split("::");
  ++vector;
  fused += isFused(first);
  if (second.empty())
    return;
  ++vector;
  fused += isFused(second);
  fusedInPairs += isFused(first) + isFused(second);
}

void Mix::add(StringRef text) {
  StringRef name = text.take_until([](char c) { return c == ' '; });
  // RDNA 2 and 3 spell a quad in different ways.
  bool isWide = name.contains("b128") || name.contains("dwordx4");
  ++total;
  if (name.starts_with("v_"))
    return addVector(text);
  if (name.starts_with("ds_")) {
    bool isStore = name.contains("store") || name.contains("write");
    (isStore ? nearStores : nearLoads) += 1;
    (isStore ? wideNearStores : wideNearLoads) += isWide;
  } else if (name.starts_with("global_") || name.starts_with("buffer_load") ||
             name.starts_with("buffer_store") || name.starts_with("flat_")) {
    bool isStore = name.contains("store");
    (isStore ? farStores : farLoads) += 1;
    wideFarLoads += !isStore && isWide;
  } else if (name.starts_with("scratch_")) {
    ++scratch;
  } else if (name.starts_with("s_waitcnt") || name == "s_delay_alu" ||
             name == "s_nop" || name.starts_with("s_clause")) {
    ++waits;
  } else {
    ++scalar;
  }
}

Mix count(ArrayRef<Instruction> instructions, const Loop &loop) {
  Mix mix;
  for (const Instruction &instruction : instructions)
    if (loop.first <= instruction.address && instruction.address <= loop.last)
      mix.add(instruction.text);
  return mix;
}

std::vector<Loop> findInnermost(ArrayRef<Instruction> instructions) {
  std::vector<Loop> all, innermost;
  for (const Instruction &instruction : instructions)
    if (instruction.target && *instruction.target <= instruction.address)
      all.push_back({*instruction.target, instruction.address});
  for (const Loop &loop : all)
    if (none_of(all, [&](const Loop &other) { return loop.contains(other); }))
      innermost.push_back(loop);
  return innermost;
}

} // namespace

void printReport(const CodeObject &object, const EntryPoint &entryPoint,
                 ArrayRef<Instruction> instructions, raw_ostream &out) {
  unsigned nearBytes = entryPoint.descriptor.group_segment_fixed_size;
  out << "; " << entryPoint.name << ": " << entryPoint.invocations
      << " invocations, " << entryPoint.vectorRegisters << " VGPRs, "
      << entryPoint.scalarRegisters << " SGPRs, " << nearBytes
      << " bytes of LDS, " << entryPoint.descriptor.private_segment_fixed_size
      << " bytes of scratch";
  if (const Processor *processor = findProcessor(object.processor))
    out << ", "
        << processor->countWaves(entryPoint.vectorRegisters, nearBytes,
                                 entryPoint.invocations)
        << " waves per SIMD";
  out << "\n";

  std::optional<Mix> hottest;
  std::optional<Loop> hot;
  for (const Loop &loop : findInnermost(instructions)) {
    Mix mix = count(instructions, loop);
    if (!hottest || mix.fused > hottest->fused)
      hottest = mix, hot = loop;
  }
  if (!hottest)
    return;
  const Mix &mix = *hottest;
  out << "; hot loop: L" << utohexstr(hot->first, /*LowerCase=*/true) << ", "
      << mix.total << " instructions: " << mix.vector << " vector, of these "
      << mix.fused << " fma, of these " << mix.fusedInPairs << " in pairs; "
      << mix.nearLoads << " loads of LDS, of these " << mix.wideNearLoads
      << " of 128 bits; " << mix.nearStores << " stores to LDS, of these "
      << mix.wideNearStores << " of 128 bits; " << mix.farLoads
      << " global loads, of these " << mix.wideFarLoads << " of 128 bits; "
      << mix.farStores << " global stores; " << mix.scalar << " scalar; "
      << mix.waits << " waits; " << mix.scratch << " scratch\n";
}

} // namespace sparkle::amdgpu
