// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feeds the front end any bytes. Whatever comes out without an error has to
// verify, and its patterns, printed, have to come back as they were.

#include "lib/Frontend/Frontend.h"
#include "dialect/SparkleDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace sparkle;

namespace {

/// A context only grows, so that it is made anew now and then.
mlir::MLIRContext &getContext() {
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % 4096 == 0) {
    context = std::make_unique<mlir::MLIRContext>(
        mlir::MLIRContext::Threading::DISABLED);
    context->getDiagEngine().registerHandler(
        [](mlir::Diagnostic &) { return mlir::success(); });
  }
  return *context;
}

void add(llvm::SourceMgr &sources, llvm::StringRef text) {
  // Not terminated by a zero: the front end must not rely on one.
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(text, "fuzz.spk",
                                       /*RequiresNullTerminator=*/false),
      llvm::SMLoc());
}

void require(bool condition, const char *what) {
  if (condition)
    return;
  llvm::errs() << "expected " << what << '\n';
  __builtin_trap();
}

/// The defines of a module in order.
std::vector<DefineOp> getDefines(mlir::ModuleOp module) {
  std::vector<DefineOp> defines;
  module->walk([&](DefineOp define) { defines.push_back(define); });
  return defines;
}

void checkPatterns(mlir::ModuleOp module, llvm::StringRef text,
                   const FrontendOptions &options) {
  std::string patterns;
  llvm::raw_string_ostream out(patterns);
  for (DefineOp define : getDefines(module))
    printPattern(define, options.target, out);
  llvm::SourceMgr sources;
  add(sources, text);
  add(sources, patterns);
  auto again = parseSource(sources, module.getContext(), options);
  require(bool(again), "a printed pattern to parse");
  std::vector<DefineOp> before = getDefines(module), after = getDefines(*again);
  for (size_t i = 0; i < before.size(); ++i)
    if (PatternAttr pattern = before[i].getPatternAttr())
      require(pattern == after[i].getPatternAttr(),
              "a printed pattern to come back as it was");
}

} // namespace

// LLVM's libraries are not instrumented: they do not unpoison what the inline
// part of LLVM's allocators, here instrumented, poisoned.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0";
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  FrontendOptions options;
  options.targets = {"cpu"};
  llvm::SourceMgr sources;
  add(sources, text);
  (void)printAst(sources, &getContext(), llvm::nulls());
  auto module = parseSource(sources, &getContext(), options);
  if (!module)
    return 0;
  require(mlir::succeeded(mlir::verify(*module)), "a module that verifies");
  checkPatterns(*module, text, options);
  return 0;
}
