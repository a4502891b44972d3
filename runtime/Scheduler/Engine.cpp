// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the call to the lanes and back. A run begins when all runs before it
// that it shares a written array with have ended.

#include "runtime/Scheduler/Engine.h"

#include <algorithm>
#include <cinttypes>

namespace sparkle::runtime {
thread_local bool Engine::isLaneThread = false;

Run::Run(Ref<Task> given, std::vector<Ref<Array>> arrays)
    : kernel(given->kernel()), owner(std::move(given)),
      arrays(std::move(arrays)) {
  task = &owner->model;
}

double Run::getUpload(uint32_t device) const {
  uint64_t generation = owner->engine().getGeneration(device);
  double bytes = 0;
  for (uint32_t i = 0; i < arrays.size(); ++i) {
    if (!isRead(i))
      continue;
    const Array::Copy &copy = arrays[i]->copies[device];
    if (copy.version != arrays[i]->version || copy.generation != generation)
      bytes += static_cast<double>(arrays[i]->size());
  }
  return bytes;
}

double Run::getReused() const {
  double bytes = 0;
  for (uint32_t i = 0; i < arrays.size(); ++i)
    if (isRead(i) && arrays[i]->reads > 1) // this one among them
      bytes += static_cast<double>(arrays[i]->size());
  return bytes;
}

//===----------------------------------------------------------------------===//
// The program's side
//===----------------------------------------------------------------------===//

Status Engine::check(const Task &task, Array *const *given,
                     uint32_t count) const {
  const auto &tensors = task.arguments();
  if (count != tensors.size())
    return Status::failure(SPARKLE_WRONG_COUNT,
                           "expected %zu arrays for kernel '%s', but got %u",
                           tensors.size(), task.kernel().name, count);
  for (uint32_t i = 0; i < count; ++i) {
    const char *name = tensors[i]->name;
    if (tensors[i]->role == SPARKLE_ROLE_WEIGHT)
      continue;
    if (!given || !given[i])
      return Status::failure(
          SPARKLE_INVALID_ARGUMENT,
          "argument '%s': expected an array, but got a null pointer", name);
    if (&given[i]->engine() != this)
      return Status::failure(SPARKLE_WRONG_DEVICE,
                             "argument '%s': expected an array of the task's "
                             "scheduler, but got one of another",
                             name);
    if (given[i]->size() != task.bytes(i))
      return Status::failure(SPARKLE_WRONG_SHAPE,
                             "argument '%s': expected an array of %" PRIu64
                             " bytes, but got one of %" PRIu64,
                             name, task.bytes(i), given[i]->size());
    for (uint32_t j = 0; j < count; ++j)
      if (i != j && given[i] == given[j] && given[i]->size() &&
          tensors[j]->role != SPARKLE_ROLE_WEIGHT &&
          tensors[i]->role == SPARKLE_ROLE_OUTPUT)
        return Status::failure(SPARKLE_OVERLAP,
                               "argument '%s': expected an array of its own, "
                               "since it is written, but got that of '%s'",
                               name, tensors[j]->name);
  }
  return {};
}

Status Engine::submit(Task &task, Array *const *given, uint32_t count,
                      const char *hint, uint64_t &ticket) {
  if (Status status = check(task, given, count); !status.isOk())
    return status;
  uint64_t mask = 0;
  if (Status status = parseHint(hint, mask); !status.isOk())
    return status;
  std::vector<Ref<Array>> shared(count);
  for (uint32_t i = 0; i < count; ++i)
    if (task.arguments()[i]->role != SPARKLE_ROLE_WEIGHT)
      shared[i] = Ref<Array>::share(given[i]);
  auto run =
      Ref<Run>::adopt(new Run(Ref<Task>::share(&task), std::move(shared)));
  run->hint = mask;
  Ref<Run> forgotten; // let go without the mutex
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return pending < pendingLimit; });
    ++pending;
    ticket = run->ticket = ++tickets;
    forgotten = std::exchange(runs[ticket % keptRuns], run);
    Run &added = *run.take(); // the engine's part, until it has ended
    link(added);
    if (added.waitsFor == 0)
      activate(added);
    uint64_t devices = pump();
    for (uint32_t i = 0; devices; ++i, devices >>= 1)
      if (devices & 1)
        lanes[i]->sendHere(lock);
  }
  letGo();
  // How it ends is told by whoever is asked for it.
  if (!environment.isAsynchronous)
    (void)wait(ticket, SPARKLE_FOREVER);
  return {};
}

