// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel file on its way to one processor: algorithm level -> tiled level ->
// the target's dialects, and for a GPU on to the images.

#ifndef SPARKLE_LIB_COMPILER_VARIANT_H
#define SPARKLE_LIB_COMPILER_VARIANT_H

#include "lib/Compiler/Compile.h"

namespace sparkle {

class Variant {
public:
  /// Takes the algorithm, which is not shared with other variants.
  Variant(const CompileOptions &options, const Platform &platform,
          mlir::OwningOpRef<mlir::ModuleOp> module);

  // The stages, each after all before it.
  /// Describes the processor, for the shared passes to read.
  mlir::LogicalResult describeProcessor();
  /// Rewrites the equations of which the patterns say so.
  mlir::LogicalResult transform();
  /// Chooses what the patterns leave open; the result is text as well.
  mlir::LogicalResult resolvePatterns();
  mlir::LogicalResult tile();
  mlir::LogicalResult lower();
  /// Of a GPU.
  mlir::LogicalResult emitImages();

  bool isGpu() const { return platform->target->isGpu(); }
  /// "cpu znver4"
  std::string getName() const;
  mlir::ModuleOp getModule() const { return *module; }
  /// One for each kernel.
  llvm::ArrayRef<CodeDescription> getCodes() const { return codes; }

  /// Where there are several kernels, each below a comment that names it.
  mlir::LogicalResult printImages(llvm::raw_ostream &out) const;

private:
  mlir::LogicalResult
  runPasses(llvm::function_ref<void(mlir::OpPassManager &)> build);
  mlir::LogicalResult checkSizes(KernelOp kernel);
  CodeDescription describePattern(KernelOp kernel);

  const CompileOptions *options;
  const Platform *platform;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  TargetDescription processor;
  std::vector<CodeDescription> codes;
  /// What is left of a kernel once it is lowered.
  struct Origin {
    std::string kernel;
    mlir::Location location;
  };
  std::vector<Origin> origins;
};

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_VARIANT_H
