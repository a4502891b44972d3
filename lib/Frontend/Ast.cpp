// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints the tree: one line per declaration, expressions as S-expressions.

#include "lib/Frontend/Ast.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace sparkle;
using llvm::raw_ostream;

llvm::StringRef sparkle::spell(PatternLine::Kind kind) {
  static constexpr llvm::StringRef keywords[PatternLine::numKinds] = {
      "workers", "near",     "stage",   "registers", "lanes", "unroll",
      "order",   "prefetch", "overlap", "transform", "merge"};
  return keywords[kind];
}

bool sparkle::isComparison(llvm::StringRef op) {
  return op.find_first_of("<>=!") == 0;
}

static void print(raw_ostream &out, const Expr &expr) {
  if (expr.kind == Expr::Number || expr.kind == Expr::Name) {
    out << expr.text;
    return;
  }
  out << '(' << (expr.kind == Expr::Read ? "read " : "") << expr.text;
  for (const SumIndex &index : expr.indices) {
    out << ' ' << index.name;
    if (index.bound) {
      out << " < ";
      print(out, *index.bound);
    }
  }
  if (expr.kind == Expr::Sum)
    out << ':';
  for (const ExprPtr &operand : expr.operands) {
    out << ' ';
    print(out, *operand);
  }
  out << ')';
}

static void print(raw_ostream &out, const ParameterDecl &parameter) {
  out << "  parameter " << parameter.name;
  if (parameter.runTime)
    out << " = ?";
  if (parameter.value) {
    out << " = ";
    print(out, *parameter.value);
  }
  out << '\n';
}

static void print(raw_ostream &out, const SizeDecl &size) {
  out << "  size " << size.name << " = ";
  print(out, *size.value);
  out << '\n';
}

static void print(raw_ostream &out, const TensorDecl &tensor) {
  out << "  " << tensor.role << ' ' << tensor.name << ' ' << tensor.type
      << " [";
  llvm::interleaveComma(tensor.extents, out,
                        [&](const ExprPtr &extent) { print(out, *extent); });
  out << ']';
  if (!tensor.layout.empty())
    out << " layout";
  for (const FactorDecl &factor : tensor.factors) {
    out << ' ' << factor.letter;
    if (!factor.divisor.empty())
      out << '/' << factor.divisor;
    if (!factor.modulus.empty())
      out << '%' << factor.modulus;
  }
  out << '\n';
}

static void print(raw_ostream &out, const EquationDecl &equation) {
  out << "  equation " << equation.target << " [";
  llvm::interleaveComma(equation.indices, out);
  out << "] = ";
  print(out, *equation.value);
  out << '\n';
}

static void print(raw_ostream &out, const PatternLine &line) {
  out << "  " << line.keyword;
  if (!line.whole.empty())
    out << ' ' << line.whole;
  for (const PatternLine::Entry &entry : line.entries) {
    out << ' ' << entry.name;
    if (!entry.size.empty())
      out << ':' << entry.size;
  }
  out << '\n';
}

void Ast::print(raw_ostream &out) const {
  for (const KernelDecl &kernel : kernels) {
    out << "kernel " << kernel.name
        << (kernel.withReference ? " with reference\n" : "\n");
    for (const ParameterDecl &parameter : kernel.parameters)
      ::print(out, parameter);
    for (const Statement &statement : kernel.statements)
      std::visit([&](const auto &decl) { ::print(out, decl); }, statement);
  }
  for (const PatternDecl &pattern : patterns) {
    out << "pattern " << pattern.name << " for " << pattern.kernel;
    if (!pattern.tensor.empty())
      out << '.' << pattern.tensor;
    if (!pattern.target.empty())
      out << " on " << pattern.target;
    out << '\n';
    for (const PatternLine &line : pattern.lines)
      ::print(out, line);
  }
}
