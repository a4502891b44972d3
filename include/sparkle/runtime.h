/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The Sparkle runtime, a C ABI: finds the machine's devices, makes compiled
 * kernels ready on them and runs these. Link with libsparkle.
 *
 * In the order of use: a context lists devices; a library holds the kernels of
 * a shared object (those linked into the program need none); a module is one
 * kernel made ready on one device; buffers hold tensors; commands are recorded
 * once, or as they come, and submitted to queues; timelines tell what is done.
 * A stream does all of that for one kernel whose inputs keep coming.
 *
 * Errors. Every function that can fail returns a status and takes, last, an
 * optional `sparkle_error_t *` in the caller's memory, which it fills in either
 * case. Nothing is printed unless SPARKLE_LOG asks for it, nothing aborts, no
 * exception leaves the library. Out parameters, named `out_`, are zero after a
 * failure.
 *
 * Threads. Every function here may be called from any thread at any time.
 *
 * Ownership. What `create`, `open` and `retain` give is the caller's, who ends
 * it with `release`; the last release frees the object once the device no
 * longer uses it. `release` of null does nothing. What `get` gives is borrowed;
 * the text says from whom. An object keeps alive what it was created from.
 *
 * Units. Sizes and offsets are bytes, times are nanoseconds, extents are
 * elements. Strings end in a zero byte and are UTF-8. Structs that the library
 * fills in are zeroed first; reserved fields are 0. */

#ifndef SPARKLE_RUNTIME_H
#define SPARKLE_RUNTIME_H

#include "sparkle/kernel.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SPARKLE_API __attribute__((visibility("default")))
#else
#define SPARKLE_API
#endif

/*===----------------------------------------------------------------------===
 * Status
 *===----------------------------------------------------------------------===*/

/* STATUS(NAME, number): a number is never reused. */
#define SPARKLE_STATUSES(STATUS)                                               \
  STATUS(OK, 0)                                                                \
  /* An argument is null or out of range. */                                   \
  STATUS(INVALID_ARGUMENT, 1)                                                  \
  /* A descriptor contradicts itself, its image is damaged, or it comes from   \
   * another version. */                                                       \
  STATUS(INVALID_ARTIFACT, 2)                                                  \
  /* A kernel holds no code that this device can run. */                       \
  STATUS(NO_IMAGE, 3)                                                          \
  /* The machine has no such device. */                                        \
  STATUS(UNAVAILABLE, 4)                                                       \
  /* The system gave too few threads, files or other objects. */               \
  STATUS(OUT_OF_RESOURCES, 5)                                                  \
  /* There is too little memory, on the device or on the host. */              \
  STATUS(OUT_OF_MEMORY, 6)                                                     \
  /* The device stopped working; what was in flight is lost. Others go on. */  \
  STATUS(DEVICE_LOST, 7)                                                       \
  /* The device lacks what the call needs. */                                  \
  STATUS(MISSING_FEATURE, 8)                                                   \
  /* The time ran out; the work goes on. */                                    \
  STATUS(TIMEOUT, 9)                                                           \
  /* A kernel takes more or fewer arguments or sizes. */                       \
  STATUS(WRONG_COUNT, 10)                                                      \
  /* A size is invalid, or an argument's bytes or shape do not fit it. */      \
  STATUS(WRONG_SHAPE, 11)                                                      \
  /* An argument holds elements of another type. */                            \
  STATUS(WRONG_ELEMENT, 12)                                                    \
  /* An offset or a pointer is not a multiple of what it has to be. */         \
  STATUS(MISALIGNED, 13)                                                       \
  /* A written argument shares bytes with another one. */                      \
  STATUS(OVERLAP, 14)                                                          \
  /* An argument belongs to another device. */                                 \
  STATUS(WRONG_DEVICE, 15)                                                     \
  /* A file cannot be opened or read, or holds no kernels. */                  \
  STATUS(FILE, 16)                                                             \
  /* The driver reports what it should not. */                                 \
  STATUS(DRIVER, 17)                                                           \
  /* A kernel's own code refused to run. */                                    \
  STATUS(KERNEL, 18)

typedef enum sparkle_status {
#define SPARKLE_STATUS(name, number) SPARKLE_##name = number,
  SPARKLE_STATUSES(SPARKLE_STATUS)
#undef SPARKLE_STATUS
      SPARKLE_STATUS_MAX = 0x7fffffff
} sparkle_status_t;

