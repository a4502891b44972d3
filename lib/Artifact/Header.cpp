// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints the C header. The text depends on the kernels alone, never on paths.

#include "lib/Artifact/Header.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sparkle {
namespace {

constexpr StringLiteral words[] = {
    // C11, then what C++20 adds, then macros that GNU modes predefine.
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "bitand",
    "bitor",
    "bool",
    "catch",
    "char8_t",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "concept",
    "consteval",
    "constexpr",
    "constinit",
    "const_cast",
    "co_await",
    "co_return",
    "co_yield",
    "decltype",
    "delete",
    "dynamic_cast",
    "explicit",
    "export",
    "false",
    "friend",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "reinterpret_cast",
    "requires",
    "static_assert",
    "static_cast",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typeid",
    "typename",
    "typeof",
    "using",
    "virtual",
    "wchar_t",
    "xor",
    "xor_eq",
    "linux",
    "unix"};

/// One kernel's part of the header.
class KernelPrinter {
public:
  KernelPrinter(const KernelDescription &kernel, raw_ostream &out);

  void print();

private:
  void printSummary();
  void printVariant(const CodeDescription *code);
  void printChoice();
  void printKernel(const CodeDescription *code);
  std::string getInPlace() const;
  void printPackings(const CodeDescription *code);
  void printPacking(const CodeDescription *code, uint32_t index);
  void printWorkspace(const CodeDescription *code);
  void printReference();
  void printDescriptor();

  std::string text(const Extent &extent) const;
  std::string shape(const TensorDescription &tensor) const;
  std::string stored(ArrayRef<Factor> layout) const;
  std::string unused(StringRef wanted);
  std::string getName(const CodeDescription *code) const;
  SmallVector<std::string> getSizeParameters() const;
  void printFunction(StringRef type, const Twine &name,
                     ArrayRef<std::string> parameters);
  bool hasHalves() const;
  bool hasTemps() const;

