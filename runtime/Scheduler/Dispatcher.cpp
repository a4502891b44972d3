// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is ready, in flight and ended: what is learned of it, and what becomes
// of what failed. Choice.cpp chooses.

#include "runtime/Scheduler/Dispatcher.h"

#include <algorithm>
#include <cassert>

namespace sparkle::runtime {
namespace {

/// Requests that may wait before others are not looked at any more, and the
/// same with those that have a hint. A device that is slower than all of the
/// first together has nothing to win.
constexpr size_t window = 16;
constexpr size_t windowOfAll = 64;

/// A device that failed is tried again after this, and twice as long each time
/// that it fails again, unless it worked for many times as long in between.
constexpr uint64_t firstDelay = 100'000'000;
constexpr uint64_t longestDelay = 300'000'000'000;
constexpr uint64_t steadyDelays = 16;

double getSince(uint64_t then, uint64_t now) {
  return now > then ? static_cast<double>(now - then) : 0;
}

bool isEnded(const Request &request) {
  return request.inFlight == 0 && (request.left == 0 || request.isLost);
}

} // namespace

Dispatcher::Dispatcher(const Options &options, std::vector<DeviceModel> models)
    : options(options), all(models.size()), places(models.size()) {
  assert(models.size() <= 64 && "the executor takes no more devices");
  for (size_t i = 0; i < models.size(); ++i)
    all[i].model = models[i];
}

//===----------------------------------------------------------------------===//
// What could run a request, and until when
//===----------------------------------------------------------------------===//

/// The devices to choose from: healthy ones that it has not failed on; if there
/// are none, those that are set aside; if none either, those that may be tried
/// once more.
uint64_t Dispatcher::getAble(const Request &request, uint64_t now) const {
  uint64_t healthy = 0, aside = 0, again = 0;
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (!request.task->devices[i].isPossible || request.failed & bit(i))
      continue;
    if (request.failedOnce & bit(i))
      again |= bit(i);
    else if (all[i].isSetAside && now < all[i].retryAt)
      aside |= bit(i);
    else
      healthy |= bit(i);
  }
  return healthy ? healthy : aside ? aside : again;
}

double Dispatcher::getOwnBacklog(const Device &device, uint64_t now) const {
  if (device.inFlight.empty())
    return 0;
  const Piece &first = device.inFlight.front();
  return device.load - std::min(getSince(device.since, now), first.getTime());
}

//===----------------------------------------------------------------------===//
// Starts
//===----------------------------------------------------------------------===//

bool Dispatcher::next(uint64_t now, Piece &piece) {
  if (divided.empty()) {
    if (ready.empty())
      return false;
    look(now);
    for (; looked < std::min(ready.size(), windowOfAll) &&
           waitingFreely < window && startable;
         ++looked) {
      bool isChosen = choose(ready[looked], now, piece);
      if (!isChosen && divided.empty()) {
        waitingFreely += !ready[looked].request->hint;
        continue;
      }
      Request &request = *ready[looked].request;
      ready.erase(ready.begin() + static_cast<ptrdiff_t>(looked));
      if (request.failures == 0)
        request.chosenAt = now;
      if (!isChosen)
        break;
      start(piece, now);
      return true;
    }
  }
  if (divided.empty())
    return false;
  piece = divided.front();
  divided.pop_front();
  start(piece, now);
  return true;
}

