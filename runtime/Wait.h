// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for a time of the C ABI's.

#ifndef SPARKLE_RUNTIME_WAIT_H
#define SPARKLE_RUNTIME_WAIT_H

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sparkle::runtime {

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
