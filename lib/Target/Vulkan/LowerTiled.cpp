// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In: tiled sparkle ops.   Out: one spirv.module for each kernel.

#include "lib/Target/Vulkan/Code.h"
#include "lib/Target/Vulkan/Vulkan.h"

#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace sparkle::vulkan {

namespace {
struct LowerTiled : PassWrapper<LowerTiled, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerTiled)

  StringRef getArgument() const override {
    return "sparkle-vulkan-lower-tiled";
  }
  StringRef getDescription() const override {
    return "Lower the tiled level to SPIR-V modules";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<spirv::SPIRVDialect>();
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

} // namespace sparkle::vulkan
