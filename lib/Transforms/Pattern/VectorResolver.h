// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes for a worker that is one thread: a line of SIMD lanes, and register
// tiles in a loop.

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H

#include "lib/Transforms/Pattern/Resolver.h"
#include "lib/Transforms/Pattern/Workers.h"

#include <limits>
#include <optional>

namespace sparkle {

class VectorResolver : public Resolver {
public:
  VectorResolver(DefineOp define, TargetAttr target)
      : Resolver(define, target) {}

private:
  /// What one step of a register tile takes.
  struct Step {
    int64_t sums = 0, slide = 1;
    int64_t loads = 0;
    /// Vectors of what the whole tile shares, which stay in registers.
    int64_t kept = 0;
    /// Bytes of these.
    int64_t streamedBytes = 0;
    /// Loads of lines that drive each other out of the close memory.
    int64_t collisions = 0;
    /// Lines of which all steps together read a part.
    int64_t broken = 0;
    bool fits = true;
  };

  /// Sizes of one register tile and its slice, with what they cost.
  struct Choice {
    int64_t vectors = 1, thickness = 1, slide = 1;
    double cost = std::numeric_limits<double>::infinity();
  };

  /// Multiply-adds of a body without a loop: a longer one is slow to compile
  /// and spills.
  static constexpr int64_t kMaxBody = 256;

  void choose() override;
  llvm::SmallVector<std::string> explain() override;
  std::string explainRegisters();
  std::string explainBytes();
  std::string explainWorkers();

  int64_t getSpan(unsigned index);
  unsigned chooseLaneIndex();
  unsigned chooseThickIndex();
  std::optional<unsigned> chooseSlideIndex();
  bool isTap(unsigned index);
  bool collides(const Operand &operand, int64_t thickness);
  int64_t countOtherTaps(const Operand &operand);
  Step getStep(int64_t vectors, int64_t thickness, int64_t slide);
  bool isStraight(int64_t sums, int64_t slide);
  double getTileCost(int64_t vectors, int64_t thickness, int64_t slide);
  double getCost(const Choice &choice);
  void chooseTile();
  void chooseUnroll();
  bool goesAlongLanes();
  bool streamsAlongLanes();
  bool isStoredInRow(unsigned index);
  int64_t getOutputBytes();
  void chooseOrder();
  void chooseNear();
  Nest getNest() {
    return {operands,  extents,    registers,   workers, outputs,
            laneIndex, thickIndex, lanesInside, target};
  }
  void choosePrefetch();
  int64_t getTileBytes();
  int64_t getBytes(const Operand &operand);

  /// Where the lanes lie, where a register tile is thick besides, and which
  /// index of the sum slides along that, if any does.
  unsigned laneIndex = 0, thickIndex = 0;
  std::optional<unsigned> slideIndex;
  /// Whether the loop along the lanes is innermost, and whether the output is
  /// contiguous along them.
  bool lanesInside = false, storesInRow = false;
};

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_VECTORRESOLVER_H
