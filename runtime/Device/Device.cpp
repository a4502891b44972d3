// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all devices' objects have in common: each keeps its device alive.

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

Buffer::Buffer(Device &device, uint64_t size, void *pointer)
    : owner(&device), bytes(size), host(pointer) {
  owner->retain();
}

Buffer::~Buffer() { owner->release(); }

Recording::Recording(Device &device) : owner(&device) { owner->retain(); }

Recording::~Recording() { owner->release(); }

Queue::Queue(Device &device) : owner(&device) { owner->retain(); }

Queue::~Queue() { owner->release(); }

} // namespace sparkle::runtime
