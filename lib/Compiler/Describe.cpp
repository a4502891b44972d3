// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IR -> the plain structs of lib/Artifact, and the checks of names that only
// matter once a kernel becomes C functions.

#include "lib/Compiler/Describe.h"
#include "lib/Artifact/Header.h"
#include "lib/Compiler/Divide.h"
#include "lib/Target/InPlace.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include "llvm/TargetParser/Triple.h"
#include <dlfcn.h>

using namespace mlir;

namespace sparkle {
namespace {

//===----------------------------------------------------------------------===//
// Extents and layouts
//===----------------------------------------------------------------------===//

/// result = x * y + z; false on overflow.
bool multiplyAdd(int64_t x, int64_t y, int64_t z, int64_t &result) {
  return !llvm::MulOverflow(x, y, result) &&
         !llvm::AddOverflow(result, z, result);
}

/// floor(x / dx) + floor(y / dy), of which one divisor has to be 1:
/// floor(x / d) + y = floor((x + d y) / d).
std::optional<Extent> add(const Extent &x, const Extent &y) {
  if (x.divisor == 1 && y.divisor != 1)
    return add(y, x);
  Extent sum = x;
  if (y.divisor != 1 ||
      !multiplyAdd(x.divisor, y.constant, x.constant, sum.constant))
    return std::nullopt;
  for (auto [result, left, right] :
       llvm::zip_equal(sum.coefficients, x.coefficients, y.coefficients))
    if (!multiplyAdd(x.divisor, right, left, result))
      return std::nullopt;
  return sum;
}

std::optional<Extent> multiply(Extent x, int64_t factor) {
  if (x.divisor != 1 || llvm::MulOverflow(x.constant, factor, x.constant))
    return std::nullopt;
  for (int64_t &coefficient : x.coefficients)
    if (llvm::MulOverflow(coefficient, factor, coefficient))
      return std::nullopt;
  return x;
}

/// floor(floor(x / d) / e) = floor(x / (d e)).
std::optional<Extent> divide(Extent x, int64_t divisor) {
  if (divisor <= 0 || llvm::MulOverflow(x.divisor, divisor, x.divisor))
    return std::nullopt;
  return x;
}

/// The closed form of a function of `sizes` symbols, if it has one.
std::optional<Extent> getExtent(AffineExpr expr, unsigned sizes) {
  Extent extent;
  extent.coefficients.assign(sizes, 0);
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    extent.constant = constant.getValue();
    return extent;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    extent.coefficients[symbol.getPosition()] = 1;
    return extent;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<Extent> left = getExtent(binary.getLHS(), sizes);
  std::optional<Extent> right = getExtent(binary.getRHS(), sizes);
  if (!left || !right)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return add(*left, *right);
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!constant)
    return std::nullopt;
  int64_t value = constant.getValue();
  switch (expr.getKind()) {
  case AffineExprKind::Mul:
    return multiply(*left, value);
  case AffineExprKind::FloorDiv:
    return divide(*left, value);
  case AffineExprKind::CeilDiv: { // floor((x + e - 1) / e)
    Extent less;
    less.constant = value - 1;
    less.coefficients.assign(sizes, 0);
    std::optional<Extent> above = add(*left, less);
    return above ? divide(*above, value) : std::nullopt;
  }
  default: // mod has no such form
    return std::nullopt;
  }
}

/// A result of a layout; the type's verifier knows that it is of this form.
Factor getFactor(AffineExpr expr) {
  Factor factor;
  if (expr.getKind() == AffineExprKind::Mod) {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    factor.modulus = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    expr = binary.getLHS();
  }
  if (expr.getKind() == AffineExprKind::FloorDiv) {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    factor.divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    expr = binary.getLHS();
  }
  factor.dimension = cast<AffineDimExpr>(expr).getPosition();
  return factor;
}

SmallVector<Factor> getFactors(StoredTensorType type) {
  return llvm::map_to_vector(type.getLayout().getResults(), getFactor);
}

/// The bytes of a weight, whose extents are static.
FailureOr<int64_t> getByteSize(TensorOp weight, StoredTensorType type) {
  int64_t size = type.getElementType().getIntOrFloatBitWidth() / 8;
  for (int64_t extent : type.getPhysicalShape())
    if (llvm::MulOverflow(size, extent, size))
      return weight.emitError("expected the bytes of '")
             << weight.getName() << "' to fit in 64 bits, but got " << type;
  return size;
}

//===----------------------------------------------------------------------===//
// Tensors and kernels
//===----------------------------------------------------------------------===//

sparkle_role_t getRole(Role role) {
  switch (role) {
  case Role::Input:
    return SPARKLE_ROLE_INPUT;
  case Role::Weight:
    return SPARKLE_ROLE_WEIGHT;
  case Role::Output:
    return SPARKLE_ROLE_OUTPUT;
  case Role::Temp:
    return SPARKLE_ROLE_TEMP;
  }
  llvm_unreachable("every role is listed");
}

FailureOr<TensorDescription> describeTensor(TensorOp tensor) {
  StoredTensorType type = tensor.getType();
  AffineMap extents = tensor.getExtents();
  if (std::optional<Type> declared = tensor.getDeclaredType()) {
    type = cast<StoredTensorType>(*declared);
    extents = *tensor.getDeclaredExtents();
  }
  if (type.getRank() > SPARKLE_MAX_RANK ||
      type.getLayout().getNumResults() > SPARKLE_MAX_RANK)
    return tensor.emitError("expected '")
           << tensor.getName() << "' to have at most " << SPARKLE_MAX_RANK
           << " dimensions, logical and physical";
  TensorDescription description;
  description.name = tensor.getName();
  description.role = getRole(tensor.getRole());
  if (type.getElementType().isF16())
    description.element = SPARKLE_ELEMENT_F16;
  for (AffineExpr expr : extents.getResults()) {
    std::optional<Extent> extent = getExtent(expr, extents.getNumSymbols());
    if (!extent)
      return tensor.emitError("expected the extents of '")
             << tensor.getName()
             << "' to have the form (a + b * size) / c, but got "
             << AffineMapAttr::get(extents);
    description.extents.push_back(*extent);
  }
  description.layout = getFactors(type);
  if (tensor.getRole() == Role::Weight && failed(getByteSize(tensor, type)))
    return failure();
  return description;
}

/// Of the text of the algorithm, which names every parameter's value.
uint64_t hashAlgorithm(KernelOp kernel) {
  OwningOpRef<KernelOp> copy(kernel.clone());
  copy->removeReferenceAttr();
  copy->walk([](DefineOp define) { define.removePatternAttr(); });
  std::string text;
  llvm::raw_string_ostream out(text);
  copy->print(out);
  return llvm::xxh3_64bits(text);
}

/// Whether this machine's C library has the symbol: all of POSIX, and more.
bool isOfTheLibrary(StringRef name) {
  for (const char *library : {"libc.so.6", "libm.so.6"})
    if (void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL)) {
      bool isThere = dlsym(handle, name.str().c_str());
      dlclose(handle);
      if (isThere)
        return true;
    }
  return false;
}

