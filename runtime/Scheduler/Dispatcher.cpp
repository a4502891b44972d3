// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each waiting request is offered to the device that would end it first, with
// what is in flight, and what those before it will take, counted in. If that
// device has no place yet it waits, and the next one is looked at.

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

/// Of the time that a task took so far, what may be spent on devices that
/// nothing is known of, beyond one run; and on one that was slower long ago.
constexpr double explorationShare = 0.05;
constexpr double refreshShare = 0.01;

/// How much more has to be missed before inputs are brought to a device again.
constexpr double patienceGrowth = 4;

/// A divided run has to be expected to be faster by this.
constexpr double splitMargin = 1.05;
/// Where nothing is known, a part is made for a device so much slower than it
/// is expected to be.
constexpr double caution = 2;
/// A device that had no part for so many runs may be faster by now.
constexpr double staleRuns = 64;
/// Parts are not made shorter than this many times what starting them costs.
constexpr double leastPartOfLaunch = 1;

/// Of the time of a run that does not tell that of its kernel, what the kernel
/// took at least.
constexpr double leastKernelPart = 1.0 / 16;

/// A device that failed is tried again after this, and twice as long each time
/// that it fails again, unless it worked for many times as long in between.
constexpr uint64_t firstDelay = 100'000'000;
constexpr uint64_t longestDelay = 300'000'000'000;
constexpr uint64_t steadyDelays = 16;

uint64_t bit(uint32_t device) { return uint64_t(1) << device; }

double getFraction(int64_t begin, int64_t end, const TaskModel &task) {
  return static_cast<double>(end - begin) / static_cast<double>(task.units);
}

double getSince(uint64_t then, uint64_t now) {
  return now > then ? static_cast<double>(now - then) : 0;
}

