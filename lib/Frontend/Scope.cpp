// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates sizes and subscripts. They share all but what a name may be, and
// the words of the errors.

#include "lib/Frontend/Scope.h"

#include "llvm/ADT/StringSwitch.h"

using namespace sparkle;
using llvm::StringRef;

bool Scope::declare(const Symbol &symbol) {
  auto [it, isNew] = symbols.try_emplace(symbol.declared, symbol);
  if (!isNew)
    report
        .error(symbol.declared,
               "expected a new name, but got " + quote(symbol.declared))
        .note(it->second.declared, "declared here");
  return isNew;
}

const Symbol *Scope::find(StringRef name) const {
  auto it = symbols.find(name);
  return it == symbols.end() ? nullptr : &it->second;
}

static const Affine &getAffine(const Affine &value) { return value; }
static const Affine &getAffine(const Subscript &value) { return value.affine; }

template <typename Value>
static std::optional<Value> wrap(std::optional<Affine> value) {
  if (!value)
    return std::nullopt;
  if constexpr (std::is_same_v<Value, Subscript>)
    return Subscript{*value, {}};
  else
    return value;
}

std::optional<Affine> Scope::evaluateSize(const Expr &expr) {
  return evaluate<Affine>(expr, Place::Size);
}

std::optional<Subscript> Scope::evaluateSubscript(const Expr &expr) {
  return evaluate<Subscript>(expr, Place::Subscript);
}

template <typename Value>
std::optional<Value> Scope::evaluate(const Expr &expr, Place place) {
  switch (expr.kind) {
  case Expr::Number:
    return wrap<Value>(evaluateNumber(expr));
  case Expr::Name:
    return wrap<Value>(evaluateName(expr, place));
  case Expr::Read:
  case Expr::Call:
  case Expr::Sum:
    report.error(expr.text,
                 (place == Place::Size ? "expected a size, but got "
                                       : "expected a subscript, but got ") +
                     quote(expr.text));
    return std::nullopt;
  case Expr::Negate:
  case Expr::Binary:
    break;
  }
  bool isBinary = expr.kind == Expr::Binary;
  if (isBinary && isComparison(expr.text)) {
    report.error(
        expr.text,
        "expected '+', '-', '*', '/' or '%' of " +
            llvm::Twine(place == Place::Size ? "sizes" : "subscripts") +
            ", but got " + quote(expr.text));
    return std::nullopt;
  }
  std::optional<Value> lhs = Value{};
  if (isBinary)
    lhs = evaluate<Value>(*expr.operands.front(), place);
  std::optional<Value> rhs = evaluate<Value>(*expr.operands.back(), place);
  if (!lhs || !rhs)
    return std::nullopt;
  Affine::Fault fault = lhs->apply(expr.text.front(), *rhs);
  if (fault == Affine::Fault::None)
    return lhs;
  if (fault == Affine::Fault::BadDivisor)
    report.error(expr.operands.back()->text,
                 "expected a positive divisor, but got " +
                     llvm::Twine(getAffine(*rhs).getConstant()));
  else
    explain(fault, expr, place);
  return std::nullopt;
}

std::optional<Affine> Scope::evaluateNumber(const Expr &expr) {
  int64_t value;
  if (!expr.text.getAsInteger(10, value))
    return Affine(value);
  bool isInteger = expr.text.find_first_not_of("0123456789") == StringRef::npos;
  report.error(expr.text,
               (isInteger ? "expected an integer below 2^63, but got "
                          : "expected an integer, but got ") +
                   quote(expr.text));
  return std::nullopt;
}

std::optional<Affine> Scope::evaluateName(const Expr &expr, Place place) {
  const Symbol *symbol = find(expr.text);
  bool isSubscript = place == Place::Subscript;
  if (symbol && symbol->kind == Symbol::Size) {
    if (!isSubscript || !symbol->value || symbol->value->isConstant())
      return symbol->value;
    report
        .error(expr.text, "expected an index or a static size, but got " +
                              quote(expr.text))
        .note(symbol->declared, "known only at run time");
    return std::nullopt;
  }
  if (symbol && symbol->kind == Symbol::Index && isSubscript)
    return Affine::variable(symbol->number);
  Report::Error &error = report.error(
      expr.text, (isSubscript ? "expected an index or a size, but got "
                              : "expected a size, but got ") +
                     quote(expr.text));
  if (symbol)
    error.note(symbol->declared, "declared here");
  return std::nullopt;
}

void Scope::explain(Affine::Fault fault, const Expr &expr, Place place) {
  std::string what =
      place == Place::Size ? "expected a size" : "expected a subscript";
  if (fault == Affine::Fault::Overflow) {
    report.error(expr.text, what + " that 64 bits hold, but got more");
    return;
  }
  StringRef got = llvm::StringSwitch<StringRef>(expr.text)
                      .Case("*", "a product")
                      .Case("/", "a quotient")
                      .Case("%", "a remainder")
                      .Case("-", "the negative of a quotient")
                      .Default("a sum of quotients");
  report.error(expr.text,
               what + " that is affine in the " +
                   (place == Place::Size ? "run-time sizes" : "indices") +
                   ", but got " + got);
}
