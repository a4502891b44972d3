// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part is bound to buffers, submitted, waited for and fetched. What a device
// held is forgotten when it fails: the host's copies are good.

#include "runtime/Scheduler/Lane.h"
#include "runtime/Scheduler/Engine.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cstring>

namespace sparkle::runtime {

bool isDeviceFault(sparkle_status_t status) {
  switch (status) {
  case SPARKLE_DEVICE_LOST:
  case SPARKLE_DRIVER:
  case SPARKLE_OUT_OF_RESOURCES:
  case SPARKLE_TIMEOUT:
  case SPARKLE_UNAVAILABLE:
    return true;
  default:
    return false;
  }
}

bool sharesHostMemory(const Device &device) {
  return device.properties().target == SPARKLE_TARGET_CPU &&
         device.properties().is_unified;
}

Lane::Lane(Engine &engine, uint32_t index, Ref<Device> device)
    : engine(engine), index(index), current(std::move(device)) {}

Status Lane::start() {
  using Run = void (*)(void *);
  Run feeding = [](void *lane) { static_cast<Lane *>(lane)->feed(); };
  Run draining = [](void *lane) { static_cast<Lane *>(lane)->drain(); };
  Status status = engine.startThread(feeding, this);
  return status.isOk() ? engine.startThread(draining, this) : status;
}

void Lane::push(Part *part) {
  inbox.push_back(part);
  arrived.notify_all();
}

void Lane::close() {
  isClosed = true;
  arrived.notify_all();
  departed.notify_all();
}

bool Lane::isHost() const { return sharesHostMemory(*current); }

//===----------------------------------------------------------------------===//
// There
//===----------------------------------------------------------------------===//

void Lane::feed() {
  Engine::enterThread();
  std::unique_lock<std::mutex> lock(engine.mutex);
  for (;;) {
    arrived.wait(lock, [&] { return isClosed || !inbox.empty(); });
    if (inbox.empty())
      break;
    // What failed with the old queues is told before there are new ones.
    arrived.wait(lock, [&] { return !isBroken || outbox.empty(); });
    Part *part = inbox.front();
    inbox.pop_front();
    bool isNew = isBroken;
    lock.unlock();
    Status status;
    {
      DriverCall call;
      status = isNew ? open() : Status();
      if (status.isOk())
        status = send(*part);
    }
    lock.lock();
    if (status.isOk()) {
      outbox.push_back(part);
      departed.notify_all();
      continue;
    }
    if (isDeviceFault(status.code()))
      isBroken = isLost = true;
    // What was to be brought perhaps was not.
    for (const Ref<Array> &array : part->run->arrays)
      if (array)
        array->copies[index].version = 0;
    engine.fail(*part, status);
    lock.unlock();
    delete part;
    engine.letGo();
    lock.lock();
  }
  lock.unlock();
  engine.endThread();
}

/// Makes queues where there are none, or those that were failed. A device that
/// is lost for good may be found again by a new context.
Status Lane::open() {
  bool hasLostMemory;
  {
    std::lock_guard<std::mutex> lock(engine.mutex);
    hasLostMemory = isLost;
  }
  Pipeline fresh;
  Status status = fresh.create(*current);
  if (status.code() == SPARKLE_DEVICE_LOST) {
    Ref<Context> context;
    Device *found = nullptr;
    status = Context::create(context);
    if (status.isOk())
      status = context->find(current->properties().name, found);
    if (!status.isOk())
      return status;
    current = Ref<Device>::share(found);
    status = fresh.create(*current);
  }
  if (!status.isOk())
    return status;
  pipeline = fresh;
  std::lock_guard<std::mutex> lock(engine.mutex);
  isBroken = isLost = false;
  age += hasLostMemory;
  return {};
}

/// Once more after making room, if memory ran out.
Status Lane::allocate(uint64_t size, sparkle_memory_t memory,
                      Ref<Buffer> &buffer) {
  Status status = current->createBuffer(memory, size, buffer);
  if (status.code() != SPARKLE_OUT_OF_MEMORY)
    return status;
  engine.evict(index);
  return current->createBuffer(memory, size, buffer);
}

/// A copy's memory on the device, as it is now.
Status Lane::renew(Array &array, Array::Copy &copy) {
  if (copy.device && copy.generation == age)
    return {};
  Array::Copy fresh;
  if (Status status =
          allocate(array.size(), SPARKLE_MEMORY_DEVICE, fresh.device);
      !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(engine.mutex);
  fresh.generation = age;
  std::swap(copy, fresh);
  return {};
}

/// Sees to it that the device has what the array holds.
Status Lane::bring(Array &array, std::vector<Command> &uploads) {
  Array::Copy &copy = array.copies[index];
  if (Status status = renew(array, copy); !status.isOk())
    return status;
  {
    // Nobody writes the array while a run that reads it is not done.
    std::lock_guard<std::mutex> lock(engine.mutex);
    if (copy.version == array.version || array.size() == 0)
      return {};
    copy.version = array.version;
    uploaded += array.size();
  }
  void *target =
      current->properties().is_unified ? copy.device->pointer() : nullptr;
  if (!target) {
    if (!copy.upload)
      if (Status status =
              allocate(array.size(), SPARKLE_MEMORY_UPLOAD, copy.upload);
          !status.isOk())
        return status;
    target = copy.upload->pointer();
    uploads.push_back(makeCopy(copy.upload, copy.device));
  }
  std::memcpy(target, array.host()->pointer(), array.size());
  return {};
}

/// Sees to it that what the device writes comes back.
Status Lane::fetch(Part &part, Array &array, std::vector<Command> &readbacks) {
  Array::Copy &copy = array.copies[index];
  if (Status status = renew(array, copy); !status.isOk())
    return status;
  if (array.size() == 0)
    return {};
  Ref<Buffer> from = copy.device;
  if (!current->properties().is_unified || !copy.device->pointer()) {
    if (!copy.readback)
      if (Status status =
              allocate(array.size(), SPARKLE_MEMORY_READBACK, copy.readback);
          !status.isOk())
        return status;
    from = copy.readback;
    readbacks.push_back(makeCopy(copy.device, copy.readback));
  }
  part.fetches.push_back({std::move(from), &array, 0, array.size(), 0});
  return {};
}

/// An argument of the whole run.
Status Lane::bind(Part &part, uint32_t argument, const Task::Prepared &prepared,
                  std::vector<Command> &uploads, Command &kernel,
                  std::vector<Command> &readbacks) {
  Run &run = *part.run;
  if (!run.arrays[argument]) {
    const Ref<Buffer> &weight = prepared.weights[argument];
    kernel.arguments.push_back({weight, 0, weight->size()});
    return {};
  }
  Array &array = *run.arrays[argument];
  Status status;
  if (!isHost())
    status = run.isWritten(argument) ? fetch(part, array, readbacks)
                                     : bring(array, uploads);
  if (!status.isOk())
    return status;
  kernel.arguments.push_back(
      {isHost() ? array.host() : array.copies[index].device, 0, array.size()});
  return {};
}

Status Lane::send(Part &part) {
  Run &run = *part.run;
  Task &task = *run.owner;
  Task::Prepared &prepared = task.prepared[index];
  if (Status status = task.prepare(*current, pipeline.kernels(), age, prepared);
      !status.isOk())
    return status;
  const Module &module = *prepared.module;
  std::vector<Command> uploads, readbacks;
  Command kernel;
  kernel.program = module.variant(prepared.variant).program;
  kernel.sizes = task.sizes();
  if (Status status = module.getWorkspaceSize(
          prepared.variant, kernel.sizes.data(), kernel.workspace);
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < run.arrays.size(); ++i) {
    uint64_t size = 0; // asked for because the device may have a limit
    Status status =
        module.getArgumentSize(i, prepared.variant, kernel.sizes.data(), size);
    if (status.isOk())
      status = bind(part, i, prepared, uploads, kernel, readbacks);
    if (!status.isOk())
      return status;
  }
  Steps steps;
  Status status = pipeline.record(std::move(uploads), std::move(kernel),
                                  std::move(readbacks), steps);
  if (!status.isOk())
    return status;
  part.kernelQueue = Ref<Queue>::share(&pipeline.kernels());
  part.lastQueue = Ref<Queue>::share(&pipeline.last());
  part.submittedAt = getNanoseconds();
  uint32_t flags =
      current->properties().has_timestamps ? SPARKLE_SUBMIT_TIMED : 0;
  return pipeline.submit(steps, flags, part.kernel, part.last);
}

//===----------------------------------------------------------------------===//
// Back
//===----------------------------------------------------------------------===//

/// By the device's clock, if nothing but the kernel is in its submission.
double Lane::getKernelTime(const Part &part) const {
  const sparkle_device_properties_t &properties =
      part.kernelQueue->device().properties();
  uint64_t begin = 0, end = 0;
  if (!properties.has_timestamps ||
      !part.kernelQueue->queryTimes(part.kernel, begin, end).isOk())
    return 0;
  double time = static_cast<double>(end - begin);
  bool hasCopies = !properties.has_copy_engine && !properties.is_unified;
  return hasCopies ? std::max(time - part.piece.transfer, time / 16) : time;
}

Status Lane::receive(const Part &part, double &kernel, uint64_t &bytes) const {
  DriverCall call;
  if (Status status =
          part.lastQueue->timeline().wait(part.last, SPARKLE_FOREVER);
      !status.isOk())
    return status;
  kernel = getKernelTime(part);
  for (const Fetch &fetch : part.fetches) {
    auto *to = static_cast<char *>(fetch.array->host()->pointer());
    auto *from = static_cast<const char *>(fetch.from->pointer());
    std::memcpy(to + fetch.offset, from + fetch.fromOffset, fetch.size);
    bytes += fetch.size;
  }
  return {};
}

void Lane::drain() {
  Engine::enterThread();
  std::unique_lock<std::mutex> lock(engine.mutex);
  for (;;) {
    departed.wait(lock, [&] { return isClosed || !outbox.empty(); });
    if (outbox.empty())
      break;
    Part *part = outbox.front();
    lock.unlock();
    double kernel = 0;
    uint64_t bytes = 0;
    Status status = receive(*part, kernel, bytes);
    lock.lock();
    outbox.pop_front();
    downloaded += bytes;
    if (status.isOk()) {
      engine.finish(*part, kernel);
    } else {
      isBroken = true;
      isLost |= isDeviceFault(status.code());
      engine.fail(*part, status);
    }
    arrived.notify_all();
    lock.unlock();
    delete part; // what it holds is let go without the mutex
    engine.letGo();
    lock.lock();
  }
  lock.unlock();
  engine.endThread();
}

} // namespace sparkle::runtime
