// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A text in the form of benchdnn's batch files -> the cases that it asks for.
// Knobs hold for the descriptors below them; one with several values makes a
// case of each. What a knob asks for and the language lacks makes the cases
// below it unsupported, with the reason; nothing is left out in silence.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CASES_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CASES_H

#include "tools/sparkle-run/Problem/ConvProblem.h"
#include "tools/sparkle-run/Problem/PostOp.h"
#include "tools/sparkle-run/Problem/Scale.h"
#include "tools/sparkle-run/Problem/Tag.h"

#include <map>
#include <set>
#include <vector>

namespace sparkle {

/// How the channels of a tensor lie in memory.
struct ChannelLayout {
  enum Kind { Last, Planar, Blocked, Other };

  /// Reads `nhwc`, `nchw`, `nchw16c`, or a tag of benchdnn for any number of
  /// dimensions: `ndhwc`, `axb`, `aBx16b`, `nCdhw8c`.
  static std::optional<ChannelLayout> parse(const std::string &tag);

  /// Of a tensor whose dimensions are `letters`, "nchw".
  Tag getTag(const std::string &letters) const;

  Kind kind = Last;
  int64_t block = 1;
  Tag other; ///< Any other order.
};

/// How the products are made.
enum class Algorithm { Auto, Direct, Winograd };

struct Case {
  /// Letters of the activations' dimensions, "nchw", and of the weights'.
  std::string getActivationLetters() const;
  std::string getWeightLetters() const;
  /// Of the convolution and of those behind it, as if every tap met the input.
  double countNominalMultiplyAdds() const;

  ConvProblem conv;
  std::string text; ///< The descriptor as it was written.
  bool hasBias = true;
  ChannelLayout source, destination;
  /// Of the weights, with the letters `goidhw` that they have; none: as
  /// declared.
  std::optional<Tag> weights;
  Algorithm algorithm = Algorithm::Auto;
  /// Of Winograd: "2x2" or "4x4" results of a tile; "auto": what is cheapest,
  /// or the sum as it stands.
  std::string winograd = "2x2";
  std::vector<PostOp> postOps;
  Scales scales;
  std::string unsupported; ///< The reason; empty if it can be compiled.
};

class CaseReader {
public:
  /// `layout` stands for a tag `any`.
  explicit CaseReader(ChannelLayout layout) : layout(layout) { reset(); }

  /// Knobs that do not hold: "FILE:LINE:COLUMN: error: expected ..."
  const std::vector<std::string> &getErrors() const { return errors; }
  /// Knobs that change how benchdnn works, not what it computes.
  const std::set<std::string> &getIgnored() const { return ignored; }
  const std::vector<Case> &getCases() const { return cases; }
  /// How many ask for Winograd's algorithm and have no transform: they are
  /// computed as they stand.
  size_t countWithoutTransform() const { return withoutTransform; }

  /// Reads lines; `where` is the name of the file. `#` begins a comment.
  void readText(const std::string &text, const std::string &where);
  void readFile(const std::string &path);

private:
  using Values = std::map<std::string, std::vector<std::string>>;
  using Choice = std::map<std::string, std::string>;

  void reset();
  void fail(size_t column, const std::string &message);
  void readWord(const std::string &word);
  void readKnob(const std::string &knob, const std::string &value,
                size_t column);
  void readBatch(const std::string &path, size_t column);
  void readProblem(const std::string &text);
  void addCases(const Case &base, Choice &choice, Values::const_iterator knob);
  void addCase(Case one, const Choice &choice);
  std::string setAlgorithm(Case &one, const std::string &word);
  std::string setLayouts(Case &one, const Choice &choice);
  std::string setStrides(Case &one, const std::string &text);

  ChannelLayout layout;
  Values values;
  std::map<std::string, std::string> unknown; ///< Knobs with no meaning here.
  std::string match;
  std::string where;
  size_t line = 0, column = 0;
  unsigned depth = 0;
  size_t withoutTransform = 0;
  std::vector<Case> cases;
  std::vector<std::string> errors;
  std::set<std::string> ignored;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PROBLEM_CASES_H
