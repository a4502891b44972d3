/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The kernel descriptor: what a compiled kernel says about itself. An object
 * made by sparkle-opt holds one constant `const sparkle_kernel_t NAME_kernel`
 * for each kernel. lib/Artifact writes it, runtime/ reads it, and nothing else
 * passes between the two.
 *
 * Conventions. Every pointer points into the object that holds the descriptor
 * and lives as long as it; nothing is ever written. Strings end in a zero byte
 * and are UTF-8. A list that is empty is null. A change of a struct comes with
 * a new version. */

#ifndef SPARKLE_KERNEL_H
#define SPARKLE_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "SPKL" in memory on a little-endian machine. */
#define SPARKLE_KERNEL_MAGIC UINT32_C(0x4c4b5053)
#define SPARKLE_KERNEL_VERSION UINT32_C(6)
/* No tensor has more dimensions, and no layout more factors. */
#define SPARKLE_MAX_RANK 16
/* A kernel has no more sizes, no more tensors and no more codes. */
#define SPARKLE_MAX_COUNT 256
/* A kernel that a GPU runs has no more run-time sizes: they are passed as
 * 32-bit push constants, of which every device has 128 bytes. */
#define SPARKLE_MAX_GPU_SIZES 32
/* Temps in a workspace begin at multiples of this, in bytes. */
#define SPARKLE_WORKSPACE_ALIGNMENT 256

typedef enum sparkle_target {
#define SPARKLE_TARGET(folder, word, number) SPARKLE_TARGET_##folder = number,
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  SPARKLE_TARGET_MAX = 0x7fffffff
} sparkle_target_t;

typedef enum sparkle_role {
  SPARKLE_ROLE_INPUT = 0,  /* read */
  SPARKLE_ROLE_WEIGHT = 1, /* read, and passed packed: sparkle_packing_t */
  SPARKLE_ROLE_OUTPUT = 2, /* written, every element */
  SPARKLE_ROLE_TEMP = 3,   /* lies in the workspace; no argument of its own */
  SPARKLE_ROLE_MAX = 0x7fffffff
} sparkle_role_t;

typedef enum sparkle_element {
  SPARKLE_ELEMENT_F32 = 1, /* 4 bytes, IEEE 754 binary32 */
  SPARKLE_ELEMENT_F16 = 2, /* 2 bytes, IEEE 754 binary16; sums are f32 */
  SPARKLE_ELEMENT_MAX = 0x7fffffff
} sparkle_element_t;

/* The instruction sets that CPU code may need:
 * FEATURE(NAME, "name as LLVM spells it", bit).
 *
 * Below bit 32 stand those of x86-64 beyond SSE2. The AVX-512 group needs the
 * operating system to save ZMM state (XCR0 bits 5-7), the AVX group YMM state
 * (bit 2). From bit 32 on stand those of AArch64. All code for AArch64 needs
 * NEON, and no other does: the bit tells the two architectures apart. */
#define SPARKLE_CPU_FEATURES(FEATURE)                                          \
  FEATURE(SSE3, "sse3", 0)                                                     \
  FEATURE(SSSE3, "ssse3", 1)                                                   \
  FEATURE(SSE4_1, "sse4.1", 2)                                                 \
  FEATURE(SSE4_2, "sse4.2", 3)                                                 \
  FEATURE(POPCNT, "popcnt", 4)                                                 \
  FEATURE(AVX, "avx", 5)                                                       \
  FEATURE(F16C, "f16c", 6)                                                     \
  FEATURE(FMA, "fma", 7)                                                       \
  FEATURE(AVX2, "avx2", 8)                                                     \
  FEATURE(BMI, "bmi", 9)                                                       \
  FEATURE(BMI2, "bmi2", 10)                                                    \
  FEATURE(LZCNT, "lzcnt", 11)                                                  \
  FEATURE(MOVBE, "movbe", 12)                                                  \
  FEATURE(AVX512F, "avx512f", 13)                                              \
  FEATURE(AVX512CD, "avx512cd", 14)                                            \
  FEATURE(AVX512BW, "avx512bw", 15)                                            \
  FEATURE(AVX512DQ, "avx512dq", 16)                                            \
  FEATURE(AVX512VL, "avx512vl", 17)                                            \
  FEATURE(AVX512VNNI, "avx512vnni", 18)                                        \
  FEATURE(AVX512BF16, "avx512bf16", 19)                                        \
  FEATURE(NEON, "neon", 32)

