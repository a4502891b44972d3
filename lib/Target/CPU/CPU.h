// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of this leaf share: its parts as functions, which Pipeline.cpp
// puts into the `Target`.

#ifndef SPARKLE_LIB_TARGET_CPU_CPU_H
#define SPARKLE_LIB_TARGET_CPU_CPU_H

#include "lib/Target/Target.h"
#include "llvm/Target/TargetMachine.h"

namespace sparkle::cpu {

/// What processors have in common that run the same instructions.
struct Architecture;

/// A processor as code is generated for it.
struct Processor {
  const Architecture *architecture = nullptr;
  /// As the command line names it; `native` is resolved.
  std::string name;
  /// As LLVM names the one that the code is tuned for.
  std::string tuning;
  /// SPARKLE_CPU_* bits.
  uint64_t features = 0;
};

/// Cores, and the bytes of the caches that one has to itself.
struct Machine {
  int64_t cores = 1, first = 0, second = 0;
};

// Describe.cpp
/// Empty if LLVM does not know the name.
std::optional<Processor> getProcessor(const TargetOptions &options);
mlir::FailureOr<TargetDescription> describe(mlir::MLIRContext *context,
                                            const TargetOptions &options);
/// Code for `processor`, tuned for it, with no other instruction sets than its
/// features say.
std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const Processor &processor);
/// The features as LLVM spells them: "+avx2,+fma".
std::string spellFeatures(const Processor &processor);
/// As LLVM names the least processor of the architecture, which `spellFeatures`
/// adds to.
llvm::StringRef getLeast(const Processor &processor);

// DetectMachine.cpp
/// This one; empty if it does not tell.
std::optional<Machine> detectMachine();

// LowerTiled.cpp
/// Whether the processor converts f16 to f32 and back (F16C, NEON).
enum class Halves { Convert, Refuse };
std::unique_ptr<mlir::Pass> createLowerTiled(Halves halves);

// Emit.cpp
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module,
                                        llvm::LLVMContext &context,
                                        const TargetOptions &options);
void optimise(llvm::Module &module, const TargetOptions &options);
mlir::LogicalResult emit(llvm::Module &module, const TargetOptions &options,
                         CodeFormat format, llvm::SmallVectorImpl<char> &out,
                         mlir::Location loc);

} // namespace sparkle::cpu

#endif // SPARKLE_LIB_TARGET_CPU_CPU_H