  const KernelDescription &kernel;
  /// If there are none, no C function runs the kernel. If there are several,
  /// each has functions of its own; those of none in particular, null below,
  /// choose among them.
  SmallVector<const CodeDescription *> cpus;
  raw_ostream &out;
  StringSet<> used;
  SmallVector<std::string> sizes;
  std::string workspace;
  // One for each tensor: as declared, and as the kernel takes it.
  SmallVector<std::string> declared, arguments;
};

/// Every tensor and size gets a parameter name that C accepts, as close to its
/// own as can be.
KernelPrinter::KernelPrinter(const KernelDescription &kernel, raw_ostream &out)
    : kernel(kernel), out(out) {
  for (const CodeDescription &code : kernel.codes)
    if (code.target == SPARKLE_TARGET_CPU)
      cpus.push_back(&code);
  for (StringRef size : kernel.sizes)
    sizes.push_back(unused(size));
  for (const TensorDescription &tensor : kernel.tensors)
    declared.push_back(unused(tensor.name));
  for (auto [name, tensor] : zip_equal(declared, kernel.tensors))
    arguments.push_back(
        tensor.role == SPARKLE_ROLE_WEIGHT ? unused("packed_" + name) : name);
  if (hasTemps())
    workspace = unused("workspace");
}

std::string KernelPrinter::unused(StringRef wanted) {
  std::string name = wanted.str();
  while (isReservedWord(name) || !used.insert(name).second)
    name += '_';
  return name;
}

/// "2 * N + 1", "(N + 1) / 2"
std::string KernelPrinter::text(const Extent &extent) const {
  std::string sum;
  raw_string_ostream stream(sum);
  auto add = [&](int64_t value, StringRef name) {
    uint64_t magnitude = value < 0 ? -uint64_t(value) : uint64_t(value);
    if (!sum.empty())
      stream << (value < 0 ? " - " : " + ");
    else if (value < 0)
      stream << '-';
    if (magnitude != 1 || name.empty())
      stream << magnitude << (name.empty() ? "" : " * ");
    stream << name;
  };
  for (auto [coefficient, name] : zip(extent.coefficients, kernel.sizes))
    if (coefficient)
      add(coefficient, name);
  if (extent.constant || sum.empty())
    add(extent.constant, "");
  if (extent.divisor == 1)
    return sum;
  return ("(" + sum + ") / " + Twine(extent.divisor)).str();
}

/// C11 has no type of 16 bits: there, what holds the bits.
StringRef getType(const TensorDescription &tensor) {
  return tensor.element == SPARKLE_ELEMENT_F16 ? "uint16_t" : "float";
}

/// A pointer to the elements, which an output's are written through.
std::string getPointer(const TensorDescription &tensor) {
  StringRef constant = tensor.role == SPARKLE_ROLE_OUTPUT ? "" : "const ";
  return (constant + getType(tensor) + " *").str();
}

/// "f32[N, 64, 56, 56]"
std::string KernelPrinter::shape(const TensorDescription &tensor) const {
  SmallVector<std::string> extents;
  for (const Extent &extent : tensor.extents)
    extents.push_back(text(extent));
  const char *element = tensor.element == SPARKLE_ELEMENT_F16 ? "f16" : "f32";
  return std::string(element) + "[" + join(extents, ", ") + "]";
}

/// "[d0, d1 / 16, d2, d3, d1 % 16]"
std::string KernelPrinter::stored(ArrayRef<Factor> layout) const {
  SmallVector<std::string> factors;
  for (const Factor &factor : layout) {
    std::string text = "d" + std::to_string(factor.dimension);
    if (factor.divisor != 1)
      text += " / " + std::to_string(factor.divisor);
    if (factor.modulus)
      text += " % " + std::to_string(factor.modulus);
    factors.push_back(text);
  }
  return "[" + join(factors, ", ") + "]";
}

bool KernelPrinter::hasHalves() const {
  return any_of(kernel.tensors, [](const TensorDescription &tensor) {
    return tensor.element == SPARKLE_ELEMENT_F16;
  });
}

bool KernelPrinter::hasTemps() const {
  return any_of(kernel.tensors, [](const TensorDescription &tensor) {
    return tensor.role == SPARKLE_ROLE_TEMP;
  });
}

/// Breaks the line before a parameter that does not fit in 80 columns.
void KernelPrinter::printFunction(StringRef type, const Twine &name,
                                  ArrayRef<std::string> parameters) {
  std::string line = (type + " " + name + "(").str();
  for (auto [index, parameter] : enumerate(parameters)) {
    std::string text = parameter + (index + 1 < parameters.size() ? "," : ");");
    if (line.size() + 1 + text.size() > 80 && line.back() != ' ') {
      out << line << "\n";
      line = "   ";
    }
    line += (line.back() == '(' ? "" : " ") + text;
  }
  out << line << (parameters.empty() ? "void);" : "") << "\n\n";
}

void KernelPrinter::print() {
  printSummary();
  if (cpus.size() > 1)
    printVariant(nullptr);
  for (const CodeDescription *code : cpus)
    printVariant(code);
  if (kernel.hasReference)
    printReference();
  printDescriptor();
}

/// What the code is for, the shape of every tensor, and where its elements lie.
void KernelPrinter::printSummary() {
  out << "/* " << kernel.name << "\n *\n";
  for (const CodeDescription &code : kernel.codes)
    out << " * for " << getTargetWord(code.target) << " " << code.processor
        << "\n";
  for (const TensorDescription &tensor : kernel.tensors) {
    constexpr StringLiteral roles[] = {"input", "weight", "output", "temp"};
    out << " * " << roles[tensor.role] << " " << tensor.name << ": "
        << shape(tensor) << ", stored as " << stored(tensor.layout) << "\n";
  }
  out << " *\n * `stored as` gives the physical dimensions, outermost first: "
         "d0 "
         "is the first\n * dimension of the tensor. Pointers are to float, at "
         "any address that is a\n * multiple of 4; 64 is best."
      << (hasHalves() ? " Those to\n * uint16_t are to the bits of IEEE 754 "
                        "binary16, f16, at any multiple of 2."
                      : "")
      << (!cpus.empty()
              ? ""
              : " No code is for the CPU, so no function here\n"
                " * runs the kernel; a runtime does, by its descriptor.")
      << " */\n\n";
}

/// `code` is null for what chooses among several.
void KernelPrinter::printVariant(const CodeDescription *code) {
  if (!code)
    printChoice();
  printKernel(code);
  printPackings(code);
  printWorkspace(code);
}

void KernelPrinter::printChoice() {
  out << "/* At the first call of a function with no processor in its name, "
         "CPUID and XCR0\n * choose for all of them, and for good: of";
  for (const CodeDescription *code : cpus)
    out << "\n *   " << getName(code);
  out << "\n * the first that this machine runs. What one variant packs, "
         "no other takes.\n * Where none runs, sizes are -1, and all else "
         "returns 3 and touches nothing.\n *\n * The functions of the variants "
         "run on their processor, and on every other that\n * has its "
         "instruction sets; elsewhere they end in an illegal instruction. "
         "*/\n\n";
}

std::string KernelPrinter::getName(const CodeDescription *code) const {
  return kernel.name + (code ? code->suffix : "");
}

SmallVector<std::string> KernelPrinter::getSizeParameters() const {
  SmallVector<std::string> parameters;
  for (StringRef size : sizes)
    parameters.push_back(("int64_t " + size).str());
  return parameters;
}

/// ", but\n * these may be the same bytes: y and z0": what is written in place.
std::string KernelPrinter::getInPlace() const {
  std::string pairs;
  for (auto [argument, tensor] : zip_equal(arguments, kernel.tensors))
    if (tensor.inPlace)
      pairs += (pairs.empty() ? "" : ", ") + arguments[tensor.inPlace - 1] +
               " and " + argument;
  return pairs.empty() ? "" : ", but\n * these may be the same bytes: " + pairs;
}

void KernelPrinter::printKernel(const CodeDescription *code) {
  SmallVector<std::string> parameters;
  for (auto [argument, tensor] : zip_equal(arguments, kernel.tensors))
    if (tensor.role != SPARKLE_ROLE_TEMP)
      parameters.push_back(getPointer(tensor) + argument);
  if (code && cpus.size() > 1)
    out << "/* As " << kernel.name << ". */\n";
  else
    out << "/* Computes the outputs, every element of them. Buffers must not "
           "overlap"
        << getInPlace()
        << ".\n * Returns 0; 1 if a pointer is null or a size is negative or "
           "too large"
        << (code ? "." : "; 3 if\n * no variant runs.")
        << " Where\n * nothing is to be computed it returns 0 and touches "
           "nothing. Thread-safe. */\n";
  if (hasTemps())
    parameters.push_back("void *" + workspace);
  append_range(parameters, getSizeParameters());
  printFunction("int", getName(code), parameters);
}

void KernelPrinter::printPackings(const CodeDescription *code) {
  for (const Packing &packing : cpus.front()->packings)
    printPacking(code, packing.tensor);
}

/// Where a variant is yet to be chosen, so are the layout and the bytes.
void KernelPrinter::printPacking(const CodeDescription *code, uint32_t index) {
  const TensorDescription &tensor = kernel.tensors[index];
  StringRef weight = tensor.name;
  std::string source = isReservedWord(weight) || weight == "packed"
                           ? (weight + "_").str()
                           : weight.str();
  std::string name = getName(code);
  out << "/* Packs " << weight << " for " << name;
  if (code) {
    auto packing = find_if(code->packings,
                           [&](const Packing &p) { return p.tensor == index; });
    out << ": to " << stored(packing->layout) << ", " << packing->size
        << " bytes";
  }
  out << ".\n * Returns 0; 1 if a pointer is null"
      << (code ? "" : "; 3 if no variant runs") << ". Thread-safe. */\n";
  printFunction(
      "int", name + "_pack_" + weight,
      {getPointer(tensor) + source, (getType(tensor) + " *packed").str()});
  printFunction("int64_t", name + "_packed_" + weight + "_size", {});
}

void KernelPrinter::printWorkspace(const CodeDescription *code) {
  if (!hasTemps())
    return;
  if (code && cpus.size() > 1)
    out << "/* As " << kernel.name << "_workspace_size. */\n";
  else
    out << "/* The bytes that " << kernel.name
        << " needs at `workspace`; -1 if a size is invalid"
        << (code ? "." : " or\n * no variant runs.")
        << "\n * The contents do not matter before or after a call. "
           "Thread-safe. */\n";
  printFunction("int64_t", getName(code) + "_workspace_size",
                getSizeParameters());
}

void KernelPrinter::printReference() {
  SmallVector<std::string> parameters;
  for (auto [name, tensor] : zip_equal(declared, kernel.tensors)) {
    if (tensor.role == SPARKLE_ROLE_TEMP)
      continue;
    bool isOutput = tensor.role == SPARKLE_ROLE_OUTPUT;
    parameters.push_back((isOutput ? "double *" : getPointer(tensor)) + name);
    if (isOutput)
      parameters.push_back("double *" + unused(name + "_bound"));
  }
  for (StringRef size : sizes)
    parameters.push_back(("int64_t " + size).str());
  out << "/* The algorithm alone, in double precision: plain loops, no tiles. "
         "Weights come\n * unpacked. Each `_bound` may be null, else it gets "
         "for every element the\n * largest error that a computation in float "
         "may have, in whatever order it\n * adds. Returns 0; 1 as "
      << kernel.name << " does; 2 if memory runs out.\n * Thread-safe. */\n";
  printFunction("int", kernel.name + "_reference", parameters);
}

void KernelPrinter::printDescriptor() {
  out << "/* What " << kernel.name
      << " is, for a runtime: see sparkle/kernel.h. */\n"
      << "extern const struct sparkle_kernel " << kernel.name << "_kernel;\n\n";
}

} // namespace

bool isOfStdint(StringRef name) {
  static const Regex names("^(u?int((_least|_fast)?(8|16|32|64)|ptr|max)_t|"
                           "U?INT[A-Z0-9_]*_(MIN|MAX|C)|SIZE_MAX|"
                           "(PTRDIFF|SIG_ATOMIC|WCHAR|WINT)_(MIN|MAX))$");
  return names.match(name);
}

bool isReservedWord(StringRef name) {
  return is_contained(words, name) || isOfStdint(name);
}

std::string writeHeader(ArrayRef<KernelDescription> kernels) {
  std::string guard = "SPARKLE_KERNELS", text;
  for (const KernelDescription &kernel : kernels)
    guard += "_" + kernel.name;
  guard += "_H";

  raw_string_ostream out(text);
  out << "/* Made by " << getCompilerVersion() << ". */\n\n#ifndef " << guard
      << "\n#define " << guard << "\n\n#include <stdint.h>\n\n"
      << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
      << "struct sparkle_kernel;\n\n";
  for (const KernelDescription &kernel : kernels)
    KernelPrinter(kernel, out).print();
  out << "#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
  return text;
}

} // namespace sparkle
