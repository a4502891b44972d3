// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The proof goes from the outputs back: what one unit of an output reads of the
// temps, what these read of other temps, down to the inputs. All of it has to
// move with the unit, by as many coordinates as the extents do with the size.

#include "lib/Compiler/Divide.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle {
namespace {

/// The values of stride * x + [low, high].
struct Window {
  int64_t stride = 0;
  int64_t low = 0;
  int64_t high = 0;
};

/// None on overflow.
std::optional<Window> add(Window x, const Window &y) {
  if (llvm::AddOverflow(x.stride, y.stride, x.stride) ||
      llvm::AddOverflow(x.low, y.low, x.low) ||
      llvm::AddOverflow(x.high, y.high, x.high))
    return std::nullopt;
  return x;
}

std::optional<Window> multiply(Window x, int64_t factor) {
  if (llvm::MulOverflow(x.stride, factor, x.stride) ||
      llvm::MulOverflow(x.low, factor, x.low) ||
      llvm::MulOverflow(x.high, factor, x.high))
    return std::nullopt;
  if (factor < 0)
    std::swap(x.low, x.high);
  return x;
}

/// `inner` of each value of `outer`.
std::optional<Window> compose(const Window &outer, const Window &inner) {
  std::optional<Window> moved = multiply(outer, inner.stride);
  return moved ? add(*moved, {0, inner.low, inner.high}) : std::nullopt;
}

/// `expr` as a function of index `index` alone, while all others run through
/// their extents; none where it is not linear, or an extent is not static.
std::optional<Window> getWindow(AffineExpr expr, unsigned index,
                                ArrayRef<int64_t> extents) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Window{0, constant.getValue(), constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    if (dim.getPosition() == index)
      return Window{1, 0, 0};
    int64_t extent = extents[dim.getPosition()];
    if (ShapedType::isDynamic(extent) || extent < 1)
      return std::nullopt;
    return Window{0, 0, extent - 1};
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<Window> left = getWindow(binary.getLHS(), index, extents);
  if (!left)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Mul)
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return multiply(*left, factor.getValue());
  if (expr.getKind() != AffineExprKind::Add)
    return std::nullopt;
  std::optional<Window> right = getWindow(binary.getRHS(), index, extents);
  return right ? add(*left, *right) : std::nullopt;
}

/// Tries to prove that a run may be divided along one size.
class Proof {
public:
  Proof(KernelOp kernel, const KernelDescription &description, uint32_t size)
      : kernel(kernel), tensors(description.tensors), size(size),
        dimensions(tensors.size()), windows(tensors.size()) {
    for (auto [number, tensor] : llvm::enumerate(kernel.getTensors()))
      numbers[tensor.getResult()] = number;
  }

  std::optional<SplitDescription> run();

private:
  bool findDimensions();
  bool findUnits();
  bool follow(DefineOp define);
  bool follow(DefineOp define, ReadOp read);
  bool addWindow(unsigned tensor, const Window &window);
  bool isSlice(unsigned tensor) const;

  const Extent &getExtent(unsigned tensor) const {
    return tensors[tensor].extents[*dimensions[tensor]];
  }

  KernelOp kernel;
  ArrayRef<TensorDescription> tensors;
  const uint32_t size;
  int64_t step = 0;
  /// Of each tensor: the dimension whose extent depends on the size.
  SmallVector<std::optional<unsigned>> dimensions;
  /// What one unit of the outputs reads of it.
  SmallVector<std::optional<Window>> windows;
  llvm::DenseMap<Value, unsigned> numbers;
};

std::optional<SplitDescription> Proof::run() {
  if (!findDimensions() || !findUnits())
    return std::nullopt;
  // A temp is read by later equations only.
  SmallVector<DefineOp> defines(kernel.getBody().getOps<DefineOp>());
  for (DefineOp define : llvm::reverse(defines))
    if (!follow(define))
      return std::nullopt;
  SplitDescription split{size, step, {}};
  for (unsigned tensor = 0; tensor < tensors.size(); ++tensor) {
    if (!dimensions[tensor])
      continue;
    if (!isSlice(tensor))
      return std::nullopt;
    const Window &window = *windows[tensor];
    split.slices.push_back(
        {tensor, *dimensions[tensor], window.stride, window.low, window.high});
  }
  return split;
}

/// Fails if two dimensions of a tensor depend on the size.
bool Proof::findDimensions() {
  for (auto [tensor, dimension] : llvm::zip_equal(tensors, dimensions))
    for (auto [position, extent] : llvm::enumerate(tensor.extents)) {
      if (extent.coefficients[size] == 0)
        continue;
      if (dimension)
        return false;
      dimension = position;
    }
  return true;
}

