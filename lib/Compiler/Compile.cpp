// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of contents of the compiler: one line per stage, in order.

#include "lib/Compiler/Compile.h"
#include "lib/Artifact/Link.h"
#include "lib/Compiler/Describe.h"
#include "lib/Compiler/Host.h"
#include "lib/Compiler/PackTransform.h"
#include "lib/Compiler/Traffic.h"
#include "lib/Compiler/Variant.h"
#include "lib/Reference/Reference.h"
#include "lib/Target/Registry.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sparkle {
namespace {

/// One kernel file on its way through the compiler.
class Compilation {
public:
  Compilation(const CompileOptions &options, std::vector<Variant> variants)
      : options(options), variants(std::move(variants)) {}

  FailureOr<Artifact> run();

private:
  LogicalResult forEach(LogicalResult (Variant::*stage)());
  LogicalResult describeAlgorithm();
  LogicalResult buildReference(ModuleOp algorithm);
  void buildRewrittenCounts();
  void describeInPlace();
  LogicalResult buildFunctions();
  LogicalResult emitImages();
  void collectCodes();
  LogicalResult generateCode();
  LogicalResult link();

  using Print =
      llvm::function_ref<LogicalResult(const Variant &, llvm::raw_ostream &)>;
  FailureOr<Artifact> printEach(llvm::StringRef comment, Print print);
  FailureOr<Artifact> printModules();
  FailureOr<Artifact> printPatterns();
  FailureOr<Artifact> printImages();
  FailureOr<Artifact> printHeader();

  /// Until it is tiled, the algorithm of all.
  ModuleOp getModule() { return variants.front().getModule(); }

