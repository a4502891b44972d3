// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs a weight for a code that brings no function of its own for it.

#ifndef SPARKLE_RUNTIME_PACK_H
#define SPARKLE_RUNTIME_PACK_H

#include "runtime/Status.h"

namespace sparkle::runtime {

/// source: in the tensor's layout. packed: packing.size bytes, of which those
/// beyond the extents become zero.
Status packByLayout(const sparkle_kernel_t &kernel,
                    const sparkle_tensor_t &tensor,
                    const sparkle_packing_t &packing, const void *source,
                    void *packed);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_PACK_H
