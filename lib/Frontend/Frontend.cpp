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
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace sparkle;

namespace {

/// Where in the sources a slice of them stands. llvm::SourceMgr would search
/// back for the start of the line each time, which takes long in a long line.
class Places {
public:
  Places(const llvm::SourceMgr &sources, MLIRContext *context);
  Location get(llvm::SMLoc loc) const;

private:
  struct File {
    StringRef text;
    StringAttr name;
    std::vector<const char *> lines; // where they start
  };
  SmallVector<File, 2> files;
  MLIRContext *context;
};

} // namespace

Places::Places(const llvm::SourceMgr &sources, MLIRContext *context)
    : context(context) {
  for (unsigned id = 1; id <= sources.getNumBuffers(); ++id) {
    const llvm::MemoryBuffer *buffer = sources.getMemoryBuffer(id);
    File &file = files.emplace_back();
    file.text = buffer->getBuffer();
    file.name = StringAttr::get(context, buffer->getBufferIdentifier());
    file.lines.push_back(file.text.begin());
    for (const char &c : file.text)
      if (c == '\n')
        file.lines.push_back(&c + 1);
  }
}

Location Places::get(llvm::SMLoc loc) const {
  const char *at = loc.getPointer();
  for (const File &file : files) {
    if (!at || at < file.text.begin() || at > file.text.end())
      continue;
    auto next = llvm::upper_bound(file.lines, at);
    return FileLineColLoc::get(file.name, next - file.lines.begin(),
                               at - *std::prev(next) + 1);
  }
  return UnknownLoc::get(context);
}

/// Hands what was found to MLIR; failure if that is anything.
static LogicalResult emitErrors(const Report &report, const Places &places) {
  for (const Report::Error &error : report.getErrors()) {
    InFlightDiagnostic diagnostic = emitError(places.get(error.loc))
                                    << error.text;
    for (const Report::Note &note : error.notes)
      diagnostic.attachNote(places.get(note.loc)) << note.text;
  }
  return success(report.getErrors().empty());
}

static FailureOr<Ast> parseFiles(const llvm::SourceMgr &sources,
                                 const Places &places) {
  Ast ast;
  Report report;
  parse(sources.getMemoryBuffer(1)->getBuffer(), ast, report);
  if (sources.getNumBuffers() > 1)
    parsePatterns(sources.getMemoryBuffer(2)->getBuffer(), ast, report);
  if (failed(emitErrors(report, places)))
    return failure();
  return ast;
}

OwningOpRef<ModuleOp> sparkle::parseSource(const llvm::SourceMgr &sources,
                                           MLIRContext *context,
                                           const FrontendOptions &options) {
  context->loadDialect<SparkleDialect, arith::ArithDialect>();
  Places places(sources, context);
  FailureOr<Ast> ast = parseFiles(sources, places);
  if (failed(ast))
    return {};
  Report report;
  std::vector<CheckedKernel> kernels = check(*ast, options, report);
  if (failed(emitErrors(report, places)))
    return {};
  auto getLoc = [&](StringRef slice) { return places.get(locOf(slice)); };
  OwningOpRef<ModuleOp> module =
      ModuleOp::create(getLoc(sources.getMemoryBuffer(1)->getBuffer()));
  emitKernels(kernels, *module, getLoc);
  return module;
}

LogicalResult sparkle::printAst(const llvm::SourceMgr &sources,
                                MLIRContext *context, llvm::raw_ostream &out) {
  FailureOr<Ast> ast = parseFiles(sources, Places(sources, context));
  if (failed(ast))
    return failure();
  ast->print(out);
  return success();
}
