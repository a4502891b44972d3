/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The scheduler: kernels submitted without a device. It predicts when each
 * device would be done, runs the work where that is first, or divides it,
 * learns from what it took, and does it again elsewhere if a device fails.
 * docs/scheduling.md explains the model and how to read its explanations; what
 * sparkle/runtime.h says of errors, threads, ownership and units holds here.
 *
 * Arrays hold the data. The host's copy of an array is the truth and devices
 * keep copies of it, so that nothing is lost with a device. A task is a kernel
 * at one set of sizes with its weights. Submissions that share an array take
 * effect in the order in which they were made; others run side by side. */

#ifndef SPARKLE_SCHEDULER_H
#define SPARKLE_SCHEDULER_H

#include "sparkle/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sparkle_scheduler sparkle_scheduler_t;
typedef struct sparkle_array sparkle_array_t;
typedef struct sparkle_task sparkle_task_t;

/*===----------------------------------------------------------------------===
 * Schedulers
 *===----------------------------------------------------------------------===*/

typedef enum sparkle_scheduler_flag {
  /* No device is tried only in order to learn how fast it is. */
  SPARKLE_SCHEDULER_NO_EXPLORATION = 1,
  /* No submission is divided among devices. */
  SPARKLE_SCHEDULER_NO_SPLIT = 2,
  /* Nothing is read from, or written to, the history on disk. */
  SPARKLE_SCHEDULER_NO_HISTORY = 4
} sparkle_scheduler_flag_t;

typedef struct sparkle_scheduler_options {
  /* Names as sparkle_context_find_device takes them, with commas between; a
   * target's word alone stands for all its devices. Null: all devices. */
  const char *devices;
  uint32_t flags;   /* of sparkle_scheduler_flag_t */
  uint32_t pending; /* submissions that are not done, at most; the next one
                       waits. 0: 64 */
} sparkle_scheduler_options_t;

/* Creates a scheduler over devices of a context. Measures the devices that the
 * history does not know yet, which takes a few tenths of a second each.
 * options: may be null.
 * out_scheduler: owned by the caller.
 * Returns SPARKLE_INVALID_ARGUMENT, SPARKLE_UNAVAILABLE for a name of no
 * device; SPARKLE_OUT_OF_RESOURCES; SPARKLE_UNAVAILABLE and each reason if no
 * device works. */
SPARKLE_API sparkle_status_t sparkle_scheduler_create(
    sparkle_context_t *context, const sparkle_scheduler_options_t *options,
    sparkle_scheduler_t **out_scheduler, sparkle_error_t *out_error);
SPARKLE_API void sparkle_scheduler_retain(sparkle_scheduler_t *scheduler);
/* What was learned is written to the history. What was submitted still runs,
 * and arrays and tasks still work. */
SPARKLE_API void sparkle_scheduler_release(sparkle_scheduler_t *scheduler);

/* Waits until submission `ticket` is done: the host's copies of its arrays hold
 * its outputs.
 * timeout: nanoseconds; 0 only looks; SPARKLE_FOREVER.
 * Returns SPARKLE_TIMEOUT; SPARKLE_INVALID_ARGUMENT for a ticket that was not
 * given, or whose outcome is forgotten (the last 4096 are kept); why the work
 * could be done on no device, naming what each one lacks. */
