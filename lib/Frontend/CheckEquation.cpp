// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One equation: its elements, then the ranges of its indices from the places
// where an index stands alone as a subscript.

#include "lib/Frontend/CheckSteps.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"

using namespace sparkle;
using llvm::StringRef;
using llvm::Twine;

namespace {

using ElementPtr = std::unique_ptr<Element>;

/// Where the range of an index was met first.
struct Range {
  StringRef from;
  bool isBroken = false; // an error is reported for it
};

class EquationChecker {
public:
  EquationChecker(const CheckedKernel &kernel, Scope &scope, Report &report)
      : kernel(kernel), scope(scope), report(report) {}

  CheckedEquation run(const EquationDecl &decl, unsigned tensor);

private:
  ElementPtr checkElement(const Expr &expr);
  ElementPtr checkNumber(const Expr &expr);
  ElementPtr checkName(const Expr &expr);
  ElementPtr checkRead(const Expr &expr);
  ElementPtr checkCall(const Expr &expr);
  ElementPtr checkSum(const Expr &expr);
  ElementPtr checkOperator(const Expr &expr);
  ElementPtr checkOperands(ElementPtr element, const Expr &expr);
  bool checkSubscript(const Expr &expr, unsigned dimension, Element &read);

  bool addIndex(StringRef name);
  void addRange(unsigned index, const Affine &extent, StringRef at);
  void checkRange(const CheckedIndex &index, int64_t &points);
  struct Bounds {
    int64_t low, high;
  };
  std::optional<Bounds> getBounds(const Affine &affine);
  void checkReach(const Subscript &subscript, StringRef at);

  const CheckedKernel &kernel;
  Scope &scope;
  Report &report;
  CheckedEquation equation;
  std::vector<Range> ranges; // of each index
  std::vector<std::pair<Subscript, StringRef>> subscripts;
  StringRef sum; // the one that was met
};

} // namespace

static ElementPtr make(Element::Kind kind, StringRef text) {
  auto element = std::make_unique<Element>();
  element->kind = kind;
  element->text = text;
  return element;
}

CheckedEquation sparkle::checkEquation(const EquationDecl &decl,
                                       unsigned tensor,
                                       const CheckedKernel &kernel,
                                       Scope &scope, Report &report) {
  return EquationChecker(kernel, scope, report).run(decl, tensor);
}

CheckedEquation EquationChecker::run(const EquationDecl &decl,
                                     unsigned tensor) {
  equation.target = decl.target;
  equation.tensor = tensor;
  const CheckedTensor &target = kernel.tensors[tensor];
  std::vector<StringRef> declared;
  for (auto [position, name] : llvm::enumerate(decl.indices)) {
    if (addIndex(name))
      declared.push_back(name);
    if (!target.isBroken)
      addRange(position, target.extents[position], name);
  }
  equation.value = checkElement(*decl.value);
  llvm::for_each(declared, [&](StringRef name) { scope.forget(name); });

  if (!equation.value)
    return std::move(equation); // ranges may be missing because of that
  int64_t points = 1;
  for (const CheckedIndex &index :
       llvm::drop_begin(equation.indices, decl.indices.size()))
    checkRange(index, points);
  for (const auto &[subscript, at] : subscripts)
    checkReach(subscript, at);
  return std::move(equation);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Null if an error is reported in it, now or at a declaration.
ElementPtr EquationChecker::checkElement(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Number:
    return checkNumber(expr);
  case Expr::Name:
    return checkName(expr);
  case Expr::Read:
    return checkRead(expr);
  case Expr::Call:
    return checkCall(expr);
  case Expr::Sum:
    return checkSum(expr);
  case Expr::Negate:
  case Expr::Binary:
    return checkOperator(expr);
  }
  llvm_unreachable("all kinds are listed");
}

