// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a run may be divided. What the equations read cannot be seen from here;
// all that runtime/Divide.cpp counts on besides is checked.

#include "runtime/Validate.h"

#include <cinttypes>

namespace sparkle::runtime {
namespace {

/// Checks one split of a kernel whose tensors are right.
class SplitCheck {
public:
  SplitCheck(const sparkle_kernel_t &kernel, const sparkle_split_t &split)
      : kernel(kernel), split(split), size(kernel.size_names[split.size]) {}

  Status run();

private:
  bool depends(const sparkle_extent_t &extent) const {
    return extent.coefficients && extent.coefficients[split.size] != 0;
  }
  Status checkTensor(uint32_t tensor);
  Status checkSlice(uint32_t tensor, uint32_t dimension);
  Status checkReach(const sparkle_tensor_t &tensor,
                    const sparkle_slice_t &slice) const;
  Status checkMove(const sparkle_tensor_t &tensor,
                   const sparkle_slice_t &slice) const;
  Status checkFactors(const sparkle_tensor_t &tensor, uint32_t dimension) const;
  Status checkUnits(const sparkle_tensor_t &tensor, uint32_t dimension);

  const sparkle_kernel_t &kernel;
  const sparkle_split_t &split;
  const char *size;
  uint32_t seen = 0; // slices
  const sparkle_tensor_t *output = nullptr;
  const sparkle_extent_t *units = nullptr; // of that
};

Status SplitCheck::run() {
  if (split.step < 1)
    return Status::invalidArtifact(
        "split along '%s': expected a step of 1 or more, but got %" PRId64,
        size, split.step);
  if (Status status = checkList("slices", split.slices, split.slice_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (Status status = checkTensor(i); !status.isOk())
      return status;
  if (seen != split.slice_count)
    return Status::invalidArtifact(
        "split along '%s': expected %u slices, but got %u", size, seen,
        split.slice_count);
  return {};
}

/// A slice for what depends on the size, and none for what does not.
Status SplitCheck::checkTensor(uint32_t number) {
  const sparkle_tensor_t &tensor = kernel.tensors[number];
  uint32_t count = 0, dimension = 0;
  for (uint32_t i = 0; i < tensor.rank; ++i)
    if (depends(tensor.extents[i])) {
      ++count;
      dimension = i;
    }
  if (count > 1)
    return Status::invalidArtifact(
        "split along '%s': expected it in at most one extent of tensor '%s', "
        "but got it in %u",
        size, tensor.name, count);
  if (count == 1)
    return checkSlice(number, dimension);
  if (tensor.role == SPARKLE_ROLE_OUTPUT)
    return Status::invalidArtifact(
        "split along '%s': expected output '%s' to depend on it", size,
        tensor.name);
  return {};
}

Status SplitCheck::checkSlice(uint32_t number, uint32_t dimension) {
  const sparkle_tensor_t &tensor = kernel.tensors[number];
  if (seen == split.slice_count)
    return Status::invalidArtifact(
        "split along '%s': expected a slice of tensor '%s', but got none", size,
        tensor.name);
  const sparkle_slice_t &slice = split.slices[seen++];
  if (slice.tensor != number || slice.dimension != dimension)
    return Status::invalidArtifact(
        "split along '%s': expected slice %u to be of dimension %u of tensor "
        "%u, but got %u of %u",
        size, seen - 1, dimension, number, slice.dimension, slice.tensor);
  if (Status status = checkReach(tensor, slice); !status.isOk())
    return status;
  if (Status status = checkMove(tensor, slice); !status.isOk())
    return status;
  if (Status status = checkFactors(tensor, dimension); !status.isOk())
    return status;
  return checkUnits(tensor, dimension);
}

Status SplitCheck::checkReach(const sparkle_tensor_t &tensor,
                              const sparkle_slice_t &slice) const {
  if (slice.stride < 1 || slice.low > slice.high)
    return Status::invalidArtifact(
        "split along '%s': expected a positive stride and no empty reach in "
        "tensor '%s', but got %" PRId64 " and %" PRId64 " to %" PRId64,
        size, tensor.name, slice.stride, slice.low, slice.high);
  if (tensor.role == SPARKLE_ROLE_OUTPUT &&
      (slice.stride != 1 || slice.low != 0 || slice.high != 0))
    return Status::invalidArtifact(
        "split along '%s': expected a stride of 1 and a reach of 0 in output "
        "'%s', but got %" PRId64 " and %" PRId64 " to %" PRId64,
        size, tensor.name, slice.stride, slice.low, slice.high);
  return {};
}

/// Extents get smaller as reads move.
Status SplitCheck::checkMove(const sparkle_tensor_t &tensor,
                             const sparkle_slice_t &slice) const {
  const sparkle_extent_t &extent = tensor.extents[slice.dimension];
  int64_t coefficient = extent.coefficients[split.size], less, moved;
  if (!__builtin_mul_overflow(coefficient, split.step, &less) &&
      !__builtin_mul_overflow(slice.stride, extent.divisor, &moved) &&
      less == moved)
    return {};
  return Status::invalidArtifact(
      "split along '%s': expected a step to take as much of tensor '%s' as a "
      "unit moves, but got %" PRId64 " * %" PRId64 " / %" PRId64
      " and %" PRId64,
      size, tensor.name, split.step, coefficient, extent.divisor, slice.stride);
}

/// A part of what the caller passes is a cut through its memory.
Status SplitCheck::checkFactors(const sparkle_tensor_t &tensor,
                                uint32_t dimension) const {
  uint32_t count = 0;
  for (uint32_t i = 0; i < tensor.layout_count; ++i)
    count += tensor.layout[i].dimension == dimension;
  if (count == 1 || tensor.role == SPARKLE_ROLE_TEMP)
    return {};
  return Status::invalidArtifact(
      "split along '%s': expected one factor of dimension %u of tensor '%s', "
      "but got %u",
      size, dimension, tensor.name, count);
}

/// All outputs have as many units.
Status SplitCheck::checkUnits(const sparkle_tensor_t &tensor,
                              uint32_t dimension) {
  if (tensor.role != SPARKLE_ROLE_OUTPUT)
    return {};
  const sparkle_extent_t &extent = tensor.extents[dimension];
  if (!units) {
    output = &tensor;
    units = &extent;
    return {};
  }
  bool isSame =
      units->constant == extent.constant && units->divisor == extent.divisor;
  for (uint32_t i = 0; i < kernel.size_count; ++i)
    isSame &= units->coefficients[i] == extent.coefficients[i];
  if (isSame)
    return {};
  return Status::invalidArtifact(
      "split along '%s': expected outputs of one extent, but got another of "
      "'%s' than of '%s'",
      size, tensor.name, output->name);
}

} // namespace

Status validateSplits(const sparkle_kernel_t &kernel) {
  if (kernel.reserved != 0)
    return Status::invalidArtifact(
        "kernel '%s': expected reserved to be 0, but got %u", kernel.name,
        kernel.reserved);
  if (Status status = checkList("splits", kernel.splits, kernel.split_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < kernel.split_count; ++i) {
    uint32_t size = kernel.splits[i].size;
    if (size >= kernel.size_count)
      return Status::invalidArtifact(
          "kernel '%s': expected split %u along a size below %u, but got %u",
          kernel.name, i, kernel.size_count, size);
    for (uint32_t j = 0; j < i; ++j)
      if (kernel.splits[j].size == size)
        return Status::invalidArtifact(
            "kernel '%s': expected splits along distinct sizes, but got '%s' "
            "twice",
            kernel.name, kernel.size_names[size]);
    if (Status status = SplitCheck(kernel, kernel.splits[i]).run();
        !status.isOk())
      return status;
  }
  return {};
}

} // namespace sparkle::runtime
