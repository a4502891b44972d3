// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel at given sizes with made-up inputs, and what it has to compute.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_INSTANCE_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_INSTANCE_H

#include "tools/sparkle-run/Execution/Tensor.h"

#include <map>
#include <memory>

namespace sparkle {

/// Elements of a tensor in its declared layout, at a cache line. What lies
/// beyond the extents, and outputs before a run, are poison.
class Values {
public:
  explicit Values(int64_t bytes);

  template <typename Element> Element *get() const {
    return reinterpret_cast<Element *>(memory.get());
  }
  int64_t getSize() const { return bytes; }

private:
  struct Free {
    void operator()(char *pointer) const;
  };

  int64_t bytes;
  std::unique_ptr<char, Free> memory;
};

/// How far outputs are from what they should be.
struct Comparison {
  int64_t wrong = 0, count = 0;
  double largest = 0;      ///< Error.
  double largestShare = 0; ///< Error as a share of its bound.
  std::string where;       ///< Of the largest share: "y[0, 3, 5, 7]".
  double got = 0, expected = 0, bound = 0; ///< There.
  /// Elements beyond the extents that were written.
  int64_t overwritten = 0;
  /// Values that may be anything, for all that the reference knows.
  int64_t unbounded = 0;

  /// Where nothing has a bound nothing was checked.
  bool isGood() const {
    return wrong == 0 && overwritten == 0 && !isUnchecked();
  }
  bool isUnchecked() const { return count && unbounded == count; }
  /// "3 of 40 values wrong, the worst y[0, 1] = 2, expected 1 +- 1e-6"
  std::string describe() const;
};

/// The difference of two devices.
struct Difference {
  double largest = 0;
  std::string where;
};

using Outputs = std::vector<Values>; ///< In the order of the tensors.

class Instance {
public:
  /// Sizes that are not in `sizes` are chosen: 5, or more where an extent would
  /// not be positive otherwise.
  Instance(const sparkle_kernel_t &kernel,
           const std::map<std::string, int64_t> &sizes);

  const sparkle_kernel_t &getKernel() const { return *kernel; }
  const std::vector<int64_t> &getSizes() const { return sizes; }
  /// "N = 5, M = 5"; empty if there are none.
  std::string spellSizes() const;
  /// All of them, temps too.
  const std::vector<Tensor> &getTensors() const { return tensors; }
  /// What stands in the way of running it, or nothing.
  std::string getObstacle() const;

  /// Makes up the inputs; those of weights times `weightScale`.
  void fill(float weightScale = 1);
  /// One for each tensor, in order; those of outputs are not looked at.
  void setInputs(std::vector<Values> values) { inputs = std::move(values); }
  /// Those of an input or weight.
  const Values &getInput(size_t tensor) const { return inputs[tensor]; }
  Outputs makeOutputs() const;

  /// Computes what `compare` compares with; false if there is no reference, or
  /// it fails.
  bool computeReference();
  bool hasReference() const { return !exact.empty(); }
  Comparison compare(const Outputs &outputs) const;
  Difference compare(const Outputs &outputs, const Outputs &others) const;
  /// FNV-1a of the elements of all outputs.
  uint64_t getChecksum(const Outputs &outputs) const;

  double countOperations() const;
  void release(); ///< Frees the elements.
  void releaseReference();

private:
  const sparkle_kernel_t *kernel;
  std::vector<int64_t> sizes;
  std::vector<Tensor> tensors;
  std::vector<Values> inputs;
  std::vector<Values> exact, bounds; ///< Of double, in order of the outputs.
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_INSTANCE_H
