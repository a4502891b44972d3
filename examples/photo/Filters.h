// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights that this example hands to the kernel of filters.spk.

#ifndef SPARKLE_EXAMPLES_PHOTO_FILTERS_H
#define SPARKLE_EXAMPLES_PHOTO_FILTERS_H

constexpr int filterCount = 16; // K of filters.spk
constexpr int filterRows = 5;   // R of filters.spk

struct Filter {
  /// Two filters of one name are the components of a gradient, of which the
  /// picture shows the length.
  const char *name;
  /// What a tap of 1 weighs.
  float scale;
  /// Added to the sum before it becomes a pixel.
  float offset;
  float taps[filterRows * filterRows];
};

extern const Filter filterBank[filterCount];

#endif // SPARKLE_EXAMPLES_PHOTO_FILTERS_H
