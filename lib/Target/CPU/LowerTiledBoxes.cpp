// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of tensors: copied into scratch, or asked for ahead.

#include "lib/Target/CPU/LowerTiled.h"

using namespace mlir;

namespace sparkle::cpu {

/// Elements of a line, and of so much that multiples of it lie in four sets of
/// a cache whose ways are pages.
constexpr int64_t kLine = 16, kFewSets = 256;

void KernelLowering::lower(StageOp op) {
  Memory from = memories[op.getTensor()];
  memories[op.getResult()] = from;
  if (op.getRealisation() == Realisation::InPlace)
    return;

  BoxType box = op.getType();
  Memory to;
  to.element = code.getF32Type();
  to.layout = *op.getLayout();
  to.origin = indices.getPoint(op.getOrigin());
  to.extents = from.extents;
  bool isCopy = op.getRealisation() == Realisation::Copy;
  to.zeroFilled = isCopy;
  int64_t count = 1;
  for (AffineExpr expr : llvm::reverse(to.layout.getResults())) {
    int64_t extent = box.getShape()[cast<AffineDimExpr>(expr).getPosition()];
    // A line more, or what follows each other along this dimension meets in few
    // sets of the first cache.
    if (extent > 1 && count % kFewSets == 0)
      count += kLine;
    to.strides.insert(to.strides.begin(), {count, Value()});
    count *= extent;
  }
  {
    OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(scratch);
    to.pointer = LLVM::AllocaOp::create(code, code.loc, code.pointerType(),
                                        to.element, code.i64(count),
                                        /*alignment=*/64);
  }
  // Boxes that are never needed together share their place on the stack.
  LLVM::LifetimeStartOp::create(code, code.loc, to.pointer);
  if (isCopy)
    copyBox(from, to, box, op.getInside());
  memories[op.getResult()] = to;
}

/// Behind the block that needs it.
void KernelLowering::endBox(StageOp op) {
  if (op.getRealisation() != Realisation::InPlace)
    LLVM::LifetimeEndOp::create(code, code.loc,
                                memories[op.getResult()].pointer);
}

/// Fills the scratch `to`, the innermost of its dimensions in vectors: all of
/// it, or with `inside` only what lies in the tensor.
void KernelLowering::copyBox(const Memory &from, const Memory &to, BoxType box,
                             bool inside) {
  unsigned rank = box.getShape().size();
  Point first = to.origin;
  auto copyVector = [&](unsigned dim, const LinearForm &start, int64_t filled) {
    SmallVector<Point> lanes(filled, first);
    for (auto [lane, point] : llvm::enumerate(lanes))
      point[dim] = first[dim] + start + lane;
    Value vector = load(from, resolve(from, lanes, width, kAnywhere));
    store(to, resolve(to, lanes, width, kInside), vector);
  };
  std::function<void(unsigned)> nest = [&](unsigned level) {
    unsigned dim = to.layout.getDimPosition(level);
    int64_t extent = box.getShape()[dim];
    LinearForm begin = 0, end = extent;
    if (inside) {
      begin = indices.maximum({begin, to.origin[dim] * -1});
      end = indices.minimum({end, to.extents[dim] - to.origin[dim]});
    }
    if (level + 1 == rank) {
      int64_t whole = extent / width * width;
      loopOver(0, indices.minimum({end, whole}), width,
               [&](const LinearForm &start) { copyVector(dim, start, width); });
      if (whole != extent)
        copyVector(dim, whole, extent - whole);
      return;
    }
    loopOver(begin, end, 1, [&](const LinearForm &index) {
      first[dim] = to.origin[dim] + index;
      nest(level + 1);
    });
  };
  nest(0);
}

/// The offsets that an accumulate would read, sorted, for each base.
KernelLowering::Offsets KernelLowering::findOffsets(PrefetchOp op) {
  const Memory &memory = memories[op.getBox()];
  Point at = indices.getPoint(op.getAt());
  Offsets offsets;
  SmallVector<int64_t> index(at.size(), 0);
  for (bool more = true; more;) {
    Point point;
    for (auto [coordinate, moved] : llvm::zip(at, index))
      point.push_back(coordinate + moved);
    LinearForm offset =
        indices.getOffset(memory, indices.evaluate(op.getMap(), point));
    offsets[offset.terms].insert(offset.constant);
    more = false;
    for (unsigned i = at.size(); i-- > 0 && !more;) {
      more = ++index[i] < op.getShape()[i];
      if (!more)
        index[i] = 0;
    }
  }
  return offsets;
}

/// Asks for each line once. Of a part, for its lines in each row of lines: a
/// part that is beyond the last one's lines asks for what follows, which does
/// no harm.
void KernelLowering::prefetch(const Memory &memory, const Offsets &offsets,
                              const Prefetch &how) {
  constexpr uint32_t kData = 1;
  int64_t line = 512 / memory.element.getIntOrFloatBitWidth();
  auto ask = [&](LinearForm first, int64_t lines) {
    int64_t each = llvm::divideCeil(lines, how.parts);
    first = first + how.part * (each * line);
    for (int64_t i = 0; i < each; ++i)
      LLVM::Prefetch::create(code, code.loc,
                             getAddress(memory, first + i * line), how.writes,
                             how.locality, kData);
  };
  for (auto &[terms, constants] : offsets) {
    LinearForm first;
    first.terms = terms;
    int64_t lines = 0;
    for (int64_t constant : constants) {
      int64_t end = first.constant + lines * line;
      if (lines && constant < end)
        continue;
      if (lines && constant == end) {
        ++lines;
        continue;
      }
      if (lines)
        ask(first, lines);
      first.constant = constant;
      lines = 1;
    }
    ask(first, lines);
  }
}

void KernelLowering::lower(PrefetchOp op) {
  Prefetch how;
  if (op.getPart()) {
    how.part = indices.getPoint(op.getPart()).front();
    how.parts = *op.getParts();
    how.locality = 2; // For later: into near memory, past what is close.
  }
  prefetch(memories[op.getBox()], findOffsets(op), how);
}

} // namespace sparkle::cpu