/// Kernels become functions of C, so their names must not mean anything there.
LogicalResult checkName(KernelOp kernel) {
  StringRef name = kernel.getSymName();
  auto refuse = [&](StringRef meaning) {
    return kernel.emitError("expected a kernel name that is free in C, but '")
           << name << "' is " << meaning << " - choose another name";
  };
  if (!llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }))
    return refuse("no identifier");
  if (isOfStdint(name))
    return refuse("a name of <stdint.h>");
  if (isReservedWord(name))
    return refuse("a keyword");
  if (name.starts_with("_"))
    return refuse("reserved at file scope");
  if (name.starts_with("sparkle_"))
    return refuse("a name of the runtime's");
  if (name == "main")
    return refuse("where a program starts");
  // A definition would take the place of the library's for the whole program,
  // the calls that the code generator emits included.
  llvm::TargetLibraryInfoImpl library(llvm::Triple("x86_64-unknown-linux-gnu"));
  llvm::LibFunc function;
  if (library.getLibFunc(name, function) || isOfTheLibrary(name))
    return refuse("a function of the C library");
  return success();
}

/// Adds the C functions that run a kernel as `name`.
void addFunctions(KernelOp kernel, const std::string &name,
                  SmallVectorImpl<std::string> &symbols) {
  symbols.push_back(name);
  symbols.push_back(name + "_workspace_size");
  for (TensorOp tensor : kernel.getTensors())
    if (tensor.getRole() == Role::Weight) {
      std::string weight = tensor.getName().str();
      symbols.push_back(name + "_pack_" + weight);
      symbols.push_back(name + "_packed_" + weight + "_size");
    }
}