/// One that is tried again shows first that it works.
bool hasPlace(const Dispatcher::Device &device) {
  size_t limit = device.isSetAside ? 1 : Dispatcher::inFlightLimit;
  return device.inFlight.size() < limit;
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

double Dispatcher::getBacklog(uint32_t device, uint64_t now) const {
  double backlog = 0;
  for (const Device &other : all)
    if (other.model.resource == all[device].model.resource)
      backlog += getOwnBacklog(other, now);
  return backlog;
}

/// Whether a device may be tried again that could not when it was looked last.
bool Dispatcher::isDue(uint64_t now) const {
  return std::any_of(all.begin(), all.end(), [&](const Device &device) {
    return device.isSetAside && lookedAt < device.retryAt &&
           device.retryAt <= now;
  });
}

/// Fills in what is known of each device now.
void Dispatcher::look(uint64_t now) {
  if (isDue(now))
    looked = 0;
  if (!looked) {
    waitingFreely = 0;
    reserved = 0;
    for (Place &place : places)
      place.promised = 0;
  }
  lookedAt = now;
  startable = 0;
  for (uint32_t i = 0; i < all.size(); ++i) {
    const Device &device = all[i];
    Place &place = places[i];
    place.backlog = place.promised;
    place.turns = 0;
    bool isBlocked = false;
    for (uint32_t j = 0; j < all.size(); ++j) {
      if (all[j].model.resource != device.model.resource)
        continue;
      place.turns |= bit(j);
      place.backlog += getOwnBacklog(all[j], now);
      isBlocked |= j != i && !all[j].inFlight.empty();
    }
    if (!isBlocked && hasPlace(device))
      startable |= bit(i);
    place.launch = device.inFlight.empty() ? device.model.getLaunch()
                                           : device.model.getGap();
    place.nanosecondsPerByte = device.model.getTransfer(1);
  }
  startable &= ~reserved;
}

/// Fills in `candidates`.
void Dispatcher::collect(const Waiting &waiting, uint64_t devices) {
  const Request &request = *waiting.request;
  const TaskModel &task = *request.task;
  bool isWhole = waiting.begin == 0 && waiting.end == task.units;
  double fraction = isWhole ? 1 : getFraction(waiting.begin, waiting.end, task);
  double reused = request.getReused();
  candidates.clear();
  for (; devices; devices &= devices - 1) {
    auto i = static_cast<uint32_t>(__builtin_ctzll(devices));
    const DeviceModel &model = all[i].model;
    const Behaviour &behaviour = task.devices[i];
    double kernel = isWhole ? behaviour.predict(model)
                            : behaviour.predictPart(model) * fraction;
    double transfer = 0, moved = 0;
    if (!model.sharesMemory) {
      double upload = request.getUpload(i);
      double rate = fraction * places[i].nanosecondsPerByte;
      transfer = rate * (upload + task.outputBytes);
      moved = rate * std::min(upload, reused);
    }
    double launch = places[i].launch;
    double end = places[i].backlog + launch + kernel + transfer;
    candidates.push_back({i, kernel, transfer, launch, moved, end});
  }
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

/// A device to be tried because it could be faster than the best one, and
/// trying it costs little against what was spent; or null.
const Dispatcher::Candidate *
Dispatcher::findUnknown(const TaskModel &task, const Candidate &best) const {
  if (!options.explores || !task.devices[best.device].isKnown())
    return nullptr;
  double bestAlone = best.end - places[best.device].backlog;
  double allowance = bestAlone + explorationShare * task.spent - task.explored;
  for (const Candidate &candidate : candidates) {
    double costs = candidate.end - best.end;
    const Behaviour &behaviour = task.devices[candidate.device];
    if (candidate.device == best.device || costs > allowance ||
        behaviour.isTried || !hasPlace(all[candidate.device]))
      continue;
    // One time alone may be that of an accident, or of a first time.
    uint64_t runs = behaviour.whole.count() + behaviour.part.count();
    double since = task.spent - behaviour.spentAtRun;
    if (runs > 1 && costs > refreshShare * since)
      continue;
    double least = runs > 1    ? candidate.kernel / 2
                   : runs == 1 ? candidate.kernel / 5
                               : behaviour.bound;
    double alone = candidate.end - places[candidate.device].backlog;
    if (alone - candidate.kernel - candidate.moved + least < bestAlone)
      return &candidate;
  }
  return nullptr;
}

/// A device that would be faster if it had the inputs, by as much already as it
/// costs to bring them there; or null. That costs at most twice of what it
/// would have cost to know what comes: the ski rental problem. If the inputs
/// are not used there afterwards, the next time takes much more.
const Dispatcher::Candidate *Dispatcher::findMove(TaskModel &task,
                                                  const Candidate &best) const {
  for (const Candidate &candidate : candidates) {
    Behaviour &behaviour = task.devices[candidate.device];
    double gain = best.end - (candidate.end - candidate.moved);
    if (candidate.device == best.device || candidate.moved == 0 || gain <= 0)
      continue;
    double costs = candidate.end - best.end;
    if (behaviour.missed + gain < behaviour.patience * costs ||
        !hasPlace(all[candidate.device])) {
      behaviour.missed += gain;
      continue;
    }
    if (!(startable & bit(candidate.device)))
      return &candidate; // it waits for its turn
    behaviour.missed = 0;
    behaviour.patience *= patienceGrowth;
    return &candidate;
  }
  return nullptr;
}

/// What comes after it counts with it. Devices that take turns with its own get
/// nothing more until it is started.
void Dispatcher::wait(const Candidate &best) {
  double time = best.kernel + best.transfer + best.launch;
  uint64_t turns = places[best.device].turns;
  reserved |= turns;
  startable &= ~turns;
  for (; turns; turns &= turns - 1) {
    Place &place = places[static_cast<size_t>(__builtin_ctzll(turns))];
    place.promised += time;
    place.backlog += time;
  }
}

/// The piece to be started of a request now; false if it waits, or is divided.
bool Dispatcher::choose(const Waiting &waiting, uint64_t now, Piece &piece) {
  Request &request = *waiting.request;
  uint64_t able = getAble(request, now);
  uint64_t wanted = able & request.hint;
  collect(waiting, wanted ? wanted : able);
  assert(!candidates.empty() && "a request without a device is lost");
  const Candidate *best = nullptr, *second = nullptr;
  for (const Candidate &candidate : candidates) {
    if (!best || candidate.end < best->end) {
      second = best;
      best = &candidate;
    } else if (!second || candidate.end < second->end) {
      second = &candidate;
    }
  }
  Reason::Kind kind = wanted                   ? Reason::Hinted
                      : candidates.size() == 1 ? Reason::Only
                                               : Reason::First;
  double extra = 0;
  if (kind == Reason::First && request.failures == 0) {
    if (ready.size() == 1 && divide(waiting, *best)) {
      kind = Reason::Divided;
    } else if (const Candidate *unknown = findUnknown(*request.task, *best)) {
      kind = Reason::Explored;
      extra = unknown->end - best->end;
      second = best;
      best = unknown;
    } else if (startable & bit(best->device)) {
      if (const Candidate *move = findMove(*request.task, *best)) {
        kind = Reason::Moved;
        second = best;
        best = move;
      }
    }
  }
  if (kind != Reason::Divided && !(startable & bit(best->device))) {
    wait(*best);
    return false;
  }
  request.reason.kind = kind;
  request.reason.isHintUnheard = request.hint && !wanted;
  request.reason.best = best->device;
  request.reason.bestTime = best->end;
  request.reason.second = second ? second->device : best->device;
  request.reason.secondTime = second ? second->end : 0;
  request.reason.parts = 1;
  if (kind == Reason::Divided) {
    request.reason.parts = static_cast<uint32_t>(divided.size());
    return false;
  }
  if (best->moved == 0)
    request.task->devices[best->device].patience = 1;
  request.predicted = best->end;
  piece = {};
  piece.request = &request;
  piece.begin = waiting.begin;
  piece.end = waiting.end;
  piece.device = best->device;
  piece.kernel = best->kernel;
  piece.transfer = best->transfer;
  piece.launch = best->launch;
  piece.extra = extra;
  piece.isExploring = kind == Reason::Explored;
  return true;
}

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
// Dividing
//===----------------------------------------------------------------------===//

/// Two that take turns gain nothing from each other: the better one.
bool Dispatcher::isBestOfResource(const Candidate &candidate) const {
  for (const Candidate &other : candidates)
    if (other.device != candidate.device &&
        all[other.device].model.resource ==
            all[candidate.device].model.resource &&
        (other.end < candidate.end ||
         (other.end == candidate.end && other.device < candidate.device)))
      return false;
  return true;
}

/// Leaves the parts in `divided`, if they end before the best device alone.
bool Dispatcher::divide(const Waiting &waiting, const Candidate &best) {
  Request &request = *waiting.request;
  const TaskModel &task = *request.task;
  if (!options.splits || task.units < 2 || task.runsUntilDivided ||
      !task.devices[best.device].isKnown())
    return false;
  double margin = splitMargin;
  shares.clear();
  sharers.clear();
  for (const Candidate &candidate : candidates) {
    const Device &device = all[candidate.device];
    const Behaviour &behaviour = task.devices[candidate.device];
    if (!(startable & bit(candidate.device)) || device.isSetAside ||
        !isBestOfResource(candidate))
      continue;
    double kernel = behaviour.predictPart(device.model);
    if (!behaviour.isKnown()) {
      // Such a part is short, and tells as much as a run.
      if (!options.explores || behaviour.isTried)
        continue;
      margin = 1;
      kernel *= caution;
    } else if (options.explores &&
               task.spent - behaviour.spentAtRun > staleRuns * best.kernel) {
      kernel /= 2;
    }
    shares.push_back({places[candidate.device].backlog + candidate.launch,
                      kernel + candidate.transfer,
                      leastPartOfLaunch * device.model.getLaunch()});
    sharers.push_back(candidate.device);
  }
  if (shares.size() < 2)
    return false;
  double end = shareOut(shares, task.units);
  auto used = std::count_if(shares.begin(), shares.end(),
                            [](const Share &share) { return share.units; });
  if (used < 2 || used > SPARKLE_MAX_PARTS || end * margin > best.end)
    return false;
  int64_t begin = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    if (!shares[i].units)
      continue;
    Piece piece;
    piece.request = &request;
    piece.begin = begin;
    piece.end = begin += shares[i].units;
    piece.device = sharers[i];
    double fraction = getFraction(piece.begin, piece.end, task);
    const Candidate &candidate = *std::find_if(
        candidates.begin(), candidates.end(),
        [&](const Candidate &one) { return one.device == piece.device; });
    piece.transfer = fraction * candidate.transfer;
    piece.kernel = fraction * shares[i].whole - piece.transfer;
    piece.launch = candidate.launch;
    divided.push_back(piece);
  }
  request.predicted = end;
  return true;
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
  double whole = kernel / getFraction(piece.begin, piece.end, task);
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
  double least = gone * leastKernelPart;
  double kernel = told > 0 ? told : std::max(gone - rest, least);
  if (gone <= kernel || (told <= 0 && kernel > least))
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
  double operations = task.devices[piece.device].demand.operations *
                      getFraction(piece.begin, piece.end, task);
  if (isSuspect(operations, kernel, device.model.performance)) {
    ++device.suspects;
    kernel = -kernel;
  } else {
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
