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

/// out[group] = the sum of 256 of the in[], by bpermute in a wave and an atomic
/// sum in local memory.
extern const char *const kReduction;
/// q[i] = a[i] / b[i] and r[i] = a[i] % b[i], signed and unsigned, of 32 and 64
/// bits: four arrays of quotients and remainders each.
extern const char *const kDivision;
/// y[i] = f16(f32(x[i]) * 2 + exp2(f32(x[i]))) of f16, 64 of them.
extern const char *const kHalves;
/// y[t] = 1000 + i of the first i < n with b[(7 i + t) % 64] = a[t], n if there
/// is none: a loop that lanes leave at two places.
extern const char *const kSearch;
/// D = A x B + C of 16 by 16, f16 and f32, by one wave of gfx11.
extern const char *const kMatrix;

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEST_KERNELS_H