SPARKLE_API sparkle_status_t
sparkle_scheduler_wait(sparkle_scheduler_t *scheduler, uint64_t ticket,
                       uint64_t timeout, sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Arrays
 *===----------------------------------------------------------------------===*/

/* Creates an array in the host's memory, whose bytes are zero.
 * out_array: owned by the caller.
 * Returns SPARKLE_OUT_OF_MEMORY. */
SPARKLE_API sparkle_status_t
sparkle_array_create(sparkle_scheduler_t *scheduler, uint64_t size,
                     sparkle_array_t **out_array, sparkle_error_t *out_error);
SPARKLE_API void sparkle_array_retain(sparkle_array_t *array);
/* What was submitted still runs with it. */
SPARKLE_API void sparkle_array_release(sparkle_array_t *array);
SPARKLE_API uint64_t sparkle_array_get_size(const sparkle_array_t *array);

typedef enum sparkle_access {
  SPARKLE_ACCESS_READ = 0,
  /* Devices read the array anew afterwards. */
  SPARKLE_ACCESS_WRITE = 1,
  SPARKLE_ACCESS_MAX = 0x7fffffff
} sparkle_access_t;

/* Waits until the host may read, or write, the array, and gives its bytes,
 * aligned to 64. They may be used so until the next submission with the array,
 * and do not move while it lives.
 * access: READ waits for the work that writes the array, WRITE for all work
 * with it.
 * timeout: nanoseconds; 0 only looks; SPARKLE_FOREVER.
 * out_pointer: null if the size is 0.
 * Returns SPARKLE_TIMEOUT; for READ, why the last work that was to write the
 * array could not. */
SPARKLE_API sparkle_status_t sparkle_array_map(sparkle_array_t *array,
                                               sparkle_access_t access,
                                               uint64_t timeout,
                                               void **out_pointer,
                                               sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Tasks
 *===----------------------------------------------------------------------===*/

/* Makes a kernel ready at some sizes. Devices compile and pack when they are
 * first chosen.
 * kernel: borrowed; it stays where it is until the task is released and its
 * submissions are done.
 * weights: one pointer for each tensor without temps; those of weights in their
 * declared layout, copied; others ignored.
 * out_task: owned by the caller.
 * Returns SPARKLE_INVALID_ARTIFACT, SPARKLE_WRONG_COUNT, SPARKLE_WRONG_SHAPE,
 * SPARKLE_INVALID_ARGUMENT; SPARKLE_NO_IMAGE and what each device lacks if none
 * can run it; SPARKLE_OUT_OF_MEMORY. */
SPARKLE_API sparkle_status_t sparkle_task_create(
    sparkle_scheduler_t *scheduler, const sparkle_kernel_t *kernel,
    const int64_t *sizes, uint32_t size_count, const void *const *weights,
    uint32_t argument_count, sparkle_task_t **out_task,
    sparkle_error_t *out_error);
SPARKLE_API void sparkle_task_retain(sparkle_task_t *task);
SPARKLE_API void sparkle_task_release(sparkle_task_t *task);

/* Submits a run of the task and returns without waiting for it, unless as many
 * submissions are pending as may be.
 * arrays: one for each tensor without temps, null for weights; of exactly the
 * tensor's bytes, the written ones different from all others: inputs stay as
 * they are, for another device to do again what one has failed to do.
 * hint: the device to run on, "cpu", "WORD" for any of that target, "WORD:0";
 * "auto": the scheduler chooses; null: it does unless SPARKLE_DEVICE_HINT says
 * otherwise. Where that device cannot, others do it.
 * out_ticket: may be null. Grows by one with each submission.
 * Returns SPARKLE_WRONG_COUNT, SPARKLE_WRONG_SHAPE, SPARKLE_OVERLAP,
 * SPARKLE_INVALID_ARGUMENT; SPARKLE_WRONG_DEVICE for an array of another
 * scheduler. What goes wrong later is told by sparkle_scheduler_wait. */
SPARKLE_API sparkle_status_t sparkle_task_submit(sparkle_task_t *task,
                                                 sparkle_array_t *const *arrays,
                                                 uint32_t argument_count,
                                                 const char *hint,
                                                 uint64_t *out_ticket,
                                                 sparkle_error_t *out_error);

/*===----------------------------------------------------------------------===
 * Explanations
 *===----------------------------------------------------------------------===*/

typedef enum sparkle_source {
  SPARKLE_SOURCE_NONE = 0,     /* the device cannot run it */
  SPARKLE_SOURCE_ROOFLINE = 1, /* of the device's measured peak and bandwidth,
                                  and what other kernels reached of them */
  SPARKLE_SOURCE_HISTORY = 2,  /* of earlier runs of this task */
  SPARKLE_SOURCE_MAX = 0x7fffffff
} sparkle_source_t;

/* What a task is expected to take on a device, and took. */
typedef struct sparkle_prediction {
  uint32_t source;      /* sparkle_source_t */
  uint32_t runs;        /* that count, those of earlier processes included */
  double kernel_ns;     /* the kernel by itself */
  double transfer_ns;   /* for inputs that are not there, and for outputs */
  double bound_ns;      /* what it takes at least, by the roofline */
  double last_ns;       /* the kernel, the last time; 0: it has not run */
  double deviation_ns;  /* of the kernel's times */
  sparkle_error_t lack; /* why the device cannot run it; SPARKLE_OK if it can */
} sparkle_prediction_t;

/* device: in the order of sparkle_scheduler_get_device; all inputs are taken to
 * be on the host.
 * Returns SPARKLE_INVALID_ARGUMENT if there is no such device. */
SPARKLE_API sparkle_status_t sparkle_task_predict(
    sparkle_task_t *task, size_t device, sparkle_prediction_t *out_prediction,
    sparkle_error_t *out_error);

/* A submission is divided into no more parts. */
#define SPARKLE_MAX_PARTS 16

/* Units `begin` to `end` of a submission, which ran on a device: of the index
 * that it was divided along, one coordinate each or as many as a tile that all
 * devices have in common; or all of it. */
typedef struct sparkle_part {
  uint32_t device;
  uint32_t reserved;
  int64_t begin, end;
  double predicted_ns; /* of the part, transfers included, without waiting */
  double actual_ns;    /* 0: not done yet */
} sparkle_part_t;

typedef struct sparkle_decision {
  uint64_t ticket;
  const sparkle_kernel_t *kernel;
  uint32_t part_count; /* in the order in which they began, those that failed
                          among them: 1 if all went well and whole */
  uint32_t failures;   /* of devices, after which it was done elsewhere */
  sparkle_part_t parts[SPARKLE_MAX_PARTS];
  double predicted_ns; /* from the choice to the end, waiting included */
  double actual_ns;    /* 0: not done yet */
  char reason[192];    /* "cpu ends first: 120 us, before WORD:0, 340 us" */
} sparkle_decision_t;

/* How a submission was run, and why so.
 * Returns SPARKLE_INVALID_ARGUMENT as sparkle_scheduler_wait; SPARKLE_TIMEOUT
 * if nothing has been chosen yet. */
SPARKLE_API sparkle_status_t sparkle_scheduler_explain(
    sparkle_scheduler_t *scheduler, uint64_t ticket,
    sparkle_decision_t *out_decision, sparkle_error_t *out_error);

SPARKLE_API size_t
sparkle_scheduler_get_device_count(const sparkle_scheduler_t *scheduler);
/* Borrowed from the scheduler; null if `index` is too large. */
SPARKLE_API sparkle_device_t *
sparkle_scheduler_get_device(const sparkle_scheduler_t *scheduler,
                             size_t index);

typedef struct sparkle_device_counters {
  sparkle_device_performance_t performance; /* as measured once */
  uint64_t parts;         /* done: submissions, and parts of them */
  uint64_t failures;      /* of the device; each was done again elsewhere */
  uint64_t suspects;      /* above the measured peak: they count nowhere */
  uint64_t explorations;  /* chosen only in order to learn */
  uint64_t uploaded;      /* bytes from the host's copies to the device */
  uint64_t downloaded;    /* bytes back */
  double operations;      /* of all kernels that were timed */
  double busy_ns;         /* in which these ran */
  double predicted_ns;    /* of the same, when they were chosen */
  uint32_t in_flight;     /* parts, at most three */
  uint32_t is_set_aside;  /* it failed, and waits to be tried again */
  uint64_t retry_ns;      /* until then; 0: at once */
  sparkle_error_t reason; /* of the last failure */
} sparkle_device_counters_t;

/* Returns SPARKLE_INVALID_ARGUMENT if there is no such device. */
SPARKLE_API sparkle_status_t sparkle_scheduler_query_counters(
    sparkle_scheduler_t *scheduler, size_t device,
    sparkle_device_counters_t *out_counters, sparkle_error_t *out_error);

#ifdef __cplusplus
}
#endif

#endif /* SPARKLE_SCHEDULER_H */
