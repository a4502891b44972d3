/* Made by sparkle 0.1.0, LLVM 22.1.8. */

#ifndef SPARKLE_KERNELS_REDUCED1_H
#define SPARKLE_KERNELS_REDUCED1_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sparkle_kernel;

/* reduced1
 *
 * for cpu znver3
 * input x: f32[1, 1, 2, 18], stored as [d0, d1, d2, d3]
 * weight w: f32[3, 1, 3, 3], stored as [d0, d1, d2, d3]
 * output y: f32[1, 3, 1, 20], stored as [d0, d1, d2, d3]
 *
 * `stored as` gives the physical dimensions, outermost first: d0 is the first
 * dimension of the tensor. Pointers are to float, at any address that is a
 * multiple of 4; 64 is best. */

/* Computes the outputs, every element of them. Buffers must not overlap.
 * Returns 0; 1 if a pointer is null or a size is negative or too large. Where
 * nothing is to be computed it returns 0 and touches nothing. Thread-safe. */
int reduced1(const float *x, const float *packed_w, float *y);

/* Packs w for reduced1: to [d2, d3, d0 / 8, d1, d0 % 8], 1152 bytes.
 * Returns 0; 1 if a pointer is null. Thread-safe. */
int reduced1_pack_w(const float *w, float *packed);

int64_t reduced1_packed_w_size(void);

/* The algorithm alone, in double precision: plain loops, no tiles. Weights come
 * unpacked. Each `_bound` may be null, else it gets for every element the
 * largest error that a computation in float may have, in whatever order it
 * adds. Returns 0; 1 as reduced1 does; 2 if memory runs out.
 * Thread-safe. */
int reduced1_reference(const float *x, const float *w, double *y,
    double *y_bound);

/* What reduced1 is, for a runtime: see sparkle/kernel.h. */
extern const struct sparkle_kernel reduced1_kernel;

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_KERNELS_REDUCED1_H */
