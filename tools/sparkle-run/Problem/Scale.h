// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Factors of the tensors of a problem: `src:common:0.5+wei:per_oc`.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SCALE_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SCALE_H

#include <optional>
#include <string>

namespace sparkle {

/// One number, or a tensor of one for each channel.
struct Scale {
  bool perChannel = false;
  double value = 1;
};

struct Scales {
  /// Factors of the sum; what is stored is divided by that of the destination.
  std::optional<Scale> source, weights, destination;
  /// Of the depthwise convolution behind.
  std::optional<Scale> depthwiseWeights, depthwiseDestination;
  /// A factor of the sum and the bias.
  std::optional<Scale> output;

  /// Whether the convolution itself has one.
  bool hasAny() const { return source || weights || destination || output; }
};

/// Reads the value of `--attr-scales`; says what the language lacks.
std::string parseScales(const std::string &text, bool isGrouped,
                        Scales &scales);
/// Of `--attr-oscale`, which oneDNN 2 has: `per_oc`, `common:2`.
std::string parseOutputScale(const std::string &text, Scales &scales);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_SCALE_H
