// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One event after the other: a submission is ready, or the first piece in
// flight on a device ends.

#include "test/runtime/Scheduler/Simulation.h"

#include <algorithm>
#include <memory>

namespace sparkle::runtime {
namespace {

class Simulation;

struct SimulatedRequest : Request {
  double getUpload(uint32_t device) const override;
  double getReused() const override { return isReused ? task->inputBytes : 0; }

  Simulation *simulation = nullptr;
  size_t index = 0;
  int ends = 0;
  bool isReused = false;
  std::vector<std::pair<int64_t, int64_t>> done; // units
  std::vector<std::pair<uint32_t, bool>> failed; // device, is at fault
};

struct Running {
  Piece piece;
  double end = 0, kernel = 0;
  bool isInOutage = false;
};

class Simulation {
public:
  Simulation(const World &world, const Dispatcher::Options &options,
             uint64_t hint);
  Outcome run();

  /// Whether the input of a submission is on a device.
  bool isThere(size_t submission, uint32_t device) const {
    return places[getArray(submission)] >> device & 1;
  }

  const World &world;

private:
  size_t getArray(size_t submission) const;
  void arrive();
  void startAll();
  void checkStart(const Piece &piece);
  void run(const Piece &piece);
  void endFirst(uint32_t device);
  void loseDevice(uint32_t device, bool isNew);
  void fail(const Running &running, bool isDevice);
  void end(SimulatedRequest &request, bool isEnded);
  void checkLost(const SimulatedRequest &request);
  void checkEnd();
  void expect(bool condition, const char *what) {
    if (!condition && outcome.violation.empty())
      outcome.violation = std::string(what) + ", world " +
                          std::to_string(world.seed) + ", at " +
                          std::to_string(now);
  }

