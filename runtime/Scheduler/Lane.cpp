// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part is bound to buffers, submitted, waited for and fetched. What a device
// held is forgotten when it fails: the host's copies are good.

#include "runtime/Scheduler/Lane.h"
#include "runtime/Scheduler/Engine.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>

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

namespace {

/// A call of a driver: of one of our threads, whose calls the process's end
/// waits for, or of the caller's, which is his affair. The CPU has none, but
/// for its worker's: who waits for that one would keep it from ever beginning.
class OwnCall {
public:
  explicit OwnCall(bool isHost) {
    if (Engine::isLaneThread && !isHost)
      call.emplace();
  }

private:
  std::optional<DriverCall> call;
};

} // namespace

Lane::Lane(Engine &engine, uint32_t index, Ref<Device> device)
    : engine(engine), index(index), ofHost(sharesHostMemory(*device)),
      current(std::move(device)) {}

Status Lane::start() {
  if (Trace *trace = engine.trace()) {
    const char *name = current->properties().name;
    bringing = trace->addTrack("sparkle", (std::string(name) + ", to").c_str());
    computing = trace->addTrack("devices", name);
    fetching =
        trace->addTrack("sparkle", (std::string(name) + ", from").c_str());
  }
  using Run = void (*)(void *);
  Run feeding = [](void *lane) { static_cast<Lane *>(lane)->feed(); };
  Run draining = [](void *lane) { static_cast<Lane *>(lane)->drain(); };
  Status status = engine.startThread(feeding, this);
  return status.isOk() ? engine.startThread(draining, this) : status;
}

void Lane::close() {
  isClosed = true;
  arrived.notify_all();
  departed.notify_all();
}

//===----------------------------------------------------------------------===//
// There
//===----------------------------------------------------------------------===//

void Lane::feed() {
  Engine::isLaneThread = true;
  std::unique_lock<std::mutex> lock(engine.mutex);
  for (;;) {
    arrived.wait(lock, [&] {
      // What failed with the old queues is told before there are new ones.
      return inbox.empty()
                 ? isClosed || (isDoubted && !isSending && outbox.empty())
                 : !isSending && (!isBroken || outbox.empty());
    });
    if (!inbox.empty())
      sendFirst(lock);
    else if (isClosed)
      break;
    else
      measure(lock);
  }
  lock.unlock();
  engine.endThread();
}

void Lane::measure(std::unique_lock<std::mutex> &lock) {
  isDoubted = false;
  isSending = true;
  lock.unlock();
  sparkle_device_performance_t performance = {};
  Status status;
  {
    OwnCall call(isHost());
    status = current->measure(0, performance);
  }
  lock.lock();
  isSending = false;
  if (status.isOk())
    engine.renewPeak(index, performance);
}

void Lane::sendHere(std::unique_lock<std::mutex> &lock) {
  auto isReady = [&] {
    return !isBroken && inbox.front()->run->owner->isPrepared(index, age);
  };
  while (!inbox.empty() && !isSending && isReady())
    sendFirst(lock);
  if (!inbox.empty())
    awake();
}

void Lane::sendFirst(std::unique_lock<std::mutex> &lock) {
  isSending = true;
  Parcel *parcel = inbox.front();
  inbox.pop_front();
  bool isNew = isBroken;
  lock.unlock();
  Status status;
  {
    OwnCall call(isHost());
    status = isNew ? open() : Status();
    if (status.isOk())
      status = send(*parcel);
  }
  lock.lock();
  isSending = false;
  if (status.isOk()) {
    outbox.push_back(parcel);
    departed.notify_all();
    return;
  }
  if (isDeviceFault(status.code()))
    isBroken = true;
  // What was to be brought perhaps was not.
  for (const Ref<Array> &array : parcel->run->arrays)
    if (array)
      array->copies[index].version = 0;
  engine.fail(*parcel, status);
  lock.unlock();
  delete parcel;
  engine.letGo();
  lock.lock();
}

