// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the names of a kernel mean, and the values of the integer expressions
// made of them.

#ifndef SPARKLE_FRONTEND_SCOPE_H
#define SPARKLE_FRONTEND_SCOPE_H

#include "lib/Frontend/Affine.h"
#include "lib/Frontend/Ast.h"
#include "lib/Frontend/Report.h"
#include "llvm/ADT/StringMap.h"
#include <optional>

namespace sparkle {

/// What a name means.
struct Symbol {
  enum Kind { Size, Tensor, Index };

  Kind kind;
  llvm::StringRef declared;    // where
  std::optional<Affine> value; // of a size; none if its declaration is wrong
  unsigned number = 0;         // of a tensor or index
};

/// The names of one kernel. A name means one thing in it; an index lives as
/// long as its equation or sum.
class Scope {
public:
  explicit Scope(Report &report) : report(report) {}

  /// False, with an error, if the name is taken.
  bool declare(const Symbol &symbol);
  void forget(llvm::StringRef name) { symbols.erase(name); }
  const Symbol *find(llvm::StringRef name) const;

  /// The value over the kernel's run-time sizes; none if an error is reported,
  /// now or at the declaration of a name that it uses.
  std::optional<Affine> evaluateSize(const Expr &expr);
  /// The value over the indices of the equation.
  std::optional<Subscript> evaluateSubscript(const Expr &expr);

private:
  enum class Place { Size, Subscript };
  /// Of a size or a subscript.
  template <typename Value>
  std::optional<Value> evaluate(const Expr &expr, Place place);
  std::optional<Affine> evaluateName(const Expr &expr, Place place);
  std::optional<Affine> evaluateNumber(const Expr &expr);
  void explain(Affine::Fault fault, const Expr &expr, Place place);

  Report &report;
  llvm::StringMap<Symbol> symbols;
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_SCOPE_H
