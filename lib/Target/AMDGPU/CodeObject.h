// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a code object says about its entry points: ELF symbols, kernel
// descriptors, and the metadata in its note.

#ifndef SPARKLE_LIB_TARGET_AMDGPU_CODEOBJECT_H
#define SPARKLE_LIB_TARGET_AMDGPU_CODEOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace sparkle::amdgpu {

struct EntryPoint {
  std::string name;
  /// Its instructions, the first of which is at `address`.
  uint64_t address = 0;
  llvm::ArrayRef<uint8_t> code;
  llvm::amdhsa::kernel_descriptor_t descriptor = {};
  unsigned vectorRegisters = 0, scalarRegisters = 0, invocations = 0;
  /// What is passed beyond the arguments of the function, as metadata calls it;
  /// empty if nothing is.
  std::string hidden;
};

struct CodeObject {
  /// "gfx1100".
  std::string processor;
  /// In the order of the metadata.
  std::vector<EntryPoint> entryPoints;

  /// Null if there is none of that name.
  const EntryPoint *find(llvm::StringRef name) const;
};

/// The result refers to `bytes`.
llvm::Expected<CodeObject> readCodeObject(llvm::StringRef bytes);

/// Fails, with the reason, for one that a runtime cannot launch which gives it
/// nothing but the address of `argumentBytes` of arguments.
llvm::Error checkEntryPoint(const EntryPoint &entryPoint,
                            unsigned argumentBytes);

} // namespace sparkle::amdgpu

#endif // SPARKLE_LIB_TARGET_AMDGPU_CODEOBJECT_H