/// Makes queues where there are none, or those that were failed. A device that
/// is lost for good may be found again by a new context.
Status Lane::open() {
  Pipeline fresh;
  Ref<Device> device = current;
  Status status = fresh.create(*device);
  if (status.code() == SPARKLE_DEVICE_LOST) {
    Ref<Context> context;
    Device *found = nullptr;
    status = Context::create(context);
    if (status.isOk())
      status = context->find(device->properties().name, found);
    if (!status.isOk())
      return status;
    device = Ref<Device>::share(found);
    status = fresh.create(*device);
  }
  if (!status.isOk())
    return status;
  pipeline = fresh;
  std::lock_guard<std::mutex> lock(engine.mutex);
  std::swap(current, device); // the lost one is let go without the mutex
  isBroken = false;
  ++age;
  return {};
}

/// Once more after making room, if memory ran out.
template <typename Make> Status Lane::withRoom(Make make) {
  Status status = make();
  if (status.code() != SPARKLE_OUT_OF_MEMORY)
    return status;
  engine.evict(index);
  return make();
}

Status Lane::allocate(uint64_t size, sparkle_memory_t memory,
                      Ref<Buffer> &buffer) {
  return withRoom([&] { return current->createBuffer(memory, size, buffer); });
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
Status Lane::bring(Array &array, Work &work) {
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
    work.uploads.push_back(makeCopy(copy.upload, copy.device));
  }
  std::memcpy(target, array.host()->pointer(), array.size());
  return {};
}

/// Sees to it that what the device writes comes back.
Status Lane::fetch(Parcel &parcel, Array &array, Work &work) {
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
    work.readbacks.push_back(makeCopy(copy.device, copy.readback));
  }
  parcel.fetches.push_back({std::move(from), 0, &array, 0, array.size()});
  return {};
}

/// An argument that the run has whole.
Status Lane::bindWhole(Parcel &parcel, uint32_t argument, Work &work) {
  Run &run = *parcel.run;
  Array &array = *run.arrays[argument];
  Status status;
  if (!isHost())
    status = run.isWritten(argument) ? fetch(parcel, array, work)
                                     : bring(array, work);
  if (status.isOk())
    work.kernel.arguments.push_back(
        {isHost() ? array.host() : array.copies[index].device, 0,
         array.size()});
  return status;
}

/// An argument of which the run has a slice: in place, where that is possible,
/// or else in a buffer of the parcel's own.
Status Lane::bindSlice(Parcel &parcel, uint32_t argument, const Slab &slab,
                       Work &work) {
  Array &array = *parcel.run->arrays[argument];
  bool isAligned = slab.offset % current->properties().alignment == 0;
  if (isHost() && slab.isContiguous() && isAligned) {
    work.kernel.arguments.push_back({array.host(), slab.offset, slab.size});
    return {};
  }
  bool isOutput = parcel.run->isWritten(argument);
  Place place;
  sparkle_memory_t memory =
      isOutput ? SPARKLE_MEMORY_READBACK : SPARKLE_MEMORY_UPLOAD;
  if (Status status = withRoom(
          [&] { return createPlace(*current, slab.partBytes, memory, place); });
      !status.isOk())
    return status;
  work.kernel.arguments.push_back({place.device, 0, slab.partBytes});
  if (!slab.partBytes)
    return {};
  if (!place.isShared())
    (isOutput ? work.readbacks : work.uploads)
        .push_back(isOutput ? makeCopy(place.device, place.host)
                            : makeCopy(place.host, place.device));
  for (uint64_t run = 0; run < slab.runs; ++run) {
    uint64_t inArray = slab.offset + run * slab.stride;
    uint64_t inPart = slab.partOffset + run * slab.partStride;
    if (isOutput)
      parcel.fetches.push_back(
          {place.host, inPart, &array, inArray, slab.size});
    else
      std::memcpy(static_cast<char *>(place.host->pointer()) + inPart,
                  static_cast<const char *>(array.host()->pointer()) + inArray,
                  slab.size);
  }
  if (!isOutput && !isHost()) {
    std::lock_guard<std::mutex> lock(engine.mutex);
    uploaded += slab.runs * slab.size;
  }
  return {};
}

