// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/Target/Band.h"

using namespace mlir;

namespace sparkle {

/// Where one launch computes the one output, from nothing that another wrote.
ArrayRef<int64_t> findTile(KernelOp kernel) {
  TensorOp output;
  for (TensorOp tensor : kernel.getTensors()) {
    if (tensor.isInWorkspace() || (output && tensor.getRole() == Role::Output))
      return {};
    if (tensor.getRole() == Role::Output)
      output = tensor;
  }
  auto launches = llvm::to_vector(kernel.getBody().getOps<WorkersOp>());
  // Workers along anything else, as the tiles of a transform, tell nothing.
  if (launches.size() != 1 ||
      launches.front().getExtents() != output.getExtents())
    return {};
  return launches.front().getSteps();
}

} // namespace sparkle
