// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handles of the C ABI with an owner.

#ifndef SPARKLE_TEST_RUNTIME_OWNED_H
#define SPARKLE_TEST_RUNTIME_OWNED_H

#include "sparkle/scheduler.h"

#include <utility>

#define SPARKLE_RELEASE(noun)                                                  \
  inline void release(sparkle_##noun##_t *handle) {                            \
    sparkle_##noun##_release(handle);                                          \
  }
SPARKLE_RELEASE(array)
SPARKLE_RELEASE(buffer)
SPARKLE_RELEASE(context)
SPARKLE_RELEASE(library)
SPARKLE_RELEASE(module)
SPARKLE_RELEASE(queue)
SPARKLE_RELEASE(recording)
SPARKLE_RELEASE(scheduler)
SPARKLE_RELEASE(stream)
SPARKLE_RELEASE(task)
SPARKLE_RELEASE(timeline)
#undef SPARKLE_RELEASE

/// Owns what a function of the C ABI gave.
template <typename T> class Owned {
public:
  Owned() = default;
  Owned(Owned &&other) noexcept
      : handle(std::exchange(other.handle, nullptr)) {}
  Owned &operator=(Owned other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  ~Owned() { release(handle); }

  /// To be filled in; what was there before is released.
  T **out() {
    release(handle);
    handle = nullptr;
    return &handle;
  }
  operator T *() const { return handle; }

private:
  T *handle = nullptr;
};

using Buffer = Owned<sparkle_buffer_t>;
using Library = Owned<sparkle_library_t>;
using Module = Owned<sparkle_module_t>;
using Queue = Owned<sparkle_queue_t>;
using Recording = Owned<sparkle_recording_t>;
using Stream = Owned<sparkle_stream_t>;
using Timeline = Owned<sparkle_timeline_t>;

#endif // SPARKLE_TEST_RUNTIME_OWNED_H
