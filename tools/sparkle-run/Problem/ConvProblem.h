// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A convolution as oneDNN's benchdnn spells it,
// `g32mb1ic64ih56oc64oh56kh3ph1n"name"`, and what follows from it. Also read by
// test/end-to-end.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CONVPROBLEM_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CONVPROBLEM_H

#include <cstdint>
#include <optional>
#include <string>

namespace sparkle {

/// Says at which character a text is wrong, counted from 0, and how.
struct TextError {
  size_t column = 0;
  std::string message;
};

/// The arrays are depth, height, width; a dimension that the problem lacks has
/// extent 1.
struct ConvProblem {
  std::string name; ///< Without quotation marks.
  unsigned rank = 2;
  int64_t batch = 2, groups = 1, inputs = 0, outputs = 0; ///< Channels in all.
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
  int64_t dilation[3] = {0, 0, 0}; ///< Elements between two taps; 0 is dense.
  /// `mb?3`: the batch is an argument of the kernel, and 3 in this problem.
  bool batchAtRunTime = false;
  /// A convolution from its output to its input, as benchdnn's `--deconv` has
  /// it: each input is multiplied with all taps, `stride` outputs apart from
  /// the next one's, and the padding is cut off from the output.
  bool isTransposed = false;

  /// Fields follow each other, with `_` between them or not; `n` and the name
  /// end the text. The batch is 2 and the other fields are their neutral values
  /// where they are missing, but:
  /// - a dimension that lacks its input or its kernel takes what is missing
  ///   from the one before it (depth, height, width): a square, or a cube;
  /// - a missing output is what input and padding give;
  /// - a missing padding is half of what the given output needs, or 0.
  /// What the output needs beyond the padding in front is padding behind.
  static std::optional<ConvProblem> parse(const std::string &text,
                                          TextError &error);
  /// Of a transposed one.
  static std::optional<ConvProblem> parseTransposed(const std::string &text,
                                                    TextError &error);

  /// The same problem in the same grammar, with no field that is implied;
  /// `--deconv` stands before it if it is transposed.
  std::string spell() const;

  /// Positions from the first tap to behind the last one.
  int64_t getSpan(unsigned d) const {
    return (kernel[d] - 1) * (dilation[d] + 1) + 1;
  }
  /// Taps that meet one output.
  int64_t getTaps(unsigned d) const {
    return isTransposed ? (kernel[d] + stride[d] - 1) / stride[d] : kernel[d];
  }
  bool isGrouped() const { return groups > 1; }
  /// One filter for each channel.
  bool isDepthwise() const {
    return isGrouped() && groups == inputs && groups == outputs;
  }
  /// Whether there is a transform of Winograd's for it; and for what there is.
  bool hasWinograd() const;
  static constexpr char winogradForm[] =
      "3x3 or 5x5 taps with stride 1, not dilated";
  /// Multiply-adds of taps that meet the input.
  double countMultiplyAdds() const;
  /// Multiply-adds as if every tap met it, as papers count.
  double countNominalMultiplyAdds() const;
  /// Halves the picture until at most `limit` of these are left; padding and
  /// tails stay as they are. Ends where nothing is left to halve; 0 is no
  /// limit.
  void shrink(double limit);
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CONVPROBLEM_H
