// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waits in two steps: until the driver has the work, then until it is done.

#include "runtime/Device/DriverTimeline.h"

#include <algorithm>
#include <chrono>

namespace sparkle::runtime {

using Clock = std::chrono::steady_clock;

void DriverTimeline::setSubmitted(uint64_t value) {
  given.store(value, std::memory_order_release);
  changed.notify_all();
}

void DriverTimeline::markReached(uint64_t value) {
  uint64_t last = reached.load(std::memory_order_relaxed);
  while (last < value &&
         !reached.compare_exchange_weak(last, value, std::memory_order_acq_rel))
    ;
}

void DriverTimeline::fail(const Status &status) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!reason.isOk())
    return;
  reason = status;
  hasFailed.store(true, std::memory_order_release);
  changed.notify_all();
}

Status DriverTimeline::failure() {
  if (!hasFailed.load(std::memory_order_acquire))
    return {};
  std::lock_guard<std::mutex> lock(mutex);
  return reason;
}

Status DriverTimeline::signal(uint64_t) {
  return Status::failure(
      SPARKLE_INVALID_ARGUMENT,
      "expected a timeline of the host, but got a queue's own");
}

/// A century is for ever, and does not overflow the clock.
static constexpr uint64_t longest = UINT64_C(3000000000000000000);

Status DriverTimeline::waitGiven(uint64_t value, uint64_t timeout) {
  if (submitted() >= value)
    return {};
  auto duration = std::chrono::nanoseconds(std::min(timeout, longest));
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait_until(lock, Clock::now() + duration,
                     [&] { return submitted() >= value || !reason.isOk(); });
  if (submitted() >= value)
    return {};
  if (!reason.isOk())
    return reason;
  return makeTimeOut(value);
}

Status DriverTimeline::wait(uint64_t value, uint64_t timeout) {
  if (isKnownReached(value))
    return {};
  Clock::time_point begin = Clock::now();
  if (Status status = waitGiven(value, timeout); !status.isOk())
    return status;
  if (timeout < longest) {
    auto spent = std::chrono::nanoseconds(Clock::now() - begin).count();
    timeout -= std::min(timeout, static_cast<uint64_t>(spent));
  }
  Status status = waitSubmitted(value, timeout);
  if (!status.isOk() && isLoss(status))
    fail(status);
  return status;
}

} // namespace sparkle::runtime
