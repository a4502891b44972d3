// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The handles of the C ABI are pointers to the objects inside.

#ifndef SPARKLE_RUNTIME_HANDLE_H
#define SPARKLE_RUNTIME_HANDLE_H

#include "sparkle/scheduler.h"

namespace sparkle::runtime {

// HANDLE(Class, its handle in C)
#define SPARKLE_HANDLES(HANDLE)                                                \
  HANDLE(Array, sparkle_array_t)                                               \
  HANDLE(Buffer, sparkle_buffer_t)                                             \
  HANDLE(Context, sparkle_context_t)                                           \
  HANDLE(Device, sparkle_device_t)                                             \
  HANDLE(Library, sparkle_library_t)                                           \
  HANDLE(Module, sparkle_module_t)                                             \
  HANDLE(Queue, sparkle_queue_t)                                               \
  HANDLE(Recording, sparkle_recording_t)                                       \
  HANDLE(Scheduler, sparkle_scheduler_t)                                       \
  HANDLE(Stream, sparkle_stream_t)                                             \
  HANDLE(Task, sparkle_task_t)                                                 \
  HANDLE(Timeline, sparkle_timeline_t)

#define SPARKLE_HANDLE(name, handle)                                           \
  class name;                                                                  \
  inline handle *wrap(name *object) {                                          \
    return reinterpret_cast<handle *>(object);                                 \
  }                                                                            \
  inline name &unwrap(handle *object) {                                        \
    return *reinterpret_cast<name *>(object);                                  \
  }                                                                            \
  inline const name &unwrap(const handle *object) {                            \
    return *reinterpret_cast<const name *>(object);                            \
  }
SPARKLE_HANDLES(SPARKLE_HANDLE)
#undef SPARKLE_HANDLE

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_HANDLE_H
