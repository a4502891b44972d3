// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks kernels in the order of the text: a name is declared above its use.
// What is wrong is reported once; what depends on it is passed over.

#include "lib/Frontend/Check.h"

#include "lib/Frontend/CheckSteps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace sparkle;
using llvm::StringRef;
using llvm::Twine;

namespace {

class KernelChecker {
public:
  KernelChecker(const KernelDecl &decl, const FrontendOptions &options,
                Report &report)
      : decl(decl), options(options), report(report), scope(report) {}

  CheckedKernel run();

private:
  void check(const ParameterDecl &parameter);
  void check(const SizeDecl &size);
  void check(const TensorDecl &decl);
  void check(const EquationDecl &equation);
  void checkOutputs();
  std::optional<Affine> getValue(const ParameterDecl &parameter);
  std::optional<Affine> addRunTimeSize(StringRef name);
  bool checkExtent(const Expr &expr, StringRef role, CheckedTensor &tensor);
  void checkName(StringRef name);

  const KernelDecl &decl;
  const FrontendOptions &options;
  Report &report;
  Scope scope;
  CheckedKernel kernel;
};

} // namespace

/// Kernels, tensors and run-time sizes are named in a C header that C++ reads
/// as well. Each word has a blank on either side.
static constexpr StringRef reservedWords =
    " "
    "NULL alignas alignof and and_eq asm assert auto bitand bitor bool break "
    "case catch char char16_t char32_t char8_t class co_await co_return "
    "co_yield compl concept const const_cast consteval constexpr constinit "
    "continue decltype default delete do double dynamic_cast else enum errno "
    "explicit export extern false float for friend goto if inline int int64_t "
    "long main mutable namespace new noexcept not not_eq nullptr operator or "
    "or_eq private protected public register reinterpret_cast requires "
    "restrict return short signed sizeof static static_assert static_cast "
    "struct switch template this thread_local throw true try typedef typeid "
    "typename typeof union unsigned using virtual void volatile wchar_t while "
    "xor xor_eq ";

static bool isReserved(StringRef name) {
  return reservedWords.contains((" " + name + " ").str()) ||
         name.starts_with("__") ||
         (name.size() > 1 && name[0] == '_' && 'A' <= name[1] &&
          name[1] <= 'Z');
}

void KernelChecker::checkName(StringRef name) {
  if (isReserved(name))
    report.error(name, "expected a name that is free in C and C++, but got " +
                           quote(name));
}

CheckedKernel KernelChecker::run() {
  size_t errorsBefore = report.getErrors().size();
  kernel.name = decl.name;
  kernel.withReference = decl.withReference;
  checkName(decl.name);
  for (const ParameterDecl &parameter : decl.parameters)
    check(parameter);
  for (const Statement &statement : decl.statements)
    std::visit([&](const auto &decl) { check(decl); }, statement);
  checkOutputs();
  kernel.isBroken = report.getErrors().size() > errorsBefore;
  return std::move(kernel);
}

void KernelChecker::check(const ParameterDecl &parameter) {
  scope.declare({Symbol::Size, parameter.name, getValue(parameter)});
}

/// What `-D KERNEL.NAME`, `-D NAME` or the text gives, in this order.
std::optional<Affine> KernelChecker::getValue(const ParameterDecl &parameter) {
  auto define = options.defines.find((decl.name + "." + parameter.name).str());
  if (define == options.defines.end())
    define = options.defines.find(parameter.name);
  if (define != options.defines.end())
    return define->second ? Affine(*define->second)
                          : addRunTimeSize(parameter.name);
  if (parameter.runTime)
    return addRunTimeSize(parameter.name);
  if (parameter.value)
    return scope.evaluateSize(*parameter.value);
  report.error(parameter.name, "expected a value for size " +
                                   quote(parameter.name) +
                                   ", but got none - set one with -D " +
                                   parameter.name + "=VALUE");
  return std::nullopt;
}

std::optional<Affine> KernelChecker::addRunTimeSize(StringRef name) {
  checkName(name);
  if (kernel.sizes.size() == maxRunTimeSizes) {
    report.error(name, "expected at most " + Twine(maxRunTimeSizes) +
                           " run-time sizes, but got more");
    return std::nullopt;
  }
  kernel.sizes.push_back(name);
  return Affine::variable(kernel.sizes.size() - 1);
}

void KernelChecker::check(const SizeDecl &size) {
  scope.declare({Symbol::Size, size.name, scope.evaluateSize(*size.value)});
}

void KernelChecker::check(const TensorDecl &decl) {
  CheckedTensor tensor;
  tensor.role = decl.role;
  tensor.name = decl.name;
  checkName(decl.name);
  tensor.isHalf = decl.type == "f16";
  if (decl.type != "f32" && !tensor.isHalf) {
    report.error(decl.type, "expected element type f32 or f16, but got " +
                                quote(decl.type));
    tensor.isBroken = true;
  }
  if (decl.extents.size() > maxRank) {
    report.error(decl.name, "expected at most " + Twine(maxRank) +
                                " dimensions, but got " +
                                Twine(decl.extents.size()));
    tensor.isBroken = true;
  }
  for (const ExprPtr &extent : decl.extents)
    tensor.isBroken |= !checkExtent(*extent, decl.role, tensor);
  if (!tensor.isBroken)
    tensor.isBroken = !checkLayout(decl, tensor, report);
  Symbol symbol{Symbol::Tensor, decl.name, std::nullopt,
                static_cast<unsigned>(kernel.tensors.size())};
  if (scope.declare(symbol))
    kernel.tensors.push_back(std::move(tensor));
}

