// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A timeline in the host's memory: the ones that the caller creates, and those
// of queues whose work the host itself does.

#ifndef SPARKLE_RUNTIME_TIMELINE_H
#define SPARKLE_RUNTIME_TIMELINE_H

#include "runtime/Device/Device.h"

#include <condition_variable>
#include <mutex>

namespace sparkle::runtime {

class HostTimeline final : public Timeline {
public:
  /// owner: the device whose queue it belongs to, or null.
  explicit HostTimeline(uint64_t initial, Ref<Device> owner = {})
      : owner(std::move(owner)), reached(initial) {}

  const Device *device() const override { return owner.get(); }
  Status query(uint64_t &value) override;
  Status wait(uint64_t value, uint64_t timeout) override;
  Status signal(uint64_t value) override;
  void advance(uint64_t value) override;
  void fail(const Status &status) override;

private:
  const Ref<Device> owner;
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t reached; // under the mutex, as is `failure`
  Status failure;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_TIMELINE_H
