// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front end as one function: parse, check, emit. The only place where what
// was found in the text meets MLIR's diagnostics.

#include "lib/Frontend/Frontend.h"

#include "dialect/SparkleDialect.h"
#include "lib/Frontend/EmitDialect.h"
#include "lib/Frontend/Parser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace sparkle;

static Location getLoc(const llvm::SourceMgr &sources, llvm::SMLoc loc,
                       MLIRContext *context) {
  unsigned buffer = loc.isValid() ? sources.FindBufferContainingLoc(loc) : 0;
  if (buffer == 0)
    return UnknownLoc::get(context);
  auto [line, column] = sources.getLineAndColumn(loc, buffer);
  return FileLineColLoc::get(
      context, sources.getMemoryBuffer(buffer)->getBufferIdentifier(), line,
      column);
}

/// Hands what was found to MLIR; failure if that is anything.
static LogicalResult emitErrors(const Report &report,
                                const llvm::SourceMgr &sources,
                                MLIRContext *context) {
  for (const Report::Error &error : report.getErrors()) {
    InFlightDiagnostic diagnostic =
        emitError(getLoc(sources, error.loc, context)) << error.text;
    for (const Report::Note &note : error.notes)
      diagnostic.attachNote(getLoc(sources, note.loc, context)) << note.text;
  }
  return success(report.getErrors().empty());
}

static FailureOr<Ast> parseFiles(const llvm::SourceMgr &sources,
                                 MLIRContext *context) {
  Ast ast;
  Report report;
  parse(sources.getMemoryBuffer(1)->getBuffer(), ast, report);
  if (sources.getNumBuffers() > 1)
    parsePatterns(sources.getMemoryBuffer(2)->getBuffer(), ast, report);
  if (failed(emitErrors(report, sources, context)))
    return failure();
  return ast;
}

OwningOpRef<ModuleOp> sparkle::parseSource(const llvm::SourceMgr &sources,
                                           MLIRContext *context,
                                           const FrontendOptions &options) {
  context->loadDialect<SparkleDialect, arith::ArithDialect>();
  FailureOr<Ast> ast = parseFiles(sources, context);
  if (failed(ast))
    return {};
  Report report;
  std::vector<CheckedKernel> kernels = check(*ast, options, report);
  if (failed(emitErrors(report, sources, context)))
    return {};
  auto getLocOf = [&](StringRef slice) {
    return getLoc(sources, locOf(slice), context);
  };
  StringRef text = sources.getMemoryBuffer(1)->getBuffer();
  OwningOpRef<ModuleOp> module = ModuleOp::create(getLocOf(text));
  emitKernels(kernels, *module, getLocOf);
  return module;
}

LogicalResult sparkle::printAst(const llvm::SourceMgr &sources,
                                MLIRContext *context, llvm::raw_ostream &out) {
  FailureOr<Ast> ast = parseFiles(sources, context);
  if (failed(ast))
    return failure();
  ast->print(out);
  return success();
}

Location sparkle::getPatternLoc(DefineOp define, StringRef keyword) {
  auto fused = dyn_cast<FusedLoc>(define.getLoc());
  if (!fused)
    return define.getLoc();
  for (Location loc : fused.getLocations())
    if (auto named = dyn_cast<NameLoc>(loc);
        named && named.getName() == keyword)
      return named.getChildLoc();
  return fused.getLocations().front();
}
