// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vulkan as a target: tiled sparkle -> SPIR-V dialect -> SPIR-V.

#include "lib/Target/Registry.h"
#include "lib/Target/Vulkan/Vulkan.h"

#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sparkle {

static void registerDialects(DialectRegistry &registry) {
  registry.insert<spirv::SPIRVDialect>();
}

static void registerPasses() {
  registerPass([] { return vulkan::createLowerTiled(); });
}

static void buildPipeline(OpPassManager &manager, const TargetOptions &) {
  manager.addPass(vulkan::createLowerTiled());
  manager.addPass(createCSEPass());
}

const Target &getVulkanTarget() {
  static const Target target = {"vulkan",
                                "spirv",
                                vulkan::getProcessors(),
                                registerDialects,
                                registerPasses,
                                vulkan::describe,
                                buildPipeline,
                                /*translate=*/nullptr,
                                /*optimise=*/nullptr,
                                /*emit=*/nullptr,
                                vulkan::emitImages,
                                vulkan::disassemble};
  return target;
}

} // namespace sparkle
