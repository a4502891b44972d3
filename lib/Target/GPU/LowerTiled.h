// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of lowering one kernel, shared by the files that lower its parts:
// LowerTiled.cpp (the nest), LowerTiledEntry.cpp (buffers, workers and lanes),
// LowerTiledMemory.cpp (elements), LowerTiledBoxes.cpp (boxes in
// workgroup memory), LowerTiledStage.cpp (copies), LowerTiledSums.cpp (register
// tiles), LowerTiledContract.cpp (sums of products with constants),
// LowerTiledBody.cpp (the arithmetic of one element).

#ifndef SPARKLE_LIB_TARGET_GPU_LOWERTILED_H
#define SPARKLE_LIB_TARGET_GPU_LOWERTILED_H

#include "dialect/SparkleDialect.h"
#include "lib/Target/GPU/ImageBuilder.h"
#include "lib/Target/TiledIndices.h"
#include "llvm/ADT/MapVector.h"
#include <map>

namespace sparkle::gpu {

/// `0 <= coordinate < limit`.
struct Condition {
  LinearForm coordinate, limit;
  bool operator==(const Condition &other) const {
    return coordinate == other.coordinate && limit == other.limit;
  }
  bool operator<(const Condition &other) const {
    return std::tie(coordinate, limit) <
           std::tie(other.coordinate, other.limit);
  }
};
using Conditions = std::vector<Condition>;

/// What a storage holds, and where in it the elements lie.
struct Memory : Placement, Storage {
  /// Of a box that is computed: where it begins, and the elements from there on
  /// that may be written.
  Point first;
  llvm::SmallVector<int64_t> room;
};

/// For `resolve`: along which dimensions no read falls outside, as bits.
constexpr uint64_t kInside = ~uint64_t(0), kAnywhere = 0;

/// One element of a memory, or four in a row.
struct Access {
  /// It is certainly outside.
  bool isAbsent = false;
  LinearForm offset;
  /// It is outside unless all of these hold.
  Conditions conditions;
  bool operator<(const Access &other) const {
    return std::tie(isAbsent, offset, conditions) <
           std::tie(other.isAbsent, other.offset, other.conditions);
  }
};

/// Which points of a tile an invocation holds, and where it keeps them. Along a
/// dimension of `count` points for each of `lanes` invocations, lane `l` holds
/// group after group of `group` neighbours, those of all lanes in between.
struct TilePoints {
  /// `order` lists the dimensions from the innermost in memory outward.
  TilePoints(TileType type, llvm::ArrayRef<unsigned> order);

  TileType type;
  /// The dimensions, from the innermost in memory outward.
  llvm::SmallVector<unsigned> order;
  llvm::SmallVector<int64_t> counts, groups;
  /// Along each dimension, which lane an invocation is. Where a workgroup has
  /// more invocations than the tile has lanes, the surplus ones repeat what
  /// those compute, and store nothing.
  Point lane;
  int64_t laneCount = 1;
  /// The dimension along which four neighbours are one vector, if `width` is 4.
  unsigned vectorDim = 0;
  int64_t width = 1;
  /// Where each vector begins, for lane 0.
  llvm::SmallVector<llvm::SmallVector<int64_t>> vectors;

  /// How far the last lane's points along `dim` reach beyond the tile.
  int64_t getOverhang(unsigned dim) const;
};

/// How a staged box lies in workgroup memory.
struct BoxPlan {
  /// Along each dimension: elements in front of and behind the box that lanes
  /// without a point of the tile read.
  llvm::SmallVector<int64_t> below, above;
  /// Elements between rows, beyond those of a row.
  int64_t padding = 0;
  /// Elements of one copy of the box.
  int64_t size = 0;
  bool isDouble = false;
  bool inQuads = false;
};

/// The dimension of a box that is innermost in workgroup memory.
unsigned getInnermost(StageOp op);

/// The ops of a nest of near loops as one sequence of steps.
struct NearNest {
  llvm::SmallVector<LoopOp> loops;
  llvm::SmallVector<StageOp> stages;
  /// What the steps of each loop begin with, and what the innermost computes.
  llvm::SmallVector<mlir::Operation *> heads, compute;
};

/// Refuses an accumulate of which one invocation unrolls too many terms.
mlir::LogicalResult verifyTerms(AccumulateOp op, uint64_t terms);

/// The arithmetic of an accumulate's or a store's body. Values are scalars or
/// vectors of `width`.
mlir::FailureOr<mlir::Value>
evaluateBody(Code &code, mlir::Block &body, mlir::ValueRange arguments,
             int64_t width,
             llvm::function_ref<mlir::Value(mlir::Value)> getOuter);

/// The same for an accumulate, whose result is added to `sum`.
mlir::FailureOr<mlir::Value>
accumulateBody(Code &code, mlir::Block &body, mlir::ValueRange arguments,
               mlir::Value sum, int64_t width,
               llvm::function_ref<mlir::Value(mlir::Value)> getOuter);

/// One `sparkle.workers` on its way to an entry point.
class WorkersLowering {
public:
  WorkersLowering(WorkersOp workers, TargetAttr target, ImageBuilder &image,
                  Code &code);
  mlir::LogicalResult run(llvm::StringRef name);

private:
  // LowerTiledEntry.cpp
  void readSizes();
  void describeTensors();
  Memory describe(StoredTensorType type, mlir::AffineMap extents,
                  unsigned binding);
  LinearForm countElements(StoredTensorType type, mlir::AffineMap extents);
  void addTile(TileType type, llvm::ArrayRef<unsigned> order);
  mlir::LogicalResult collectTiles();
  void placeLanes();
  mlir::Value placeWorker();

