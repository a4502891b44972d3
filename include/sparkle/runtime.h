/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The Sparkle runtime, a C ABI. Link with libsparkle.
 *
 * Errors. Every function that can fail returns a status and takes, last, an
 * optional `sparkle_error_t *` in the caller's memory, which it fills in either
 * case. Nothing is printed, nothing aborts, no exception leaves the library.
 * Out parameters, named `out_`, are zero after a failure.
 *
 * Threads. Every function here may be called from any thread at any time.
 *
 * Ownership. What a function returns a pointer to is borrowed; it says from
 * whom. Strings end in a zero byte and are UTF-8. */

#ifndef SPARKLE_RUNTIME_H
#define SPARKLE_RUNTIME_H

#include "sparkle/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SPARKLE_API __attribute__((visibility("default")))
#else
#define SPARKLE_API
#endif

typedef enum sparkle_status {
  SPARKLE_OK = 0,
  /* An argument is null or out of range. */
  SPARKLE_INVALID_ARGUMENT = 1,
  /* A descriptor contradicts itself or comes from another version. */
  SPARKLE_INVALID_ARTIFACT = 2,
  /* A kernel holds no code that this machine can run. */
  SPARKLE_NO_IMAGE = 3,
  /* The machine has no such device. */
  SPARKLE_UNAVAILABLE = 4,
  /* The system gave too little memory or too few threads. */
  SPARKLE_OUT_OF_RESOURCES = 5,
  SPARKLE_STATUS_MAX = 0x7fffffff
} sparkle_status_t;

typedef struct sparkle_error {
  sparkle_status_t status;
  /* Names what is wrong: "expected kernel descriptor version 1, but got 3".
   * Empty after success; cut off if it would not fit. */
  char message[248];
} sparkle_error_t;

/* The name of a status without its prefix, "INVALID_ARTIFACT"; never null. */
SPARKLE_API const char *sparkle_status_name(sparkle_status_t status);

/* Checks every field of a descriptor, and all that its pointers lead to. What
 * passes can be used without looking again.
 * kernel: linked into the program, or found in a shared object.
 * Returns SPARKLE_INVALID_ARTIFACT if a field is wrong,
 * SPARKLE_INVALID_ARGUMENT if `kernel` is null. */
SPARKLE_API sparkle_status_t sparkle_kernel_validate(
    const sparkle_kernel_t *kernel, sparkle_error_t *out_error);

/* The SPARKLE_CPU_* instruction sets that the processor has and the operating
 * system saves the registers of.
 * out_features: one bit each.
 * Returns SPARKLE_UNAVAILABLE where the processor is no x86-64. */
SPARKLE_API sparkle_status_t
sparkle_cpu_query_features(uint64_t *out_features, sparkle_error_t *out_error);

/* Finds the code of a kernel that this machine's processor runs: among those
 * that it can run, the one that uses most of it.
 * kernel: need not be validated yet.
 * out_code: borrowed from the descriptor.
 * Returns SPARKLE_NO_IMAGE if there is none, and what the last one lacks;
 * otherwise as sparkle_kernel_validate. */
SPARKLE_API sparkle_status_t sparkle_cpu_find_code(
    const sparkle_kernel_t *kernel, const sparkle_code_t **out_code,
    sparkle_error_t *out_error);

typedef struct sparkle_cpu_peak {
  /* 10^9 operations on float per second, a multiply-add being two; all threads
   * together. */
  double gflops;
  uint32_t threads;
  uint32_t vector_bits; /* 128, 256 or 512: the widest that the machine has */
} sparkle_cpu_peak_t;

/* Measures what the processor reaches with nothing but multiply-adds in
 * registers (multiplications and additions where it has no fused ones). Takes
 * about a tenth of a second; the best of many rounds counts.
 * threads: how many run at once; 0 is one for every processor that this process
 * may use.
 * Returns SPARKLE_UNAVAILABLE where the processor is no x86-64,
 * SPARKLE_INVALID_ARGUMENT if `threads` is above 1024,
 * SPARKLE_OUT_OF_RESOURCES if a thread cannot be started. */
SPARKLE_API sparkle_status_t sparkle_cpu_measure_peak(
    uint32_t threads, sparkle_cpu_peak_t *out_peak, sparkle_error_t *out_error);

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_RUNTIME_H */