ElementPtr EquationChecker::checkNumber(const Expr &expr) {
  llvm::APFloat value(llvm::APFloat::IEEEsingle());
  llvm::Expected<llvm::APFloat::opStatus> status =
      value.convertFromString(expr.text, llvm::APFloat::rmNearestTiesToEven);
  // The lexer lets only numbers pass.
  if (!status || value.isInfinity()) {
    llvm::consumeError(status.takeError());
    report.error(expr.text, "expected a number that f32 can hold, but got " +
                                quote(expr.text));
    return nullptr;
  }
  ElementPtr element = make(Element::Constant, expr.text);
  element->value = value.convertToFloat();
  return element;
}

ElementPtr EquationChecker::checkName(const Expr &expr) {
  const Symbol *symbol = scope.find(expr.text);
  if (symbol && symbol->kind == Symbol::Size) {
    if (!symbol->value)
      return nullptr;
    if (symbol->value->isConstant()) {
      ElementPtr element = make(Element::Constant, expr.text);
      element->value = static_cast<float>(symbol->value->getConstant());
      return element;
    }
  }
  Report::Error &error = report.error(
      expr.text, "expected a number, a static size or a read of a tensor, but "
                 "got " +
                     quote(expr.text));
  if (symbol)
    error.note(symbol->declared, "declared here");
  return nullptr;
}

ElementPtr EquationChecker::checkRead(const Expr &expr) {
  const Symbol *symbol = scope.find(expr.text);
  if (!symbol || symbol->kind != Symbol::Tensor) {
    Report::Error &error = report.error(
        expr.text, "expected a tensor, but got " + quote(expr.text));
    if (symbol)
      error.note(symbol->declared, "declared here");
    return nullptr;
  }
  const CheckedTensor &tensor = kernel.tensors[symbol->number];
  bool isReadable = tensor.role == "input" || tensor.role == "weight" ||
                    (tensor.role == "temp" && !tensor.definedAt.empty());
  if (!isReadable) {
    report
        .error(expr.text,
               "expected an input, a weight or a temp that an equation above "
               "defines, but got " +
                   quote(expr.text))
        .note(symbol->declared, "declared here");
    return nullptr;
  }
  if (tensor.isBroken)
    return nullptr;
  if (expr.operands.size() != tensor.extents.size()) {
    report
        .error(expr.text, "expected " + Twine(tensor.extents.size()) +
                              (tensor.extents.size() == 1 ? " subscript of "
                                                          : " subscripts of ") +
                              quote(expr.text) + ", but got " +
                              Twine(expr.operands.size()))
        .note(symbol->declared, "declared here");
    return nullptr;
  }
  ElementPtr element = make(Element::Read, expr.text);
  element->tensor = symbol->number;
  bool isGood = true;
  for (auto [dimension, subscript] : llvm::enumerate(expr.operands))
    isGood &= checkSubscript(*subscript, dimension, *element);
  return isGood ? std::move(element) : nullptr;
}

bool EquationChecker::checkSubscript(const Expr &expr, unsigned dimension,
                                     Element &read) {
  std::optional<Subscript> value = scope.evaluateSubscript(expr);
  if (!value)
    return false;
  subscripts.emplace_back(*value, expr.text);
  const Symbol *symbol =
      expr.kind == Expr::Name ? scope.find(expr.text) : nullptr;
  if (symbol && symbol->kind == Symbol::Index)
    addRange(symbol->number, kernel.tensors[read.tensor].extents[dimension],
             expr.text);
  read.subscripts.push_back(std::move(*value));
  return true;
}

/// Adds the operands of `expr` to `element`; null if one of them is wrong.
ElementPtr EquationChecker::checkOperands(ElementPtr element,
                                          const Expr &expr) {
  bool isGood = true;
  for (const ExprPtr &operand : expr.operands) {
    element->operands.push_back(checkElement(*operand));
    isGood &= element->operands.back() != nullptr;
  }
  return isGood ? std::move(element) : nullptr;
}