  // LowerTiled.cpp
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lower(mlir::Operation &op);
  mlir::LogicalResult lower(LoopOp op);
  mlir::LogicalResult lowerCondition(mlir::Operation &op);
  Code::Values getTiles(mlir::ValueRange values);
  void setTiles(mlir::ValueRange values, mlir::ValueRange vectors);

  // LowerTiledMemory.cpp
  void require(Access &access, const LinearForm &coordinate,
               const LinearForm &limit);
  Access resolve(const Memory &memory, const Point &point, uint64_t inside);
  /// Four accesses as one, if they are four elements in a row and in place.
  std::optional<Access> join(llvm::ArrayRef<Access> accesses);
  mlir::Value getCondition(llvm::ArrayRef<Condition> conditions);
  mlir::Value getPointer(const Memory &memory, const LinearForm &offset,
                         int64_t width);
  /// Zero where `access` is outside, or `condition` does not hold.
  mlir::Value load(const Memory &memory, const Access &access, int64_t width,
                   mlir::Value condition = {});
  /// Does not look at the conditions of `access`.
  void store(const Memory &memory, const Access &access, mlir::Value value);
  mlir::Value loadVector(const Memory &memory, llvm::ArrayRef<Access> accesses,
                         mlir::Value condition = {});

  // LowerTiledBoxes.cpp
  mlir::LogicalResult planBoxes();
  BoxPlan planBox(StageOp op);
  int64_t countConflicts(StageOp op, const BoxPlan &plan);
  void padRows(llvm::ArrayRef<StageOp> stages);
  Memory describe(StageOp op);

  // LowerTiledContract.cpp
  class LaneContraction;
  mlir::LogicalResult contract(AccumulateOp op);

  // LowerTiledStage.cpp
  void lower(StageOp op);
  class Copy;
  class Overlap;
  std::optional<NearNest> matchNest(LoopOp op);
  mlir::LogicalResult lowerOverlapped(NearNest &nest);

  // LowerTiledSums.cpp
  mlir::LogicalResult lower(InitOp op);
  mlir::LogicalResult lower(AccumulateOp op);
  mlir::LogicalResult lower(StoreOp op);
  enum class Sums { Partial, Finished };
  mlir::LogicalResult writeSums(StoreOp op, Sums kind);
  mlir::LogicalResult writeVector(StoreOp op, Sums kind, mlir::Value sums,
                                  const TilePoints &tile, unsigned vector);
  mlir::FailureOr<mlir::Value> finishSums(StoreOp op, mlir::Value sums,
                                          llvm::ArrayRef<Point> lanes,
                                          llvm::ArrayRef<Condition> known);
  friend class Accumulation;

  const TilePoints &getPoints(TileType type) { return *tilePoints[type]; }
  llvm::SmallVector<Point> getLanes(const TilePoints &tile, unsigned vector,
                                    const Point &at);
  uint64_t getInside(AccumulateOp op, unsigned operand);
  Access resolveSum(const Memory &memory, const TilePoints &tile,
                    const Point &at, const Point &point);
  mlir::Value getScalar(mlir::Value value);

  WorkersOp workers;
  KernelOp kernel;
  TargetAttr target;
  ImageBuilder &image;
  Code &code;
  TiledIndices indices;

  /// Which invocation of the workgroup this is, and how many there are: as many
  /// as the tile with the most lanes has.
  LinearForm invocation;
  int64_t invocations = 1;

  llvm::MapVector<mlir::Type, std::unique_ptr<TilePoints>> tilePoints;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Memory> memories;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tiles;
  llvm::DenseMap<mlir::Operation *, BoxPlan> plans;
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> arrays;
  int64_t localBytes = 0;
};

} // namespace sparkle::gpu

#endif // SPARKLE_LIB_TARGET_GPU_LOWERTILED_H
