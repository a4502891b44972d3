// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/Scheduler/Array.h"
#include "runtime/Scheduler/Engine.h"

#include <cstring>

namespace sparkle::runtime {

Array::Array(Scheduler &scheduler, Ref<Buffer> bytes)
    : copies(scheduler.engine().devices().size()),
      owner(Ref<Scheduler>::share(&scheduler)), bytes(std::move(bytes)) {
  engine().addArray(*this);
}

Array::~Array() { engine().removeArray(*this); }

Status Array::create(Scheduler &scheduler, uint64_t size, Ref<Array> &array) {
  // The CPU is the first device of every context.
  Device &cpu = *scheduler.engine().context().devices()[0];
  Ref<Buffer> bytes;
  if (Status status = cpu.createBuffer(SPARKLE_MEMORY_DEVICE, size, bytes);
      !status.isOk())
    return status;
  if (size)
    std::memset(bytes->pointer(), 0, size);
  array = Ref<Array>::adopt(new Array(scheduler, std::move(bytes)));
  return {};
}

Status Array::map(sparkle_access_t access, uint64_t timeout, void *&pointer) {
  if (access != SPARKLE_ACCESS_READ && access != SPARKLE_ACCESS_WRITE)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected SPARKLE_ACCESS_READ or _WRITE, but got %u",
                           static_cast<unsigned>(access));
  std::unique_lock<std::mutex> lock(engine().mutex);
  bool isWrite = access == SPARKLE_ACCESS_WRITE;
  Deadline deadline(timeout);
  if (writer)
    engine().await(*Ref<Run>::share(writer), deadline, lock);
  auto isReady = [&] { return !writer && (!isWrite || readers.empty()); };
  if (!waitUntil(engine().changed, lock, deadline.getRest(), isReady))
    return Status::failure(SPARKLE_TIMEOUT,
                           "expected the work with the array to be done");
  if (isWrite) {
    ++version;
    reads = 0;
    failure = {};
  } else if (!failure.isOk()) {
    return failure;
  }
  pointer = bytes->pointer();
  return {};
}

} // namespace sparkle::runtime
