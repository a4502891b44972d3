// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of contents of the compiler: one line per stage, in order.

#include "lib/Compiler/Compile.h"
#include "lib/Artifact/Link.h"
#include "lib/Compiler/Describe.h"
#include "lib/Reference/Reference.h"
#include "lib/Target/Registry.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/Pipeline.h"

#include "mlir/Parser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace sparkle {
namespace {

/// One kernel file on its way through the compiler.
class Compilation {
public:
  Compilation(const CompileOptions &options, OwningOpRef<ModuleOp> module)
      : options(options), target(*options.target), module(std::move(module)) {}

  FailureOr<Artifact> run();

private:
  LogicalResult describeTarget();
  LogicalResult describeAlgorithm();
  LogicalResult buildReference();
  LogicalResult resolvePatterns();
  LogicalResult tile();
  LogicalResult lowerToTarget();
  LogicalResult translate();
  LogicalResult generateCode(CodeFormat format);
  LogicalResult link();

  Artifact print();
  Artifact printTargetCode();
  FailureOr<Artifact> finish();
  LogicalResult runPasses(llvm::function_ref<void(OpPassManager &)> build);
  std::unique_ptr<llvm::Module> translate(ModuleOp source);
  std::string printPatterns(KernelOp kernel);

  const CompileOptions &options;
  const Target &target;
  OwningOpRef<ModuleOp> module;
  OwningOpRef<ModuleOp> reference;
  TargetDescription machine;
  std::vector<KernelDescription> kernels;
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> code;
  Artifact artifact;
};

FailureOr<Artifact> Compilation::run() {
  if (options.emit == Emit::Sparkle)
    return print();
  if (failed(describeTarget()) || failed(describeAlgorithm()) ||
      failed(buildReference()) || failed(resolvePatterns()))
    return failure();
  if (options.emit == Emit::Pattern)
    return finish();
  if (failed(tile()))
    return failure();
  if (options.emit == Emit::Tiled)
    return print();
  if (options.emit == Emit::Header)
    return finish();
  if (failed(lowerToTarget()) || failed(translate()))
    return failure();
  if (options.emit == Emit::TargetCode)
    return printTargetCode();
  if (options.emit == Emit::Assembly) {
    if (failed(generateCode(CodeFormat::Assembly)))
      return failure();
    return std::move(artifact);
  }
  if (failed(generateCode(CodeFormat::Object)))
    return failure();
  if (options.emit == Emit::Shared && failed(link()))
    return failure();
  return finish();
}

/// The target's numbers, for the shared passes to read.
LogicalResult Compilation::describeTarget() {
  FailureOr<TargetDescription> description =
      target.describe(module->getContext(), options.targetOptions);
  if (failed(description))
    return failure();
  machine = *description;
  (*module)->setAttr(kTargetAttr, machine.numbers);
  return success();
}

LogicalResult Compilation::describeAlgorithm() {
  FailureOr<std::vector<KernelDescription>> described =
      describeKernels(*module);
  if (failed(described))
    return failure();
  kernels = std::move(*described);
  return success();
}

/// What comes from the equations alone, before any of them is tiled.
LogicalResult Compilation::buildReference() {
  reference = ModuleOp::create(module->getLoc());
  bool isWanted = false;
  WalkResult tiled = module->walk([&](WorkersOp op) {
    isWanted = op->getParentOfType<KernelOp>().getReference();
    if (isWanted)
      op.emitError("expected the equations of the kernel for a reference, but "
                   "got tiles");
    return WalkResult::interrupt();
  });
  if (tiled.wasInterrupted())
    return failure(isWanted);
  buildOperationCounts(*module, *reference);
  if (failed(buildReferences(*module, *reference)))
    return failure();
  return lowerReferences(*reference);
}

/// Chooses what the patterns leave open; the result is text as well.
LogicalResult Compilation::resolvePatterns() {
  if (failed(runPasses(buildPatternPipeline)))
    return failure();
  for (auto [kernel, description] :
       llvm::zip_equal(module->getOps<KernelOp>(), kernels)) {
    CodeDescription code;
    code.processor = machine.processor;
    code.features = machine.features;
    code.pattern = printPatterns(kernel);
    code.patternHash = llvm::xxh3_64bits(code.pattern);
    description.codes.push_back(std::move(code));
  }
  return success();
}

LogicalResult Compilation::tile() {
  if (failed(runPasses(buildTiledPipeline)))
    return failure();
  for (auto [kernel, description] :
       llvm::zip_equal(module->getOps<KernelOp>(), kernels)) {
    FailureOr<std::vector<Packing>> packings = describePackings(kernel);
    if (failed(packings))
      return failure();
    description.codes.back().packings = std::move(*packings);
  }
  return success();
}

LogicalResult Compilation::lowerToTarget() {
  return runPasses([&](OpPassManager &manager) {
    target.buildPipeline(manager, options.targetOptions);
  });
}

/// All that goes into the object as one LLVM module, optimised.
LogicalResult Compilation::translate() {
  code = translate(*module);
  std::unique_ptr<llvm::Module> extra = translate(*reference);
  if (!code || !extra)
    return failure();
  if (llvm::Linker::linkModules(*code, std::move(extra)))
    return module->emitError("cannot join the kernels with their references");
  for (const KernelDescription &kernel : kernels) {
    addDescriptor(*code, kernel);
    // External so far, or joining would have dropped it as unused.
    if (auto *count = code->getFunction(kernel.name + "_operation_count"))
      count->setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  if (options.emit == Emit::Shared)
    addKernelTable(*code, kernels);
  target.optimise(*code, options.targetOptions);
  return success();
}

LogicalResult Compilation::generateCode(CodeFormat format) {
  return target.emit(*code, options.targetOptions, format, artifact.bytes,
                     module->getLoc());
}

LogicalResult Compilation::link() {
  llvm::SmallString<0> object;
  std::swap(object, artifact.bytes);
  if (llvm::Error error = linkShared(object, artifact.bytes))
    return module->emitError(llvm::toString(std::move(error)));
  return success();
}

//===----------------------------------------------------------------------===//
// Parts of the above
//===----------------------------------------------------------------------===//

LogicalResult
Compilation::runPasses(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(module->getContext());
  if (options.configurePasses && failed(options.configurePasses(manager)))
    return failure();
  build(manager);
  return manager.run(*module);
}

std::unique_ptr<llvm::Module> Compilation::translate(ModuleOp source) {
  return target.translate(source, llvmContext, options.targetOptions);
}

std::string Compilation::printPatterns(KernelOp kernel) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (DefineOp define : kernel.getBody().getOps<DefineOp>())
    printPattern(define, target.word, out);
  return text;
}

Artifact Compilation::print() {
  llvm::raw_svector_ostream out(artifact.bytes);
  module->print(out);
  return std::move(artifact);
}

Artifact Compilation::printTargetCode() {
  llvm::raw_svector_ostream out(artifact.bytes);
  code->print(out, nullptr);
  return std::move(artifact);
}

/// Adds the parts that are text about the kernels.
FailureOr<Artifact> Compilation::finish() {
  llvm::raw_svector_ostream out(artifact.bytes);
  artifact.header = writeHeader(kernels);
  if (options.emit == Emit::Header)
    out << artifact.header;
  if (options.emit == Emit::Pattern)
    for (const KernelDescription &kernel : kernels)
      out << kernel.codes.front().pattern;
  return std::move(artifact);
}

} // namespace

