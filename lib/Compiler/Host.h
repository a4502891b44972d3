// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the object holds: the CPU's kernels, if any, the functions that every
// descriptor points to, and the descriptors with the images of the GPUs.

#ifndef SPARKLE_LIB_COMPILER_HOST_H
#define SPARKLE_LIB_COMPILER_HOST_H

#include "lib/Compiler/Variant.h"
#include "llvm/IR/LLVMContext.h"

namespace sparkle {

class Host {
public:
  /// `kernels` and `variants` are complete once `translate` is called.
  Host(const CompileOptions &options, llvm::ArrayRef<KernelDescription> kernels,
       llvm::ArrayRef<Variant> variants);

  /// `functions`, in the LLVM dialect, and the lowered code of the CPU -> one
  /// LLVM module, with descriptors, optimised.
  mlir::LogicalResult translate(mlir::ModuleOp functions);
  void print(llvm::raw_ostream &out) const;
  mlir::LogicalResult emit(CodeFormat format,
                           llvm::SmallVectorImpl<char> &bytes,
                           mlir::Location loc);

private:
  mlir::LogicalResult add(mlir::ModuleOp source,
                          const TargetOptions &processor);
  void addDescriptors();

  const CompileOptions &options;
  llvm::ArrayRef<KernelDescription> kernels;
  llvm::ArrayRef<Variant> variants;
  const Target &target;
  /// What code is generated for where a function does not say otherwise.
  TargetOptions processor;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code;
};

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_HOST_H
