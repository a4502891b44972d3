// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of buffers and of workgroup memory: where they lie, which of them
// are inside, loads and stores.

#include "lib/Target/GPU/LowerTiled.h"

using namespace mlir;

namespace sparkle::gpu {

//===----------------------------------------------------------------------===//
// Where elements lie
//===----------------------------------------------------------------------===//

/// Notes that `coordinate` must lie in [0, limit), unless that is known.
void WorkersLowering::require(Access &access, const LinearForm &coordinate,
                              const LinearForm &limit) {
  LinearForm room = limit - coordinate - 1;
  if (indices.isNonNegative(coordinate) && indices.isNonNegative(room))
    return;
  if (indices.isNonNegative(coordinate * -1 - 1) ||
      indices.isNonNegative(room * -1 - 1)) {
    access.isAbsent = true;
    return;
  }
  // Neighbours up to a common divisor are inside or outside together.
  Condition condition{coordinate, limit};
  LinearForm moving = coordinate;
  moving.constant = 0;
  int64_t grain =
      std::gcd(indices.getDivisor(moving), indices.getDivisor(limit));
  if (grain > 1)
    condition.coordinate.constant -= llvm::mod(coordinate.constant, grain);
  if (!llvm::is_contained(access.conditions, condition))
    access.conditions.push_back(condition);
}

Access WorkersLowering::resolve(const Memory &memory, const Point &point,
                                uint64_t inside) {
  Access access;
  if (!memory.zeroFilled)
    for (auto [dim, extent] : llvm::enumerate(memory.extents))
      if (!(inside >> dim & 1))
        require(access, point[dim], extent);
  if (access.isAbsent)
    return Access{true, 0, {}};
  access.offset = indices.getOffset(memory, point);
  return access;
}

std::optional<Access> WorkersLowering::join(ArrayRef<Access> accesses) {
  const Access &first = accesses.front();
  if (accesses.size() != kQuad || first.isAbsent ||
      indices.getDivisor(first.offset) % kQuad != 0)
    return std::nullopt;
  for (auto [i, access] : llvm::enumerate(accesses))
    if (access.isAbsent || !(access.offset == first.offset + i) ||
        access.conditions != first.conditions)
      return std::nullopt;
  return first;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Value WorkersLowering::getCondition(ArrayRef<Condition> conditions) {
  Value all;
  for (const Condition &condition : conditions)
    all = code.both(all, code.isBelow(indices.materialise(condition.coordinate),
                                      indices.materialise(condition.limit)));
  return all;
}

/// The element at `offset`, or with the width of a quad the four from there on.
Value WorkersLowering::getPointer(const Memory &memory,
                                  const LinearForm &offset, int64_t width) {
  SmallVector<Value> path;
  bool inQuads = memory.array ? memory.inQuads : width == kQuad;
  path.push_back(
      indices.materialise(inQuads ? indices.floorDiv(offset, kQuad) : offset));
  if (inQuads && width == 1)
    path.push_back(indices.materialise(indices.mod(offset, kQuad)));
  return code.pointer(memory, path, width);
}

Value WorkersLowering::load(const Memory &memory, const Access &access,
                            int64_t width, Value condition) {
  if (access.isAbsent)
    return code.splat(0, width);
  condition = code.both(condition, getCondition(access.conditions));
  Value value;
  if (!condition) {
    value = code.load(memory, getPointer(memory, access.offset, width), width);
  } else {
    // No branch: what is outside reads the first element, and drops it.
    LinearForm index = indices.floorDiv(access.offset, width);
    Indices::Atom clamped;
    clamped.depth = code.depth();
    clamped.value =
        code.select(condition, indices.materialise(index), code.i32(0));
    Value pointer = getPointer(memory, indices.addAtom(clamped) * width, width);
    value = code.load(memory, pointer, width);
  }
  if (!memory.elementType.isF32())
    value = code.widen(value);
  return code.select(condition, value, code.splat(0, width));
}

void WorkersLowering::store(const Memory &memory, const Access &access,
                            Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  int64_t width = vector ? vector.getNumElements() : 1;
  if (!memory.elementType.isF32())
    value = code.narrow(value);
  code.store(value, getPointer(memory, access.offset, width));
  if (!memory.array)
    image.noteWritten(memory.binding);
}

/// The elements at `accesses`: one, or four as a vector.
Value WorkersLowering::loadVector(const Memory &memory,
                                  ArrayRef<Access> accesses, Value condition) {
  if (std::optional<Access> quad = join(accesses))
    if (!memory.array || memory.inQuads)
      return load(memory, *quad, kQuad, condition);
  auto same = [&](const Access &other) {
    return !(other < accesses.front()) && !(accesses.front() < other);
  };
  if (llvm::all_of(accesses, same))
    return code.broadcast(load(memory, accesses.front(), 1, condition),
                          accesses.size());
  SmallVector<Value> scalars;
  for (const Access &access : accesses)
    scalars.push_back(load(memory, access, 1, condition));
  return code.construct(scalars);
}

} // namespace sparkle::gpu
