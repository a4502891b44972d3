// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Joins everything into one LLVM module, and has the CPU's leaf generate code.

#include "lib/Compiler/Host.h"
#include "lib/Artifact/Dispatch.h"
#include "lib/Target/Registry.h"

#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sparkle {

/// The one that objects are for.
static const Target &getHostTarget() {
  return **llvm::find_if(getTargets(),
                         [](const Target *each) { return !each->isGpu(); });
}

Host::Host(const CompileOptions &options, ArrayRef<KernelDescription> kernels,
           ArrayRef<Variant> variants)
    : options(options), kernels(kernels), variants(variants),
      target(getHostTarget()), processor{options.baseline} {}

LogicalResult Host::translate(ModuleOp functions) {
  bool hasOne = llvm::count_if(variants, [](const Variant &variant) {
                  return !variant.isGpu();
                }) == 1;
  for (auto [variant, platform] :
       llvm::zip_equal(variants, options.platforms)) {
    if (variant.isGpu())
      continue;
    if (hasOne)
      processor = platform.options;
    if (failed(add(variant.getModule(), platform.options)))
      return failure();
  }
  if (failed(add(functions, {options.baseline})))
    return failure();
  addDescriptors();
  target.optimise(*code, processor);
  return success();
}

LogicalResult Host::add(ModuleOp source, const TargetOptions &processor) {
  std::unique_ptr<llvm::Module> added =
      target.translate(source, context, processor);
  if (!added)
    return failure();
  if (!code)
    code = std::move(added);
  else if (llvm::Linker::linkModules(*code, std::move(added)))
    return source->emitError("cannot join the kernels with their references");
  return success();
}

void Host::addDescriptors() {
  for (const KernelDescription &kernel : kernels) {
    addDispatch(*code, kernel);
    addDescriptor(*code, kernel);
  }
  if (options.emit == Emit::Shared)
    addKernelTable(*code, kernels);
  // What only descriptors point to; external so far, or joining would have
  // dropped it as unused. No kernel's name has a dot.
  for (llvm::Function &function : *code)
    if (!function.isDeclaration() && function.getName().contains('.'))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
}

void Host::print(llvm::raw_ostream &out) const { code->print(out, nullptr); }

LogicalResult Host::emit(CodeFormat format, SmallVectorImpl<char> &bytes,
                         Location loc) {
  return target.emit(*code, processor, format, bytes, loc);
}

} // namespace sparkle
