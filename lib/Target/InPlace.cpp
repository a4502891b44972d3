// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/Target/InPlace.h"

using namespace mlir;

namespace sparkle {

/// Whether sums wait in `output` until the rest of them is added.
static bool holdsPartialSums(TensorOp output) {
  return llvm::any_of(output->getUsers(), [](Operation *user) {
    auto store = dyn_cast<StoreOp>(user);
    return !store || store.getLast();
  });
}

TensorOp findInPlace(TensorOp input) {
  TensorOp output;
  llvm::SmallPtrSet<Operation *, 1> launches;
  if (input.getRole() != Role::Input)
    return {};
  for (OpOperand &use : input->getUses()) {
    // What finishes a tile is read and written element by element.
    auto store = dyn_cast<StoreOp>(use.getOwner());
    auto written =
        store ? store.getTensor().getDefiningOp<TensorOp>() : TensorOp();
    if (!written || written.getRole() != Role::Output ||
        (output && written != output))
      return {};
    unsigned number =
        use.getOperandNumber() - store.getReads().getBeginOperandIndex();
    if (!cast<AffineMapAttr>(store.getMaps()[number]).getValue().isIdentity())
      return {};
    output = written;
    launches.insert(store->getParentOfType<WorkersOp>());
  }
  if (!output || launches.size() != 1 || input.getType() != output.getType() ||
      input.getExtents() != output.getExtents() || holdsPartialSums(output))
    return {};
  return output;
}

} // namespace sparkle
