// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AMD's GPUs as a target: tiled sparkle -> LLVM dialect -> code object.

#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/Registry.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sparkle {

static void registerDialects(DialectRegistry &registry) {
  registry.insert<LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static void registerPasses() {
  registerPass([] { return amdgpu::createLowerTiled(); });
}

static void buildPipeline(OpPassManager &manager, const TargetOptions &) {
  manager.addPass(amdgpu::createLowerTiled());
  manager.addPass(createCSEPass());
}

const Target &getAMDGPUTarget() {
  static const Target target = {"amdgpu",
                                "amdgcn",
                                amdgpu::getProcessors(),
                                registerDialects,
                                registerPasses,
                                amdgpu::describe,
                                buildPipeline,
                                /*translate=*/nullptr,
                                /*optimise=*/nullptr,
                                /*emit=*/nullptr,
                                amdgpu::emitImages,
                                amdgpu::disassemble};
  return target;
}

} // namespace sparkle