  Dispatcher dispatcher;
  std::vector<TaskModel> tasks;
  std::vector<std::unique_ptr<SimulatedRequest>> requests;
  std::vector<std::deque<Running>> running;
  std::vector<double> lastEnd;
  std::vector<uint64_t> outageEnd, lastDelay;
  std::vector<uint64_t> places; // of each array, a bit for each device
  std::vector<uint32_t> reads;  // of each array
  Numbers faults;
  uint64_t now = 0;
  size_t arrived = 0;
  Outcome outcome;
};

double SimulatedRequest::getUpload(uint32_t device) const {
  return simulation->isThere(index, device) ? 0 : task->inputBytes;
}

std::vector<DeviceModel> getModels(const World &world) {
  std::vector<DeviceModel> models;
  for (const TrueDevice &device : world.devices)
    models.push_back(device.model);
  return models;
}

TaskModel makeTask(const World &world, const TrueKernel &kernel) {
  TaskModel task;
  task.inputBytes = kernel.inputBytes;
  task.outputBytes = kernel.outputBytes;
  task.units = kernel.units;
  task.movesWhole = kernel.movesWhole;
  for (size_t i = 0; i < world.devices.size(); ++i) {
    Behaviour behaviour;
    behaviour.isPossible = !kernel.lacks[i];
    behaviour.demand.operations = kernel.operations;
    behaviour.demand.farBytes = kernel.bytes;
    behaviour.bound =
        getBound(behaviour.demand, world.devices[i].model.performance);
    task.devices.push_back(behaviour);
  }
  return task;
}

Simulation::Simulation(const World &world, const Dispatcher::Options &options,
                       uint64_t hint)
    : world(world), dispatcher(options, getModels(world)),
      running(world.devices.size()), lastEnd(world.devices.size()),
      outageEnd(world.devices.size()), lastDelay(world.devices.size()),
      places(world.submissions.size() + world.kernels.size()),
      reads(places.size()), faults("faults", world.seed) {
  for (const TrueKernel &kernel : world.kernels)
    tasks.push_back(makeTask(world, kernel));
  for (size_t i = 0; i < world.submissions.size(); ++i) {
    auto request = std::make_unique<SimulatedRequest>();
    request->simulation = this;
    request->index = i;
    request->task = &tasks[world.submissions[i].kernel];
    request->hint = hint ? hint : world.submissions[i].hint;
    requests.push_back(std::move(request));
  }
  outcome.ends.resize(world.submissions.size());
}

/// Arrays that no submission writes come after those that one does. -1: one
/// that nobody else reads is at the place of its own output, until that is
/// written.
size_t Simulation::getArray(size_t submission) const {
  int64_t input = world.submissions[submission].input;
  if (input == -1)
    return submission;
  return input >= 0
             ? static_cast<size_t>(input)
             : world.submissions.size() + static_cast<size_t>(-2 - input);
}

void Simulation::arrive() {
  for (size_t i = arrived; i < requests.size(); ++i) {
    const Submission &submission = world.submissions[i];
    // Submissions are in the order of what they wait for.
    if (submission.arrival > now ||
        (submission.after >= 0 &&
         !requests[static_cast<size_t>(submission.after)]->ends))
      break;
    ++arrived;
    SimulatedRequest &request = *requests[i];
    request.isReused = reads[getArray(i)]++ > 0;
    bool isAdded = dispatcher.add(request);
    bool isPossible = false;
    for (const Behaviour &behaviour : request.task->devices)
      isPossible |= behaviour.isPossible;
    expect(isAdded == isPossible, "wrong answer of add");
    if (!isAdded)
      ++request.ends;
  }
}

void Simulation::startAll() {
  Piece piece;
  while (dispatcher.next(now, piece)) {
    checkStart(piece);
    run(piece);
  }
}

void Simulation::checkStart(const Piece &piece) {
  auto &request = static_cast<SimulatedRequest &>(*piece.request);
  const auto &devices = dispatcher.devices();
  const auto &device = devices[piece.device];
  expect(piece.begin < piece.end && piece.begin >= 0 &&
             piece.end <= request.task->units,
         "no units");
  expect(!request.ends && !request.isLost, "a start after the end");
  expect(request.task->devices[piece.device].isPossible, "cannot run there");
  expect(running[piece.device].size() < Dispatcher::inFlightLimit,
         "too many in flight");
  if (device.isSetAside) {
    expect(running[piece.device].empty(), "two tries at once");
    outcome.retries += now >= device.retryAt;
  }
  for (uint32_t i = 0; i < devices.size(); ++i) {
    if (i != piece.device)
      expect(running[i].empty() ||
                 devices[i].model.resource != device.model.resource,
             "devices that take turns overlap");
    bool hasFailed = std::any_of(request.failed.begin(), request.failed.end(),
                                 [&](auto &one) { return one.first == i; });
    bool isHealthy = request.task->devices[i].isPossible && !hasFailed &&
                     !(devices[i].isSetAside && now < devices[i].retryAt);
    bool isEarly = device.isSetAside && now < device.retryAt;
    expect(!(isHealthy && isEarly), "tried again too early");
  }
}

void Simulation::run(const Piece &piece) {
  const TrueDevice &device = world.devices[piece.device];
  const auto &request = static_cast<SimulatedRequest &>(*piece.request);
  const Submission &submission = world.submissions[request.index];
  const TrueKernel &kernel = world.kernels[submission.kernel];
  double start = std::max(lastEnd[piece.device], static_cast<double>(now));
  double fraction = static_cast<double>(piece.end - piece.begin) /
                    static_cast<double>(kernel.units);
  // The same chance whoever decides.
  Numbers chance("run",
                 (world.seed * 8 + piece.device) * 65536 + request.index);
  double noise = 0;
  for (int i = 0; i < 4; ++i)
    noise += chance.between(-0.86, 0.86); // a deviation of 1
  double factor = 1 + device.noise * noise;
  if (chance.chance(device.outliers))
    factor *= chance.between(2, 5);
  if (start >= static_cast<double>(device.shiftAt))
    factor *= device.shift;
  if (!piece.isWhole())
    factor *= 1 + kernel.partCost;
  Running next;
  next.piece = piece;
  next.kernel =
      world.getKernelTime(submission.kernel, piece.device) * fraction * factor;
  double bytes = request.task->getMoved(piece.begin, piece.end) *
                 (request.getUpload(piece.device) + request.task->outputBytes);
  double transfer = device.model.sharesMemory ? 0 : bytes / device.copied;
  double launch = device.launch * (running[piece.device].empty() ? 1 : 0.1);
  next.end = start + launch + transfer + next.kernel;
  next.isInOutage = now < outageEnd[piece.device];
  if (next.isInOutage)
    next.end = start + 1e5;
  lastEnd[piece.device] = next.end;
  running[piece.device].push_back(next);
  ++outcome.pieces;
}

void Simulation::endFirst(uint32_t device) {
  Running first = running[device].front();
  auto &request = static_cast<SimulatedRequest &>(*first.piece.request);
  const Submission &submission = world.submissions[request.index];
  if (first.isInOutage)
    return loseDevice(device, false);
  if (world.devices[device].lost > 0 &&
      faults.chance(world.devices[device].lost))
    return loseDevice(device, true);
  running[device].pop_front();
  if (world.kernels[submission.kernel].fails[device])
    return fail(first, false);
  request.done.emplace_back(first.piece.begin, first.piece.end);
  uint64_t here = uint64_t(1) << device;
  bool hasInput = first.piece.isWhole() || request.task->movesWhole;
  places[getArray(request.index)] |= hasInput ? here : 0;
  lastDelay[device] = 0;
  double kernel = world.devices[device].tellsTime ? first.kernel : 0;
  bool isEnded = dispatcher.finish(first.piece, now, kernel);
  expect(kernel != 0, "no time");
  places[request.index] = first.piece.isWhole() ? here : 0;
  end(request, isEnded);
}

/// With everything in flight.
void Simulation::loseDevice(uint32_t device, bool isNew) {
  if (isNew)
    outageEnd[device] = now + static_cast<uint64_t>(faults.between10(1e6, 1e9));
  std::deque<Running> all;
  all.swap(running[device]);
  lastEnd[device] = static_cast<double>(now);
  for (const Running &one : all)
    fail(one, true);
  const auto &known = dispatcher.devices()[device];
  uint64_t delay = known.retryAt - now;
  expect(known.isSetAside && known.retryAt > now, "not set aside");
  expect(delay >= std::min<uint64_t>(lastDelay[device] * 2, 300'000'000'000),
         "the delay did not grow");
  lastDelay[device] = delay;
}

void Simulation::fail(const Running &running, bool isDevice) {
  auto &request = static_cast<SimulatedRequest &>(*running.piece.request);
  request.failed.emplace_back(running.piece.device, isDevice);
  ++outcome.failures;
  end(request,
      dispatcher.fail(running.piece, now,
                      Status::failure(SPARKLE_DEVICE_LOST, "lost"), isDevice));
}

void Simulation::end(SimulatedRequest &request, bool isEnded) {
  if (!isEnded)
    return;
  ++request.ends;
  outcome.ends[request.index] = now;
  expect(request.inFlight == 0, "ended with pieces in flight");
  std::sort(request.done.begin(), request.done.end());
  int64_t at = 0;
  bool isOnce = true;
  for (auto [begin, end] : request.done) {
    isOnce &= begin >= at && (request.isLost || begin == at);
    at = end;
  }
  expect(isOnce, "units done twice, or never");
  expect(request.isLost == (request.left > 0), "lost and done");
  expect(request.isLost || at == request.task->units, "units missing");
  outcome.divided += request.reason.kind == Reason::Divided;
  outcome.lost += request.isLost;
  if (request.isLost)
    checkLost(request);
}

/// No device is left: each failed at the task, or twice.
void Simulation::checkLost(const SimulatedRequest &request) {
  expect(request.losses.size() == request.failed.size(), "wrong losses");
  for (size_t i = 0; i < request.losses.size(); ++i)
    expect(request.losses[i].first == request.failed[i].first, "wrong losses");
  for (uint32_t i = 0; i < world.devices.size(); ++i) {
    if (!request.task->devices[i].isPossible)
      continue;
    int failures = 0;
    for (auto [device, isDevice] : request.failed)
      failures += device == i ? isDevice ? 1 : 2 : 0;
    expect(failures >= 2, "lost although a device was left");
  }
}

void Simulation::checkEnd() {
  for (const auto &request : requests)
    expect(request->ends == 1, "not ended exactly once");
  for (const auto &device : dispatcher.devices())
    expect(device.inFlight.empty(), "in flight after the end");
  for (const auto &request : requests)
    outcome.reasons.push_back(request->reason);
}

Outcome Simulation::run() {
  while (outcome.violation.empty()) {
    arrive();
    startAll();
    uint32_t first = 0;
    for (uint32_t i = 0; i < running.size(); ++i)
      if (!running[i].empty() &&
          (running[first].empty() ||
           running[i].front().end < running[first].front().end))
        first = i;
    double next = running[first].empty() ? 1e30 : running[first].front().end;
    bool isArrival =
        arrived < requests.size() && world.submissions[arrived].arrival > now &&
        static_cast<double>(world.submissions[arrived].arrival) <= next;
    if (isArrival) {
      now = world.submissions[arrived].arrival;
      continue;
    }
    if (running[first].empty())
      break;
    now = std::max(now, static_cast<uint64_t>(next));
    endFirst(first);
  }
  for (size_t i = 0; i < arrived; ++i)
    expect(requests[i]->ends, "nothing in flight, and something waits");
  checkEnd();
  outcome.end = now;
  return std::move(outcome);
}

} // namespace

Outcome simulate(const World &world, const Dispatcher::Options &options,
                 uint64_t hint) {
  return Simulation(world, options, hint).run();
}

} // namespace sparkle::runtime
