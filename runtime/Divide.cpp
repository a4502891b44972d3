// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What sparkle_split_t says, in numbers that stay in 64 bits: all of them lie
// between 0 and what the whole run has.

#include "runtime/Divide.h"
#include "runtime/Shape.h"

#include <algorithm>
#include <cassert>

namespace sparkle::runtime {
namespace {

int64_t divideDown(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0);
}

const sparkle_extent_t &getExtent(const sparkle_kernel_t &kernel,
                                  const sparkle_slice_t &slice) {
  return kernel.tensors[slice.tensor].extents[slice.dimension];
}

/// What the extent of a slice divides.
int64_t getDividend(const sparkle_kernel_t &kernel,
                    const sparkle_extent_t &extent, const int64_t *sizes) {
  // The sum fits; of a part, what is added up on the way need not.
  auto value = static_cast<uint64_t>(extent.constant);
  for (uint32_t i = 0; i < kernel.size_count; ++i)
    value += static_cast<uint64_t>(extent.coefficients[i]) *
             static_cast<uint64_t>(sizes[i]);
  return static_cast<int64_t>(value);
}

int64_t getValue(const sparkle_kernel_t &kernel, const sparkle_slice_t &slice,
                 const int64_t *sizes) {
  const sparkle_extent_t &extent = getExtent(kernel, slice);
  return divideDown(getDividend(kernel, extent, sizes), extent.divisor);
}

bool isOutput(const sparkle_kernel_t &kernel, const sparkle_slice_t &slice) {
  return kernel.tensors[slice.tensor].role == SPARKLE_ROLE_OUTPUT;
}

/// What follows the last coordinate that unit `last` reads, within the tensor.
int64_t getEnd(const sparkle_slice_t &slice, int64_t last, int64_t extent) {
  int64_t end;
  if (__builtin_mul_overflow(last, slice.stride, &end) ||
      __builtin_add_overflow(end, slice.high, &end))
    return extent;
  return end < extent ? std::max<int64_t>(end + 1, 0) : extent;
}

/// One part of a run on its way.
class Division {
public:
  Division(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
           const int64_t *sizes, int64_t begin, int64_t end)
      : kernel(kernel), split(split), sizes(sizes), begin(begin), end(end) {}

  Part make();

private:
  int64_t findFirst() const;
  int64_t findSlack(const sparkle_slice_t &slice, int64_t first) const;

  const sparkle_kernel_t &kernel;
  const sparkle_split_t &split;
  const int64_t *sizes;
  const int64_t begin, end;
};

/// The unit that the part begins at.
int64_t Division::findFirst() const {
  int64_t first = std::min(begin, sizes[split.size] / split.step);
  for (uint32_t i = 0; i < split.slice_count; ++i) {
    const sparkle_slice_t &slice = split.slices[i];
    int64_t below = std::min<int64_t>(divideDown(slice.low, slice.stride), 0);
    first = std::min(
        {first, begin + below, getValue(kernel, slice, sizes) / slice.stride});
  }
  return std::max<int64_t>(first, 0);
}

/// By how much the size may be less as far as one tensor goes.
int64_t Division::findSlack(const sparkle_slice_t &slice, int64_t first) const {
  int64_t whole = getValue(kernel, slice, sizes);
  int64_t length = std::max<int64_t>(
      getEnd(slice, end - 1, whole) - first * slice.stride, 0);
  const sparkle_extent_t &extent = getExtent(kernel, slice);
  return (getDividend(kernel, extent, sizes) - length * extent.divisor) /
         extent.coefficients[split.size];
}

Part Division::make() {
  int64_t first = findFirst();
  int64_t slack = sizes[split.size];
  for (uint32_t i = 0; i < split.slice_count; ++i)
    slack = std::min(slack, findSlack(split.slices[i], first));
  assert(slack >= first * split.step && "extents and reads move together");
  Part part;
  part.sizes.assign(sizes, sizes + kernel.size_count);
  part.sizes[split.size] -= slack;
  for (uint32_t i = 0; i < split.slice_count; ++i) {
    const sparkle_slice_t &slice = split.slices[i];
    int64_t length = getValue(kernel, slice, part.sizes.data());
    PartSlice entry = {
        slice.tensor, slice.dimension, first * slice.stride, length, 0, length};
    if (isOutput(kernel, slice)) {
      entry.begin = begin - first;
      entry.count = end - begin;
    }
    part.slices.push_back(entry);
  }
  return part;
}

} // namespace

int64_t countUnits(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
                   const int64_t *sizes) {
  for (uint32_t i = 0; i < split.slice_count; ++i)
    if (isOutput(kernel, split.slices[i]))
      return getValue(kernel, split.slices[i], sizes);
  assert(false && "validated: every output has a slice");
  return 0;
}

Part makePart(const sparkle_kernel_t &kernel, const sparkle_split_t &split,
              const int64_t *sizes, int64_t begin, int64_t end) {
  assert(begin >= 0 && begin < end && end <= countUnits(kernel, split, sizes) &&
         "units of the run");
  return Division(kernel, split, sizes, begin, end).make();
}

Cut getCut(const sparkle_kernel_t &kernel, const sparkle_slice_t &slice,
           const int64_t *sizes) {
  const sparkle_tensor_t &tensor = kernel.tensors[slice.tensor];
  Extents extents;
  [[maybe_unused]] Status status = getExtents(kernel, tensor, sizes, extents);
  assert(status.isOk() && "sizes that were checked");
  Cut cut = {1, getElementSize(tensor.element)};
  bool isInside = false;
  for (uint32_t i = 0; i < tensor.layout_count; ++i) {
    const sparkle_factor_t &factor = tensor.layout[i];
    if (factor.dimension == slice.dimension)
      isInside = true;
    else
      (isInside ? cut.bytes : cut.runs) *=
          static_cast<uint64_t>(getPhysicalExtent(factor, extents));
  }
  return cut;
}

} // namespace sparkle::runtime