void Dispatcher::start(Piece &piece, uint64_t now) {
  Device &device = all[piece.device];
  piece.startedAt = now;
  piece.least = getLeastTime(piece.getOperations(), device.model.performance);
  piece.incidents = device.incidents;
  if (device.inFlight.empty())
    device.since = now;
  device.inFlight.push_back(piece);
  device.load += piece.getTime();
  ++piece.request->inFlight;
  if (!piece.isExploring)
    return;
  ++device.explorations;
  TaskModel &task = *piece.request->task;
  task.devices[piece.device].isTried = true;
  task.explored += piece.extra;
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

bool Dispatcher::add(Request &request) {
  request.left = request.task->units;
  if (!getAble(request, 0))
    return false;
  ready.push_back({&request, 0, request.task->units});
  return true;
}

/// Takes a piece out of those in flight. Those after it have the device to
/// themselves from `now` on.
void Dispatcher::take(const Piece &piece, uint64_t now) {
  Device &device = all[piece.device];
  auto it = std::find_if(
      device.inFlight.begin(), device.inFlight.end(), [&](const Piece &other) {
        return other.request == piece.request && other.begin == piece.begin;
      });
  assert(it != device.inFlight.end() && "what ends was started");
  if (it == device.inFlight.begin())
    device.since = now;
  device.inFlight.erase(it);
  looked = 0;
  device.load = device.inFlight.empty() ? 0 : device.load - piece.getTime();
  --piece.request->inFlight;
}

void Dispatcher::learn(const Piece &piece, double kernel) {
  TaskModel &task = *piece.request->task;
  Behaviour &behaviour = task.devices[piece.device];
  double whole = kernel / task.getFraction(piece.begin, piece.end);
  Statistics &times = piece.isWhole() ? behaviour.whole : behaviour.part;
  times.add(whole);
  // Each kernel counts once, however often it runs.
  DeviceModel &model = all[piece.device].model;
  if (times.count() == 1 || !model.isEfficiencyKnown)
    model.learnEfficiency(behaviour.bound, whole);
}

/// It may have cost more, or less, than was expected.
void Dispatcher::learnExplored(const Piece &piece, double took) {
  if (!piece.isExploring)
    return;
  TaskModel &task = *piece.request->task;
  task.devices[piece.device].isTried = false;
  task.explored += std::max(took - piece.getTime(), -piece.extra);
}

/// What a run says of dividing.
void Dispatcher::learnGain(Request &request, uint64_t now) {
  TaskModel &task = *request.task;
  if (request.reason.kind != Reason::Divided || request.failures) {
    if (task.runsUntilDivided)
      --task.runsUntilDivided;
    return;
  }
  task.gain.add(request.reason.bestTime /
                std::max(getSince(request.chosenAt, now), 1.0));
  if (task.gain.count() < 3)
    return;
  if (task.gain.mean() >= 1) {
    task.runsBetween = TaskModel().runsBetween;
    return;
  }
  task.runsUntilDivided = task.runsBetween;
  task.runsBetween = std::min(task.runsBetween * 2, 1024u);
  task.gain = {};
}

/// What the kernel took, by what is told of it, if anything. What remains on an
/// idle device is the launch and the copies.
double Dispatcher::getKernelTime(const Piece &piece, uint64_t now,
                                 double told) {
  Device &device = all[piece.device];
  bool isFirst = device.since == piece.startedAt;
  double gone = std::max(getSince(device.since, now), 1.0);
  double rest = piece.transfer + piece.launch;
  double kernel = told > 0 ? told : getKernelPart(gone, rest, piece.least);
  if (gone <= kernel || (told <= 0 && kernel <= gone - rest))
    return kernel;
  if (isFirst)
    device.model.learnOverhead(piece.transfer, gone - kernel);
  else
    device.model.gaps.add(std::max(gone - kernel - piece.transfer, 1.0));
  return kernel;
}

bool Dispatcher::finish(const Piece &piece, uint64_t now, double &kernel) {
  Device &device = all[piece.device];
  Request &request = *piece.request;
  TaskModel &task = *request.task;
  kernel = getKernelTime(piece, now, kernel);
  take(piece, now);
  if (piece.incidents == device.incidents && device.isSetAside) {
    device.isSetAside = false;
    device.worksSince = now;
  }
  ++device.parts;
  task.spent += kernel + piece.transfer + piece.launch;
  task.devices[piece.device].spentAtRun = task.spent;
  learnExplored(piece, kernel + piece.transfer + piece.launch);
  double operations = piece.getOperations();
  if (kernel < getLeastTime(operations, device.model.performance)) {
    ++device.suspects;
    kernel = -kernel;
  } else if (!piece.isUntold) {
    learn(piece, kernel);
    device.operations += operations;
    device.busy += kernel;
    device.predicted += piece.kernel;
  }
  request.left -= piece.end - piece.begin;
  if (request.left == 0)
    learnGain(request, now);
  return isEnded(request);
}

void Dispatcher::setAside(Device &device, uint64_t now, const Status &status) {
  bool isSoon = device.isSetAside ||
                now - device.worksSince < steadyDelays * device.delay;
  device.delay = device.delay && isSoon
                     ? std::min(device.delay * 2, longestDelay)
                     : firstDelay;
  device.isSetAside = true;
  ++device.incidents;
  device.retryAt = now + device.delay;
  device.reason = status;
}

/// What has not started never will.
void Dispatcher::lose(Request &request) {
  request.isLost = true;
  auto isOfIt = [&](const auto &waiting) {
    return waiting.request == &request;
  };
  ready.erase(std::remove_if(ready.begin(), ready.end(), isOfIt), ready.end());
  divided.erase(std::remove_if(divided.begin(), divided.end(), isOfIt),
                divided.end());
}

bool Dispatcher::fail(const Piece &piece, uint64_t now, const Status &status,
                      bool isDevice) {
  Device &device = all[piece.device];
  Request &request = *piece.request;
  take(piece, now);
  ++device.failures;
  if (piece.isExploring)
    request.task->devices[piece.device].isTried = false;
  // What was in flight with a failure fails with it, and is no second one.
  bool isSame = isDevice && piece.incidents != device.incidents;
  if (isDevice && !isSame)
    setAside(device, now, status);
  uint64_t mask = bit(piece.device);
  if (!isDevice || (request.failedOnce & mask && !isSame))
    request.failed |= mask;
  request.failedOnce |= mask;
  ++request.failures;
  request.losses.emplace_back(piece.device, status);
  if (request.isLost)
    return isEnded(request);
  if (getAble(request, now))
    ready.push_front({&request, piece.begin, piece.end});
  else
    lose(request);
  return isEnded(request);
}

} // namespace sparkle::runtime
