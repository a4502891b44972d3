// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One benchmarked convolution: our kernel, its buffers, and the check of what
// it computes.

#ifndef SPARKLE_TOOLS_SPARKLE_BENCH_LAYER_H
#define SPARKLE_TOOLS_SPARKLE_BENCH_LAYER_H

#include "sparkle/kernel.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace sparkle {

/// Floats that begin at a cache line.
class Floats {
public:
  explicit Floats(int64_t count);

  float *data() const { return memory.get(); }
  int64_t size() const { return count; }
  void fill(uint32_t seed);

private:
  struct Free {
    void operator()(float *pointer) const { std::free(pointer); }
  };

  int64_t count;
  std::unique_ptr<float, Free> memory;
};

/// y = relu(b + w * x), all of it f32 and NHWC, one picture.
class Layer {
public:
  explicit Layer(const sparkle_kernel_t &kernel);

  /// "3x3 64->64 @56"
  std::string getTitle() const;
  const char *getName() const { return kernel.name; }
  const char *getProcessor() const { return kernel.codes[0].processor; }
  int64_t getExtent(int tensor, int dimension) const;

  /// Real work: a tap that meets the padding does not count.
  double getOperations() const;
  /// As other libraries count: padded taps included.
  double getNominalOperations() const;

  const Floats &getInput() const { return input; }
  const Floats &getWeights() const { return weights; }
  const Floats &getBias() const { return bias; }

  void run() const;
  /// The outputs further from the reference in double than its error bound.
  int64_t countWrong() const;
  /// The outputs further from `other` than two computations may be apart.
  int64_t countDifferent(const float *other) const;

private:
  int64_t getElements(int tensor) const;
  void computeReference();

  const sparkle_kernel_t &kernel;
  Floats input, weights, bias, output, packed;
  std::vector<double> exact, bound;
};

/// Every layer of the benchmark.
std::vector<Layer> makeLayers();

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_BENCH_LAYER_H
