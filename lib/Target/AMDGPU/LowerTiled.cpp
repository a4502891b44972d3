// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In: tiled sparkle ops.   Out: a module of LLVM functions for each kernel.

#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/AMDGPU/Code.h"

#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace sparkle::amdgpu {

namespace {
struct LowerTiled : PassWrapper<LowerTiled, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerTiled)

  StringRef getArgument() const override {
    return "sparkle-amdgpu-lower-tiled";
  }
  StringRef getDescription() const override {
    return "Lower the tiled level to LLVM functions for AMD's GPUs";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    auto create = [](KernelOp kernel) {
      return std::make_unique<ImageBuilder>(kernel);
    };
    if (failed(gpu::lowerTiled(getOperation(), create)))
      signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> createLowerTiled() {
  return std::make_unique<LowerTiled>();
}

} // namespace sparkle::amdgpu
