// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which convolutions Winograd's algorithm serves, in what tiles, and whether it
// pays.

#ifndef SPARKLE_LIB_TRANSFORMS_WINOGRADPLAN_H
#define SPARKLE_LIB_TRANSFORMS_WINOGRADPLAN_H

#include "lib/Transforms/Winograd.h"

#include "dialect/SparkleDialect.h"
#include <optional>
#include <string>

namespace sparkle {

class WinogradPlan {
public:
  WinogradPlan(DefineOp define, TargetAttr target)
      : define(define), target(target), outputs(define.getNumOutputs()),
        extents(define.getStaticExtents()) {}

  /// Finds the parts of the convolution; says why there is none.
  std::optional<std::string> match();
  /// Chooses what a worker computes, in tiles of `size` results along each
  /// slide; says why there is nothing.
  std::optional<std::string> choose(int64_t size);
  /// Chooses the same in the tiles that cost least of those up to `most`
  /// results; false if none saves a fifth of the time.
  bool chooseCheapest(int64_t most);

  /// Tiles of the picture, or of a usual one, along a slide.
  int64_t getTiles(unsigned slide) const;
  /// What the products are summed up in at once: vectors of features, by rows
  /// of the worker's tiles in some of its images.
  struct ProductTile {
    int64_t vectors, rows, columns, images;
  };
  /// None if that is the resolver's to choose.
  std::optional<ProductTile> getProductTile() const;

  DefineOp define;
  TargetAttr target;
  unsigned outputs;
  /// Those of a usual picture where only the call knows them.
  llvm::SmallVector<int64_t> extents;

  // What `match` finds.

  /// An index of the output along which taps slide over the input.
  struct Slide {
    unsigned output, tap;
    /// The dimension of the input, and of the weight, that they move along.
    unsigned inputDim, weightDim;
  };
  ReadOp input, weight;
  llvm::SmallVector<Slide, 2> slides;
  /// Indices of the sum beside the taps; of the output, those that the weight
  /// varies along and the input does not.
  llvm::SmallVector<unsigned> channels, features;
  /// Of the output, one that the weight does not vary along: of images that
  /// share it.
  std::optional<unsigned> image;
  int64_t taps = 0;
  /// Whether the extents along the slides are known.
  bool isSized = true;

  // What `choose` chooses.

  /// The results of a tile along each slide.
  int64_t tile = 0;
  WinogradMatrices matrices;
  /// Whether temps are computed in near memory; then, images of a worker, its
  /// tiles along both slides, and parts of the features.
  bool isFused = false;
  int64_t images = 1, rows = 1, columns = 1, parts = 1;
  /// Whether the weight is packed as transformed along the first slide alone,
  /// and along the second where it is multiplied: fewer bytes, more additions.
  bool isHalfPacked = false;

private:
  std::optional<Slide> findSlide(unsigned inputDim);
  int64_t count(llvm::ArrayRef<unsigned> indices) const;
  double getWeightBytes(bool isHalf) const;
  bool waitsForWeight() const;
  bool mayPackHalf() const;
  double getRate() const;
  int64_t getHalfTiles() const;
  int64_t getTilesAcross(int64_t most) const;
  int64_t getTempBytes(int64_t parts) const;
  int64_t getImages() const;
  double getMultiplyCost(double products) const;
  double getCost(int64_t images, int64_t down, int64_t across, int64_t parts,
                 bool isHalf) const;
  double getChosenCost() const;
  bool pays() const;
};

} // namespace sparkle

#endif // SPARKLE_LIB_TRANSFORMS_WINOGRADPLAN_H
