// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU as a target: tiled sparkle -> LLVM and OpenMP dialects -> x86-64 or
// AArch64.

#include "lib/Target/CPU/CPU.h"
#include "lib/Target/Registry.h"
#include "sparkle/kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"

using namespace mlir;

namespace sparkle {

static void registerDialects(DialectRegistry &registry) {
  registry.insert<LLVM::LLVMDialect, omp::OpenMPDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerOpenMPDialectTranslation(registry);
}

static void registerPasses() {
  registerPass([] { return cpu::createLowerTiled(cpu::Halves::Convert); });
}

static void buildPipeline(OpPassManager &manager,
                          const TargetOptions &options) {
  // The caller has described the processor, and so knows the name.
  bool converts = cpu::getProcessor(options)->features &
                  (SPARKLE_CPU_F16C | SPARKLE_CPU_NEON);
  manager.addPass(cpu::createLowerTiled(converts ? cpu::Halves::Convert
                                                 : cpu::Halves::Refuse));
}

const Target &getCPUTarget() {
  static const Target target = {"cpu",
                                "llvm",
                                /*processors=*/{},
                                registerDialects,
                                registerPasses,
                                cpu::describe,
                                buildPipeline,
                                cpu::translate,
                                cpu::optimise,
                                cpu::emit,
                                /*emitImages=*/nullptr,
                                /*disassemble=*/nullptr};
  return target;
}

} // namespace sparkle
