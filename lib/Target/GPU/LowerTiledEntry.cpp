// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The begin of an entry point: its buffers, which worker this is, and which
// lanes.

#include "lib/Target/GPU/LowerTiled.h"

#include "sparkle/kernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparkle::gpu {

/// Temps begin at multiples of this many bytes.
static constexpr int64_t kTempAlignment = 256;
/// Workgroups along x, at most: what every device allows.
static constexpr int64_t kMostAlongX = SPARKLE_GRID_WIDTH;

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

void WorkersLowering::readSizes() {
  size_t count = kernel.getSizes().size();
  for (size_t i = 0; i < count; ++i)
    indices.addSize(code.runTimeSize(i));
}

/// The memory behind a binding. Strides that only the call knows are computed
/// here, once.
Memory WorkersLowering::describe(StoredTensorType type, AffineMap extents,
                                 unsigned binding) {
  Memory memory;
  static_cast<Placement &>(memory) = indices.place(type, extents);
  memory.binding = binding;
  memory.elementType = type.getElementType();
  if (!type.getRank())
    return memory;
  int64_t innermost = type.getPhysicalShape().back();
  auto [dim, block] = getFactor(type.getLayout().getResults().back());
  AffineExpr count = extents.getResult(dim).ceilDiv(block);
  LinearForm form = ShapedType::isDynamic(innermost)
                        ? indices.evaluate(count, {}, indices.sizes)
                        : LinearForm(innermost);
  memory.inQuads = indices.getDivisor(form) % kQuad == 0;
  return memory;
}

/// Elements of a buffer.
LinearForm WorkersLowering::countElements(StoredTensorType type,
                                          AffineMap extents) {
  LinearForm count = 1;
  for (auto [expr, extent] :
       llvm::zip(type.getLayout().getResults(), type.getPhysicalShape())) {
    if (!ShapedType::isDynamic(extent)) {
      count = count * extent;
      continue;
    }
    auto [dim, block] = getFactor(expr);
    AffineExpr blocks = extents.getResult(dim).ceilDiv(block);
    count = indices.multiply(count, indices.materialise(indices.evaluate(
                                        blocks, {}, indices.sizes)));
  }
  return count;
}

