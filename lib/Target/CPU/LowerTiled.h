// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of lowering one kernel, shared by the files that lower its parts:
// LowerTiled.cpp (the nest), LowerTiledEntry.cpp (the C functions around it),
// LowerTiledMemory.cpp (elements), LowerTiledBoxes.cpp (copies of boxes),
// LowerTiledSums.cpp (register tiles), LowerTiledBody.cpp (the arithmetic of
// one element), Accumulate.cpp (sums of products), Contract.cpp (those with
// constants), Transpose.cpp (vectors whose lanes lie far apart in memory).

#ifndef SPARKLE_LIB_TARGET_CPU_LOWERTILED_H
#define SPARKLE_LIB_TARGET_CPU_LOWERTILED_H

#include "dialect/SparkleDialect.h"
#include "lib/Target/Band.h"
#include "lib/Target/CPU/Code.h"
#include "lib/Target/TiledIndices.h"

#include <map>
#include <set>

namespace sparkle::cpu {

/// Elements in memory: a tensor, or a box of one in scratch.
struct Memory : Placement {
  mlir::Value pointer;
  /// How an element is stored: f32, or i16 for the bits of an f16.
  mlir::Type element;
  /// Where it is a box to be written: the elements from the origin on that
  /// there are.
  llvm::SmallVector<int64_t> room;
  /// The elements, where they are known.
  mlir::DenseElementsAttr values;
};

/// For `resolve`: along which dimensions no read falls outside, as bits.
constexpr uint64_t kInside = ~uint64_t(0), kAnywhere = 0;

/// How the elements of one vector lie in a memory.
struct Access {
  /// Repeated: scattered, but of few elements, each for several lanes.
  enum Kind {
    Nothing,
    Broadcast,
    Contiguous,
    Repeated,
    Scattered
  } kind = Nothing;
  /// Element offsets, of the first lane, or of every lane if these are
  /// repeated or scattered.
  llvm::SmallVector<LinearForm, 2> offsets;
  /// Repeated elements may lie in a window that is no longer than the vector:
  /// where it begins and ends, beyond the first lane's; empty if not. All that
  /// it covers may be read.
  int64_t windowBegin = 0, windowEnd = 0;
  /// The lanes that are read; others are zero.
  llvm::SmallBitVector present;
  /// Of these, the ones where each form is not negative: one form for every
  /// lane, or one for all of them.
  llvm::SmallVector<llvm::SmallVector<LinearForm, 2>> conditions;
  /// What the lanes are, one or one each, if that is known: nothing is read.
  llvm::SmallVector<float, 2> numbers;

  /// Whether run time finds either all of the lanes that are read or none.
  bool isAllOrNothing() const {
    return llvm::all_of(conditions,
                        [](auto &forms) { return forms.size() == 1; });
  }
};

/// How many of the vectors that lie at `accesses` a transposition turns into
/// vectors that lie in a row: neighbours in memory, lane by lane.
size_t countNeighbours(llvm::ArrayRef<Access> accesses);

/// The arithmetic of an accumulate's or a store's body on whole vectors.
mlir::FailureOr<mlir::Value>
evaluateBody(Code &code, mlir::Block &body, mlir::ValueRange arguments,
             int64_t lanes,
             llvm::function_ref<mlir::Value(mlir::Value)> getOuter);

/// The same for an accumulate, whose result is added to `sum`.
mlir::FailureOr<mlir::Value>
accumulateBody(Code &code, mlir::Block &body, mlir::ValueRange arguments,
               mlir::Value sum,
               llvm::function_ref<mlir::Value(mlir::Value)> getOuter);

// Transpose.cpp
bool canTranspose(int64_t lanes);
/// Floats of the blocks that x86 shuffles within.
constexpr int64_t kBlock = 4;
/// Four vectors whose blocks are each a matrix of 4 x 4, with these transposed.
llvm::SmallVector<mlir::Value>
transposeBlocks(Code &code, llvm::ArrayRef<mlir::Value> rows);
/// Of as many vectors as they have lanes: lane `i` is the sum of the lanes of
/// row `i`.
mlir::Value addAcross(Code &code, llvm::ArrayRef<mlir::Value> rows);
/// As many vectors as they have lanes: lane `j` of the result's `i` is lane `i`
/// of row `j`. There may be fewer rows than lanes.
llvm::SmallVector<mlir::Value> transpose(Code &code,
                                         llvm::ArrayRef<mlir::Value> rows);

/// One kernel on its way to LLVM functions.
class KernelLowering {
public:
  KernelLowering(KernelOp kernel, TargetAttr target);
  mlir::LogicalResult run();

private:
  // LowerTiledEntry.cpp
  mlir::LogicalResult emitEntry();
  mlir::LLVM::LLVMFuncOp addBandFunction(mlir::LLVM::LLVMFuncOp whole);
  void emitWorkspaceSize();
  void emitPack(TensorOp weight);
  mlir::LLVM::LLVMFuncOp addFunction(const llvm::Twine &name, mlir::Type result,
                                     mlir::TypeRange arguments);
  void returnUnless(mlir::Value condition, mlir::Value result);
  /// The bytes of a function's buffers, and whether they can be counted.
  struct Bytes {
    llvm::DenseMap<mlir::Operation *, mlir::Value> offsets;
    mlir::Value workspace, valid, nonEmpty;
  };
  Bytes countBytes(mlir::ValueRange sizes);
  StoredTensorType getPassedType(TensorOp tensor);
  Memory describe(StoredTensorType type, mlir::AffineMap extents,
                  mlir::Value pointer);

