// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The whole flow: source -> artifact, with a way out at every stage.

#ifndef SPARKLE_LIB_COMPILER_COMPILE_H
#define SPARKLE_LIB_COMPILER_COMPILE_H

#include "lib/Artifact/Header.h"
#include "lib/Frontend/Frontend.h"
#include "lib/Target/Target.h"
#include "llvm/ADT/SmallString.h"
#include <functional>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace sparkle {

/// The ladder: what comes out, from the text down to the artifact.
enum class Emit {
  Ast,
  Sparkle,
  Pattern,
  Tiled,
  Images,   // as text; every platform is a GPU
  HostCode, // LLVM IR: all that goes into the object
  Assembly,
  Object,
  Shared,
  Header
};

enum class Language { Text, Ir };

/// A processor to compile for.
struct Platform {
  const Target *target = nullptr;
  TargetOptions options;
  /// Where several are CPUs, what tells each one's C functions apart: "_avx2".
  std::string suffix = {};
};

struct CompileOptions {
  Emit emit = Emit::Object;
  Language language = Language::Text;
  /// Its `target` counts only where no code is made, else each platform's.
  FrontendOptions frontend;
  /// At least one; as the codes of a kernel are to be ordered. Of several CPUs,
  /// which are of one architecture, the best first.
  std::vector<Platform> platforms;
  /// The CPU that what is called before any code is chosen is compiled for:
  /// every machine that can load the object has to run it.
  std::string baseline = "x86-64";
  /// Adds NAME_reference to every kernel; else to those that ask for it.
  bool withReferences = false;
  /// Prepares every pass manager: printing, timing. None if empty.
  std::function<mlir::LogicalResult(mlir::PassManager &)> configurePasses;
};

struct Artifact {
  llvm::SmallString<0> bytes;
  /// The C header; with Emit::Object and Emit::Shared.
  std::string header;
};

/// Adds every dialect that compiling needs.
void registerDialects(mlir::DialectRegistry &registry);

/// Source -> algorithm level, with the patterns for `options.frontend.target`.
/// Null on error, which is reported.
mlir::OwningOpRef<mlir::ModuleOp> parse(const llvm::SourceMgr &source,
                                        mlir::MLIRContext *context,
                                        const CompileOptions &options);

/// Compiles the main file of `source`, as far as `options.emit` says. Errors go
/// to the diagnostics of `context`.
mlir::FailureOr<Artifact> compile(const llvm::SourceMgr &source,
                                  mlir::MLIRContext *context,
                                  const CompileOptions &options);

} // namespace sparkle

#endif // SPARKLE_LIB_COMPILER_COMPILE_H
