// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes for a worker whose lanes lie in a grid and hold one register tile
// together.

#ifndef SPARKLE_LIB_TRANSFORMS_PATTERN_GRIDRESOLVER_H
#define SPARKLE_LIB_TRANSFORMS_PATTERN_GRIDRESOLVER_H

#include "lib/Transforms/Pattern/Resolver.h"

#include "llvm/Support/MathExtras.h"

namespace sparkle {

/// Elements of a vector.
constexpr int64_t kVector = 4;

/// How one output index is divided.
struct Cut {
  int64_t worker, tile, lanes;
  /// What one lane holds.
  int64_t each() const { return llvm::divideCeil(tile, lanes); }
  /// How far the last lane reaches beyond the tile.
  int64_t getOverhang() const { return each() * lanes - tile; }
};

/// A choice for all indices, and its cost.
struct Grid {
  llvm::SmallVector<Cut> cuts;
  llvm::SmallVector<int64_t> near;
  /// The operands that are copied.
  llvm::SmallVector<bool> staged;
  double cost = std::numeric_limits<double>::infinity();
};

class GridResolver : public Resolver {
public:
  GridResolver(DefineOp define, TargetAttr target) : Resolver(define, target) {}

private:
  void choose() override;

  void assumeExtents();
  std::optional<unsigned> findContiguous(const Operand &operand);
  std::optional<int64_t> countTerms(const Operand &operand);
  std::vector<Cut> listCuts(unsigned index);
  llvm::SmallVector<int64_t> listSteps(unsigned index);
  void listNears();
  void search();
  void searchCuts(unsigned index, int64_t lanesLeft, int64_t sumsLeft);
  void chooseParts();
  void keep(const Grid &grid);
  void estimate(Grid &grid);
  struct Step {
    /// Cycles of a lane where the operand is copied, and where it is not.
    double copied = 0, inPlace = 0;
    double elements = 0, reads = 0; // `reads` of one lane
    /// Of the box: what counts against other workers', and all, at most.
    int64_t bytes = 0, room = 0;
    /// Some element is read by more than one lane, or more than once.
    bool isReused = false;
  };
  Step estimateOperand(const Grid &grid, unsigned number, int64_t laneCount);
  double estimateStep(Grid &grid, int64_t laneCount, double sums);
  double estimateWrite(const Grid &grid, double sums);
  bool mayStage(unsigned number, bool wanted);
  void chooseUnroll();
  void take(const Grid &grid);

  /// What the model takes each extent for.
  Sizes assumed;
  /// Along which index each operand, and the output, is contiguous.
  llvm::SmallVector<std::optional<unsigned>> contiguous;
  std::optional<unsigned> written;

  /// Of an operand that is computed in near memory: the terms of an element.
  llvm::SmallVector<std::optional<int64_t>> terms;

  std::vector<std::vector<Cut>> cuts;
  /// Steps of the sum to try; the first is a guess that is good for any grid.
  std::vector<Sizes> nears;
  bool isAllStatic = true;
  /// Workers among which each sum is divided.
  int64_t parts = 1;
  Grid current;
  /// The best so far, best first.
  std::vector<Grid> kept;
};

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_PATTERN_GRIDRESOLVER_H
