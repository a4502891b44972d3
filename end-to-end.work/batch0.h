/* Made by sparkle 0.1.0, LLVM 22.1.8. */

#ifndef SPARKLE_KERNELS_ROW_H
#define SPARKLE_KERNELS_ROW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sparkle_kernel;

/* row
 *
 * for cpu znver3
 * input x: f32[1, 33, 1, 5], stored as [d0, d2, d3, d1]
 * weight w: f32[90, 33, 5, 5], stored as [d0, d1, d2, d3]
 * input z0: f32[1, 90, 1, 1], stored as [d0, d2, d3, d1]
 * output y: f32[1, 90, 1, 1], stored as [d0, d2, d3, d1]
 *
 * `stored as` gives the physical dimensions, outermost first: d0 is the first
 * dimension of the tensor. Pointers are to float, at any address that is a
 * multiple of 4; 64 is best. */

/* Computes the outputs, every element of them. Buffers must not overlap.
 * Returns 0; 1 if a pointer is null or a size is negative or too large. Where
 * nothing is to be computed it returns 0 and touches nothing. Thread-safe. */
int row(const float *x, const float *packed_w, const float *z0, float *y);

/* Packs w for row: to [d2, d3, d0 / 32, d1, d0 % 32], 811008 bytes.
 * Returns 0; 1 if a pointer is null. Thread-safe. */
int row_pack_w(const float *w, float *packed);

int64_t row_packed_w_size(void);

/* The algorithm alone, in double precision: plain loops, no tiles. Weights come
 * unpacked. Each `_bound` may be null, else it gets for every element the
 * largest error that a computation in float may have, in whatever order it
 * adds. Returns 0; 1 as row does; 2 if memory runs out.
 * Thread-safe. */
int row_reference(const float *x, const float *w, const float *z0, double *y,
    double *y_bound);

/* What row is, for a runtime: see sparkle/kernel.h. */
extern const struct sparkle_kernel row_kernel;

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_KERNELS_ROW_H */
