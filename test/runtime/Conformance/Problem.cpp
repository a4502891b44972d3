// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights are packed by the runtime for whatever device it is.

#include "test/runtime/Conformance/Problem.h"

#include <cmath>
#include <limits>

namespace {

/// A quiet NaN of its own, so that an element never written is told apart.
constexpr uint32_t poisonBits = 0x7fc5a5a5;

bool isOutput(const sparkle_tensor_t &tensor) {
  return tensor.role == SPARKLE_ROLE_OUTPUT;
}

/// Elements in the declared layout, computed apart from the runtime.
size_t countElements(const sparkle_kernel_t &kernel,
                     const sparkle_tensor_t &tensor,
                     const std::vector<int64_t> &sizes) {
  int64_t count = 1;
  for (uint32_t i = 0; i < tensor.layout_count; ++i) {
    const sparkle_factor_t &factor = tensor.layout[i];
    const sparkle_extent_t &extent = tensor.extents[factor.dimension];
    int64_t value = extent.constant;
    for (uint32_t j = 0; extent.coefficients && j < kernel.size_count; ++j)
      value += extent.coefficients[j] * sizes[j];
    value /= extent.divisor;
    count *= factor.modulus ? factor.modulus
                            : (value + factor.divisor - 1) / factor.divisor;
  }
  return static_cast<size_t>(count);
}

} // namespace

Problem::Problem(Conformance &test, const char *name,
                 std::vector<int64_t> given, uint64_t salt, uint64_t guard,
                 uint32_t variant)
    : module(test.makeModule(name)), sizes(std::move(given)), test(test),
      kernel(*test.kernel(name)), guard(guard) {
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (kernel.tensors[i].role != SPARKLE_ROLE_TEMP)
      tensors.push_back(&kernel.tensors[i]);
  for (const sparkle_tensor_t *tensor : tensors)
    values.push_back(isOutput(*tensor)
                         ? Floats()
                         : drawAll(countElements(kernel, *tensor, sizes),
                                   salt * 16 + values.size()));
  runReference();
  test.ok(sparkle_module_select_variant(module, variant, &test.error));
  for (uint32_t i = 0; i < tensors.size(); ++i)
    addArgument(i, *tensors[i]);
}

std::vector<unsigned char> Problem::pack(uint32_t index) const {
  uint64_t size = 0;
  test.ok(sparkle_module_query_argument_size(
      module, index, sizes.data(), static_cast<uint32_t>(sizes.size()), &size,
      &test.error));
  std::vector<unsigned char> packed(size);
  test.ok(sparkle_module_pack(module, index, values[index].data(),
                              packed.data(), &test.error));
  return packed;
}

void Problem::addArgument(uint32_t index, const sparkle_tensor_t &tensor) {
  std::vector<unsigned char> bytes;
  if (tensor.role == SPARKLE_ROLE_WEIGHT) {
    bytes = pack(index);
  } else {
    size_t count = countElements(kernel, tensor, sizes);
    bytes.resize(count * sizeof(float));
    for (size_t i = 0; i < count; ++i)
      std::memcpy(&bytes[4 * i],
                  isOutput(tensor)
                      ? static_cast<const void *>(&poisonBits)
                      : static_cast<const void *>(&values[index][i]),
                  sizeof(float));
  }
  std::vector<unsigned char> guarded(bytes.size() + 2 * guard, 0xa7);
  std::copy(bytes.begin(), bytes.end(), guarded.begin() + guard);
  buffers.push_back(test.upload(guarded));
  // Without guards, the length is left open.
  views.push_back(part(buffers.back(), guard, guard ? bytes.size() : 0));
}

/// In double; exact, as the inputs are small whole numbers.
void Problem::runReference() {
  std::vector<std::vector<double>> results(tensors.size());
  std::vector<void *> arguments;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (isOutput(*tensors[i])) {
      results[i].assign(countElements(kernel, *tensors[i], sizes),
                        std::numeric_limits<double>::quiet_NaN());
      arguments.push_back(results[i].data());
      arguments.push_back(nullptr);
    } else {
      arguments.push_back(values[i].data());
    }
  ASSERT_NE(kernel.reference, nullptr);
  ASSERT_EQ(kernel.reference(arguments.data(), sizes.data()), 0);
  for (size_t i = 0; i < tensors.size(); ++i)
    if (isOutput(*tensors[i]))
      values[i].assign(results[i].begin(), results[i].end());
}

void Problem::check() {
  for (size_t i = 0; i < tensors.size(); ++i) {
    auto bytes = test.download<unsigned char>(buffers[i]);
    for (size_t j = 0; j < guard; ++j)
      ASSERT_TRUE(bytes[j] == 0xa7 && bytes[bytes.size() - 1 - j] == 0xa7)
          << "guard of " << tensors[i]->name;
    if (!isOutput(*tensors[i]))
      continue;
    ASSERT_EQ(bytes.size(), values[i].size() * sizeof(float) + 2 * guard);
    for (size_t j = 0; j < values[i].size(); ++j) {
      uint32_t word;
      float value;
      std::memcpy(&word, &bytes[guard + 4 * j], 4);
      std::memcpy(&value, &word, 4);
      if (std::isnan(values[i][j])) // no element lies here
        ASSERT_EQ(word, poisonBits) << tensors[i]->name << "[" << j << "]";
      else
        ASSERT_EQ(value, values[i][j]) << tensors[i]->name << "[" << j << "]";
    }
  }
}