ElementPtr EquationChecker::checkCall(const Expr &expr) {
  static constexpr StringRef activations[] = {
      "relu",   "relu6", "sigmoid", "tanh", "silu",  "gelu",
      "hswish", "exp",   "log",     "sqrt", "round", "softplus"};
  bool isActivation = llvm::is_contained(activations, expr.text);
  bool isSelect = expr.text == "select";
  unsigned arity = isActivation                               ? 1
                   : isSelect || expr.text == "clamp"         ? 3
                   : expr.text == "max" || expr.text == "min" ? 2
                                                              : 0;
  if (arity == 0) {
    report.error(expr.text,
                 "expected one of " +
                     llvm::join(llvm::ArrayRef<StringRef>(activations), ", ") +
                     ", clamp, max, min, select, but got " + quote(expr.text));
    return nullptr;
  }
  if (expr.operands.size() != arity) {
    report.error(expr.text,
                 "expected " + Twine(arity) +
                     (arity == 1 ? " argument of " : " arguments of ") +
                     quote(expr.text) + ", but got " +
                     Twine(expr.operands.size()));
    return nullptr;
  }
  if (arity != 3 || isSelect)
    return checkOperands(make(isActivation         ? Element::Activate
                              : isSelect           ? Element::Select
                              : expr.text == "max" ? Element::Maximum
                                                   : Element::Minimum,
                              expr.text),
                         expr);
  // clamp(e, low, high) = min(max(e, low), high)
  ElementPtr clamp = checkOperands(make(Element::Maximum, expr.text), expr);
  if (!clamp)
    return nullptr;
  ElementPtr minimum = make(Element::Minimum, expr.text);
  ElementPtr high = std::move(clamp->operands.back());
  clamp->operands.pop_back();
  minimum->operands.push_back(std::move(clamp));
  minimum->operands.push_back(std::move(high));
  return minimum;
}

ElementPtr EquationChecker::checkSum(const Expr &expr) {
  if (!sum.empty()) {
    report
        .error(expr.text, "expected one sum in an equation, but got another "
                          "- define a temp by it")
        .note(sum, "the first is here");
    return nullptr;
  }
  sum = expr.text;
  if (expr.indices.size() > maxRank) {
    report.error(expr.text, "expected at most " + Twine(maxRank) +
                                " indices of a sum, but got " +
                                Twine(expr.indices.size()));
    return nullptr;
  }
  std::vector<StringRef> declared;
  for (const SumIndex &index : expr.indices) {
    // A bound is a size, evaluated first: it knows no index of its own sum.
    std::optional<Affine> bound;
    if (index.bound)
      bound = scope.evaluateSize(*index.bound);
    if (addIndex(index.name))
      declared.push_back(index.name);
    ++equation.reductions;
    if (bound)
      addRange(equation.indices.size() - 1, *bound, index.bound->text);
    ranges.back().isBroken |= index.bound && !bound;
  }
  ElementPtr element = checkOperands(make(Element::Sum, expr.text), expr);
  llvm::for_each(declared, [&](StringRef name) { scope.forget(name); });
  return element;
}

