// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the artifact says about the kernels of a module, read off the IR.

#ifndef SPARKLE_LIB_COMPILER_DESCRIBE_H
#define SPARKLE_LIB_COMPILER_DESCRIBE_H

#include "dialect/SparkleDialect.h"
#include "lib/Artifact/Descriptor.h"
#include "lib/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"

namespace sparkle {

/// Describes every kernel of `module`, in order: its names, tensors and hash.
/// `suffixes` are those of the variants that are C functions besides. Fails if
/// a name cannot stand in an object and its header, or an extent in a
/// descriptor.
mlir::FailureOr<std::vector<KernelDescription>>
describeKernels(mlir::ModuleOp module, llvm::ArrayRef<std::string> suffixes);

/// Adds which outputs may be written over inputs, by the tiles of all `codes`.
void describeInPlace(llvm::ArrayRef<KernelOp> codes, KernelDescription &kernel);

/// How the tiled `kernel` takes its weights: packed as it says, else as
/// declared. Fails if one is too large for 64 bits.
mlir::FailureOr<std::vector<Packing>> describePackings(KernelOp kernel);

/// Fails, at `kernel`, if its grid has no place in a descriptor.
mlir::FailureOr<LaunchDescription> describeLaunch(const Launch &launch,
                                                  mlir::Location kernel);

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_DESCRIBE_H
