// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the open sizes of a pattern are chosen: what all targets share. The
// models are VectorResolver.cpp (one line of SIMD lanes, many register tiles)
// and GridResolver.cpp (lanes in a grid, one register tile; GridCost.cpp).

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_RESOLVER_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_RESOLVER_H

#include "dialect/SparkleDialect.h"
#include "llvm/Support/MathExtras.h"
#include <memory>
#include <string>

namespace sparkle {

/// Stands for a size that only the call knows: a row of a usual picture, of
/// which a power of two leaves little over.
inline constexpr int64_t kUnknownExtent = 56;
/// The same of pictures that differ, where what is left over counts.
inline constexpr int64_t kUsualSides[] = {7, 10, 14, 20, 28, kUnknownExtent};

/// Stands for what a coordinate grows by that does not grow evenly. Nothing
/// that is contiguous grows by it.
inline constexpr int64_t kUneven = 2;

/// How the elements that are read follow each other along an index: so many
/// neighbours read the same one, the first as many fewer, and after a period
/// come the same ones again, unless that is 0.
struct Course {
  int64_t repeats = 1, start = 0, period = 0;
};

/// How the sum reads one operand.
struct Operand {
  mlir::StringAttr name;
  StoredTensorType type;
  mlir::AffineMap map;
  /// Row i: the coefficients of coordinate i in the indices.
  llvm::SmallVector<llvm::SmallVector<int64_t>> coefficients;
  /// For each index.
  llvm::SmallVector<Course, 0> courses;
  bool isWeight = false;
  /// Elements side by side that a step of the sum reads: as many as lanes lie
  /// along it.
  int64_t width = 1;
  /// How many times as many elements the indices count as there are: a
  /// remainder, with what is added to it, may lead out of it.
  double surplus = 1;

  int64_t getElementBytes() const {
    return type.getElementType().getIntOrFloatBitWidth() / 8;
  }
  bool varies(unsigned index) const {
    return llvm::any_of(coefficients,
                        [&](auto &row) { return row[index] != 0; });
  }
  /// Whether more steps along an index read more elements.
  bool advances(unsigned index) const {
    return varies(index) && !courses[index].period;
  }
  /// The different elements that `size` steps along an index read. Those that
  /// are not whole periods, or not all neighbours that read the same, begin
  /// anywhere.
  int64_t countSteps(unsigned index, int64_t size) const {
    if (!varies(index))
      return 1;
    auto [repeats, start, period] = courses[index];
    if (period)
      return size % period ? size : period;
    int64_t before = size % repeats ? repeats - 1 : start;
    return (before + size - 1) / repeats + 1;
  }
  /// What a coordinate, of these coefficients, grows by from one of them to the
  /// next: quotients by one.
  int64_t getStep(llvm::ArrayRef<int64_t> row, unsigned index) const {
    return courses[index].repeats > 1 ? 1 : std::abs(row[index]);
  }
  /// Whether it is a weight that `index` alone walks along one dimension of:
  /// packed, neighbours are contiguous.
  bool isPackedAlong(unsigned index) const {
    return isWeight && llvm::any_of(coefficients, [&](auto &row) {
             return row[index] == 1 &&
                    llvm::count(row, 0) == int64_t(row.size()) - 1;
           });
  }
  /// The elements that a box of these sizes reads: along each coordinate what
  /// it spans, or fewer where it leaves some out.
  int64_t countBox(llvm::ArrayRef<int64_t> sizes) const;
  /// Bytes of the same box where it is copied, what lies in between included.
  double getCopiedBytes(llvm::ArrayRef<int64_t> sizes) const;
  /// Whether two indices move the same coordinate, as the taps of a
  /// convolution slide over its input.
  bool slides(unsigned a, unsigned b) const {
    return llvm::any_of(coefficients,
                        [&](auto &row) { return row[a] != 0 && row[b] != 0; });
  }
};

/// The box of a temp that another equation's worker computes in near memory.
struct NearBox {
  llvm::SmallVector<int64_t> shape;
  /// Along which dimensions it is cut to the tensor, and so begins anywhere.
  llvm::SmallVector<bool> isCut;
  /// The lanes of that worker, and the bytes of near memory that it leaves.
  int64_t lanes, room;
};

/// Chooses the sizes of one equation's pattern.
class Resolver {
public:
  virtual ~Resolver() = default;
  /// The equation is computed in boxes of that form; called before `run`.
  void setBox(const NearBox &box) { this->box = box; }
  /// The pattern with nothing left open.
  mlir::FailureOr<PatternAttr> run();
  /// Behind `run`: what its sizes make of the target's numbers, in lines. They
  /// follow from the pattern alone, not from how it was found.
  virtual llvm::SmallVector<std::string> explain() { return {}; }

protected:
  using Sizes = llvm::SmallVector<int64_t>;

