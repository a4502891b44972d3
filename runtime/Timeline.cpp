// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A number, a lock, and who waits for it to change.

#include "runtime/Timeline.h"
#include "runtime/Wait.h"

#include <cinttypes>

namespace sparkle::runtime {

Status HostTimeline::query(uint64_t &value) {
  std::lock_guard<std::mutex> lock(mutex);
  if (failure.isOk())
    value = reached;
  return failure;
}

Status HostTimeline::wait(uint64_t value, uint64_t timeout) {
  auto isOver = [&] { return reached >= value || !failure.isOk(); };
  std::unique_lock<std::mutex> lock(mutex);
  waitUntil(changed, lock, timeout, isOver);
  if (reached >= value)
    return {};
  if (!failure.isOk())
    return failure;
  return makeTimeOut(value);
}

Status HostTimeline::signal(uint64_t value) {
  std::lock_guard<std::mutex> lock(mutex);
  if (owner)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "expected a timeline of the host, but got a queue's own");
  if (!failure.isOk())
    return failure;
  if (value <= reached)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "expected a value above %" PRIu64 ", but got %" PRIu64, reached, value);
  reached = value;
  changed.notify_all();
  return {};
}

void HostTimeline::advance(uint64_t value) {
  std::lock_guard<std::mutex> lock(mutex);
  if (value <= reached)
    return;
  reached = value;
  changed.notify_all();
}

void HostTimeline::fail(const Status &status) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!failure.isOk())
    return;
  failure = status;
  changed.notify_all();
}

} // namespace sparkle::runtime
