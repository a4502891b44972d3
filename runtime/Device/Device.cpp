// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all devices' objects have in common: each keeps its device alive, and
// says some things in the same words.

#include "runtime/Device/Device.h"

#include <cinttypes>

namespace sparkle::runtime {

const sparkle_cut_t *findCut(const sparkle_code_t &code, uint32_t dimension) {
  for (uint32_t i = 0; i < code.cut_count; ++i)
    if (code.cuts[i].dimension == dimension)
      return &code.cuts[i];
  return nullptr;
}

Buffer::Buffer(Device &device, uint64_t size, void *pointer)
    : owner(&device), bytes(size), host(pointer) {
  owner->retain();
}

Buffer::~Buffer() { owner->release(); }

Recording::Recording(Device &device) : owner(&device) { owner->retain(); }

Recording::~Recording() { owner->release(); }

Queue::Queue(Device &device) : owner(&device) { owner->retain(); }

Queue::~Queue() { owner->release(); }

Status makeTimeOut(uint64_t value) {
  return Status::failure(SPARKLE_TIMEOUT,
                         "expected value %" PRIu64
                         " of the timeline in time, but it is not reached",
                         value);
}

Status makeNotTimed(uint64_t value) {
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected one of the last 3 submissions with "
                         "SPARKLE_SUBMIT_TIMED, but got %" PRIu64,
                         value);
}

} // namespace sparkle::runtime
