// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of this leaf share: its parts as functions, which Pipeline.cpp
// puts into the `Target`.

#ifndef SPARKLE_LIB_TARGET_AMDGPU_AMDGPU_H
#define SPARKLE_LIB_TARGET_AMDGPU_AMDGPU_H

#include "lib/Target/Target.h"
#include "llvm/Target/TargetMachine.h"

namespace sparkle::amdgpu {

/// On the module of each kernel: how many bindings its entry points take, and
/// how many run-time sizes.
constexpr llvm::StringLiteral kArguments = "sparkle.arguments";

/// The lanes of a wave.
constexpr unsigned kWave = 32;

/// What the numbers of a target are made of, and what bounds how many waves are
/// under way on a SIMD.
struct Processor {
  llvm::StringLiteral name;
  int64_t invocations;
  /// Sums that an invocation may hold.
  int64_t sums;
  /// Bytes of workgroup memory that a workgroup may have.
  int64_t nearBytes;
  /// Registers of a lane of a SIMD, and how many are given out at once.
  unsigned registers, grain;

  /// Waves that fit on a SIMD, of workgroups of so many invocations.
  unsigned countWaves(unsigned vectorRegisters, unsigned nearBytes,
                      unsigned invocations) const;
};

// Describe.cpp
llvm::ArrayRef<llvm::StringLiteral> getProcessors();
/// Null for a name that is none of them.
const Processor *findProcessor(llvm::StringRef name);
mlir::FailureOr<TargetDescription> describe(mlir::MLIRContext *context,
                                            const TargetOptions &options);
const llvm::Target &getLLVMTarget();
std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const Processor &processor);

// LowerTiled.cpp
std::unique_ptr<mlir::Pass> createLowerTiled();

// Emit.cpp
mlir::FailureOr<std::vector<Image>> emitImages(mlir::ModuleOp module,
                                               const TargetOptions &options);

// Disassemble.cpp
mlir::LogicalResult disassemble(llvm::ArrayRef<char> image,
                                llvm::raw_ostream &out, mlir::Location loc);

} // namespace sparkle::amdgpu

#endif // SPARKLE_LIB_TARGET_AMDGPU_AMDGPU_H
