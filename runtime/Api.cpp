// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extern "C" functions: check arguments, call inside, hand the status over.

#include "runtime/Api.h"
#include "runtime/Command.h"
#include "runtime/Context.h"
#include "runtime/Device/CPU/Features.h"
#include "runtime/Device/CPU/Peak.h"
#include "runtime/Library.h"
#include "runtime/Module.h"
#include "runtime/Shape.h"
#include "runtime/Stream.h"
#include "runtime/Timeline.h"
#include "runtime/Tune.h"
#include "runtime/Validate.h"

#include <cstring>

using namespace sparkle::runtime;

const char *sparkle_status_name(sparkle_status_t status) {
  switch (status) {
#define SPARKLE_STATUS(name, number)                                           \
  case SPARKLE_##name:                                                         \
    return #name;
    SPARKLE_STATUSES(SPARKLE_STATUS)
#undef SPARKLE_STATUS
  case SPARKLE_STATUS_MAX:
    break;
  }
  return "UNKNOWN";
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_context_create(sparkle_context_t **out_context,
                                        sparkle_error_t *out_error) {
  if (!out_context)
    return missing("out_context").report(out_error);
  Ref<Context> context;
  Status status = Context::create(context);
  return give(status, context, out_context, out_error);
}

void sparkle_context_retain(sparkle_context_t *context) { retain(context); }

void sparkle_context_release(sparkle_context_t *context) { release(context); }

size_t sparkle_context_get_device_count(const sparkle_context_t *context) {
  return context ? unwrap(context).devices().size() : 0;
}

sparkle_device_t *sparkle_context_get_device(const sparkle_context_t *context,
                                             size_t index) {
  if (index >= sparkle_context_get_device_count(context))
    return nullptr;
  return wrap(unwrap(context).devices()[index].get());
}

sparkle_status_t sparkle_context_find_device(const sparkle_context_t *context,
                                             const char *name,
                                             sparkle_device_t **out_device,
                                             sparkle_error_t *out_error) {
  if (!out_device)
    return missing("out_device").report(out_error);
  *out_device = nullptr;
  if (!context)
    return missing("a context").report(out_error);
  if (!name)
    return missing("the name of a device").report(out_error);
  Device *device = nullptr;
  Status status = unwrap(context).find(name, device);
  *out_device = wrap(device);
  return status.report(out_error);
}

void sparkle_device_retain(sparkle_device_t *device) { retain(device); }

void sparkle_device_release(sparkle_device_t *device) { release(device); }

void sparkle_device_query_properties(
    const sparkle_device_t *device,
    sparkle_device_properties_t *out_properties) {
  if (out_properties)
    *out_properties =
        device ? unwrap(device).properties() : sparkle_device_properties_t{};
}

sparkle_status_t
sparkle_device_measure(sparkle_device_t *device, uint32_t threads,
                       sparkle_device_performance_t *out_performance,
                       sparkle_error_t *out_error) {
  if (!out_performance)
    return missing("out_performance").report(out_error);
  *out_performance = {};
  if (!device)
    return missing("a device").report(out_error);
  sparkle_device_performance_t performance = {};
  Status status = unwrap(device).measure(threads, performance);
  if (status.isOk())
    *out_performance = performance;
  return status.report(out_error);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_kernel_validate(const sparkle_kernel_t *kernel,
                                         sparkle_error_t *out_error) {
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  return validate(*kernel).report(out_error);
}

sparkle_status_t sparkle_library_open(const char *path,
                                      sparkle_library_t **out_library,
                                      sparkle_error_t *out_error) {
  if (!out_library)
    return missing("out_library").report(out_error);
  *out_library = nullptr;
  if (!path)
    return missing("a path").report(out_error);
  Ref<Library> library;
  Status status = Library::open(path, library);
  return give(status, library, out_library, out_error);
}

void sparkle_library_retain(sparkle_library_t *library) { retain(library); }

void sparkle_library_release(sparkle_library_t *library) { release(library); }

size_t sparkle_library_get_kernel_count(const sparkle_library_t *library) {
  return library ? unwrap(library).kernels().size() : 0;
}

const sparkle_kernel_t *
sparkle_library_get_kernel(const sparkle_library_t *library, size_t index) {
  return index < sparkle_library_get_kernel_count(library)
             ? unwrap(library).kernels()[index]
             : nullptr;
}

const sparkle_kernel_t *
sparkle_library_find_kernel(const sparkle_library_t *library,
                            const char *name) {
  if (library && name)
    for (const sparkle_kernel_t *kernel : unwrap(library).kernels())
      if (!std::strcmp(kernel->name, name))
        return kernel;
  return nullptr;
}

sparkle_status_t sparkle_module_create(sparkle_device_t *device,
                                       const sparkle_kernel_t *kernel,
                                       sparkle_module_t **out_module,
                                       sparkle_error_t *out_error) {
  if (!out_module)
    return missing("out_module").report(out_error);
  *out_module = nullptr;
  if (!device)
    return missing("a device").report(out_error);
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  Ref<Module> module;
  Status status = Module::create(unwrap(device), *kernel, module);
  return give(status, module, out_module, out_error);
}

void sparkle_module_retain(sparkle_module_t *module) { retain(module); }

void sparkle_module_release(sparkle_module_t *module) { release(module); }

void sparkle_module_query_properties(
    const sparkle_module_t *module,
    sparkle_module_properties_t *out_properties) {
  if (out_properties)
    *out_properties =
        module ? unwrap(module).properties() : sparkle_module_properties_t{};
}

sparkle_status_t sparkle_module_select_variant(sparkle_module_t *module,
                                               uint32_t variant,
                                               sparkle_error_t *out_error) {
  if (!module)
    return missing("a module").report(out_error);
  return unwrap(module).select(variant).report(out_error);
}

sparkle_status_t sparkle_module_tune(sparkle_module_t *module,
                                     const int64_t *sizes, uint32_t size_count,
                                     uint32_t rounds,
                                     sparkle_error_t *out_error) {
  if (!module)
    return missing("a module").report(out_error);
  return tune(unwrap(module), sizes, size_count, rounds).report(out_error);
}

sparkle_status_t sparkle_module_query_argument_size(
    const sparkle_module_t *module, uint32_t index, const int64_t *sizes,
    uint32_t size_count, uint64_t *out_size, sparkle_error_t *out_error) {
  if (!out_size)
    return missing("out_size").report(out_error);
  *out_size = 0;
  if (!module)
    return missing("a module").report(out_error);
  const Module &object = unwrap(module);
  Status status = object.checkArgument(index);
  if (status.isOk())
    status = checkSizes(object.kernel(), sizes, size_count);
  uint64_t size = 0;
  if (status.isOk())
    status = object.getArgumentSize(index, object.current(), sizes, size);
  if (status.isOk())
    *out_size = size;
  return status.report(out_error);
}

sparkle_status_t sparkle_module_pack(const sparkle_module_t *module,
                                     uint32_t index, const void *source,
                                     void *packed, sparkle_error_t *out_error) {
  if (!module)
    return missing("a module").report(out_error);
  if (!source)
    return missing("a weight").report(out_error);
  if (!packed)
    return missing("memory for the packed weight").report(out_error);
  const Module &object = unwrap(module);
  Status status = object.checkArgument(index);
  if (status.isOk())
    status = object.pack(index, object.current(), source, packed);
  return status.report(out_error);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_buffer_create(sparkle_device_t *device,
                                       sparkle_memory_t memory, uint64_t size,
                                       sparkle_buffer_t **out_buffer,
                                       sparkle_error_t *out_error) {
  if (!out_buffer)
    return missing("out_buffer").report(out_error);
  *out_buffer = nullptr;
  if (!device)
    return missing("a device").report(out_error);
  if (static_cast<uint32_t>(memory) > SPARKLE_MEMORY_READBACK)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected a kind of memory from 0 to 2, but got %u",
                           static_cast<uint32_t>(memory))
        .report(out_error);
  Ref<Buffer> buffer;
  Status status = unwrap(device).createBuffer(memory, size, buffer);
  return give(status, buffer, out_buffer, out_error);
}

void sparkle_buffer_retain(sparkle_buffer_t *buffer) { retain(buffer); }

void sparkle_buffer_release(sparkle_buffer_t *buffer) { release(buffer); }

uint64_t sparkle_buffer_get_size(const sparkle_buffer_t *buffer) {
  return buffer ? unwrap(buffer).size() : 0;
}

void *sparkle_buffer_get_pointer(const sparkle_buffer_t *buffer) {
  return buffer ? unwrap(buffer).pointer() : nullptr;
}

//===----------------------------------------------------------------------===//
// Timelines
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_timeline_create(sparkle_context_t *context,
                                         uint64_t initial,
                                         sparkle_timeline_t **out_timeline,
                                         sparkle_error_t *out_error) {
  if (!out_timeline)
    return missing("out_timeline").report(out_error);
  *out_timeline = nullptr;
  if (!context)
    return missing("a context").report(out_error);
  Ref<Timeline> timeline = Ref<Timeline>::adopt(new HostTimeline(initial));
  return give({}, timeline, out_timeline, out_error);
}

void sparkle_timeline_retain(sparkle_timeline_t *timeline) { retain(timeline); }

void sparkle_timeline_release(sparkle_timeline_t *timeline) {
  release(timeline);
}

sparkle_status_t sparkle_timeline_query(const sparkle_timeline_t *timeline,
                                        uint64_t *out_value,
                                        sparkle_error_t *out_error) {
  if (!out_value)
    return missing("out_value").report(out_error);
  *out_value = 0;
  if (!timeline)
    return missing("a timeline").report(out_error);
  // Looking changes nothing, but takes a lock.
  auto &object = const_cast<Timeline &>(unwrap(timeline));
  return object.query(*out_value).report(out_error);
}

sparkle_status_t sparkle_timeline_signal(sparkle_timeline_t *timeline,
                                         uint64_t value,
                                         sparkle_error_t *out_error) {
  if (!timeline)
    return missing("a timeline").report(out_error);
  return unwrap(timeline).signal(value).report(out_error);
}

sparkle_status_t sparkle_timeline_wait(sparkle_timeline_t *timeline,
                                       uint64_t value, uint64_t timeout,
                                       sparkle_error_t *out_error) {
  if (!timeline)
    return missing("a timeline").report(out_error);
  return unwrap(timeline).wait(value, timeout).report(out_error);
}

//===----------------------------------------------------------------------===//
// Commands and queues
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_queue_create(sparkle_device_t *device,
                                      sparkle_queue_t **out_queue,
                                      sparkle_error_t *out_error) {
  if (!out_queue)
    return missing("out_queue").report(out_error);
  *out_queue = nullptr;
  if (!device)
    return missing("a device").report(out_error);
  Ref<Queue> queue;
  Status status = unwrap(device).createQueue(queue);
  return give(status, queue, out_queue, out_error);
}

void sparkle_queue_retain(sparkle_queue_t *queue) { retain(queue); }

void sparkle_queue_release(sparkle_queue_t *queue) { release(queue); }

sparkle_timeline_t *sparkle_queue_get_timeline(const sparkle_queue_t *queue) {
  return queue ? wrap(&const_cast<Queue &>(unwrap(queue)).timeline()) : nullptr;
}

sparkle_status_t sparkle_recording_create(sparkle_device_t *device,
                                          const sparkle_command_t *commands,
                                          uint32_t command_count,
                                          sparkle_recording_t **out_recording,
                                          sparkle_error_t *out_error) {
  if (!out_recording)
    return missing("out_recording").report(out_error);
  *out_recording = nullptr;
  if (!device)
    return missing("a device").report(out_error);
  Ref<Recording> recording;
  Status status = record(unwrap(device), commands, command_count, recording);
  return give(status, recording, out_recording, out_error);
}

void sparkle_recording_retain(sparkle_recording_t *recording) {
  retain(recording);
}

void sparkle_recording_release(sparkle_recording_t *recording) {
  release(recording);
}

sparkle_status_t sparkle_queue_submit(sparkle_queue_t *queue,
                                      const sparkle_submission_t *submission,
                                      uint64_t *out_value,
                                      sparkle_error_t *out_error) {
  if (out_value)
    *out_value = 0;
  if (!queue)
    return missing("a queue").report(out_error);
  if (!submission)
    return missing("a submission").report(out_error);
  uint64_t value = 0;
  Status status = submit(unwrap(queue), *submission, value);
  if (status.isOk() && out_value)
    *out_value = value;
  return status.report(out_error);
}

sparkle_status_t sparkle_queue_query_times(sparkle_queue_t *queue,
                                           uint64_t value, uint64_t *out_begin,
                                           uint64_t *out_end,
                                           sparkle_error_t *out_error) {
  if (!out_begin || !out_end)
    return missing(out_begin ? "out_end" : "out_begin").report(out_error);
  *out_begin = *out_end = 0;
  if (!queue)
    return missing("a queue").report(out_error);
  uint64_t begin = 0, end = 0;
  Status status = unwrap(queue).queryTimes(value, begin, end);
  if (status.isOk()) {
    *out_begin = begin;
    *out_end = end;
  }
  return status.report(out_error);
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

sparkle_status_t
sparkle_stream_create(sparkle_module_t *module, const int64_t *sizes,
                      uint32_t size_count, const void *const *weights,
                      uint32_t argument_count, sparkle_stream_t **out_stream,
                      sparkle_error_t *out_error) {
  if (!out_stream)
    return missing("out_stream").report(out_error);
  *out_stream = nullptr;
  if (!module)
    return missing("a module").report(out_error);
  Ref<Stream> stream;
  Status status = Stream::create(unwrap(module), sizes, size_count, weights,
                                 argument_count, stream);
  return give(status, stream, out_stream, out_error);
}

void sparkle_stream_retain(sparkle_stream_t *stream) { retain(stream); }

void sparkle_stream_release(sparkle_stream_t *stream) { release(stream); }

sparkle_status_t sparkle_stream_submit(sparkle_stream_t *stream,
                                       void *const *arguments,
                                       uint32_t argument_count,
                                       uint64_t *out_ticket,
                                       sparkle_error_t *out_error) {
  if (!out_ticket)
    return missing("out_ticket").report(out_error);
  *out_ticket = 0;
  if (!stream)
    return missing("a stream").report(out_error);
  return unwrap(stream)
      .submit(arguments, argument_count, *out_ticket)
      .report(out_error);
}

sparkle_status_t sparkle_stream_wait(sparkle_stream_t *stream, uint64_t ticket,
                                     uint64_t timeout,
                                     sparkle_error_t *out_error) {
  if (!stream)
    return missing("a stream").report(out_error);
  return unwrap(stream).wait(ticket, timeout).report(out_error);
}

//===----------------------------------------------------------------------===//
// The CPU by itself
//===----------------------------------------------------------------------===//

sparkle_status_t sparkle_cpu_query_features(uint64_t *out_features,
                                            sparkle_error_t *out_error) {
  if (!out_features)
    return missing("out_features").report(out_error);
  *out_features = 0;
  return queryFeatures(*out_features).report(out_error);
}

sparkle_status_t sparkle_cpu_find_code(const sparkle_kernel_t *kernel,
                                       const sparkle_code_t **out_code,
                                       sparkle_error_t *out_error) {
  if (!out_code)
    return missing("out_code").report(out_error);
  *out_code = nullptr;
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  Status status = validate(*kernel);
  uint64_t features = 0;
  if (status.isOk())
    status = queryFeatures(features);
  if (status.isOk())
    status = findCode(*kernel, features, *out_code);
  return status.report(out_error);
}

sparkle_status_t sparkle_cpu_measure_peak(uint32_t threads,
                                          sparkle_cpu_peak_t *out_peak,
                                          sparkle_error_t *out_error) {
  if (!out_peak)
    return missing("out_peak").report(out_error);
  *out_peak = {};
  return measurePeak(threads, manyRounds, *out_peak).report(out_error);
}
