// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect -> LLVM IR -> assembly or object.

#include "lib/Target/CPU/CPU.h"
#include "lib/Target/LLVMOption.h"
#include "lib/Target/Optimise.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"

using namespace mlir;

namespace sparkle::cpu {

/// The caller has described the processor, and so knows the name.
static std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const TargetOptions &options) {
  return createTargetMachine(*getProcessor(options));
}

std::unique_ptr<llvm::Module> translate(ModuleOp module,
                                        llvm::LLVMContext &context,
                                        const TargetOptions &options) {
  std::unique_ptr<llvm::Module> result =
      translateModuleToLLVMIR(module, context, "sparkle");
  if (!result)
    return nullptr;
  Processor processor = *getProcessor(options);
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(processor);
  result->setTargetTriple(machine->getTargetTriple());
  result->setDataLayout(machine->createDataLayout());
  result->setPICLevel(llvm::PICLevel::BigPIC);
  // No "prefer-vector-width": it would split vectors of 16 floats.
  for (llvm::Function &function : *result) {
    if (function.isDeclaration() || function.hasFnAttribute("target-cpu"))
      continue;
    function.addFnAttr("target-cpu", getLeast(processor));
    function.addFnAttr("target-features", spellFeatures(processor));
    function.addFnAttr("tune-cpu", processor.tuning);
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  return result;
}

void optimise(llvm::Module &module, const TargetOptions &options) {
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(options);
  sparkle::optimise(module, *machine, llvm::OptimizationLevel::O2);
}

LogicalResult emit(llvm::Module &module, const TargetOptions &options,
                   CodeFormat format, SmallVectorImpl<char> &out,
                   Location loc) {
  std::string problem;
  llvm::raw_string_ostream report(problem);
  if (llvm::verifyModule(module, &report))
    return emitError(loc) << "expected valid LLVM IR, but got: " << problem;
  // The order of the loads and multiply-adds is chosen; LLVM's schedulers, that
  // of the selected instructions and the one behind it, would hoist the loads,
  // and spill.
  SourceOrder order;
  LLVMOption scheduler("enable-misched", "false");
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(options);
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager passes;
  auto kind = format == CodeFormat::Assembly
                  ? llvm::CodeGenFileType::AssemblyFile
                  : llvm::CodeGenFileType::ObjectFile;
  bool refused = machine->addPassesToEmitFile(passes, stream, nullptr, kind);
  assert(!refused && "both architectures have assembly and objects");
  (void)refused;
  passes.run(module);
  return success();
}

} // namespace sparkle::cpu
