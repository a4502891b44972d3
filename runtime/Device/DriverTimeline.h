// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The timeline of a queue whose work a driver does: what becomes of those who
// wait for work that the driver has not got yet, or never will get.

#ifndef SPARKLE_RUNTIME_DEVICE_DRIVERTIMELINE_H
#define SPARKLE_RUNTIME_DEVICE_DRIVERTIMELINE_H

#include "runtime/Device/Device.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace sparkle::runtime {

class DriverTimeline : public Timeline {
public:
  Status wait(uint64_t value, uint64_t timeout) override;
  Status signal(uint64_t value) override;
  void advance(uint64_t) override {} // the device does it
  void fail(const Status &status) override;

  /// It is done.
  void markReached(uint64_t value);
  /// The last value whose work the driver was given: it goes on without
  /// anybody's help.
  uint64_t submitted() const { return given.load(std::memory_order_acquire); }
  /// Whether `value` is known to be reached, without asking the driver.
  bool isKnownReached(uint64_t value) const { return known() >= value; }
  /// Waits until the driver has been given the work, or never will be.
  Status waitGiven(uint64_t value, uint64_t timeout);
  /// Waits for what the driver has been given.
  virtual Status waitSubmitted(uint64_t value, uint64_t timeout) = 0;
  /// OK, or the first failure.
  Status failure();

protected:
  /// Whether a wait that ended with `status` shows that the work is lost.
  virtual bool isLoss(const Status &status) const = 0;
  uint64_t known() const { return reached.load(std::memory_order_acquire); }
  /// The driver was given the work that ends with `value`. With `mutex` held.
  void setSubmitted(uint64_t value);

  std::mutex mutex;

private:
  std::atomic<uint64_t> given{0};
  std::atomic<uint64_t> reached{0};
  std::atomic<bool> hasFailed{false};
  std::condition_variable changed; // `given` or `reason`
  Status reason;                   // guarded by `mutex`
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_DRIVERTIMELINE_H
