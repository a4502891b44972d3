// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code of one entry point as text, and what it is made of.

#ifndef SPARKLE_LIB_TARGET_AMDGPU_REPORT_H
#define SPARKLE_LIB_TARGET_AMDGPU_REPORT_H

#include "lib/Target/AMDGPU/CodeObject.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace sparkle::amdgpu {

struct Instruction {
  uint64_t address = 0;
  /// "v_add_f32_e32 v0, v1, v2". Two that are issued together stand on both
  /// sides of "::".
  std::string text;
  /// Where it branches to.
  std::optional<uint64_t> target;
};

/// Lines of comments: registers, memory, waves, and the mix of instructions in
/// the hot loop, which of all loops without loops inside has the most fused
/// multiply-adds.
void printReport(const CodeObject &object, const EntryPoint &entryPoint,
                 llvm::ArrayRef<Instruction> instructions,
                 llvm::raw_ostream &out);

} // namespace sparkle::amdgpu

#endif // SPARKLE_LIB_TARGET_AMDGPU_REPORT_H