/// What is divided: a dimension of the same extent in every output, in which a
/// step of the size is one unit.
bool Proof::findUnits() {
  const Extent *units = nullptr;
  for (unsigned tensor = 0; tensor < tensors.size(); ++tensor) {
    if (tensors[tensor].role != SPARKLE_ROLE_OUTPUT)
      continue;
    if (!dimensions[tensor])
      return false;
    const Extent &extent = getExtent(tensor);
    if (units && (units->constant != extent.constant ||
                  units->divisor != extent.divisor ||
                  units->coefficients != extent.coefficients))
      return false;
    units = &extent;
    windows[tensor] = Window{1, 0, 0};
  }
  int64_t coefficient = units->coefficients[size];
  step = units->divisor / coefficient;
  return step > 0 && step * coefficient == units->divisor;
}

bool Proof::follow(DefineOp define) {
  unsigned target = numbers.at(define.getTarget());
  if (dimensions[target] && !windows[target])
    return false; // A temp that nothing reads.
  WalkResult result = define.walk([&](ReadOp read) {
    return follow(define, read) ? WalkResult::advance()
                                : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

/// Every coordinate has to be without the target's units, along a dimension
/// that is the same for all sizes, or to move with them, along one that grows.
bool Proof::follow(DefineOp define, ReadOp read) {
  unsigned target = numbers.at(define.getTarget());
  std::optional<unsigned> index = dimensions[target];
  auto source = numbers.find(read.getTensor());
  for (auto [position, expr] : llvm::enumerate(read.getMap().getResults())) {
    bool moves = index && expr.isFunctionOfDim(*index);
    bool grows =
        source != numbers.end() && dimensions[source->second] == position;
    if (moves != grows)
      return false;
    if (!moves)
      continue;
    std::optional<Window> inner =
        getWindow(expr, *index, define.getStaticExtents());
    if (!inner)
      return false;
    std::optional<Window> window = compose(*windows[target], *inner);
    if (!window || !addWindow(source->second, *window))
      return false;
  }
  return true;
}

/// One more read of a tensor.
bool Proof::addWindow(unsigned tensor, const Window &window) {
  std::optional<Window> &all = windows[tensor];
  if (!all) {
    all = window;
    return true;
  }
  all->low = std::min(all->low, window.low);
  all->high = std::max(all->high, window.high);
  return all->stride == window.stride;
}

/// Whether the tensor is read, grows as it is read, and can be cut.
bool Proof::isSlice(unsigned tensor) const {
  if (!windows[tensor] || windows[tensor]->stride < 1)
    return false;
  const Extent &extent = getExtent(tensor);
  int64_t grows, moves;
  if (llvm::MulOverflow(extent.coefficients[size], step, grows) ||
      llvm::MulOverflow(windows[tensor]->stride, extent.divisor, moves) ||
      grows != moves)
    return false;
  auto isOf = [&](const Factor &factor) {
    return factor.dimension == *dimensions[tensor];
  };
  return tensors[tensor].role == SPARKLE_ROLE_TEMP ||
         llvm::count_if(tensors[tensor].layout, isOf) == 1;
}

/// What sorts splits; less is better.
std::tuple<bool, size_t, uint32_t>
getRank(const SplitDescription &split, ArrayRef<TensorDescription> tensors) {
  bool isShared = llvm::any_of(split.slices, [](const SliceDescription &slice) {
    return slice.high - slice.low >= slice.stride;
  });
  const SliceDescription &output =
      *llvm::find_if(split.slices, [&](const SliceDescription &slice) {
        return tensors[slice.tensor].role == SPARKLE_ROLE_OUTPUT;
      });
  ArrayRef<Factor> layout = tensors[output.tensor].layout;
  const Factor *cut = llvm::find_if(layout, [&](const Factor &factor) {
    return factor.dimension == output.dimension;
  });
  return {isShared, cut - layout.begin(), split.size};
}

} // namespace

std::vector<SplitDescription> findSplits(KernelOp kernel,
                                         const KernelDescription &description) {
  std::vector<SplitDescription> splits;
  // Of tiles, and of other dimensions than the caller's, nothing is proved.
  auto isMerged = [](TensorOp tensor) {
    return tensor.getDeclaredType().has_value();
  };
  if (!kernel.getBody().getOps<WorkersOp>().empty() ||
      llvm::any_of(kernel.getTensors(), isMerged))
    return splits;
  for (uint32_t size = 0; size < description.sizes.size(); ++size)
    if (std::optional<SplitDescription> split =
            Proof(kernel, description, size).run())
      splits.push_back(std::move(*split));
  llvm::sort(splits, [&](const auto &left, const auto &right) {
    return getRank(left, description.tensors) <
           getRank(right, description.tensors);
  });
  return splits;
}

} // namespace sparkle