#define SPARKLE_CPU_FEATURE(NAME, spelling, bit)                               \
  static const uint64_t SPARKLE_CPU_##NAME = UINT64_C(1) << (bit);
SPARKLE_CPU_FEATURES(SPARKLE_CPU_FEATURE)
#undef SPARKLE_CPU_FEATURE

/* What a GPU's code may need beyond Vulkan 1.1:
 * FEATURE(NAME, "what it is", bit). */
#define SPARKLE_GPU_FEATURES(FEATURE)                                          \
  FEATURE(STORAGE_16BIT, "16-bit storage buffers", 0)

#define SPARKLE_GPU_FEATURE(NAME, meaning, bit)                                \
  static const uint64_t SPARKLE_GPU_##NAME = UINT64_C(1) << (bit);
SPARKLE_GPU_FEATURES(SPARKLE_GPU_FEATURE)
#undef SPARKLE_GPU_FEATURE

/* A whole number that depends on the sizes of a call:
 * floor((constant + sum over i of coefficients[i] * sizes[i]) / divisor). */
typedef struct sparkle_extent {
  int64_t constant;
  int64_t divisor;             /* at least 1 */
  const int64_t *coefficients; /* one for each size; null if all are 0 */
} sparkle_extent_t;

/* One physical dimension of a buffer: the coordinate along it is
 * x / divisor % modulus, where x is the coordinate along `dimension`. */
typedef struct sparkle_factor {
  uint32_t dimension; /* of the tensor, below its rank */
  uint32_t reserved;  /* must be 0 */
  int64_t divisor;    /* at least 1 */
  int64_t modulus;    /* at least 1; 0: no remainder is taken */
} sparkle_factor_t;

/* Packs a weight: `source` in the declared layout, `packed` in the packed one,
 * which do not overlap. Returns 0, or 1 if a pointer is null. */
typedef int (*sparkle_pack_t)(const void *source, void *packed);

typedef struct sparkle_tensor {
  const char *name;
  uint32_t role;         /* sparkle_role_t */
  uint32_t element;      /* sparkle_element_t */
  uint32_t rank;         /* dimensions: entries of `extents` */
  uint32_t layout_count; /* entries of `layout` */
  const sparkle_extent_t *extents;
  /* Outermost first. A physical extent is rounded up to whole blocks. */
  const sparkle_factor_t *layout;
  /* Of an input: 1 + the number of an output of the same element, extents and
   * layout that may be written over it: both arguments are the same bytes then.
   * Not in a part of a split, which computes more than is of use. Else 0.
   * Nothing else that is written overlaps anything. */
  uint32_t in_place;
  uint32_t reserved; /* must be 0 */
} sparkle_tensor_t;

/* How one code takes a weight. */
typedef struct sparkle_packing {
  uint32_t tensor;       /* of the kernel: a weight */
  uint32_t layout_count; /* entries of `layout` */
  const sparkle_factor_t *layout;
  /* The extents of what is packed, where that is the weight in another basis;
   * else null, and they are the tensor's. */
  const int64_t *shape;
  int64_t size; /* bytes */
  /* Does it. Null for a GPU's code unless there is a `shape`: the runtime
   * follows `layout` then. Elements beyond the extents are zero. */
  sparkle_pack_t pack;
} sparkle_packing_t;

/* Calls CPU code. `arguments`: the inputs, weights (packed) and outputs in the
 * order of the tensors, then the workspace if there are temps. `sizes`: one
 * for each of the kernel's sizes; both may be null if empty.
 * Returns what the kernel's own function returns: 0, or 1 if a pointer is null
 * or a size is invalid. Thread-safe. */
typedef int (*sparkle_invoke_t)(void *const *arguments, const int64_t *sizes);

