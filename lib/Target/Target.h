// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interface of a target: tiled sparkle -> machine code. A target is a
// folder that fills in one of these, not a subclass.

#ifndef SPARKLE_LIB_TARGET_TARGET_H
#define SPARKLE_LIB_TARGET_TARGET_H

#include "dialect/SparkleDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/IR/Module.h"

namespace sparkle {

/// What the command line says about a target.
struct TargetOptions {
  /// CPU: as LLVM names it, avx512, avx2, baseline, neon, or `native`: the
  /// machine's own. GPU: one of the target's `processors`.
  std::string processor = "native";
  /// Of a CPU: how many cores a choice divides a kernel's work for. 0: as many
  /// as the machine has if it is `native`, and else as a usual one.
  int64_t cores = 0;
};

/// What a target is, given its options.
struct TargetDescription {
  /// The numbers that the shared passes read.
  TargetAttr numbers;
  /// The processor with `native` resolved; stands in the descriptor.
  std::string processor;
  /// SPARKLE_CPU_* bits (sparkle/kernel.h) of a CPU. The code uses no other
  /// instruction sets, so that a machine that has these can run it.
  uint64_t features = 0;
  /// Of a CPU: the processor whose code all others of its architecture run.
  std::string baseline = {};
};

enum class CodeFormat { Assembly, Object };

/// One entry point of an image: sparkle_launch_t.
struct Launch {
  std::string entry;
  /// () [sizes] -> the workgroups along each index.
  mlir::AffineMap grid;
  /// Of a workgroup.
  uint32_t invocations = 0;
  /// Of workgroup memory.
  uint32_t localBytes = 0;
};

/// One kernel's code for a GPU.
struct Image {
  std::string kernel;
  llvm::SmallVector<char, 0> bytes;
  /// In the order in which they run.
  std::vector<Launch> launches;
  /// SPARKLE_GPU_* bits.
  uint64_t features = 0;
};

/// A code generator. Of the functions at the end, a CPU has the first three, a
/// GPU the other two; the rest are null.
struct Target {
  /// "cpu": flag, image tag, test feature.
  llvm::StringRef word;
  /// "llvm": the --emit value of the leaf's own form.
  llvm::StringRef format;
  /// What --gpu takes, best first. Empty on the CPU.
  llvm::ArrayRef<llvm::StringLiteral> processors;

  /// Adds the dialects and translations that the leaf needs.
  void (*registerDialects)(mlir::DialectRegistry &);
  /// Makes the leaf's passes available by name.
  void (*registerPasses)();
  /// Reports an unknown processor through the context and fails.
  mlir::FailureOr<TargetDescription> (*describe)(mlir::MLIRContext *,
                                                 const TargetOptions &);
  /// Tiled sparkle -> the target's dialects. Runs on the module.
  ///
  /// On the CPU, from a kernel @conv with a weight "w", to LLVM functions
  /// @conv, @conv_pack_w, @conv_packed_w_size, and @conv_workspace_size if it
  /// has temps. These are external; everything else is internal.
  void (*buildPipeline)(mlir::OpPassManager &, const TargetOptions &);
  /// The target's dialects -> LLVM IR with triple, data layout, processor and
  /// features set on the module and its functions, not yet optimised.
  /// Functions that carry a "target-cpu" of their own keep it. Null on error,
  /// which is reported.
  std::unique_ptr<llvm::Module> (*translate)(mlir::ModuleOp,
                                             llvm::LLVMContext &,
                                             const TargetOptions &);
  /// Optimises `module` in place. The same input gives the same output.
  void (*optimise)(llvm::Module &, const TargetOptions &);
  /// Optimised LLVM IR -> machine code. Fails if the module does not verify or
  /// the code generator refuses; the reason is reported.
  mlir::LogicalResult (*emit)(llvm::Module &, const TargetOptions &, CodeFormat,
                              llvm::SmallVectorImpl<char> &, mlir::Location);
  /// What `buildPipeline` made -> an image for every kernel, in order. Fails if
  /// one cannot be written; the reason is reported.
  mlir::FailureOr<std::vector<Image>> (*emitImages)(mlir::ModuleOp,
                                                    const TargetOptions &);
  /// The image as text, in the target's assembly.
  mlir::LogicalResult (*disassemble)(llvm::ArrayRef<char> image,
                                     llvm::raw_ostream &, mlir::Location);

  bool isGpu() const { return emitImages; }
};

} // namespace sparkle

#endif // SPARKLE_LIB_TARGET_TARGET_H
