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
 * input x: f16[1, 1, 2, 23], stored as [d0, d2, d3, d1]
 * weight w: f32[31, 1, 3, 3], stored as [d0, d1, d2, d3]
 * output y: f32[1, 31, 2, 23], stored as [d0, d2, d1, d3]
 *
 * `stored as` gives the physical dimensions, outermost first: d0 is the first
 * dimension of the tensor. Pointers are to float, at any address that is a
 * multiple of 4; 64 is best. Those to
 * uint16_t are to the bits of IEEE 754 binary16, f16, at any multiple of 2. */

/* Computes the outputs, every element of them. Buffers must not overlap.
 * Returns 0; 1 if a pointer is null or a size is negative or too large. Where
 * nothing is to be computed it returns 0 and touches nothing. Thread-safe. */
int row(const uint16_t *x, const float *packed_w, float *y);

/* Packs w for row: to [d2, d3, d0 / 16, d1, d0 % 16], 4608 bytes.
 * Returns 0; 1 if a pointer is null. Thread-safe. */
int row_pack_w(const float *w, float *packed);

int64_t row_packed_w_size(void);

/* The algorithm alone, in double precision: plain loops, no tiles. Weights come
 * unpacked. Each `_bound` may be null, else it gets for every element the
 * largest error that a computation in float may have, in whatever order it
 * adds. Returns 0; 1 as row does; 2 if memory runs out.
 * Thread-safe. */
int row_reference(const uint16_t *x, const float *w, double *y,
    double *y_bound);

/* What row is, for a runtime: see sparkle/kernel.h. */
extern const struct sparkle_kernel row_kernel;

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_KERNELS_ROW_H */