void registerDialects(DialectRegistry &registry) {
  registry.insert<SparkleDialect>();
  registerReferenceDialects(registry);
  for (const Target *target : getTargets())
    target->registerDialects(registry);
}

OwningOpRef<ModuleOp> parse(const llvm::SourceMgr &source, MLIRContext *context,
                            const CompileOptions &options) {
  if (options.language == Language::Text)
    return parseSource(source, context, options.frontend);
  // The parser wants to share the buffers.
  auto copy = std::make_shared<llvm::SourceMgr>();
  llvm::MemoryBufferRef main = *source.getMemoryBuffer(source.getMainFileID());
  copy->AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(main), {});
  return parseSourceFile<ModuleOp>(copy, context);
}

FailureOr<Artifact> compile(const llvm::SourceMgr &source, MLIRContext *context,
                            const CompileOptions &options) {
  if (options.emit == Emit::Ast) {
    Artifact artifact;
    llvm::raw_svector_ostream out(artifact.bytes);
    if (failed(printAst(source, context, out)))
      return failure();
    return artifact;
  }
  OwningOpRef<ModuleOp> module = parse(source, context, options);
  if (!module)
    return failure();
  if (options.withReferences)
    for (KernelOp kernel : module->getOps<KernelOp>())
      kernel.setReference(true);
  return Compilation(options, std::move(module)).run();
}

} // namespace sparkle