void WorkersLowering::describeTensors() {
  llvm::SmallDenseMap<Operation *, PackOp> packs;
  for (PackOp pack : kernel.getBody().getOps<PackOp>())
    packs[pack.getWeight()] = pack;
  unsigned binding = 0;
  SmallVector<TensorOp> temps;
  for (TensorOp tensor : kernel.getTensors()) {
    if (tensor.getRole() == Role::Temp) {
      temps.push_back(tensor);
      continue;
    }
    PackOp pack = packs.lookup(tensor);
    memories[pack ? pack.getResult() : tensor.getResult()] =
        pack ? describe(pack.getType(), pack.getType().getStaticExtents(0),
                        binding++)
             : describe(tensor.getType(), tensor.getExtents(), binding++);
  }
  // In bytes, for temps of different element types.
  LinearForm workspace = 0;
  for (TensorOp tensor : temps) {
    StoredTensorType type = tensor.getType();
    int64_t bytes = type.getElementType().getIntOrFloatBitWidth() / 8;
    Memory memory = describe(type, tensor.getExtents(), binding);
    // Of one that is computed near there are only boxes, within its extents.
    if (!tensor.isInWorkspace()) {
      memories[tensor.getResult()] = memory;
      continue;
    }
    memory.base = indices.floorDiv(workspace, bytes);
    memories[tensor.getResult()] = memory;
    LinearForm end =
        workspace + countElements(type, tensor.getExtents()) * bytes;
    workspace = indices.floorDiv(end + (kTempAlignment - 1), kTempAlignment) *
                kTempAlignment;
  }
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

WorkersLowering::WorkersLowering(WorkersOp workers, TargetAttr target,
                                 ImageBuilder &image, Code &code)
    : workers(workers), kernel(workers->getParentOfType<KernelOp>()),
      target(target), image(image), code(code), indices(code) {}

void WorkersLowering::addTile(TileType type, ArrayRef<unsigned> order) {
  std::unique_ptr<TilePoints> &points = tilePoints[type];
  if (!points)
    points = std::make_unique<TilePoints>(type, order);
  invocations = std::max(invocations, points->laneCount);
}

/// Reads off the tiles which lanes there are, and how what they are stored to
/// lies.
LogicalResult WorkersLowering::collectTiles() {
  workers.walk([&](StoreOp op) {
    auto tensor = dyn_cast<StoredTensorType>(op.getTensor().getType());
    AffineMap layout =
        tensor ? tensor.getLayout()
               : *op.getTensor().getDefiningOp<StageOp>().getLayout();
    llvm::SetVector<unsigned> dims;
    for (AffineExpr expr : llvm::reverse(layout.getResults()))
      dims.insert(getFactor(expr).first);
    addTile(op.getSums().getType(), dims.getArrayRef());
  });
  // Sums that are stored nowhere.
  workers.walk([&](InitOp op) {
    auto dims =
        llvm::to_vector(llvm::seq<unsigned>(0, op.getType().getShape().size()));
    std::reverse(dims.begin(), dims.end());
    addTile(op.getType(), dims);
  });
  if (invocations > target.getLanes())
    return workers.emitError("expected at most ")
           << target.getLanes() << " lanes, but got " << invocations;
  return success();
}

/// Neighbouring lanes lie along the innermost dimension of what they store to.
void WorkersLowering::placeLanes() {
  Indices::Atom atom;
  atom.value = code.invocation();
  atom.lower.push_back(0);
  atom.upper.push_back(invocations - 1);
  invocation = indices.addAtom(std::move(atom));
  for (auto &[type, points] : tilePoints) {
    ArrayRef<int64_t> lanes = points->type.getLanes();
    points->lane.resize(lanes.size());
    LinearForm rest = invocation;
    if (points->laneCount < invocations)
      rest = indices.mod(rest, points->laneCount);
    for (unsigned dim : points->order) {
      points->lane[dim] = indices.mod(rest, lanes[dim]);
      rest = indices.floorDiv(rest, lanes[dim]);
    }
  }
}

/// Which tile this workgroup computes; the result, which may be null, is
/// whether there is one.
Value WorkersLowering::placeWorker() {
  auto extents = indices.evaluateExtents(workers.getExtents());
  SmallVector<LinearForm> counts;
  LinearForm total = 1;
  bool isStatic = true;
  for (auto [extent, step] : llvm::zip(extents, workers.getSteps())) {
    counts.push_back(indices.floorDiv(extent + (step - 1), step));
    isStatic &= counts.back().isConstant();
    total = counts.back().isConstant()
                ? total * counts.back().constant
                : indices.multiply(total, indices.materialise(counts.back()));
  }
  Value id = code.workgroup(0);
  Value isWanted;
  if (!isStatic || total.constant > kMostAlongX) {
    id = code.add(id, code.mul(code.workgroup(1), kMostAlongX));
    isWanted = code.isBelow(id, indices.materialise(total));
  }
  auto isOne = [](const LinearForm &count) {
    return count.isConstant() && count.constant <= 1;
  };
  unsigned outermost = 0;
  while (outermost < counts.size() && isOne(counts[outermost]))
    ++outermost;
  for (unsigned dim = counts.size(); dim-- > 0;) {
    BlockArgument first = workers.getBody().getArgument(dim);
    if (isOne(counts[dim])) {
      indices.forms[first] = 0;
      continue;
    }
    int64_t step = workers.getSteps()[dim];
    Value count = indices.materialise(counts[dim]);
    Value index = dim == outermost ? id : code.remainder(id, count);
    indices.forms[first] =
        indices.addInduction(code.mul(index, step), 0, extents[dim], step);
    if (dim != outermost)
      id = code.divide(id, count);
  }
  return isWanted;
}

LogicalResult WorkersLowering::run(StringRef name) {
  if (failed(collectTiles()) || failed(planBoxes()))
    return failure();
  readSizes();
  describeTensors();
  placeLanes();
  for (Operation &op : kernel.getBody().front())
    if (!isa<TensorOp, ConstantOp, TransformOp, PackOp, WorkersOp>(op) &&
        !indices.evaluateOp(op) && failed(lowerCondition(op)))
      return failure();
  LogicalResult result = success();
  code.when(placeWorker(),
            [&] { result = lowerBlock(workers.getBody().front()); });
  if (failed(result))
    return failure();

  SmallVector<AffineExpr> grid;
  for (auto [extent, step] :
       llvm::zip(workers.getExtents().getResults(), workers.getSteps()))
    grid.push_back(extent.ceilDiv(step));
  AffineMap map = AffineMap::get(0, workers.getExtents().getNumSymbols(), grid,
                                 workers.getContext());
  image.endEntryPoint(
      code, {name.str(), map, uint32_t(invocations), uint32_t(localBytes)});
  return success();
}

} // namespace sparkle::gpu