/* One entry point of an image. The launches of a code run in order, each after
 * all writes of the one before.
 *
 * An image for Vulkan is a SPIR-V module. Of descriptor set 0, binding i is a
 * storage buffer: argument i (the tensors in order of declaration, without
 * temps), then the workspace if the code wants one. The push constants are the
 * run-time sizes as int32_t, in order. The workgroups are numbered by the
 * indices of `grid`, the last varying fastest; number
 * WorkgroupId.x + SPARKLE_GRID_WIDTH * WorkgroupId.y does nothing where it is
 * no less than their count.
 *
 * An image for AMDGPU is a code object: ELF for amdgcn-amd-amdhsa and the
 * code's processor. `entry` is the symbol of a function, and `entry`.kd that of
 * its kernel descriptor, 64 bytes, where the function begins as an offset from
 * the descriptor. Arguments: for each binding, numbered as for Vulkan, its
 * address, 8 bytes; then the run-time sizes as int32_t, in order. Offsets into
 * a binding are 32 bits without a sign: none is longer than 4 GiB, and each
 * begins at a multiple of 16 bytes. Workgroups are one-dimensional, of waves of
 * 32 lanes on one compute unit, and numbered as for Vulkan; `local_size` is the
 * group_segment_fixed_size of the descriptor. The descriptor asks for no
 * scratch memory, and for no registers but the address of the arguments, the
 * number of the workgroup along x and perhaps y, that of the invocation, and on
 * RDNA 2 the four of a buffer for scratch, which nothing reads. */
#define SPARKLE_GRID_WIDTH 65535
typedef struct sparkle_launch {
  const char *entry;            /* the function in the image */
  const sparkle_extent_t *grid; /* workgroups along each index */
  uint32_t grid_count;          /* entries of `grid`; at least 1 */
  uint32_t invocations;         /* of a workgroup */
  uint32_t local_size;          /* bytes of workgroup memory */
  uint32_t reserved;            /* must be 0 */
} sparkle_launch_t;

/* How workers divide a dimension of the kernel's output. */
typedef struct sparkle_cut {
  uint32_t dimension; /* of the output, one of a code's cuts each */
  uint32_t index;     /* along which the workers lie; of a GPU's grid */
  int64_t tile;       /* coordinates that each of them computes; at least 1 */
} sparkle_cut_t;

/* The kernel compiled for one processor of one target. */
typedef struct sparkle_code {
  uint32_t target;        /* sparkle_target_t */
  uint32_t packing_count; /* entries of `packings`: one for each weight */
  const char *processor;  /* as --cpu or --gpu names it, never "native" */
  uint64_t features;      /* SPARKLE_CPU_* or SPARKLE_GPU_* that it needs */
  const char *pattern;   /* the resolved pattern, as --emit=pattern prints it */
  uint64_t pattern_hash; /* xxh3, 64 bits */
  const sparkle_packing_t *packings; /* in the order of the tensors */
  /* The bytes of the workspace that this code wants, or -1 if a size is
   * invalid. Null if it wants none. Thread-safe. */
  int64_t (*workspace_size)(const int64_t *sizes);
  /* By the pattern, the bytes that one run moves between far and near memory
   * (every box once per near step, what follows a sum once per register tile,
   * every output and temp once), and between near memory and registers (every
   * operand of every accumulate once per register tile), or -1 if a size is
   * invalid. Null if unknown. Thread-safe. */
  int64_t (*far_bytes)(const int64_t *sizes);
  int64_t (*near_bytes)(const int64_t *sizes);
  /* Where this code does other operations than the algorithm (`transform
   * winograd`): those of its sums, counted as the kernel's `operation_count`,
   * without what changes the basis before and after. Never more than it really
   * does. Null where it does the algorithm's. -1 if a size is invalid.
   * Thread-safe. */
  int64_t (*operation_count)(const int64_t *sizes);
  sparkle_invoke_t invoke; /* null unless the CPU */
  const void *image;       /* null for the CPU; aligned to 16 bytes */
  uint64_t image_size;     /* bytes */
  uint64_t image_hash;     /* FNV-1a, 64 bits, of the image; 0 for the CPU */
  const sparkle_launch_t *launches; /* null for the CPU */
  uint32_t launch_count;            /* 0 for the CPU */
  uint32_t cut_count;               /* entries of `cuts` */
  /* Where workers run without each other; else null. Such a code can compute a
   * band of the kernel's one output: coordinates [begin, end) along the
   * dimension of a cut, begin a multiple of its tile, end another one or the
   * extent. Sizes, arguments and results are those of a whole run, of which
   * nothing else is written. On the CPU that is `invoke_band`. On a GPU there
   * is one launch; where its grid has one workgroup along each index before
   * that of the cut, a band is those from begin / tile to end / tile, rounded
   * up, along it. */
  const sparkle_cut_t *cuts;
  /* As `invoke`, but behind the sizes are the index of a cut, begin and end.
   * Null unless of the CPU and with cuts. */
  sparkle_invoke_t invoke_band;
} sparkle_code_t;