  const CompileOptions &options;
  std::vector<Variant> variants;
  std::vector<KernelDescription> kernels;
  /// What descriptors point to, and references.
  OwningOpRef<ModuleOp> functions;
  Artifact artifact;
};

FailureOr<Artifact> Compilation::run() {
  if (options.emit == Emit::Sparkle)
    return printModules();
  if (failed(forEach(&Variant::describeProcessor)) ||
      failed(describeAlgorithm()))
    return failure();
  OwningOpRef<ModuleOp> algorithm(getModule().clone());
  if (failed(forEach(&Variant::transform)) ||
      failed(buildReference(*algorithm)) ||
      failed(forEach(&Variant::resolvePatterns)))
    return failure();
  if (options.emit == Emit::Pattern)
    return printPatterns();
  buildRewrittenCounts();
  if (failed(forEach(&Variant::tile)))
    return failure();
  if (options.emit == Emit::Tiled)
    return printModules();
  describeInPlace();
  if (options.emit == Emit::Header)
    return printHeader();
  if (failed(buildFunctions()) || failed(forEach(&Variant::lower)) ||
      failed(emitImages()))
    return failure();
  if (options.emit == Emit::Images)
    return printImages();
  if (failed(generateCode()))
    return failure();
  return std::move(artifact);
}

LogicalResult Compilation::forEach(LogicalResult (Variant::*stage)()) {
  for (Variant &variant : variants)
    if (failed((variant.*stage)()))
      return failure();
  return success();
}

LogicalResult Compilation::describeAlgorithm() {
  std::vector<std::string> suffixes;
  for (const Platform &platform : options.platforms)
    if (!platform.suffix.empty())
      suffixes.push_back(platform.suffix);
  FailureOr<std::vector<KernelDescription>> described =
      describeKernels(getModule(), suffixes);
  if (failed(described))
    return failure();
  kernels = std::move(*described);
  return success();
}

/// What comes from the equations alone, before any of them is tiled.
LogicalResult Compilation::buildReference(ModuleOp algorithm) {
  functions = ModuleOp::create(algorithm.getLoc());
  bool isWanted = false;
  WalkResult tiled = algorithm.walk([&](WorkersOp op) {
    isWanted = op->getParentOfType<KernelOp>().getReference();
    if (isWanted)
      op.emitError("expected the equations of the kernel for a reference, but "
                   "got tiles");
    return WalkResult::interrupt();
  });
  if (tiled.wasInterrupted())
    return failure(isWanted);
  buildOperationCounts(algorithm, *functions);
  SmallVector<ModuleOp> rewritings = llvm::map_to_vector(
      variants, [](const Variant &variant) { return variant.getModule(); });
  return buildReferences(algorithm, rewritings, *functions);
}

/// Of the equations that rewriting left, before they are tiled.
void Compilation::buildRewrittenCounts() {
  for (const Variant &variant : variants)
    for (auto [kernel, code] : llvm::zip_equal(
             variant.getModule().getOps<KernelOp>(), variant.getCodes()))
      buildRewrittenCount(
          kernel, getCodeName(kernel.getSymName(), code.target, code.processor),
          *functions);
}

/// What the tiles of all codes allow.
void Compilation::describeInPlace() {
  for (auto [index, description] : llvm::enumerate(kernels))
    sparkle::describeInPlace(
        llvm::map_to_vector(variants,
                            [index = index](const Variant &variant) {
                              auto all = variant.getModule().getOps<KernelOp>();
                              return *std::next(all.begin(), index);
                            }),
        description);
}

/// What only the tiles of each code tell.
LogicalResult Compilation::buildFunctions() {
  for (const Variant &variant : variants)
    for (auto [kernel, code] : llvm::zip_equal(
             variant.getModule().getOps<KernelOp>(), variant.getCodes())) {
      std::string name =
          getCodeName(kernel.getSymName(), code.target, code.processor);
      if (variant.isGpu())
        buildWorkspaceSize(kernel, name, *functions);
      std::string symbol = kernel.getSymName().str() + code.suffix;
      buildTransformedPacks(
          kernel, variant.isGpu() ? name + ".pack_" : symbol + "_pack_",
          *functions);
      buildTraffic(kernel, name, *functions);
    }
  return lowerReferences(*functions);
}

LogicalResult Compilation::emitImages() {
  for (Variant &variant : variants)
    if (variant.isGpu() && failed(variant.emitImages()))
      return failure();
  return success();
}

void Compilation::collectCodes() {
  for (auto [index, kernel] : llvm::enumerate(kernels))
    for (const Variant &variant : variants)
      kernel.codes.push_back(variant.getCodes()[index]);
}

LogicalResult Compilation::generateCode() {
  collectCodes();
  Host host(options, kernels, variants);
  if (failed(host.translate(*functions)))
    return failure();
  if (options.emit == Emit::HostCode) {
    llvm::raw_svector_ostream out(artifact.bytes);
    host.print(out);
    return success();
  }
  CodeFormat format = options.emit == Emit::Assembly ? CodeFormat::Assembly
                                                     : CodeFormat::Object;
  if (failed(host.emit(format, artifact.bytes, getModule().getLoc())))
    return failure();
  artifact.header = writeHeader(kernels);
  return options.emit == Emit::Shared ? link() : success();
}

LogicalResult Compilation::link() {
  llvm::SmallString<0> object;
  std::swap(object, artifact.bytes);
  if (llvm::Error error = linkShared(object, artifact.bytes))
    return getModule().emitError(llvm::toString(std::move(error)));
  return success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// One variant after the other; where there are several, a comment says which.
FailureOr<Artifact> Compilation::printEach(llvm::StringRef comment,
                                           Print print) {
  llvm::raw_svector_ostream out(artifact.bytes);
  for (const Variant &variant : variants) {
    if (variants.size() > 1)
      out << comment << " " << variant.getName() << "\n";
    if (failed(print(variant, out)))
      return failure();
  }
  return std::move(artifact);
}

FailureOr<Artifact> Compilation::printModules() {
  return printEach("//", [](const Variant &variant, llvm::raw_ostream &out) {
    variant.getModule()->print(out);
    return success();
  });
}

FailureOr<Artifact> Compilation::printPatterns() {
  return printEach("//", [](const Variant &variant, llvm::raw_ostream &out) {
    for (const CodeDescription &code : variant.getCodes())
      out << code.pattern;
    return success();
  });
}

FailureOr<Artifact> Compilation::printImages() {
  return printEach(";", [](const Variant &variant, llvm::raw_ostream &out) {
    return variant.printImages(out);
  });
}

FailureOr<Artifact> Compilation::printHeader() {
  collectCodes();
  artifact.bytes = writeHeader(kernels);
  return std::move(artifact);
}

/// A variant for each platform, with the patterns for its target. Empty on
/// error.
std::vector<Variant> parseVariants(const llvm::SourceMgr &source,
                                   MLIRContext *context,
                                   const CompileOptions &options) {
  std::vector<Variant> variants;
  OwningOpRef<ModuleOp> module;
  CompileOptions parsing = options;
  for (const Platform &platform : options.platforms) {
    if (!module || parsing.frontend.target != platform.target->word) {
      parsing.frontend.target = platform.target->word;
      module = parse(source, context, parsing);
      if (!module)
        return {};
    }
    OwningOpRef<ModuleOp> own(module->clone());
    if (options.withReferences)
      for (KernelOp kernel : own->getOps<KernelOp>())
        kernel.setReference(true);
    variants.emplace_back(options, platform, std::move(own));
  }
  return variants;
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
  std::vector<Variant> variants = parseVariants(source, context, options);
  if (variants.empty())
    return failure();
  return Compilation(options, std::move(variants)).run();
}

} // namespace sparkle