ElementPtr EquationChecker::checkOperator(const Expr &expr) {
  if (expr.text == "%") {
    report.error(expr.text, "expected '+', '-', '*', '/' or a comparison of "
                            "elements, but got '%'");
    return nullptr;
  }
  Element::Kind kind = expr.kind == Expr::Negate ? Element::Negate
                       : expr.text == "+"        ? Element::Add
                       : expr.text == "-"        ? Element::Subtract
                       : expr.text == "*"        ? Element::Multiply
                       : expr.text == "/"        ? Element::Divide
                                                 : Element::Compare;
  ElementPtr element = checkOperands(make(kind, expr.text), expr);
  if (!element || kind != Element::Negate ||
      element->operands.front()->kind != Element::Constant)
    return element;
  element->kind = Element::Constant; // `-1` is a number
  element->value = -element->operands.front()->value;
  element->operands.clear();
  return element;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

bool EquationChecker::addIndex(StringRef name) {
  unsigned number = equation.indices.size();
  equation.indices.push_back({name, Affine(1)});
  bool isNew = scope.declare({Symbol::Index, name, std::nullopt, number});
  ranges.push_back({StringRef(), /*isBroken=*/!isNew});
  return isNew;
}

/// Each place that gives an index a range has to give the same.
void EquationChecker::addRange(unsigned number, const Affine &extent,
                               StringRef at) {
  CheckedIndex &index = equation.indices[number];
  StringRef &from = ranges[number].from;
  if (ranges[number].isBroken)
    return;
  if (from.empty()) {
    from = at;
    index.extent = extent;
  } else if (index.extent != extent) {
    std::string name = quote(index.name);
    report
        .error(at, "expected " + name + " to run below " +
                       index.extent.str(kernel.sizes) + ", but got " +
                       extent.str(kernel.sizes) + " - write '" + index.name +
                       " + 0' to read only a part")
        .note(from,
              name + " runs below " + index.extent.str(kernel.sizes) + " here");
  }
}

/// The range of an index of the sum. `points` counts those of all so far.
void EquationChecker::checkRange(const CheckedIndex &index, int64_t &points) {
  const Range &range = ranges[&index - equation.indices.data()];
  if (range.isBroken)
    return;
  if (range.from.empty()) {
    report.error(index.name,
                 "expected a range of " + quote(index.name) +
                     ", but it is no subscript by itself - write '" +
                     index.name + " < SIZE'");
    return;
  }
  std::string text = index.extent.str(kernel.sizes);
  if (!index.extent.isConstant()) {
    report
        .error(index.name, "expected a static range of " + quote(index.name) +
                               " in a sum, but got " + text)
        .note(range.from, "given here");
    return;
  }
  int64_t extent = index.extent.getConstant();
  if (extent < 1 || extent > maxExtent) {
    report.error(range.from, "expected a range from 1 to " + Twine(maxExtent) +
                                 ", but got " + text);
    return;
  }
  if (extent > maxElements / points)
    report.error(index.name, "expected at most 2^40 terms in a sum, but got "
                             "more");
  else
    points *= extent;
}

/// What an affine form may come to; none if it leaves 32 bits. A run-time
/// extent counts as 1.
std::optional<EquationChecker::Bounds>
EquationChecker::getBounds(const Affine &affine) {
  Bounds bounds{affine.getConstant(), affine.getConstant()};
  bool fits = true;
  auto extend = [&](int64_t &end, int64_t coefficient, int64_t steps) {
    std::optional<int64_t> sum = llvm::checkedMulAdd(coefficient, steps, end);
    fits &= sum.has_value();
    end = sum.value_or(end);
  };
  for (auto [number, coefficient] : llvm::enumerate(affine.getCoefficients())) {
    const Affine &extent = equation.indices[number].extent;
    int64_t steps = extent.isConstant() ? extent.getConstant() - 1 : 0;
    fits &= -maxExtent <= coefficient && coefficient <= maxExtent;
    extend(coefficient < 0 ? bounds.low : bounds.high, coefficient, steps);
  }
  fits &= -maxExtent <= bounds.low && bounds.high <= maxExtent &&
          affine.getDivisor() <= maxExtent;
  if (!fits)
    return std::nullopt;
  return Bounds{llvm::divideFloorSigned(bounds.low, affine.getDivisor()),
                llvm::divideFloorSigned(bounds.high, affine.getDivisor())};
}

/// Keeps whatever a subscript may come to within 32 bits, so that no pass can
/// overflow on it.
void EquationChecker::checkReach(const Subscript &subscript, StringRef at) {
  std::optional<Bounds> bounds = getBounds(subscript.affine);
  for (const Subscript::Remainder &remainder : subscript.remainders) {
    std::optional<int64_t> most =
        llvm::checkedMul(remainder.factor, remainder.divisor - 1);
    if (!bounds || !getBounds(remainder.dividend) || !most ||
        std::abs(*most) > maxExtent || remainder.divisor > maxExtent) {
      bounds.reset();
      break;
    }
    (*most < 0 ? bounds->low : bounds->high) += *most;
  }
  if (!bounds || bounds->low < -maxExtent || bounds->high > maxExtent)
    report.error(at, "expected a subscript from " + Twine(-maxExtent) + " to " +
                         Twine(maxExtent) + ", but got more");
}
