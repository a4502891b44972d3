// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Drives the compiled layers through their descriptors.

#include "tools/sparkle-bench/Layer.h"

#include <cmath>
#include <cstdio>

extern "C" {
extern const sparkle_kernel_t wide_3x3_kernel, deep_3x3_kernel, wide_1x1_kernel;
}

using namespace sparkle;

// The order in which the layers' sources declare their tensors.
enum Tensor { Input, Weights, Bias, Output };

[[noreturn]] static void fail(const char *name, const char *what) {
  std::fprintf(stderr, "sparkle-bench: %s: %s\n", name, what);
  std::exit(1);
}

Floats::Floats(int64_t count)
    : count(count), memory(static_cast<float *>(std::aligned_alloc(
                        64, (count * sizeof(float) + 63) / 64 * 64))) {
  if (!memory)
    fail("buffers", "out of memory");
}

/// The integer hash "lowbias32" of Chris Wellons, as numbers in [-1, 1).
void Floats::fill(uint32_t seed) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = uint32_t(i) + seed * 0x9e3779b9U;
    x = (x ^ (x >> 16)) * 0x7feb352dU;
    x = (x ^ (x >> 15)) * 0x846ca68bU;
    x ^= x >> 16;
    data()[i] = float(x >> 8) * 0x1p-23F - 1;
  }
}

Layer::Layer(const sparkle_kernel_t &kernel)
    : kernel(kernel), input(getElements(Input)), weights(getElements(Weights)),
      bias(getElements(Bias)), output(getElements(Output)),
      packed(kernel.codes[0].packings[0].size / sizeof(float)),
      exact(output.size()), bound(output.size()) {
  input.fill(1);
  weights.fill(2);
  bias.fill(3);
  if (kernel.codes[0].packings[0].pack(weights.data(), packed.data()) != 0)
    fail(kernel.name, "packing failed");
  void *arguments[] = {input.data(), weights.data(), bias.data(), exact.data(),
                       bound.data()};
  if (!kernel.reference || kernel.reference(arguments, nullptr) != 0)
    fail(kernel.name, "the reference failed");
}

int64_t Layer::getExtent(int tensor, int dimension) const {
  return kernel.tensors[tensor].extents[dimension].constant;
}

int64_t Layer::getElements(int tensor) const {
  int64_t count = 1;
  for (unsigned d = 0; d < kernel.tensors[tensor].rank; ++d)
    count *= getExtent(tensor, d);
  return count;
}

std::string Layer::getTitle() const {
  auto spell = [&](int tensor, int dimension) {
    return std::to_string(getExtent(tensor, dimension));
  };
  return spell(Weights, 2) + "x" + spell(Weights, 3) + " " + spell(Weights, 1) +
         "->" + spell(Weights, 0) + " @" + spell(Input, 2);
}

double Layer::getOperations() const {
  return double(kernel.operation_count(nullptr));
}

double Layer::getNominalOperations() const {
  return 2.0 * output.size() * weights.size() / getExtent(Weights, 0);
}

void Layer::run() const {
  void *arguments[] = {input.data(), packed.data(), bias.data(), output.data()};
  if (kernel.codes[0].invoke(arguments, nullptr) != 0)
    fail(kernel.name, "the kernel failed");
}

int64_t Layer::countWrong() const {
  int64_t wrong = 0; // `!(a <= b)`, so that not-a-number is wrong.
  for (int64_t i = 0; i < output.size(); ++i)
    wrong += !(std::fabs(output.data()[i] - exact[i]) <= bound[i]);
  return wrong;
}

int64_t Layer::countDifferent(const float *other) const {
  int64_t different = 0;
  for (int64_t i = 0; i < output.size(); ++i)
    different +=
        !(std::fabs(double(output.data()[i]) - other[i]) <= 2 * bound[i]);
  return different;
}

std::vector<Layer> sparkle::makeLayers() {
  std::vector<Layer> layers;
  for (const sparkle_kernel_t *kernel :
       {&wide_3x3_kernel, &deep_3x3_kernel, &wide_1x1_kernel})
    layers.emplace_back(*kernel);
  return layers;
}
