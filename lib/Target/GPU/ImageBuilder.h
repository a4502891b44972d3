// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder of the module of one kernel for a GPU: its entry points, and the
// workgroup memory that they use.

#ifndef SPARKLE_LIB_TARGET_GPU_IMAGEBUILDER_H
#define SPARKLE_LIB_TARGET_GPU_IMAGEBUILDER_H

#include "lib/Target/GPU/Code.h"
#include "lib/Target/Target.h"

namespace sparkle::gpu {

/// On the module of each kernel: an array with a dictionary for each entry
/// point, of `entry`, `grid`, `invocations` and `local_bytes` (see `Launch`).
constexpr llvm::StringLiteral kLaunches = "sparkle.launches";

class ImageBuilder {
public:
  ImageBuilder(KernelOp kernel);
  virtual ~ImageBuilder() = default;

  /// Begins an entry point; what it does is built with the result.
  virtual std::unique_ptr<Code> addEntryPoint(llvm::StringRef name,
                                              mlir::Location loc) = 0;
  /// Ends it. Of a launch, `grid` is () [sizes] -> workgroups.
  virtual void endEntryPoint(Code &code, const Launch &launch) = 0;
  /// `count` f32 in workgroup memory, as items of `width`, for the entry point
  /// that was begun last.
  virtual mlir::Operation *addArray(int64_t width, int64_t count) = 0;
  void noteWritten(unsigned binding) { written.insert(binding); }
  /// Writes down what only all of the functions tell.
  virtual void finish() = 0;

protected:
  void addLaunch(const Launch &launch);
  mlir::ArrayAttr getLaunches() { return builder.getArrayAttr(launches); }

  KernelOp kernel;
  mlir::OpBuilder builder;
  mlir::Location loc;
  llvm::SmallDenseSet<unsigned> written;
  /// Bindings that may be the same bytes as another one.
  llvm::SmallDenseSet<unsigned> shared;

private:
  llvm::SmallVector<mlir::Attribute> launches;
};

/// What `kLaunches` of `module` says; fails if there is none.
mlir::FailureOr<std::vector<Launch>> readLaunches(mlir::Operation *module);

/// Lowers the tiled level, in one module for each kernel, which the result of
/// `create` builds.
mlir::LogicalResult
lowerTiled(mlir::ModuleOp module,
           llvm::function_ref<std::unique_ptr<ImageBuilder>(KernelOp)> create);

} // namespace sparkle::gpu

#endif // SPARKLE_LIB_TARGET_GPU_IMAGEBUILDER_H