typedef struct sparkle_error {
  sparkle_status_t status;
  /* Names what is wrong: "expected kernel descriptor version 4, but got 5".
   * Empty after success; cut off if it would not fit. */
  char message[248];
} sparkle_error_t;

/* The name of a status without its prefix, "INVALID_ARTIFACT"; never null. */
SPARKLE_API const char *sparkle_status_name(sparkle_status_t status);

/* Wait for as long as it takes. */
#define SPARKLE_FOREVER UINT64_MAX

/*===----------------------------------------------------------------------===
 * Devices
 *===----------------------------------------------------------------------===*/

typedef struct sparkle_context sparkle_context_t;
typedef struct sparkle_device sparkle_device_t;

/* Looks for devices: the CPU first, then those of the other targets in the
 * order of their numbers. A target whose driver is missing has no devices; that
 * is no failure. The environment (docs/runtime.md) is read here.
 * out_context: owned by the caller.
 * Returns SPARKLE_OUT_OF_MEMORY or SPARKLE_OUT_OF_RESOURCES. */
SPARKLE_API sparkle_status_t sparkle_context_create(
    sparkle_context_t **out_context, sparkle_error_t *out_error);
SPARKLE_API void sparkle_context_retain(sparkle_context_t *context);
SPARKLE_API void sparkle_context_release(sparkle_context_t *context);

SPARKLE_API size_t
sparkle_context_get_device_count(const sparkle_context_t *context);
/* The device, borrowed from the context; null if `index` is too large. */
SPARKLE_API sparkle_device_t *
sparkle_context_get_device(const sparkle_context_t *context, size_t index);

/* Finds a device by its name: its target's word and, unless there can be only
 * one, its index, "WORD:0". The word alone is that target's first device.
 * out_device: borrowed from the context.
 * Returns SPARKLE_UNAVAILABLE and why the machine has no such device;
 * SPARKLE_INVALID_ARGUMENT if the name is none of a device. */
SPARKLE_API sparkle_status_t sparkle_context_find_device(
    const sparkle_context_t *context, const char *name,
    sparkle_device_t **out_device, sparkle_error_t *out_error);

SPARKLE_API void sparkle_device_retain(sparkle_device_t *device);
SPARKLE_API void sparkle_device_release(sparkle_device_t *device);

typedef struct sparkle_device_properties {
  char name[32];         /* "cpu", "WORD:0" */
  char description[128]; /* the product, as its driver spells it */
  char driver[128];      /* the driver and its version; of the CPU, "" */
  uint32_t target;       /* sparkle_target_t */
  uint32_t index;        /* among the devices of the target */
  uint64_t features;     /* SPARKLE_CPU_* or SPARKLE_GPU_* */
  uint64_t memory;       /* bytes of far memory */
  uint64_t max_buffer;   /* bytes of the largest argument of a kernel */
  uint32_t alignment;    /* bytes: offsets of arguments are multiples of it */
  uint32_t invocations;  /* of a workgroup at most; of the CPU, threads */
  uint32_t local_memory; /* bytes of workgroup memory; of the CPU, 0 */
  uint32_t queues;       /* how many run at the same time */
  /* Copies run beside kernels, on a queue family of their own. */
  bool has_copy_engine;
  /* The device tells when work began and ended; see SPARKLE_SUBMIT_TIMED. */
  bool has_timestamps;
  /* Host and device share one memory: nothing is gained by staging. */
  bool is_unified;
  /* Its kernels run on the host's processors. Devices of which that is true
   * are one resource: two at work at the same time take it from each other. */
  bool runs_on_host;
} sparkle_device_properties_t;

SPARKLE_API void
sparkle_device_query_properties(const sparkle_device_t *device,
                                sparkle_device_properties_t *out_properties);

typedef struct sparkle_device_performance {
  double gflops;            /* 10^9 f32 operations per second, nothing but
                               multiply-adds in registers, each being two */
  double gbytes_per_second; /* far memory, read plus written, by a kernel */
  double copy_gbytes_per_second; /* from the host to the device */
  double launch_ns; /* from submission to the host's return from waiting */
  double near_gbytes_per_second; /* as gbytes_per_second, of few bytes that
                                    stay in the device's caches */
} sparkle_device_performance_t;

