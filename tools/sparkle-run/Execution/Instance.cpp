// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs from a hash, outputs against the kernel's reference.

#include "tools/sparkle-run/Execution/Instance.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Values::Values(int64_t bytes) : bytes(bytes) {
  // As the runtime does for its buffers (runtime/Device/CPU/Device.cpp).
  constexpr int64_t kLargePage = 2 << 20;
  int64_t whole = bytes / kLargePage * kLargePage;
  void *pointer = nullptr;
  if (posix_memalign(&pointer, whole ? kLargePage : 64,
                     std::max<int64_t>(bytes, 1)) != 0) {
    std::fprintf(stderr, "sparkle-run: error: out of memory\n");
    std::exit(1);
  }
  if (whole) {
    madvise(pointer, whole, MADV_DONTNEED);
    madvise(pointer, whole, MADV_HUGEPAGE);
  }
  memory.reset(static_cast<char *>(pointer));
  std::memset(memory.get(), 0xff, bytes);
}

void Values::Free::operator()(char *pointer) const { std::free(pointer); }

//===----------------------------------------------------------------------===//
// Sizes and inputs
//===----------------------------------------------------------------------===//

Instance::Instance(const sparkle_kernel_t &kernel,
                   const std::map<std::string, int64_t> &given)
    : kernel(&kernel) {
  for (int64_t chosen = 5; chosen <= 1280; chosen *= 2) {
    sizes.clear();
    tensors.clear();
    for (uint32_t i = 0; i < kernel.size_count; ++i) {
      auto found = given.find(kernel.size_names[i]);
      sizes.push_back(found == given.end() ? chosen : found->second);
    }
    for (uint32_t i = 0; i < kernel.tensor_count; ++i)
      tensors.emplace_back(kernel.tensors[i], sizes);
    if (std::all_of(tensors.begin(), tensors.end(), [](const Tensor &tensor) {
          return tensor.isValid() && tensor.getCount() > 0;
        }))
      return;
  }
}

std::string Instance::spellSizes() const {
  std::string all;
  for (size_t i = 0; i < sizes.size(); ++i)
    all += std::string(i ? ", " : "") + kernel->size_names[i] + " = " +
           std::to_string(sizes[i]);
  return all;
}

std::string Instance::getObstacle() const {
  for (const Tensor &tensor : tensors) {
    if (!tensor.isValid())
      return std::string("a negative extent of '") + tensor.getName() +
             "' at these sizes";
    if (tensor.getElement() != SPARKLE_ELEMENT_F32 &&
        tensor.getElement() != SPARKLE_ELEMENT_F16)
      return std::string("elements of '") + tensor.getName() +
             "': only f32 and f16 are filled in and checked";
  }
  return "";
}

void Instance::fill(float weightScale) {
  inputs.clear();
  for (size_t t = 0; t < tensors.size(); ++t) {
    const Tensor &tensor = tensors[t];
    bool isRead = tensor.getRole() == SPARKLE_ROLE_INPUT ||
                  tensor.getRole() == SPARKLE_ROLE_WEIGHT;
    inputs.emplace_back(
        isRead ? tensor.getMemoryCount() * tensor.getElementSize() : 0);
    void *elements = inputs.back().get<void>();
    float scale = tensor.getRole() == SPARKLE_ROLE_WEIGHT ? weightScale : 1;
    if (isRead)
      tensor.visit([&](int64_t i, int64_t offset) {
        tensor.store(elements, offset,
                     scale * hash(uint32_t(t) + 1, uint32_t(i)));
      });
  }
}

Outputs Instance::makeOutputs() const {
  Outputs outputs;
  for (const Tensor &tensor : tensors)
    if (tensor.getRole() == SPARKLE_ROLE_OUTPUT)
      outputs.emplace_back(tensor.getMemoryCount() * tensor.getElementSize());
  return outputs;
}

double Instance::countOperations() const {
  return kernel->operation_count ? double(kernel->operation_count(sizes.data()))
                                 : 0;
}

void Instance::release() {
  inputs.clear();
  releaseReference();
}