  Resolver(DefineOp define, TargetAttr target);

  /// Fills in every size that is 0, and `stage`, `order` if they are empty.
  virtual void choose() = 0;

  std::string name(unsigned index) {
    return mlir::cast<mlir::StringAttr>(define.getIndices()[index]).str();
  }
  bool isStatic(unsigned index) {
    return !mlir::ShapedType::isDynamic(extents[index]);
  }
  /// The extent, or what stands for one that only the call knows, of a picture
  /// with such sides.
  int64_t getUsualExtent(unsigned index, int64_t side = kUnknownExtent);
  bool suits(unsigned index, int64_t size);
  bool fillsLanes(unsigned index, int64_t count);
  bool takesLanes(unsigned index, int64_t count);
  void putLanesAlongSum(unsigned index, int64_t count);
  Operand describe(ReadOp read);
  /// What the indices do to the output's coordinates, as in `Operand`.
  llvm::SmallVector<llvm::SmallVector<int64_t>> getIdentity();
  /// Whether the output is contiguous along `index`.
  bool isStoredInRow(unsigned index);

  DefineOp define;
  TargetAttr target;
  mlir::MLIRContext *context;
  unsigned outputs;
  llvm::SmallVector<int64_t> extents;
  /// Those of the sum that are no constants.
  llvm::SmallVector<Operand> operands;
  /// The index of the sum that lanes lie along, if they do. Its extent and its
  /// other sizes then count vectors.
  std::optional<unsigned> summedLanes;
  bool hasConstants = false;
  /// Of each index: what one lane holds is a multiple of that, or all of the
  /// index, so that it knows where in the constants it stands.
  Sizes grains;

  /// What the pattern gives; 0 where it is still to choose. An index of the sum
  /// in `workers` is 1 where it is not divided; where it is, `extents` has the
  /// part as well.
  Sizes workers, near, registers, lanes, unroll, order;
  mlir::ArrayAttr stage, fuse;
  mlir::DictionaryAttr prefetch;

  std::optional<NearBox> box;

private:
  void noteConstant(ReadOp read);
  Sizes getGiven(mlir::DenseI64ArrayAttr list, bool ofOutputs);
  mlir::LogicalResult readParts(mlir::DenseI64ArrayAttr list);
  mlir::LogicalResult readLanes(mlir::DenseI64ArrayAttr list);
  mlir::LogicalResult checkNames(mlir::ArrayAttr names, llvm::StringRef line);
  mlir::LogicalResult checkFused();
  mlir::LogicalResult takeBox();
  bool isSummedAtOnce();
  mlir::LogicalResult check();
  mlir::LogicalResult checkDivides(unsigned index, llvm::StringRef line,
                                   int64_t outer, llvm::StringRef innerLine,
                                   int64_t inner);
};

/// The resolved pattern of an equation.
mlir::FailureOr<PatternAttr> resolvePattern(DefineOp define, TargetAttr target);

/// Whether neighbours along `index` are neighbours in memory. `rows` are the
/// coefficients of the tensor's coordinates.
bool isContiguous(StoredTensorType type,
                  llvm::ArrayRef<llvm::SmallVector<int64_t>> rows,
                  unsigned index);

/// Bytes from one element of a tensor to the next along `index`.
int64_t getStride(StoredTensorType type,
                  llvm::ArrayRef<llvm::SmallVector<int64_t>> rows,
                  unsigned index);

std::unique_ptr<Resolver> makeVectorResolver(DefineOp define,
                                             TargetAttr target);
std::unique_ptr<Resolver> makeGridResolver(DefineOp define, TargetAttr target);

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_RESOLVER_H
