// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for a time of the C ABI's.

#ifndef SPARKLE_RUNTIME_WAIT_H
#define SPARKLE_RUNTIME_WAIT_H

#include "sparkle/runtime.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sparkle::runtime {

/// What is left of a time that several waits share.
class Deadline {
public:
  explicit Deadline(uint64_t timeout)
      : begin(std::chrono::steady_clock::now()), timeout(timeout) {}

  uint64_t getRest() const {
    if (timeout == SPARKLE_FOREVER)
      return timeout;
    auto gone = static_cast<uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin)
            .count());
    return gone < timeout ? timeout - gone : 0;
  }

private:
  const std::chrono::steady_clock::time_point begin;
  const uint64_t timeout;
};

/// Waits until `isOver()` or for `timeout` nanoseconds, SPARKLE_FOREVER among
/// them. Returns whether it is over.
template <typename Predicate>
bool waitUntil(std::condition_variable &changed,
               std::unique_lock<std::mutex> &lock, uint64_t timeout,
               Predicate isOver) {
  // More than a century is for ever; adding it to the clock would overflow.
  constexpr uint64_t century = UINT64_C(1) << 62;
  if (timeout < century)
    return changed.wait_until(lock,
                              std::chrono::steady_clock::now() +
                                  std::chrono::nanoseconds(timeout),
                              isOver);
  changed.wait(lock, isOver);
  return true;
}

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_WAIT_H