void Instance::releaseReference() {
  exact.clear();
  bounds.clear();
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

bool Instance::computeReference() {
  if (!kernel->reference)
    return false;
  std::vector<void *> arguments;
  for (size_t t = 0; t < tensors.size(); ++t) {
    if (tensors[t].getRole() == SPARKLE_ROLE_TEMP)
      continue;
    if (tensors[t].getRole() != SPARKLE_ROLE_OUTPUT) {
      arguments.push_back(inputs[t].get<void>());
      continue;
    }
    int64_t bytes = tensors[t].getMemoryCount() * sizeof(double);
    for (std::vector<Values> *values : {&exact, &bounds}) {
      values->emplace_back(bytes);
      arguments.push_back(values->back().get<void>());
    }
  }
  if (kernel->reference(arguments.data(), sizes.data()) == 0)
    return true;
  exact.clear();
  bounds.clear();
  return false;
}

/// Whether a kernel may give `got`. Where the value is not a number, it has to
/// be none; where nothing bounds it, it may be anything. Nothing is within a
/// bound that is not a number.
static bool isRight(double got, double value, double bound) {
  if (std::isnan(value))
    return std::isnan(got);
  if (std::isnan(bound))
    return false;
  return got == value || std::isinf(bound) || std::fabs(got - value) <= bound;
}

Comparison Instance::compare(const Outputs &outputs) const {
  Comparison all;
  double worst = -1;
  size_t output = 0;
  for (const Tensor &tensor : tensors) {
    if (tensor.getRole() != SPARKLE_ROLE_OUTPUT)
      continue;
    const void *elements = outputs[output].get<void>();
    const double *value = exact[output].get<double>();
    const double *bound = bounds[output].get<double>();
    int64_t worstAt = -1, worstOffset = 0;
    std::vector<bool> isElement(tensor.getMemoryCount());
    tensor.visit([&](int64_t i, int64_t at) {
      isElement[at] = true;
      double got = tensor.load(elements, at);
      bool right = isRight(got, value[at], bound[at]);
      all.wrong += !right;
      all.unbounded += !std::isnan(value[at]) && std::isinf(bound[at]);
      // What overflows f16 is the same infinity, or has an infinite bound.
      bool isKnown = std::isfinite(bound[at]) && std::isfinite(value[at]);
      double error = right && (!isKnown || got == value[at])
                         ? 0
                         : std::fabs(got - value[at]);
      double share = std::isnan(error) || (std::isnan(bound[at]) && !right)
                         ? INFINITY
                     : error == 0 ? 0
                                  : error / bound[at];
      all.largest = std::isnan(error) ? INFINITY : std::max(all.largest, error);
      if (share > worst) {
        worst = share;
        worstAt = i;
        worstOffset = at;
      }
    });
    all.count += tensor.getCount();
    if (worstAt >= 0) {
      all.where = tensor.spell(worstAt);
      all.got = tensor.load(elements, worstOffset);
      all.expected = value[worstOffset];
      all.bound = bound[worstOffset];
    }
    for (int64_t at = 0; at < tensor.getMemoryCount(); ++at)
      all.overwritten += !isElement[at] && !tensor.isPoison(elements, at);
    ++output;
  }
  all.largestShare = std::max(worst, 0.);
  return all;
}

Difference Instance::compare(const Outputs &outputs,
                             const Outputs &others) const {
  Difference all;
  size_t output = 0;
  for (const Tensor &tensor : tensors) {
    if (tensor.getRole() != SPARKLE_ROLE_OUTPUT)
      continue;
    const void *some = outputs[output].get<void>();
    const void *other = others[output].get<void>();
    int64_t worst = -1;
    tensor.visit([&](int64_t i, int64_t at) {
      double a = tensor.load(some, at), b = tensor.load(other, at);
      bool isSame = a == b || (std::isnan(a) && std::isnan(b));
      double difference = isSame ? 0 : std::fabs(a - b);
      if (std::isnan(difference))
        difference = INFINITY;
      if (difference > all.largest) {
        all.largest = difference;
        worst = i;
      }
    });
    if (worst >= 0)
      all.where = tensor.spell(worst);
    ++output;
  }
  return all;
}

uint64_t Instance::getChecksum(const Outputs &outputs) const {
  uint64_t sum = 0xcbf29ce484222325U;
  size_t output = 0;
  for (const Tensor &tensor : tensors) {
    if (tensor.getRole() != SPARKLE_ROLE_OUTPUT)
      continue;
    const unsigned char *bytes = outputs[output++].get<unsigned char>();
    tensor.visit([&](int64_t, int64_t at) {
      for (int64_t size = tensor.getElementSize(), byte = 0; byte < size;
           ++byte)
        sum = (sum ^ bytes[size * at + byte]) * 0x100000001b3U;
    });
  }
  return sum;
}

std::string Comparison::describe() const {
  char text[256];
  if (wrong && std::isnan(bound))
    std::snprintf(text, sizeof text,
                  "%lld of %lld values wrong, the worst %s, whose bound is not "
                  "a number",
                  (long long)wrong, (long long)count, where.c_str());
  else if (wrong)
    std::snprintf(text, sizeof text,
                  "%lld of %lld values wrong, the worst %s = %.9g, expected "
                  "%.9g +- %.3g",
                  (long long)wrong, (long long)count, where.c_str(), got,
                  expected, bound);
  else if (isUnchecked())
    std::snprintf(text, sizeof text, "none of %lld values has a bound",
                  (long long)count);
  else
    std::snprintf(text, sizeof text, "%lld elements written beyond the extents",
                  (long long)overwritten);
  return text;
}