Status Lane::send(Parcel &parcel) {
  parcel.taken = getNanoseconds();
  Run &run = *parcel.run;
  Task &task = *run.owner;
  Task::Prepared &prepared = task.prepared[index];
  // The first run loads code, and starts threads.
  bool isCold = !task.isPrepared(index, age);
  parcel.isTimed &= current->properties().has_timestamps && !isCold;
  if (Status status = task.prepare(*current, pipeline.kernels(), age, prepared);
      !status.isOk())
    return status;
  const Module &module = *prepared.module;
  const Piece &piece = parcel.piece;
  Part part;
  Work work;
  work.kernel.sizes = task.sizes();
  if (!piece.isWhole() && task.split()) {
    part = makePart(task.kernel(), *task.split(), task.sizes().data(),
                    piece.begin, piece.end);
    work.kernel.sizes = part.sizes;
  } else if (!piece.isWhole()) {
    work.kernel.band = task.bands().get(piece.begin, piece.end);
  }
  work.kernel.program = module.variant(prepared.variant).program;
  Status status = module.getWorkspaceSize(
      prepared.variant, work.kernel.sizes.data(), work.kernel.workspace);
  for (uint32_t i = 0; i < run.arrays.size() && status.isOk(); ++i) {
    uint64_t size = 0; // asked for because the device may have a limit
    status = module.getArgumentSize(i, prepared.variant,
                                    work.kernel.sizes.data(), size);
    if (!status.isOk())
      break;
    if (!run.arrays[i]) {
      work.kernel.arguments.push_back({prepared.weights[i], 0, size});
      continue;
    }
    const Slab *slab = nullptr;
    Slab made;
    for (uint32_t j = 0; j < part.slices.size(); ++j)
      if (task.arguments()[i] ==
          &task.kernel().tensors[part.slices[j].tensor]) {
        made = makeSlab(task.kernel(), *task.split(), j, part,
                        task.sizes().data());
        slab = &made;
      }
    // The host's memory takes a band where it belongs.
    if (!work.kernel.band.isEmpty() && run.isWritten(i) && !isHost()) {
      made = makeSlab(task.kernel(), task.bands(), work.kernel.band,
                      task.sizes().data());
      slab = &made;
    }
    status =
        slab ? bindSlice(parcel, i, *slab, work) : bindWhole(parcel, i, work);
  }
  if (!status.isOk())
    return status;
  Steps steps;
  status = pipeline.record(std::move(work.uploads), std::move(work.kernel),
                           std::move(work.readbacks), steps);
  if (!status.isOk())
    return status;
  parcel.kernelQueue = Ref<Queue>::share(&pipeline.kernels());
  parcel.lastQueue = Ref<Queue>::share(&pipeline.last());
  parcel.submitted = getNanoseconds();
  parcel.piece.isUntold =
      isCold || (current->properties().has_timestamps && !parcel.isTimed);
  return pipeline.submit(steps, parcel.isTimed ? SPARKLE_SUBMIT_TIMED : 0,
                         parcel.kernel, parcel.last);
}

//===----------------------------------------------------------------------===//
// Back
//===----------------------------------------------------------------------===//

/// By the device's clock, if nothing but the kernel is in its submission.
double Lane::getKernelTime(const Parcel &parcel) const {
  const sparkle_device_properties_t &properties =
      parcel.kernelQueue->device().properties();
  uint64_t begin = 0, end = 0;
  if (!parcel.isTimed ||
      !parcel.kernelQueue->queryTimes(parcel.kernel, begin, end).isOk())
    return 0;
  double time = static_cast<double>(end - begin);
  bool hasCopies = !properties.has_copy_engine && !properties.is_unified;
  const Piece &piece = parcel.piece;
  return hasCopies ? getKernelPart(time, piece.transfer, piece.least) : time;
}

