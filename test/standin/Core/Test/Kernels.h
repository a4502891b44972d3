// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole kernels, as LLVM IR.

#ifndef SPARKLE_TEST_STANDIN_CORE_TEST_KERNELS_H
#define SPARKLE_TEST_STANDIN_CORE_TEST_KERNELS_H

namespace sparkle::standin {

/// c[i] = a[i] + b[i] for i < n; 64 threads in a workgroup.
extern const char *const kSum;
/// C = A x B of n by n floats, n a multiple of 64: a workgroup of 256 threads
/// makes 64 by 64 with tiles of 16 in local memory, 4 by 4 a thread.
extern const char *const kTiledProduct;

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEST_KERNELS_H