bool KernelChecker::checkExtent(const Expr &expr, StringRef role,
                                CheckedTensor &tensor) {
  std::optional<Affine> extent = scope.evaluateSize(expr);
  tensor.extents.push_back(extent.value_or(Affine(1)));
  if (!extent)
    return false;
  auto fits = [](int64_t part) {
    return -maxExtent <= part && part <= maxExtent;
  };
  bool isGood =
      extent->isConstant()
          ? 1 <= extent->getConstant() && extent->getConstant() <= maxExtent
          : fits(extent->getConstant()) && fits(extent->getDivisor()) &&
                llvm::all_of(extent->getCoefficients(), fits);
  std::string text = extent->str(kernel.sizes);
  if (!isGood)
    report.error(expr.text, "expected an extent from 1 to " + Twine(maxExtent) +
                                ", but got " + text);
  else if (role == "weight" && !extent->isConstant())
    report.error(expr.text,
                 "expected a static extent of a weight, but got " + text);
  else
    return true;
  return false;
}

void KernelChecker::check(const EquationDecl &equation) {
  const Symbol *symbol = scope.find(equation.target);
  CheckedTensor *tensor = symbol && symbol->kind == Symbol::Tensor
                              ? &kernel.tensors[symbol->number]
                              : nullptr;
  if (!tensor || (tensor->role != "output" && tensor->role != "temp")) {
    Report::Error &error =
        report.error(equation.target, "expected an output or a temp, but got " +
                                          quote(equation.target));
    if (symbol)
      error.note(symbol->declared, "declared here");
    return;
  }
  if (!tensor->definedAt.empty()) {
    report
        .error(equation.target, "expected one equation for " +
                                    quote(equation.target) +
                                    ", but got another")
        .note(tensor->definedAt, "defined here");
    return;
  }
  if (tensor->extents.size() == equation.indices.size())
    kernel.equations.push_back(
        checkEquation(equation, symbol->number, kernel, scope, report));
  else
    report
        .error(
            equation.target,
            "expected " + Twine(tensor->extents.size()) +
                (tensor->extents.size() == 1 ? " index of " : " indices of ") +
                quote(equation.target) + ", but got " +
                Twine(equation.indices.size()))
        .note(symbol->declared, "declared here");
  tensor->definedAt = equation.target;
}

void KernelChecker::checkOutputs() {
  bool hasOutput = false;
  for (const CheckedTensor &tensor : kernel.tensors) {
    hasOutput |= tensor.role == "output";
    bool isDefined = tensor.role == "output" || tensor.role == "temp";
    if (isDefined && tensor.definedAt.empty())
      report.error(tensor.name, "expected an equation for " +
                                    quote(tensor.name) + ", but got none");
  }
  if (!hasOutput)
    report.error(kernel.name, "expected an output of kernel " +
                                  quote(kernel.name) + ", but got none");
}

/// Every kernel gives its object a handful of symbols; none may come twice.
static void checkSymbols(const std::vector<CheckedKernel> &kernels,
                         Report &report) {
  llvm::StringMap<StringRef> owners;
  for (const CheckedKernel &kernel : kernels) {
    std::vector<std::string> symbols{kernel.name.str()};
    for (StringRef suffix : {"_kernel", "_reference", "_workspace_size"})
      symbols.push_back((kernel.name + suffix).str());
    for (const CheckedTensor &tensor : kernel.tensors)
      if (tensor.role == "weight") {
        symbols.push_back((kernel.name + "_pack_" + tensor.name).str());
        symbols.push_back(
            (kernel.name + "_packed_" + tensor.name + "_size").str());
      }
    for (const std::string &symbol : symbols) {
      auto [it, isNew] = owners.try_emplace(symbol, kernel.name);
      if (isNew)
        continue;
      report
          .error(kernel.name, "expected kernels without a common symbol, but "
                              "got another " +
                                  quote(symbol))
          .note(it->second, "made for this kernel");
      break;
    }
  }
}

/// A define that no kernel takes is a typing error.
static void checkDefines(const Ast &ast, const FrontendOptions &options,
                         Report &report) {
  llvm::StringSet<> names;
  for (const KernelDecl &kernel : ast.kernels)
    for (const ParameterDecl &parameter : kernel.parameters) {
      names.insert(parameter.name);
      names.insert((kernel.name + "." + parameter.name).str());
    }
  std::vector<StringRef> unknown;
  for (const auto &define : options.defines)
    if (!names.contains(define.first()))
      unknown.push_back(define.first());
  llvm::sort(unknown); // the map has no order of its own
  for (StringRef name : unknown)
    report.error(llvm::SMLoc(),
                 "expected -D to set a size of a kernel, but got " +
                     quote(name));
}

std::vector<CheckedKernel>
sparkle::check(const Ast &ast, const FrontendOptions &options, Report &report) {
  checkDefines(ast, options, report);
  std::vector<CheckedKernel> kernels;
  for (const KernelDecl &decl : ast.kernels)
    if (!report.isFull())
      kernels.push_back(KernelChecker(decl, options, report).run());
  checkSymbols(kernels, report);
  checkPatterns(ast, options, kernels, report);
  return kernels;
}