/// What the host did, and the device in between.
void Lane::trace(const Parcel &parcel, double kernel, uint64_t fetched) const {
  Trace *trace = engine.trace();
  if (!trace)
    return;
  const Piece &piece = parcel.piece;
  const char *name = parcel.run->kernel.name;
  char arguments[160];
  std::snprintf(arguments, sizeof(arguments),
                "{\"ticket\": %" PRIu64 ", \"units\": \"%" PRId64 " to %" PRId64
                "\", \"predicted us\": %.1f, \"exploring\": %s}",
                parcel.run->ticket, piece.begin, piece.end, piece.kernel / 1e3,
                piece.isExploring ? "true" : "false");
  auto began = static_cast<uint64_t>(kernel);
  trace->add(bringing, name, parcel.taken, parcel.submitted, arguments);
  trace->add(computing, name,
             kernel > 0 ? parcel.computed - began : parcel.submitted,
             parcel.computed, arguments);
  trace->add(fetching, name, parcel.computed, fetched, arguments);
}

void Lane::receive(Parcel &parcel, double &kernel, uint64_t &bytes) const {
  parcel.computed = getNanoseconds();
  kernel = getKernelTime(parcel);
  for (const Fetch &fetch : parcel.fetches) {
    auto *to = static_cast<char *>(fetch.array->host()->pointer());
    auto *from = static_cast<const char *>(fetch.from->pointer());
    std::memcpy(to + fetch.offset, from + fetch.fromOffset, fetch.size);
    bytes += fetch.size;
  }
  trace(parcel, kernel, getNanoseconds());
}

/// Brings the oldest parcel to its end, for which somebody has waited. Only one
/// of those who have comes so far.
void Lane::take(Parcel *parcel, std::unique_lock<std::mutex> &lock) {
  isTaking = true;
  lock.unlock();
  Status status;
  double kernel = 0;
  uint64_t bytes = 0;
  {
    OwnCall call(isHost());
    status = parcel->lastQueue->timeline().wait(parcel->last, SPARKLE_FOREVER);
    if (status.isOk())
      receive(*parcel, kernel, bytes);
  }
  lock.lock();
  isTaking = false;
  ++taken;
  outbox.pop_front();
  downloaded += bytes;
  if (status.isOk()) {
    engine.finish(*parcel, kernel);
  } else {
    isBroken = true;
    engine.fail(*parcel, status);
  }
  awake();
  departed.notify_all();
  lock.unlock();
  delete parcel; // what it holds is let go without the mutex
  engine.letGo();
  lock.lock();
}

void Lane::drain() {
  Engine::isLaneThread = true;
  std::unique_lock<std::mutex> lock(engine.mutex);
  for (;;) {
    departed.wait(lock, [&] { return outbox.empty() ? isClosed : !isTaking; });
    if (outbox.empty())
      break;
    awaitFirst(SPARKLE_FOREVER, lock);
  }
  lock.unlock();
  engine.endThread();
}

/// False if the time is up.
bool Lane::awaitFirst(uint64_t timeout, std::unique_lock<std::mutex> &lock) {
  Parcel *parcel = outbox.front();
  auto queue = parcel->lastQueue;
  uint64_t value = parcel->last, number = taken;
  lock.unlock();
  Status status;
  {
    OwnCall call(isHost());
    status = queue->timeline().wait(value, timeout);
  }
  queue = {};
  lock.lock();
  if (status.code() == SPARKLE_TIMEOUT && timeout != SPARKLE_FOREVER)
    return false;
  // Another one may have waited for the same.
  if (taken == number && !isTaking)
    take(parcel, lock);
  return true;
}

bool Lane::awaitHere(const Run &run, uint64_t timeout,
                     std::unique_lock<std::mutex> &lock) {
  return !outbox.empty() && !isTaking && outbox.front()->run.get() == &run &&
         awaitFirst(timeout, lock);
}

} // namespace sparkle::runtime