  // LowerTiled.cpp
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lower(mlir::Operation &op);
  mlir::LogicalResult lower(WorkersOp op);
  mlir::LogicalResult lower(LoopOp op);
  mlir::LogicalResult lowerCondition(mlir::Operation &op);
  void runParallel(WorkersOp op, llvm::ArrayRef<unsigned> parallel,
                   llvm::ArrayRef<LinearForm> extents, mlir::Value worthwhile,
                   llvm::function_ref<void(mlir::ValueRange)> body);
  std::pair<mlir::Value, mlir::Value> getBounds(unsigned dim,
                                                const LinearForm &extent);
  void runInOrder(WorkersOp op, llvm::ArrayRef<unsigned> dims,
                  llvm::ArrayRef<LinearForm> extents, mlir::ValueRange outer,
                  llvm::function_ref<void(mlir::ValueRange)> body);
  /// A loop; `body` runs without one where there is known to be one trip.
  void loopOver(const LinearForm &lower, const LinearForm &upper, int64_t step,
                llvm::function_ref<void(const LinearForm &)> body);

  // LowerTiledMemory.cpp
  Access resolve(const Memory &memory, llvm::ArrayRef<Point> lanes,
                 int64_t width, uint64_t inside);
  void require(llvm::SmallVector<LinearForm, 2> forms, bool zeroFilled,
               Access &access);
  void checkBounds(const Memory &memory, llvm::ArrayRef<Point> lanes,
                   uint64_t inside, Access &access);
  mlir::Value getNonNegative(llvm::ArrayRef<LinearForm> forms);
  mlir::Value getMask(const Access &access);
  mlir::Value getCondition(const Access &access,
                           std::optional<unsigned> lane = std::nullopt);
  mlir::Value getAddress(const Memory &memory, const LinearForm &offset);
  mlir::Value loadGuarded(mlir::Type type, const Memory &memory,
                          const LinearForm &offset, mlir::Value condition,
                          mlir::Value mask = {});
  mlir::Value getZeros(int64_t bytes);
  Memory describe(ConstantOp op);
  void findNumbers(const Memory &memory, Access &access);
  mlir::Value loadStored(const Memory &memory, const Access &access);
  mlir::Value getBlendMask(const llvm::SmallBitVector &lanes);
  mlir::Value loadRepeated(const Memory &memory, const Access &access);
  mlir::Value load(const Memory &memory, const Access &access);
  void store(const Memory &memory, const Access &access, mlir::Value vector);
  mlir::Value loadBlock(const Memory &memory, const LinearForm &offset,
                        int64_t count);
  llvm::SmallVector<mlir::Value>
  loadTransposed(const Memory &memory, const Access &first, int64_t count);
  mlir::Value loadAcross(const Memory &memory, const Access &first);
  void storeTransposed(const Memory &memory, const Access &first,
                       llvm::ArrayRef<mlir::Value> vectors);

  // LowerTiledBoxes.cpp
  void lower(StageOp op);
  void endBox(StageOp op);
  void copyBox(const Memory &from, const Memory &to, BoxType box, bool inside);
  /// Of elements with the same base, the constants.
  using Offsets = std::map<llvm::SmallVector<std::pair<unsigned, int64_t>, 2>,
                           std::set<int64_t>>;
  Offsets findOffsets(PrefetchOp op);
  struct Prefetch {
    LinearForm part;
    int64_t parts = 1;
    bool writes = false;
    uint32_t locality = 3;
  };
  void prefetch(const Memory &memory, const Offsets &offsets,
                const Prefetch &how);
  void lower(PrefetchOp op);

  // LowerTiledSums.cpp
  void prefetchTile(InitOp init);
  mlir::LogicalResult lower(InitOp op);
  mlir::LogicalResult lower(StoreOp op);
  enum class Sums { Partial, Finished };
  Memory getWritten(mlir::Value tensorOrBox);
  mlir::LogicalResult writeSums(StoreOp op, Sums kind);
  mlir::FailureOr<mlir::Value> finishSum(StoreOp op, mlir::Value sum,
                                         llvm::ArrayRef<Point> lanes,
                                         int64_t width);

  // Accumulate.cpp
  mlir::LogicalResult lower(AccumulateOp op);
  friend class Accumulation;
  // Contract.cpp
  bool contract(AccumulateOp op);
  friend class VectorContraction;

  mlir::Value getScalar(mlir::Value value);

  KernelOp kernel;
  /// Lanes of a vector, and vector registers.
  int64_t width, registers;
  Code code;
  TiledIndices indices;
  /// What of the output is computed; null where workers only run all together.
  struct {
    mlir::Value index, begin, end;
  } band;
  /// The weights that are passed packed.
  llvm::DenseMap<mlir::Operation *, PackOp> packs;

  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Memory> memories;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tiles;
  /// Begins with the allocations of the current worker's scratch.
  mlir::Block *scratch = nullptr;
  /// Of each worker: the masks of lanes that it blends under.
  llvm::DenseMap<std::pair<mlir::Block *, llvm::SmallBitVector>, mlir::Value>
      masks;
};

/// The vectors of a tile: where each begins, and how many lanes it fills.
struct TileVectors {
  explicit TileVectors(TileType type);
  struct Vector {
    llvm::SmallVector<int64_t> offset;
    int64_t filled;
  };
  llvm::SmallVector<Vector> vectors;
  /// Lanes of a vector, and the dimension that they lie along.
  int64_t lanes = 1;
  unsigned laneDim = 0;
};

} // namespace sparkle::cpu

#endif // SPARKLE_LIB_TARGET_CPU_LOWERTILED_H
