// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extern "C" functions of sparkle/scheduler.h: check arguments, call
// inside, hand the status over.

#include "runtime/Api.h"
#include "runtime/Scheduler/Engine.h"

using namespace sparkle::runtime;

sparkle_status_t sparkle_scheduler_create(
    sparkle_context_t *context, const sparkle_scheduler_options_t *options,
    sparkle_scheduler_t **out_scheduler, sparkle_error_t *out_error) {
  if (!out_scheduler)
    return missing("out_scheduler").report(out_error);
  *out_scheduler = nullptr;
  if (!context)
    return missing("a context").report(out_error);
  Ref<Scheduler> scheduler;
  Status status = Scheduler::create(
      unwrap(context), options ? *options : sparkle_scheduler_options_t{},
      scheduler);
  return give(status, scheduler, out_scheduler, out_error);
}

void sparkle_scheduler_retain(sparkle_scheduler_t *scheduler) {
  retain(scheduler);
}

void sparkle_scheduler_release(sparkle_scheduler_t *scheduler) {
  // The end of the engine may come later, and after that of the process.
  if (scheduler)
    (void)unwrap(scheduler).engine().history().flush(); // logged if it fails
  release(scheduler);
}

sparkle_status_t sparkle_scheduler_wait(sparkle_scheduler_t *scheduler,
                                        uint64_t ticket, uint64_t timeout,
                                        sparkle_error_t *out_error) {
  if (!scheduler)
    return missing("a scheduler").report(out_error);
  return unwrap(scheduler).engine().wait(ticket, timeout).report(out_error);
}

sparkle_status_t sparkle_array_create(sparkle_scheduler_t *scheduler,
                                      uint64_t size,
                                      sparkle_array_t **out_array,
                                      sparkle_error_t *out_error) {
  if (!out_array)
    return missing("out_array").report(out_error);
  *out_array = nullptr;
  if (!scheduler)
    return missing("a scheduler").report(out_error);
  Ref<Array> array;
  Status status = Array::create(unwrap(scheduler), size, array);
  return give(status, array, out_array, out_error);
}

void sparkle_array_retain(sparkle_array_t *array) { retain(array); }

void sparkle_array_release(sparkle_array_t *array) { release(array); }

uint64_t sparkle_array_get_size(const sparkle_array_t *array) {
  return array ? unwrap(array).size() : 0;
}

sparkle_status_t sparkle_array_map(sparkle_array_t *array,
                                   sparkle_access_t access, uint64_t timeout,
                                   void **out_pointer,
                                   sparkle_error_t *out_error) {
  if (!out_pointer)
    return missing("out_pointer").report(out_error);
  *out_pointer = nullptr;
  if (!array)
    return missing("an array").report(out_error);
  return unwrap(array).map(access, timeout, *out_pointer).report(out_error);
}

sparkle_status_t sparkle_task_create(sparkle_scheduler_t *scheduler,
                                     const sparkle_kernel_t *kernel,
                                     const int64_t *sizes, uint32_t size_count,
                                     const void *const *weights,
                                     uint32_t argument_count,
                                     sparkle_task_t **out_task,
                                     sparkle_error_t *out_error) {
  if (!out_task)
    return missing("out_task").report(out_error);
  *out_task = nullptr;
  if (!scheduler)
    return missing("a scheduler").report(out_error);
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  Ref<Task> task;
  Status status = Task::create(unwrap(scheduler), *kernel, sizes, size_count,
                               weights, argument_count, task);
  return give(status, task, out_task, out_error);
}

void sparkle_task_retain(sparkle_task_t *task) { retain(task); }

void sparkle_task_release(sparkle_task_t *task) { release(task); }

sparkle_status_t sparkle_task_submit(sparkle_task_t *task,
                                     sparkle_array_t *const *arrays,
                                     uint32_t argument_count, const char *hint,
                                     uint64_t *out_ticket,
                                     sparkle_error_t *out_error) {
  uint64_t ticket = 0;
  if (out_ticket)
    *out_ticket = 0;
  if (!task)
    return missing("a task").report(out_error);
  // No more than there should be: of another count nothing is read.
  bool isWhole = argument_count == unwrap(task).arguments().size();
  std::vector<Array *> given(arrays && isWhole ? argument_count : 0);
  for (size_t i = 0; i < given.size(); ++i)
    given[i] = arrays[i] ? &unwrap(arrays[i]) : nullptr;
  Status status = unwrap(task).engine().submit(unwrap(task),
                                               arrays ? given.data() : nullptr,
                                               argument_count, hint, ticket);
  if (out_ticket)
    *out_ticket = ticket;
  return status.report(out_error);
}

sparkle_status_t sparkle_task_predict(sparkle_task_t *task, size_t device,
                                      sparkle_prediction_t *out_prediction,
                                      sparkle_error_t *out_error) {
  if (!out_prediction)
    return missing("out_prediction").report(out_error);
  *out_prediction = {};
  if (!task)
    return missing("a task").report(out_error);
  return unwrap(task).predict(device, *out_prediction).report(out_error);
}

sparkle_status_t sparkle_scheduler_explain(sparkle_scheduler_t *scheduler,
                                           uint64_t ticket,
                                           sparkle_decision_t *out_decision,
                                           sparkle_error_t *out_error) {
  if (!out_decision)
    return missing("out_decision").report(out_error);
  *out_decision = {};
  if (!scheduler)
    return missing("a scheduler").report(out_error);
  return unwrap(scheduler)
      .engine()
      .explain(ticket, *out_decision)
      .report(out_error);
}

size_t
sparkle_scheduler_get_device_count(const sparkle_scheduler_t *scheduler) {
  return scheduler ? unwrap(scheduler).engine().devices().size() : 0;
}

sparkle_device_t *
sparkle_scheduler_get_device(const sparkle_scheduler_t *scheduler,
                             size_t index) {
  if (index >= sparkle_scheduler_get_device_count(scheduler))
    return nullptr;
  return wrap(unwrap(scheduler).engine().devices()[index].get());
}

sparkle_status_t
sparkle_scheduler_query_counters(sparkle_scheduler_t *scheduler, size_t device,
                                 sparkle_device_counters_t *out_counters,
                                 sparkle_error_t *out_error) {
  if (!out_counters)
    return missing("out_counters").report(out_error);
  *out_counters = {};
  if (!scheduler)
    return missing("a scheduler").report(out_error);
  return unwrap(scheduler)
      .engine()
      .queryCounters(device, *out_counters)
      .report(out_error);
}
