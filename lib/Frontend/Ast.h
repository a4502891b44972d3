// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text as a tree, as it stands: no name is looked up, no size computed.
// Every StringRef is a slice of the source, so the tree must not outlive it.

#ifndef SPARKLE_FRONTEND_AST_H
#define SPARKLE_FRONTEND_AST_H

#include "llvm/ADT/StringRef.h"
#include <memory>
#include <variant>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace sparkle {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// An index of a sum: `c`, or `c < bound`.
struct SumIndex {
  llvm::StringRef name;
  ExprPtr bound; // null if not written
};

/// One grammar serves sizes, subscripts and elements alike; which of these an
/// expression is, and so what it may hold, depends on its place.
struct Expr {
  enum Kind { Number, Name, Read, Call, Sum, Negate, Binary };

  /// Nothing that walks a tree goes deeper than this.
  static constexpr unsigned maxHeight = 400;

  Kind kind;
  unsigned height = 1;
  /// The number, the name, the tensor read, the function called, the keyword
  /// `sum`, or the operator. It is also the place of the expression.
  llvm::StringRef text;
  /// Subscripts, arguments, the body of a sum, or the operands.
  std::vector<ExprPtr> operands;
  std::vector<SumIndex> indices; // of a sum
};

/// Whether an operator gives a condition: `<`, `==`, ...
bool isComparison(llvm::StringRef op);

/// `N`, `N = 4` or `N = ?`.
struct ParameterDecl {
  llvm::StringRef name;
  ExprPtr value; // null if none is written
  bool runTime = false;
};

/// `P = H + 2*pad - 2`
struct SizeDecl {
  llvm::StringRef name;
  ExprPtr value;
};

/// One factor of a layout: `n`, `c/16`, `c%16` or `c/4%4`.
struct FactorDecl {
  llvm::StringRef letter;
  llvm::StringRef divisor; // empty if not written
  llvm::StringRef modulus; // empty if not written
};

/// `input x: f32[N, C] layout nc`
struct TensorDecl {
  llvm::StringRef role;
  llvm::StringRef name;
  llvm::StringRef type;
  std::vector<ExprPtr> extents;
  llvm::StringRef layout;          // the keyword; empty if there is none
  std::vector<FactorDecl> factors; // a lone one without `/` or `%` is a word
};

/// `y[n, k] = relu(x[n, k])`
struct EquationDecl {
  llvm::StringRef target;
  std::vector<llvm::StringRef> indices;
  ExprPtr value;
};

using Statement = std::variant<SizeDecl, TensorDecl, EquationDecl>;

struct KernelDecl {
  llvm::StringRef name;
  std::vector<ParameterDecl> parameters;
  bool withReference = false;
  std::vector<Statement> statements;
};

/// One line of a pattern; the `stage` part of a `near` line counts as one.
struct PatternLine {
  enum Kind {
    Workers,
    Near,
    Stage,
    Registers,
    Lanes,
    Unroll,
    Order,
    Prefetch,
    Overlap,
    Transform,
    Merge
  };
  static constexpr unsigned numKinds = Merge + 1;

  /// `k: 32`, `t: copy`, `winograd 2x2`, `auto 4x4`, or a name alone.
  struct Entry {
    llvm::StringRef name;
    llvm::StringRef size; // an integer, `auto`, `all`, `copy`, a grid, or empty
  };

  Kind kind;
  llvm::StringRef keyword;
  llvm::StringRef whole; // `auto` or `none` in place of entries
  std::vector<Entry> entries;
};

/// The keyword of a kind of line.
llvm::StringRef spell(PatternLine::Kind kind);

/// `pattern NAME for KERNEL.TENSOR on TARGET { ... }`
struct PatternDecl {
  llvm::StringRef name;
  llvm::StringRef kernel;
  llvm::StringRef tensor; // empty if not written
  llvm::StringRef target; // empty if not written
  std::vector<PatternLine> lines;
  bool isOverride = false; // stands in the file of patterns
};

struct Ast {
  std::vector<KernelDecl> kernels;
  std::vector<PatternDecl> patterns;

  void print(llvm::raw_ostream &out) const;
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_AST_H
