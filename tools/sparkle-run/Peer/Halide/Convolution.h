// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What sparkle-run asks of halide.so. Halide brings an LLVM of its own, so
// nothing but that module sees it, and the module is opened only where Halide
// is asked for.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PEER_HALIDE_CONVOLUTION_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PEER_HALIDE_CONVOLUTION_H

#include <cstdint>
#include <string>

namespace sparkle {

/// Activations NHWC, no groups. Of the pairs, height comes first.
struct HalideProblem {
  int64_t batch, inputs, outputs;
  int64_t in[2], out[2], kernel[2], stride[2], pad[2];
  int64_t step[2]; ///< From one tap to the next; 1 is dense.
  bool hasRelu;
  const float *x, *w; ///< The weights in the order OIHW.
  const float *b;     ///< Null: no bias.
};

enum class HalideSchedule {
  Published, ///< Of Halide's apps/conv_layer: its tiles, loops and weights.
  Tuned      ///< The fastest of a few, with weights packed for its tile.
};

/// A pipeline that is compiled for the sizes of one problem. It has an input
/// that holds the padding, and weights in the layout of the schedule; both are
/// made once.
class HalideConvolution {
public:
  virtual ~HalideConvolution() = default;

  /// "2x6 of 8 lanes": vectors by pixels of a tile.
  virtual std::string getMethod() const = 0;
  /// False if it fails.
  virtual bool run() = 0;
  /// NHWC, of the last run.
  virtual const float *getOutput() const = 0;
};

/// `sparkle_halide_make` of the module: null if Halide refuses; `error` says
/// why.
using HalideMaker = HalideConvolution *(const HalideProblem &, HalideSchedule,
                                        std::string &error);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PEER_HALIDE_CONVOLUTION_H
