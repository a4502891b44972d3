// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front end as the rest of the compiler sees it: text in, algorithm-level
// sparkle ops out, and a resolved pattern back to text.

#ifndef SPARKLE_FRONTEND_FRONTEND_H
#define SPARKLE_FRONTEND_FRONTEND_H

#include "lib/Frontend/Check.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llvm {
class SourceMgr;
class raw_ostream;
} // namespace llvm

namespace sparkle {

class DefineOp;

/// Parses, checks and emits the main file of `sources`. A second buffer, if
/// there is one, holds patterns only, which win over those of the main file.
/// Errors go to the diagnostics engine of `context`, each at its
/// FileLineColLoc; null if there is one. `sources` may go afterwards.
mlir::OwningOpRef<mlir::ModuleOp> parseSource(const llvm::SourceMgr &sources,
                                              mlir::MLIRContext *context,
                                              const FrontendOptions &options);

/// Parses the files of `sources` without checking them and prints the tree.
/// Errors go where `parseSource` sends them.
mlir::LogicalResult printAst(const llvm::SourceMgr &sources,
                             mlir::MLIRContext *context,
                             llvm::raw_ostream &out);

/// Prints the pattern of `define` as text, for the target `word`. Parsing that
/// gives the same attribute. A pattern that is absent is `auto` in every line.
void printPattern(DefineOp define, llvm::StringRef word,
                  llvm::raw_ostream &out);

} // namespace sparkle

#endif // SPARKLE_FRONTEND_FRONTEND_H
