// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of one processor's code. Where there are several, what goes wrong
// carries a note that says for which.

#include "lib/Compiler/Variant.h"
#include "lib/Compiler/Describe.h"
#include "lib/Target/Band.h"
#include "lib/Target/Registry.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Pipeline.h"

#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace sparkle {
namespace {

/// While it lives, errors say which code they are about.
class Attribution {
public:
  Attribution(const Variant &variant, const CompileOptions *options)
      : handler(variant.getModule()->getContext(),
                [&variant, options](Diagnostic &diagnostic) {
                  if (options->platforms.size() > 1 &&
                      diagnostic.getSeverity() == DiagnosticSeverity::Error)
                    diagnostic.attachNote()
                        << "in the code for " << variant.getName();
                  return failure(); // for the handlers below to print
                }) {}

private:
  ScopedDiagnosticHandler handler;
};

} // namespace

Variant::Variant(const CompileOptions &options, const Platform &platform,
                 OwningOpRef<ModuleOp> module)
    : options(&options), platform(&platform), module(std::move(module)) {}

std::string Variant::getName() const {
  const std::string &resolved = processor.processor;
  return (platform->target->word + " " +
          (resolved.empty() ? platform->options.processor : resolved))
      .str();
}

LogicalResult
Variant::runPasses(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(module->getContext());
  if (options->configurePasses && failed(options->configurePasses(manager)))
    return failure();
  build(manager);
  return manager.run(*module);
}

LogicalResult Variant::describeProcessor() {
  Attribution attribution(*this, options);
  FailureOr<TargetDescription> description =
      platform->target->describe(module->getContext(), platform->options);
  if (failed(description))
    return failure();
  processor = *description;
  (*module)->setAttr(kTargetAttr, processor.numbers);
  for (KernelOp kernel : module->getOps<KernelOp>())
    if (isGpu() && failed(checkSizes(kernel)))
      return failure();
  return success();
}

/// Run-time sizes reach a GPU's code as push constants.
LogicalResult Variant::checkSizes(KernelOp kernel) {
  size_t count = kernel.getSizes().size();
  if (count <= SPARKLE_MAX_GPU_SIZES)
    return success();
  return kernel.emitError("expected at most ")
         << SPARKLE_MAX_GPU_SIZES << " run-time sizes of a kernel for "
         << platform->target->word << ", but got " << count;
}

LogicalResult Variant::transform() {
  Attribution attribution(*this, options);
  return runPasses(buildAlgorithmPipeline);
}

LogicalResult Variant::resolvePatterns() {
  Attribution attribution(*this, options);
  if (failed(runPasses(buildPatternPipeline)))
    return failure();
  for (KernelOp kernel : module->getOps<KernelOp>()) {
    codes.push_back(describePattern(kernel));
    origins.push_back({kernel.getSymName().str(), kernel.getLoc()});
  }
  return success();
}

/// The dimensions of the output that are indices of its equation still: merged
/// ones are one index, which bears the name of the last.
static std::vector<CutDescription> describeCuts(DefineOp define) {
  ArrayAttr merged = define.getPatternAttr().getMerge();
  unsigned dimension = 0;
  std::vector<CutDescription> cuts;
  for (unsigned index = 0; index < define.getNumOutputs(); ++index) {
    bool isMerged = merged && merged.size() > 1 &&
                    define.getIndices()[index] == merged.getValue().back();
    if (!isMerged)
      cuts.push_back({dimension, index, 0});
    dimension += isMerged ? merged.size() : 1;
  }
  return cuts;
}

CodeDescription Variant::describePattern(KernelOp kernel) {
  CodeDescription code;
  code.target = getNumber(*platform->target);
  code.processor = processor.processor;
  code.suffix = platform->suffix;
  code.features = processor.features;
  llvm::raw_string_ostream out(code.pattern);
  for (DefineOp define : kernel.getBody().getOps<DefineOp>())
    printPattern(define, platform->target->word, out);
  code.patternHash = llvm::xxh3_64bits(code.pattern);
  for (DefineOp define : kernel.getBody().getOps<DefineOp>())
    if (define.getTarget().getDefiningOp<TensorOp>().getRole() == Role::Output)
      code.cuts = describeCuts(define);
  return code;
}

LogicalResult Variant::tile() {
  Attribution attribution(*this, options);
  if (failed(runPasses(buildTiledPipeline)))
    return failure();
  for (auto [kernel, code] :
       llvm::zip_equal(module->getOps<KernelOp>(), codes)) {
    FailureOr<std::vector<Packing>> packings = describePackings(kernel);
    if (failed(packings))
      return failure();
    code.packings = std::move(*packings);
    // Those that there may be, as the equations have them, get their tiles.
    ArrayRef<int64_t> tile = findTile(kernel);
    if (tile.empty())
      code.cuts.clear();
    for (CutDescription &cut : code.cuts)
      cut.tile = tile[cut.index];
  }
  return success();
}

LogicalResult Variant::lower() {
  Attribution attribution(*this, options);
  // What the leaf calls its functions after.
  for (KernelOp kernel : module->getOps<KernelOp>())
    kernel.setSymName((kernel.getSymName() + platform->suffix).str());
  return runPasses([&](OpPassManager &manager) {
    platform->target->buildPipeline(manager, platform->options);
  });
}

LogicalResult Variant::emitImages() {
  Attribution attribution(*this, options);
  FailureOr<std::vector<Image>> images =
      platform->target->emitImages(*module, platform->options);
  if (failed(images))
    return failure();
  for (auto [image, code, origin] : llvm::zip_equal(*images, codes, origins)) {
    code.image = std::move(image.bytes);
    code.features = image.features;
    for (const Launch &launch : image.launches) {
      FailureOr<LaunchDescription> described =
          describeLaunch(launch, origin.location);
      if (failed(described))
        return failure();
      code.launches.push_back(std::move(*described));
    }
  }
  return success();
}

LogicalResult Variant::printImages(llvm::raw_ostream &out) const {
  Attribution attribution(*this, options);
  for (auto [code, origin] : llvm::zip_equal(codes, origins)) {
    if (codes.size() > 1)
      out << "; " << origin.kernel << "\n";
    if (failed(platform->target->disassemble(code.image, out, origin.location)))
      return failure();
  }
  return success();
}

} // namespace sparkle
