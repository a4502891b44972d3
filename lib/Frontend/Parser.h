// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens -> tree. Looks up no name and computes no size.

#ifndef SPARKLE_FRONTEND_PARSER_H
#define SPARKLE_FRONTEND_PARSER_H

#include "lib/Frontend/Ast.h"
#include "lib/Frontend/Report.h"

namespace sparkle {

/// Adds the kernels and patterns of `source` to `ast`. After an error the tree
/// holds what could be read.
void parse(llvm::StringRef source, Ast &ast, Report &report);

/// Adds the patterns of `source`, a file that holds nothing else and whose
/// patterns win over those of the main file.
void parsePatterns(llvm::StringRef source, Ast &ast, Report &report);

} // namespace sparkle

#endif // SPARKLE_FRONTEND_PARSER_H
