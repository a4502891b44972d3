// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The epilogue of a problem: `sum:0.5+relu:0.1+add:f32:per_oc`.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_POSTOP_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_POSTOP_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparkle {

/// A step, as benchdnn names it.
struct PostOp {
  enum Kind {
    Eltwise,  ///< A function of each value, with two parameters and a factor.
    Sum,      ///< Adds `alpha` times a tensor of its own.
    Binary,   ///< Combines each value with one of a tensor of its own.
    Prelu,    ///< Multiplies what is negative by a value of such a tensor.
    Depthwise ///< A convolution of each channel; what follows is of its output.
  };

  std::string word;
  Kind kind = Eltwise;
  double alpha = 0, beta = 0, scale = 1;
  /// The dimensions along which the tensor varies: bit d for dimension d of the
  /// output, as benchdnn counts them; the others are 1.
  unsigned mask = 0;
  std::string tag;     ///< Of the tensor; empty: as the output.
  bool isHalf = false; ///< Its elements.
  int64_t kernel = 1, stride = 1, pad = 0; ///< Of a depthwise convolution.
};

/// The parts between the separators; one if there is none.
std::vector<std::string> split(const std::string &text, char separator);
std::optional<double> readNumber(const std::string &text);

/// Reads a chain of steps for an output of `rank` dimensions; says why if the
/// language lacks one of them.
std::string parsePostOps(const std::string &text, unsigned rank,
                         std::vector<PostOp> &steps);

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_POSTOP_H
