// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the extern "C" functions have in common.

#ifndef SPARKLE_RUNTIME_API_H
#define SPARKLE_RUNTIME_API_H

#include "runtime/Handle.h"
#include "runtime/Reference.h"
#include "runtime/Status.h"

namespace sparkle::runtime {

inline Status missing(const char *argument) {
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected %s, but got a null pointer", argument);
}

template <typename Handle> void retain(Handle *handle) {
  if (handle)
    unwrap(handle).retain();
}

template <typename Handle> void release(Handle *handle) {
  if (handle)
    unwrap(handle).release();
}

/// Hands an object over, which is null after a failure.
template <typename T, typename Handle>
sparkle_status_t give(const Status &status, Ref<T> &object, Handle **out,
                      sparkle_error_t *error) {
  *out = status.isOk() ? wrap(object.take()) : nullptr;
  return status.report(error);
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_API_H