Status Engine::find(uint64_t ticket, Run *&run) {
  run = runs[ticket % keptRuns].get();
  if (run && run->ticket == ticket)
    return {};
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected one of the last %" PRIu64 " of %" PRIu64
                         " tickets, but got %" PRIu64,
                         keptRuns, tickets, ticket);
}

Status Engine::wait(uint64_t ticket, uint64_t timeout) {
  std::unique_lock<std::mutex> lock(mutex);
  Run *found = nullptr;
  if (Status status = find(ticket, found); !status.isOk())
    return status;
  auto run = Ref<Run>::share(found);
  Status status;
  if (!await(*run, Deadline(timeout), lock))
    status = Status::failure(
        SPARKLE_TIMEOUT, "expected submission %" PRIu64 " to be done", ticket);
  else
    status = run->status;
  lock.unlock();
  return status;
}

bool Engine::await(const Run &run, const Deadline &deadline,
                   std::unique_lock<std::mutex> &lock) {
  while (
      !run.isEnded && !run.parts.empty() &&
      lanes[run.parts.back().device]->awaitHere(run, deadline.getRest(), lock))
    ;
  return waitUntil(changed, lock, deadline.getRest(),
                   [&] { return run.isEnded; });
}

Status Engine::explain(uint64_t ticket, sparkle_decision_t &decision) {
  std::lock_guard<std::mutex> lock(mutex);
  Run *run = nullptr;
  if (Status status = find(ticket, run); !status.isOk())
    return status;
  if (run->parts.empty() && !run->isEnded)
    return Status::failure(SPARKLE_TIMEOUT,
                           "expected a device to be chosen for submission "
                           "%" PRIu64,
                           ticket);
  decision.ticket = ticket;
  decision.kernel = &run->kernel;
  decision.failures = run->failures;
  decision.part_count = static_cast<uint32_t>(
      std::min<size_t>(run->parts.size(), SPARKLE_MAX_PARTS));
  std::copy_n(run->parts.begin(), decision.part_count, decision.parts);
  decision.predicted_ns = run->predicted;
  if (run->isEnded && decision.part_count)
    decision.actual_ns = static_cast<double>(run->endedAt - run->chosenAt);
  std::vector<const char *> names;
  for (const Ref<Device> &device : known)
    names.push_back(device->properties().name);
  describe(*run, names.data(), decision.reason, sizeof(decision.reason));
  return {};
}

Status Engine::checkDevice(size_t device) const {
  if (device < known.size())
    return {};
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected one of %zu devices, but got number %zu",
                         known.size(), device);
}