/// Symbols made from two kernels must not meet: `a` with `a_reference`.
LogicalResult checkSymbols(ModuleOp module, ArrayRef<std::string> suffixes) {
  llvm::StringMap<KernelOp> owners;
  WalkResult result = module.walk([&](KernelOp kernel) {
    std::string name = kernel.getSymName().str();
    SmallVector<std::string> symbols{name + "_kernel", name + "_reference"};
    addFunctions(kernel, name, symbols);
    for (const std::string &suffix : suffixes)
      addFunctions(kernel, name + suffix, symbols);
    for (StringRef symbol : symbols) {
      auto [owner, isNew] = owners.try_emplace(symbol, kernel);
      if (isNew)
        continue;
      auto diag = kernel.emitError("expected distinct C functions, but got '")
                  << symbol << "' twice - rename the kernel";
      diag.attachNote(owner->second.getLoc())
          << "the other one comes from here";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

FailureOr<KernelDescription> describeKernel(KernelOp kernel) {
  size_t sizes = kernel.getSizes().size(), tensors = kernel.getTensors().size();
  if (sizes > SPARKLE_MAX_COUNT || tensors > SPARKLE_MAX_COUNT)
    return kernel.emitError("expected at most ")
           << SPARKLE_MAX_COUNT << " sizes and as many tensors, but got "
           << sizes << " and " << tensors;
  KernelDescription description;
  description.name = kernel.getSymName();
  description.algorithmHash = hashAlgorithm(kernel);
  description.hasReference = kernel.getReference();
  for (Attribute size : kernel.getSizes())
    description.sizes.push_back(cast<StringAttr>(size).str());
  for (TensorOp tensor : kernel.getTensors()) {
    FailureOr<TensorDescription> described = describeTensor(tensor);
    if (failed(described))
      return failure();
    description.tensors.push_back(std::move(*described));
  }
  description.splits = findSplits(kernel, description);
  return description;
}

} // namespace

FailureOr<std::vector<KernelDescription>>
describeKernels(ModuleOp module, ArrayRef<std::string> suffixes) {
  if (module.getOps<KernelOp>().empty())
    return module.emitError("expected a kernel, but got none");
  std::vector<KernelDescription> descriptions;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    if (failed(checkName(kernel)))
      return failure();
    FailureOr<KernelDescription> description = describeKernel(kernel);
    if (failed(description))
      return failure();
    descriptions.push_back(std::move(*description));
  }
  if (failed(checkSymbols(module, suffixes)))
    return failure();
  return descriptions;
}

/// The name of the output that may be written over input `name`; empty if none.
static StringRef getInPlace(KernelOp tiled, StringRef name) {
  for (TensorOp tensor : tiled.getTensors())
    if (TensorOp output =
            tensor.getName() == name ? findInPlace(tensor) : TensorOp())
      return output.getName();
  return "";
}

void describeInPlace(ArrayRef<KernelOp> codes, KernelDescription &kernel) {
  for (TensorDescription &input : kernel.tensors)
    for (uint32_t i = 0; i < kernel.tensors.size(); ++i)
      if (llvm::all_of(codes, [&](KernelOp code) {
            return getInPlace(code, input.name) == kernel.tensors[i].name;
          }))
        input.inPlace = i + 1;
}

FailureOr<std::vector<Packing>> describePackings(KernelOp kernel) {
  llvm::DenseMap<Value, PackOp> packs;
  for (PackOp pack : kernel.getBody().getOps<PackOp>())
    packs[pack.getWeight().getResult()] = pack;
  std::vector<Packing> packings;
  for (auto [index, tensor] : llvm::enumerate(kernel.getTensors())) {
    if (tensor.getRole() != Role::Weight)
      continue;
    PackOp pack = packs.lookup(tensor.getResult());
    StoredTensorType type = pack ? pack.getType() : tensor.getType();
    FailureOr<int64_t> size = getByteSize(tensor, type);
    if (failed(size))
      return failure();
    Packing packing{uint32_t(index), getFactors(type), *size, {}};
    if (pack && pack.getSource() != tensor.getResult())
      packing.shape.assign(type.getShape().begin(), type.getShape().end());
    packings.push_back(std::move(packing));
  }
  return packings;
}

FailureOr<LaunchDescription> describeLaunch(const Launch &launch,
                                            Location kernel) {
  LaunchDescription description;
  description.entry = launch.entry;
  description.invocations = launch.invocations;
  description.localSize = launch.localBytes;
  if (launch.grid.getNumResults() > SPARKLE_MAX_RANK)
    return emitError(kernel, "expected a grid of at most ")
           << SPARKLE_MAX_RANK << " indices, but got "
           << launch.grid.getNumResults();
  for (AffineExpr expr : launch.grid.getResults()) {
    std::optional<Extent> extent = getExtent(expr, launch.grid.getNumSymbols());
    if (!extent)
      return emitError(kernel, "expected the grid to have the form "
                               "(a + b * size) / c, but got ")
             << AffineMapAttr::get(launch.grid);
    description.grid.push_back(*extent);
  }
  return description;
}

} // namespace sparkle