/* What a part of a run needs of one tensor: units [a, b) read the coordinates
 * from a * stride + low to (b - 1) * stride + high of `dimension`, and no
 * others. What of that lies outside of the tensor is zero, as for the whole
 * run. */
typedef struct sparkle_slice {
  uint32_t tensor;    /* of the kernel, no weight */
  uint32_t dimension; /* below its rank */
  int64_t stride;     /* at least 1 */
  int64_t low, high;  /* low <= high */
} sparkle_slice_t;

/* A way to divide a run into parts: runs of the same kernel at a smaller size.
 * What is divided are the units, which are the coordinates of the outputs along
 * the dimensions that their slices name; there are as many as the extent of
 * these.
 *
 * The compiler has proved, and the runtime relies on:
 * - There is a slice for each tensor, temps included, with an extent that has a
 *   coefficient of `size`, and for no other. It is the only such extent of that
 *   tensor, and the dimension of the slice. All outputs are among them. What
 *   has no slice is the same in every part; so are all weights.
 * - Of an output stride = 1 and low = high = 0, and the extents of all outputs
 *   along their slices are the same.
 * - With `step` less of the size a tensor is `stride` shorter: in the extent of
 *   each slice coefficient * step = stride * divisor. All are positive.
 * - The layout of a tensor that is no temp has one factor of that dimension.
 *
 * Let S be the size of a run, and E the extent of a slice at S. A run at
 * S - step * u has extents of E - stride * u, and its unit p is unit p + u of
 * the whole run if that reads nothing of what is missing below. So units [a, b)
 * are computed like this:
 * - The part begins at unit u = max(0, min(a, S / step, and for each slice
 *   E / stride and a + low / stride)), quotients rounded down. Either nothing
 *   below is read, or nothing is below.
 * - Its size is the least, from 0 on, at which the extent of each slice is at
 *   least 0 and at least min(E, (b - 1) * stride + high + 1) - u * stride. Then
 *   nothing above is missing. S - step * u is such a size, so the part's
 *   tensors, which begin at u * stride, do not go beyond those of the whole.
 * - Its units [a - u, b - u) are units [a, b) of the whole, within the same
 *   error bounds: a sum may be added up in another order. What it has besides
 *   is of no use. */
typedef struct sparkle_split {
  uint32_t size; /* of the kernel's sizes: the one that gets smaller */
  uint32_t slice_count;
  int64_t step;                  /* at least 1 */
  const sparkle_slice_t *slices; /* in the order of the tensors */
} sparkle_split_t;

typedef struct sparkle_kernel {
  uint32_t magic;          /* SPARKLE_KERNEL_MAGIC */
  uint32_t version;        /* SPARKLE_KERNEL_VERSION */
  uint32_t struct_size;    /* bytes: sizeof(sparkle_kernel_t) */
  uint32_t size_count;     /* run-time sizes */
  uint32_t tensor_count;   /* at least 1 */
  uint32_t code_count;     /* at least 1 */
  uint32_t split_count;    /* each of another size; 0: it cannot be divided */
  uint32_t reserved;       /* must be 0 */
  const char *name;        /* of the kernel, and its C function */
  const char *compiler;    /* "sparkle 0.1.0, LLVM 22.1.0" */
  uint64_t algorithm_hash; /* of the algorithm with its parameters resolved;
                              neither comments nor patterns change it */
  const char *const *size_names;
  const sparkle_tensor_t *tensors; /* in order of declaration */
  const sparkle_code_t *codes;     /* of one target, best first */
  const sparkle_split_t *splits;   /* best first */
  /* The arithmetic operations of all sums, a multiply-add being two; terms that
   * read outside of a tensor do not count. -1 if a size is invalid. Null if
   * the compiler was given no algorithm, only tiles. Thread-safe. */
  int64_t (*operation_count)(const int64_t *sizes);
  /* The algorithm in double precision, or null. `arguments` as for `invoke`,
   * but weights in the declared layout, an output as two pointers, `double *`
   * each: the values, and the error bounds or null; and no workspace.
   * Returns 0; 1 as `invoke`; 2 if memory runs out. Thread-safe. */
  sparkle_invoke_t reference;
} sparkle_kernel_t;

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_KERNEL_H */