/* Measures the device, in some tens of milliseconds after what its driver takes
 * to compile two kernels. Nothing else should run on it.
 * threads: of the CPU; 0 is one for each processor that this process may use.
 * Returns SPARKLE_DEVICE_LOST, SPARKLE_OUT_OF_MEMORY. */
SPARKLE_API sparkle_status_t sparkle_device_measure(
    sparkle_device_t *device, uint32_t threads,
    sparkle_device_performance_t *out_performance, sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Kernels
 *===----------------------------------------------------------------------===*/

typedef struct sparkle_library sparkle_library_t;
typedef struct sparkle_module sparkle_module_t;

/* Checks every field of a descriptor, and all that its pointers lead to. What
 * passes can be used without looking again.
 * kernel: linked into the program, or found in a shared object.
 * Returns SPARKLE_INVALID_ARTIFACT if a field is wrong,
 * SPARKLE_INVALID_ARGUMENT if `kernel` is null. */
SPARKLE_API sparkle_status_t sparkle_kernel_validate(
    const sparkle_kernel_t *kernel, sparkle_error_t *out_error);

/* Opens a shared object made by sparkle-opt and validates its kernels.
 * path: with a slash, or it is looked for as the system's linker does.
 * out_library: owned by the caller. Its kernels live as long as it.
 * Returns SPARKLE_FILE, SPARKLE_INVALID_ARTIFACT. */
SPARKLE_API sparkle_status_t
sparkle_library_open(const char *path, sparkle_library_t **out_library,
                     sparkle_error_t *out_error);
SPARKLE_API void sparkle_library_retain(sparkle_library_t *library);
SPARKLE_API void sparkle_library_release(sparkle_library_t *library);
SPARKLE_API size_t
sparkle_library_get_kernel_count(const sparkle_library_t *library);
/* Borrowed from the library; null if `index` is too large. */
SPARKLE_API const sparkle_kernel_t *
sparkle_library_get_kernel(const sparkle_library_t *library, size_t index);
/* The kernel of that name, or null. */
SPARKLE_API const sparkle_kernel_t *
sparkle_library_find_kernel(const sparkle_library_t *library, const char *name);

/* Makes a kernel ready on a device: checks it, picks the codes that the device
 * can run, and has the driver compile the first of them, which is current.
 * kernel: borrowed; it stays where it is until the module is released.
 * out_module: owned by the caller.
 * Returns SPARKLE_INVALID_ARTIFACT; SPARKLE_NO_IMAGE and what each code needs
 * that the device lacks; SPARKLE_OUT_OF_MEMORY; SPARKLE_DRIVER. */
SPARKLE_API sparkle_status_t sparkle_module_create(
    sparkle_device_t *device, const sparkle_kernel_t *kernel,
    sparkle_module_t **out_module, sparkle_error_t *out_error);
SPARKLE_API void sparkle_module_retain(sparkle_module_t *module);
SPARKLE_API void sparkle_module_release(sparkle_module_t *module);

typedef struct sparkle_module_properties {
  const sparkle_kernel_t *kernel;
  sparkle_device_t *device;   /* borrowed from the module */
  const sparkle_code_t *code; /* the current one */
  uint32_t variant_count;     /* codes that the device can run */
  uint32_t variant;           /* the current one, below variant_count */
  uint32_t argument_count;    /* tensors without temps */
  uint64_t creation_ns;       /* what sparkle_module_create took */
} sparkle_module_properties_t;

SPARKLE_API void
sparkle_module_query_properties(const sparkle_module_t *module,
                                sparkle_module_properties_t *out_properties);

/* Makes another variant current, and has the driver compile it if it has not
 * yet. Weights are to be packed again; recordings and streams keep the variant
 * that they were made with.
 * Returns SPARKLE_INVALID_ARGUMENT if there is none of that number, else as
 * sparkle_module_create. The current one stays after a failure. */
SPARKLE_API sparkle_status_t sparkle_module_select_variant(
    sparkle_module_t *module, uint32_t variant, sparkle_error_t *out_error);

/* Runs each variant on made-up inputs and makes the fastest one current.
 * sizes: the kernel's run-time sizes, size_count of them.
 * rounds: runs of each that count, after one that does not; 0 is five.
 * Returns as sparkle_queue_submit. */
SPARKLE_API sparkle_status_t sparkle_module_tune(sparkle_module_t *module,
                                                 const int64_t *sizes,
                                                 uint32_t size_count,
                                                 uint32_t rounds,
                                                 sparkle_error_t *out_error);

/* The bytes that argument `index` has at these sizes: of a weight, packed for
 * the current variant.
 * Returns SPARKLE_WRONG_COUNT, SPARKLE_WRONG_SHAPE; SPARKLE_INVALID_ARGUMENT
 * if there is no such argument. */
SPARKLE_API sparkle_status_t sparkle_module_query_argument_size(
    const sparkle_module_t *module, uint32_t index, const int64_t *sizes,
    uint32_t size_count, uint64_t *out_size, sparkle_error_t *out_error);

/* Packs a weight for the current variant.
 * index: of the argument, which is a weight.
 * source: the weight in its declared layout.
 * packed: sparkle_module_query_argument_size bytes that `source` does not
 * overlap. */
SPARKLE_API sparkle_status_t sparkle_module_pack(const sparkle_module_t *module,
                                                 uint32_t index,
                                                 const void *source,
                                                 void *packed,
                                                 sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Buffers
 *===----------------------------------------------------------------------===*/

typedef struct sparkle_buffer sparkle_buffer_t;

typedef enum sparkle_memory {
  /* Where the device's kernels are fastest. The host may not see it. */
  SPARKLE_MEMORY_DEVICE = 0,
  /* The host writes it in order, the device reads it. */
  SPARKLE_MEMORY_UPLOAD = 1,
  /* The device writes it, the host reads it. */
  SPARKLE_MEMORY_READBACK = 2,
  SPARKLE_MEMORY_MAX = 0x7fffffff
} sparkle_memory_t;

/* Creates a buffer, whose bytes are undefined. A size of 0 is allowed.
 * out_buffer: owned by the caller.
 * Returns SPARKLE_OUT_OF_MEMORY; SPARKLE_INVALID_ARGUMENT. */
SPARKLE_API sparkle_status_t sparkle_buffer_create(
    sparkle_device_t *device, sparkle_memory_t memory, uint64_t size,
    sparkle_buffer_t **out_buffer, sparkle_error_t *out_error);
SPARKLE_API void sparkle_buffer_retain(sparkle_buffer_t *buffer);
SPARKLE_API void sparkle_buffer_release(sparkle_buffer_t *buffer);
SPARKLE_API uint64_t sparkle_buffer_get_size(const sparkle_buffer_t *buffer);
/* The buffer's bytes as the host sees them, aligned to 64 and valid until the
 * buffer is freed; null if the host does not see them (never so for UPLOAD and
 * READBACK memory), or if the size is 0. The caller sees to it that the device
 * does not use them at the same time. */
SPARKLE_API void *sparkle_buffer_get_pointer(const sparkle_buffer_t *buffer);

/*===----------------------------------------------------------------------===
 * Timelines
 *===----------------------------------------------------------------------===*/

/* A number that only grows. Work waits until it has reached a value. */
typedef struct sparkle_timeline sparkle_timeline_t;

/* An event: `timeline` has reached `value`. */
typedef struct sparkle_point {
  sparkle_timeline_t *timeline;
  uint64_t value;
} sparkle_point_t;

/* A timeline that queues of all devices of the context, and the host, wait for
 * and signal.
 * initial: its first value.
 * out_timeline: owned by the caller. */
SPARKLE_API sparkle_status_t sparkle_timeline_create(
    sparkle_context_t *context, uint64_t initial,
    sparkle_timeline_t **out_timeline, sparkle_error_t *out_error);
SPARKLE_API void sparkle_timeline_retain(sparkle_timeline_t *timeline);
SPARKLE_API void sparkle_timeline_release(sparkle_timeline_t *timeline);
/* The value reached; or why it never will reach more, if work that was to
 * signal it failed. */
SPARKLE_API sparkle_status_t
sparkle_timeline_query(const sparkle_timeline_t *timeline, uint64_t *out_value,
                       sparkle_error_t *out_error);
/* Signals it from the host.
 * Returns SPARKLE_INVALID_ARGUMENT if `value` is no larger than the one
 * reached, or if the timeline is a queue's own. */
SPARKLE_API sparkle_status_t sparkle_timeline_signal(
    sparkle_timeline_t *timeline, uint64_t value, sparkle_error_t *out_error);
/* Waits on the host. What the work wrote can be read afterwards.
 * timeout: nanoseconds; 0 only looks; SPARKLE_FOREVER.
 * Returns SPARKLE_TIMEOUT; or the status of the work that failed. */
SPARKLE_API sparkle_status_t sparkle_timeline_wait(sparkle_timeline_t *timeline,
                                                   uint64_t value,
                                                   uint64_t timeout,
                                                   sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Commands and queues
 *===----------------------------------------------------------------------===*/

typedef struct sparkle_recording sparkle_recording_t;
typedef struct sparkle_queue sparkle_queue_t;

/* Bytes of a buffer, and, where it is stated, what they hold. */
typedef struct sparkle_view {
  sparkle_buffer_t *buffer;
  /* Of a kernel's argument: a multiple of the device's alignment. */
  uint64_t offset;
  uint64_t size; /* as the kernel wants it; 0: to the buffer's end, or less */
  uint32_t element;     /* sparkle_element_t to be checked; 0: not stated */
  uint32_t rank;        /* entries of `shape`; 0: not stated */
  const int64_t *shape; /* extents to be checked against the kernel's */
} sparkle_view_t;

typedef enum sparkle_command_kind {
  SPARKLE_COMMAND_KERNEL = 0,
  SPARKLE_COMMAND_COPY = 1, /* arguments[0] to arguments[1], equally long */
  SPARKLE_COMMAND_FILL = 2, /* arguments[0] with `fill` */
  SPARKLE_COMMAND_MAX = 0x7fffffff
} sparkle_command_kind_t;

/* One step of work. It sees what the steps before it wrote. An output of a
 * kernel may be the same bytes as an input whose `in_place` names it; no other
 * bytes that are written are an argument twice. */
typedef struct sparkle_command {
  uint32_t kind; /* sparkle_command_kind_t */
  uint32_t fill; /* of FILL: four bytes to repeat; offset and size are
                    multiples of 4 */
  sparkle_module_t *module; /* of KERNEL */
  /* Of KERNEL: the tensors in order of declaration, without temps, weights
   * packed for the module's current variant. */
  const sparkle_view_t *arguments;
  const int64_t *sizes; /* of KERNEL: the run-time sizes */
  uint32_t argument_count;
  uint32_t size_count;
} sparkle_command_t;

/* Creates a queue. Its submissions take effect in the order in which they were
 * made; those of different queues run at the same time where the device can.
 * At most three are in flight; the next one waits on the host.
 * out_queue: owned by the caller. */
SPARKLE_API sparkle_status_t sparkle_queue_create(sparkle_device_t *device,
                                                  sparkle_queue_t **out_queue,
                                                  sparkle_error_t *out_error);
SPARKLE_API void sparkle_queue_retain(sparkle_queue_t *queue);
/* What was submitted still runs to its end. */
SPARKLE_API void sparkle_queue_release(sparkle_queue_t *queue);
/* The queue's own timeline, borrowed from it: it reaches n when the n-th
 * submission is done. */
SPARKLE_API sparkle_timeline_t *
sparkle_queue_get_timeline(const sparkle_queue_t *queue);

/* Checks and records commands for submitting them again and again. Buffers
 * and modules are kept alive; sizes and views are copied.
 * out_recording: owned by the caller.
 * Returns SPARKLE_WRONG_COUNT, SPARKLE_WRONG_SHAPE, SPARKLE_WRONG_ELEMENT,
 * SPARKLE_MISALIGNED, SPARKLE_OVERLAP, SPARKLE_WRONG_DEVICE,
 * SPARKLE_INVALID_ARGUMENT, each naming command and argument;
 * SPARKLE_OUT_OF_MEMORY, SPARKLE_DEVICE_LOST. */
SPARKLE_API sparkle_status_t sparkle_recording_create(
    sparkle_device_t *device, const sparkle_command_t *commands,
    uint32_t command_count, sparkle_recording_t **out_recording,
    sparkle_error_t *out_error);
SPARKLE_API void sparkle_recording_retain(sparkle_recording_t *recording);
SPARKLE_API void sparkle_recording_release(sparkle_recording_t *recording);

typedef enum sparkle_submit_flag {
  /* Asks for sparkle_queue_query_times. */
  SPARKLE_SUBMIT_TIMED = 1
} sparkle_submit_flag_t;

typedef struct sparkle_submission {
  sparkle_recording_t *recording; /* or null: `commands` are recorded now */
  const sparkle_command_t *commands;
  uint32_t command_count;
  uint32_t flags;                 /* of sparkle_submit_flag_t */
  const sparkle_point_t *waits;   /* to be reached before the first command */
  const sparkle_point_t *signals; /* reached after the last one */
  uint32_t wait_count;
  uint32_t signal_count;
} sparkle_submission_t;

/* Submits work and returns without waiting for it, unless SPARKLE_GPU_ASYNC=0.
 * out_value: what the queue's timeline reaches when it is done; may be null.
 * Returns as sparkle_recording_create. If an earlier submission failed, its
 * status; the queue takes no more then. */
SPARKLE_API sparkle_status_t sparkle_queue_submit(
    sparkle_queue_t *queue, const sparkle_submission_t *submission,
    uint64_t *out_value, sparkle_error_t *out_error);

/* When a finished submission with SPARKLE_SUBMIT_TIMED began and ended, in
 * nanoseconds of the device's clock. Kept for the last three of a queue.
 * Returns SPARKLE_MISSING_FEATURE if the device has no timestamps,
 * SPARKLE_INVALID_ARGUMENT if there is no such submission,
 * SPARKLE_TIMEOUT if it is not done. */
SPARKLE_API sparkle_status_t sparkle_queue_query_times(
    sparkle_queue_t *queue, uint64_t value, uint64_t *out_begin,
    uint64_t *out_end, sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Streams
 *===----------------------------------------------------------------------===*/

/* One kernel with its own buffers in three slots: while one slot computes, the
 * next one's inputs go up and the last one's outputs come back. */
typedef struct sparkle_stream sparkle_stream_t;

/* Creates a stream for one set of sizes.
 * weights: one pointer for each argument of the module; those of weights in
 * their declared layout, others ignored. Packed and brought to the device here.
 * out_stream: owned by the caller.
 * Returns as sparkle_recording_create. */
SPARKLE_API sparkle_status_t sparkle_stream_create(
    sparkle_module_t *module, const int64_t *sizes, uint32_t size_count,
    const void *const *weights, uint32_t argument_count,
    sparkle_stream_t **out_stream, sparkle_error_t *out_error);
SPARKLE_API void sparkle_stream_retain(sparkle_stream_t *stream);
SPARKLE_API void sparkle_stream_release(sparkle_stream_t *stream);

/* Copies the inputs out of the caller's memory and starts the work. Waits only
 * while all three slots are in flight.
 * arguments: one pointer for each argument; weights are ignored. Inputs may be
 * reused at once; outputs are written until sparkle_stream_wait returns.
 * out_ticket: grows by one with each submission. */
SPARKLE_API sparkle_status_t sparkle_stream_submit(sparkle_stream_t *stream,
                                                   void *const *arguments,
                                                   uint32_t argument_count,
                                                   uint64_t *out_ticket,
                                                   sparkle_error_t *out_error);
/* Waits until the outputs of a ticket, and of all before it, are in the
 * caller's memory.
 * Returns SPARKLE_TIMEOUT; SPARKLE_INVALID_ARGUMENT for a ticket not given
 * yet; the status of work that failed. */
SPARKLE_API sparkle_status_t sparkle_stream_wait(sparkle_stream_t *stream,
                                                 uint64_t ticket,
                                                 uint64_t timeout,
                                                 sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * The CPU by itself
 *===----------------------------------------------------------------------===*/

/* The SPARKLE_CPU_* instruction sets that the processor has and the operating
 * system saves the registers of.
 * out_features: one bit each.
 * Returns SPARKLE_UNAVAILABLE where it is neither x86-64 nor AArch64. */
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
 * about a tenth of a second, and longer where others keep the processors busy;
 * the best of many rounds counts.
 * threads: how many run at once; 0 is one for every processor that this process
 * may use.
 * Returns SPARKLE_UNAVAILABLE where it is neither x86-64 nor AArch64,
 * SPARKLE_INVALID_ARGUMENT if `threads` is above 1024,
 * SPARKLE_OUT_OF_RESOURCES if a thread cannot be started. */
SPARKLE_API sparkle_status_t sparkle_cpu_measure_peak(
    uint32_t threads, sparkle_cpu_peak_t *out_peak, sparkle_error_t *out_error);

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_RUNTIME_H */
