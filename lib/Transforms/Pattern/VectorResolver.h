// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes for a worker that is one thread: a line of SIMD lanes, and register
// tiles in a loop.

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H

#include "lib/Transforms/Pattern/Lanes.h"
#include "lib/Transforms/Pattern/Resolver.h"
#include "lib/Transforms/Pattern/Workers.h"

#include <optional>

namespace sparkle {

/// Bytes of a line of close memory.
inline constexpr int64_t kLineBytes = 64;
/// Bytes of all lines of one way of close memory: a page, as on every processor
/// that finds a set while it translates an address.
inline constexpr int64_t kWay = 4096;
/// Sets of close memory: the lines of a way.
inline constexpr int64_t kSets = kWay / kLineBytes;

class VectorResolver : public Resolver {
public:
  VectorResolver(DefineOp define, TargetAttr target)
      : Resolver(define, target) {}

private:
  /// Sizes of one register tile and of its slice.
  struct RegisterTile {
    int64_t vectors = 1, thickness = 1, slide = 1;
    /// Of pixels: more than one are chosen only where all taps are in one body.
    int64_t rows = 1;

    int64_t getSums() const { return vectors * thickness * rows; }
  };

  /// What one step of a register tile takes.
  struct Step {
    double loads = 0;
    /// Vectors of what the whole tile shares, which stay in registers.
    int64_t kept = 0;
    /// Bytes of these.
    double streamedBytes = 0;
    /// Slots for what is transposed.
    double shuffles = 0;
    /// Steps whose vectors come together where they are put together from
    /// groups: at most a block.
    int64_t block = Groups::kBlock;
    /// Loads of lines that drive each other out of the close memory.
    double collisions = 0;
    bool fits = true;
  };

  /// Multiply-adds of a body without a loop: a longer one is slow to compile
  /// and spills.
  static constexpr int64_t kMaxBody = 256;

  /// Vectors that lie across the lanes and come together; and multiply-adds
  /// that take as long as to transpose one of them.
  static constexpr int64_t kAcross = 4;
  static constexpr double kTransposing = 3;

  void choose() override;
  llvm::SmallVector<std::string> explain() override;
  std::string explainRegisters();
  std::string explainBytes();
  std::string explainWorkers();

  int64_t getSpan(unsigned index, int64_t side = kUnknownExtent);
  bool isReadInRow(const Operand &operand, unsigned index) {
    return operand.isPackedAlong(index) ||
           isContiguous(operand.type, operand.coefficients, index);
  }
  bool isReadAcross(const Operand &operand, unsigned index);
  bool readsAcross(unsigned index) {
    return llvm::any_of(operands, [&](const Operand &operand) {
      return isReadAcross(operand, index);
    });
  }
  double getTransposedShare(const Operand &operand, unsigned index);
  double getLaneScore(unsigned index, int64_t count, bool transposes);
  double getShare(unsigned index);
  Groups getGroups(const Operand &operand, unsigned index);
  bool keepsGroups(unsigned index, int64_t size);
  unsigned chooseLaneIndex(int64_t count);
  std::optional<unsigned> findSummedLanes();
  int64_t countLanes(unsigned index);
  unsigned chooseThickIndex();
  bool servesAll(unsigned index);
  std::optional<unsigned> findSlideIndex(unsigned index);
  bool isTap(unsigned index);
  void chooseRowIndex();
  int64_t countSets(const Operand &operand);
  bool collides(const Operand &operand, int64_t thickness);
  bool rereadsPixels(const Operand &operand);
  void copyPictures();
  void cutTaps();
  /// Whether the pattern copies what is read of an operand.
  bool isCopied(const Operand &operand) {
    return stage && llvm::is_contained(stage, mlir::Attribute(operand.name));
  }
  double getReading(const Operand &operand, const RegisterTile &tile);
  bool comesInBlocks(const Operand &operand);
  Step getStep(const RegisterTile &tile);
  bool isOutputFar();
  bool keepsRows();
  bool isServedFast();
  bool isApart();
  /// Multiply-adds of vectors in a cycle, each of which takes four.
  double getSlotsPerCycle() { return double(target.getFmaLatency()) / 4; }
  bool isStraight(const RegisterTile &tile);
  bool takesTurns(const RegisterTile &tile);
  double getTileCost(const RegisterTile &tile);
  double getCost(const RegisterTile &tile, int64_t side);
  double getCost(const RegisterTile &tile);
  void keepSumsClose(const Sizes &given);
  bool keepsPixels(const RegisterTile &tile);
  void chooseTile();
  RegisterTile getTile();
  void chooseUnroll();
  bool goesAlongLanes();
  bool streamsAlongLanes();
  void shareOutRows(const Sizes &given);
  int64_t getOutputBytes();
  bool keepsRowNear();
  void chooseOrder();
  void chooseNear();
  Nest getNest() {
    return {operands,    extents,     registers,  workers,
            outputs,     laneIndex,   thickIndex, lanesInside,
            storesInRow, keepsRows(), target};
  }
  void choosePrefetch();
  int64_t getTileBytes();
  int64_t getBytes(const Operand &operand);

  /// Where the lanes lie, where a register tile is thick besides, which index
  /// of the sum slides along that, if any does; along what a tile may have
  /// several rows of pixels, and which index of the sum slides along these, if
  /// any does.
  unsigned laneIndex = 0, thickIndex = 0;
  std::optional<unsigned> slideIndex, rowIndex, rowTapIndex;
  /// Whether the loop along the lanes is innermost, and whether the output is
  /// contiguous along them.
  bool lanesInside = false, storesInRow = false;
};

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H