Status Engine::queryCounters(size_t index,
                             sparkle_device_counters_t &counters) {
  if (Status status = checkDevice(index); !status.isOk())
    return status;
  std::lock_guard<std::mutex> lock(mutex);
  const Dispatcher::Device &device = decisions->devices()[index];
  counters.performance = device.model.performance;
  counters.parts = device.parts;
  counters.failures = device.failures;
  counters.suspects = device.suspects;
  counters.explorations = device.explorations;
  counters.uploaded = lanes[index]->uploaded;
  counters.downloaded = lanes[index]->downloaded;
  counters.operations = device.operations;
  counters.busy_ns = device.busy;
  counters.predicted_ns = device.predicted;
  counters.in_flight = static_cast<uint32_t>(device.inFlight.size());
  counters.is_set_aside = device.isSetAside;
  uint64_t now = getNanoseconds();
  if (device.isSetAside && device.retryAt > now)
    counters.retry_ns = device.retryAt - now;
  device.reason.report(&counters.reason);
  return {};
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

void Engine::addArray(Array &array) {
  std::lock_guard<std::mutex> lock(mutex);
  arrays.push_back(&array);
}

void Engine::removeArray(Array &array) {
  std::lock_guard<std::mutex> lock(mutex);
  arrays.erase(std::find(arrays.begin(), arrays.end(), &array));
}

void Engine::evict(uint32_t device) {
  std::vector<Array::Copy> freed;
  std::lock_guard<std::mutex> lock(mutex);
  for (Array *array : arrays)
    if (array->isIdle())
      freed.push_back(std::exchange(array->copies[device], {}));
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// Makes it wait for what it must come after, and others for it.
void Engine::link(Run &run) {
  auto waitFor = [&](Run *other) {
    if (!other || other == &run)
      return;
    other->successors.push_back(&run);
    ++run.waitsFor;
  };
  for (uint32_t i = 0; i < run.arrays.size(); ++i) {
    if (!run.arrays[i])
      continue;
    Array &array = *run.arrays[i];
    waitFor(array.writer);
    if (!run.isWritten(i)) {
      array.readers.push_back(&run);
      ++array.reads;
      continue;
    }
    for (Run *reader : array.readers)
      waitFor(reader);
    array.readers.clear();
    array.reads = 0;
    array.writer = &run;
  }
}

/// What it waited for is done.
void Engine::activate(Run &run) {
  for (uint32_t i = 0; i < run.arrays.size(); ++i) {
    if (!run.isRead(i) || run.arrays[i]->failure.isOk())
      continue;
    const Status &failure = run.arrays[i]->failure;
    run.status = Status::failure(
        failure.code(), "argument '%s': what was to write it failed: %s",
        run.owner->arguments()[i]->name, failure.message());
    run.isLost = true;
    end(run);
    return;
  }
  if (decisions->add(run))
    return;
  run.isLost = true;
  end(run);
}

/// A driver's timestamps take some hundred microseconds (lavapipe): short
/// kernels are timed until they are known well, and now and then.
bool Engine::isWorthTiming(const Piece &piece) {
  constexpr double longKernel = 1e6; // nanoseconds
  constexpr uint64_t knownWell = 8, nowAndThen = 16;
  const Behaviour &behaviour = piece.request->task->devices[piece.device];
  const Statistics &times = piece.isWhole() ? behaviour.whole : behaviour.part;
  return lanes[piece.device]->isHost() || piece.kernel > longKernel ||
         times.count() < knownWell ||
         decisions->devices()[piece.device].parts % nowAndThen == 0;
}

/// Gives lanes what they may start. Returns a bit for each that got something.
uint64_t Engine::pump() {
  uint64_t devices = 0, now = getNanoseconds();
  Piece piece;
  while (decisions->next(now, piece)) {
    auto &run = static_cast<Run &>(*piece.request);
    run.parts.push_back(
        {piece.device, 0, piece.begin, piece.end, piece.getTime(), 0});
    auto *parcel = new Parcel;
    parcel->piece = piece;
    parcel->run = Ref<Run>::share(&run);
    parcel->index = run.parts.size() - 1;
    parcel->isTimed = isWorthTiming(piece);
    lanes[piece.device]->push(parcel);
    devices |= uint64_t(1) << piece.device;
  }
  return devices;
}

void Engine::pumpAndWake() {
  uint64_t devices = pump();
  for (uint32_t i = 0; devices; ++i, devices >>= 1)
    if (devices & 1)
      lanes[i]->awake();
}

void Engine::finish(Parcel &parcel, double kernel) {
  Run &run = *parcel.run;
  const Piece &piece = parcel.piece;
  uint64_t now = getNanoseconds();
  bool isOver = decisions->finish(piece, now, kernel);
  run.parts[parcel.index].actual_ns = static_cast<double>(now - parcel.taken);
  if (kernel > 0 && !piece.isUntold) {
    HistoryKey key = run.owner->keys[piece.device];
    key.isPart = !piece.isWhole();
    double units = static_cast<double>(run.task->units);
    memory->add(key,
                kernel * units / static_cast<double>(piece.end - piece.begin));
  } else if (kernel < 0) {
    environment.log(1, "%s: kernel '%s' is faster than the measured peak",
                    known[piece.device]->properties().name, run.kernel.name);
    doubtPeak(piece.device);
  }
  if (isOver)
    end(run);
  pumpAndWake();
}

/// What passes a peak is wrong, or that was measured when something else ran:
/// the device is measured again, the more seldom the more often it happens, and
/// in any case by the next scheduler.
void Engine::doubtPeak(uint32_t device) {
  const Dispatcher::Device &passed = decisions->devices()[device];
  sparkle_device_performance_t doubted = passed.model.performance;
  doubted.gflops = 0;
  memory->addPerformance(deviceKeys[device], doubted);
  if ((passed.suspects & (passed.suspects - 1)) == 0)
    lanes[device]->doubt();
}

void Engine::renewPeak(uint32_t device,
                       const sparkle_device_performance_t &performance) {
  sparkle_device_performance_t &old =
      decisions->devices()[device].model.performance;
  if (performance.gflops <= old.gflops)
    return;
  environment.log(2, "%s: %.1f GFLOPS in place of %.1f",
                  known[device]->properties().name, performance.gflops,
                  old.gflops);
  old = performance;
  memory->addPerformance(deviceKeys[device], performance);
}

void Engine::fail(Parcel &parcel, const Status &status) {
  Run &run = *parcel.run;
  uint32_t device = parcel.piece.device;
  environment.log(1, "%s: submission %" PRIu64 " of '%s' failed: %s",
                  known[device]->properties().name, run.ticket, run.kernel.name,
                  status.message());
  if (decisions->fail(parcel.piece, getNanoseconds(), status,
                      isDeviceFault(status.code())))
    end(run);
  pumpAndWake();
}

/// Why no device could run it: what each one lacks.
Status Engine::makeLoss(const Run &run) const {
  std::string reasons;
  sparkle_status_t code = SPARKLE_NO_IMAGE;
  auto add = [&](uint32_t device, const Status &status) {
    reasons += reasons.empty() ? "" : "; ";
    reasons += known[device]->properties().name;
    reasons += ": ";
    reasons += status.message();
  };
  for (const auto &[device, status] : run.losses) {
    add(device, status);
    code = status.code();
  }
  for (uint32_t i = 0; i < known.size(); ++i)
    if (!run.task->devices[i].isPossible)
      add(i, run.task->devices[i].lack);
  return Status::failure(code, "kernel '%s' could run on no device: %s",
                         run.kernel.name, reasons.c_str());
}

/// Takes it out of its arrays, and tells who waited for it.
void Engine::unlink(Run &run) {
  for (uint32_t i = 0; i < run.arrays.size(); ++i) {
    if (!run.arrays[i])
      continue;
    Array &array = *run.arrays[i];
    auto &readers = array.readers;
    readers.erase(std::remove(readers.begin(), readers.end(), &run),
                  readers.end());
    if (!run.isWritten(i))
      continue;
    ++array.version;
    array.failure = run.status;
    // The device that wrote all of it has it.
    if (run.status.isOk() && run.parts.back().begin == 0 &&
        run.parts.back().end == run.task->units)
      array.copies[run.parts.back().device].version = array.version;
    if (array.writer == &run)
      array.writer = nullptr;
  }
}

void Engine::end(Run &run) {
  if (run.isLost && run.status.isOk())
    run.status = makeLoss(run);
  unlink(run);
  run.isEnded = true;
  run.endedAt = getNanoseconds();
  --pending;
  ended.push_back(Ref<Run>::adopt(&run));
  std::vector<Run *> successors;
  successors.swap(run.successors);
  for (Run *successor : successors)
    if (--successor->waitsFor == 0)
      activate(*successor);
  changed.notify_all();
}

void Engine::letGo() {
  std::vector<Ref<Run>> gone;
  {
    std::lock_guard<std::mutex> lock(mutex);
    gone.swap(ended);
  }
  std::vector<Ref<Array>> arrays;
  for (const Ref<Run> &run : gone) {
    Ref<Task> task;
    std::lock_guard<std::mutex> lock(mutex);
    task = std::move(run->owner);
    run->task = nullptr;
    for (Ref<Array> &array : run->arrays)
      arrays.push_back(std::move(array));
    run->arrays.clear();
  }
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Status Engine::startThread(void (*run)(void *), void *argument) {
  retain(); // the thread's part
  {
    std::lock_guard<std::mutex> lock(mutex);
    ++threads;
  }
  Status status = runtime::startThread(run, argument);
  if (!status.isOk())
    endThread();
  return status;
}

void Engine::endThread() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    --threads;
    changed.notify_all();
  }
  release();
}

void Engine::close() {
  // A process that was forked has no lane, nor who would unlock the mutex.
  if (owner.isForked())
    return;
  std::unique_lock<std::mutex> lock(mutex);
  for (const std::unique_ptr<Lane> &lane : lanes)
    lane->close();
  if (isLaneThread)
    return;
  changed.wait(lock, [&] { return threads == 0; });
  lock.unlock();
  // The engine ends with the thread that lets go of it last, which may be after
  // this one has ended the program.
  if (memory)
    static_cast<void>(memory->flush());
}

} // namespace sparkle::runtime
