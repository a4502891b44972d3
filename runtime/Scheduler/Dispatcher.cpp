// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each waiting request is offered to the device that would end it first, with
// what is in flight, and what those before it will take, counted in. If that
// device has no place yet it waits, and the next one is looked at.

#include "runtime/Scheduler/Dispatcher.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sparkle::runtime {
namespace {

/// Requests that are looked at, beyond which the order is kept.
constexpr size_t window = 32;

/// Of the time that a task took so far, what may be spent on a device that
/// nothing is known of, beyond one run; and on one that was slower long ago.
constexpr double explorationShare = 0.05;
constexpr double refreshShare = 0.01;

/// A divided run has to be expected to be faster by this.
constexpr double splitMargin = 1.1;
/// Parts are not made shorter than this many times what starting them costs.
constexpr double leastPartOfLaunch = 4;

/// A device that failed is tried again after this, and twice as long each time.
constexpr uint64_t firstDelay = 100'000'000;
constexpr uint64_t longestDelay = 300'000'000'000;

uint64_t bit(uint32_t device) { return uint64_t(1) << device; }

double getFraction(int64_t begin, int64_t end, const TaskModel &task) {
  return static_cast<double>(end - begin) / static_cast<double>(task.units);
}

} // namespace

Dispatcher::Dispatcher(const Options &options, std::vector<DeviceModel> models)
    : options(options), all(models.size()), promised(models.size()) {
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

double Dispatcher::getBacklog(uint32_t device, uint64_t now) const {
  double backlog = 0;
  for (const Device &other : all) {
    if (other.inFlight.empty() ||
        other.model.resource != all[device].model.resource)
      continue;
    double left = 0;
    for (const Piece &piece : other.inFlight)
      left += piece.kernel + piece.transfer;
    double gone =
        now > other.since ? static_cast<double>(now - other.since) : 0;
    const Piece &first = other.inFlight.front();
    backlog += left - std::min(gone, first.kernel + first.transfer);
  }
  return backlog;
}

/// Whether a device that it takes turns with is at work.
bool Dispatcher::isBlocked(uint32_t device) const {
  for (uint32_t i = 0; i < all.size(); ++i)
    if (i != device && !all[i].inFlight.empty() &&
        all[i].model.resource == all[device].model.resource)
      return true;
  return false;
}

/// Fills in `candidates`.
void Dispatcher::collect(const Waiting &waiting, uint64_t devices,
                         uint64_t now) {
  const Request &request = *waiting.request;
  const TaskModel &task = *request.task;
  double fraction = getFraction(waiting.begin, waiting.end, task);
  candidates.clear();
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (!(devices & bit(i)))
      continue;
    const Device &device = all[i];
    const Behaviour &behaviour = task.devices[i];
    Candidate candidate;
    candidate.device = i;
    candidate.kernel = fraction < 1
                           ? behaviour.predictPart(device.model) * fraction
                           : behaviour.predict(device.model);
    candidate.transfer = device.model.getTransfer(
        fraction * (request.getUpload(i) + task.outputBytes));
    candidate.end = getBacklog(i, now) + promised[i] +
                    device.model.performance.launch_ns + candidate.kernel +
                    candidate.transfer;
    // One that is tried again shows first that it works.
    size_t limit = device.isSetAside ? 1 : inFlightLimit;
    candidate.canStart = device.inFlight.size() < limit && !isBlocked(i);
    candidates.push_back(candidate);
  }
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

/// A device to be tried because it could be faster than the best one, and
/// trying it costs little against what was spent; or null.
const Dispatcher::Candidate *
Dispatcher::findUnknown(const TaskModel &task, const Candidate &best) const {
  if (!options.explores || !task.devices[best.device].whole.count())
    return nullptr;
  for (const Candidate &candidate : candidates) {
    const Behaviour &behaviour = task.devices[candidate.device];
    if (candidate.device == best.device || !candidate.canStart)
      continue;
    double least =
        behaviour.whole.count() ? behaviour.whole.mean() / 2 : behaviour.bound;
    if (least + candidate.transfer >= best.kernel + best.transfer)
      continue;
    double costs = candidate.end - best.end;
    double since = task.spent - behaviour.spentAtRun;
    double allowed = behaviour.whole.count()
                         ? refreshShare * since
                         : best.kernel + explorationShare * since;
    if (costs <= allowed)
      return &candidate;
  }
  return nullptr;
}

/// The device that a request is started on now; false if it waits.
bool Dispatcher::choose(const Waiting &waiting, uint64_t now, bool isAlone,
                        Candidate &chosen) {
  Request &request = *waiting.request;
  TaskModel &task = *request.task;
  uint64_t able = getAble(request, now);
  uint64_t wanted = able & request.hint;
  collect(waiting, wanted ? wanted : able, now);
  const Candidate *best = nullptr, *second = nullptr;
  for (const Candidate &candidate : candidates) {
    if (!best || candidate.end < best->end) {
      second = best;
      best = &candidate;
    } else if (!second || candidate.end < second->end) {
      second = &candidate;
    }
  }
  Reason reason;
  reason.kind = wanted                   ? Reason::Hinted
                : candidates.size() == 1 ? Reason::Only
                                         : Reason::First;
  reason.isHintUnheard = request.hint && !wanted;
  reason.best = best->device;
  reason.bestTime = best->end;
  reason.second = second ? second->device : best->device;
  reason.secondTime = second ? second->end : 0;
  bool isWhole = waiting.begin == 0 && waiting.end == task.units;
  if (!wanted && isWhole && request.failures == 0) {
    if (const Candidate *unknown = findUnknown(task, *best)) {
      reason.kind = Reason::Explored;
      reason.second = best->device;
      reason.secondTime = best->end;
      reason.best = unknown->device;
      reason.bestTime = unknown->end;
      best = unknown;
    } else if (isAlone && divide(waiting, now, *best)) {
      request.reason = reason;
      request.reason.kind = Reason::Divided;
      request.reason.parts = static_cast<uint32_t>(divided.size());
      return false;
    }
  }
  if (!best->canStart) {
    promised[best->device] += best->kernel + best->transfer;
    return false;
  }
  request.reason = reason;
  request.predicted = best->end;
  chosen = *best;
  return true;
}

bool Dispatcher::next(uint64_t now, Piece &piece) {
  if (divided.empty()) {
    std::fill(promised.begin(), promised.end(), 0.0);
    size_t looked = 0;
    for (auto it = ready.begin(); it != ready.end() && looked < window;
         ++it, ++looked) {
      Candidate chosen;
      Waiting waiting = *it;
      bool isChosen = choose(waiting, now, ready.size() == 1, chosen);
      if (!isChosen && divided.empty())
        continue;
      ready.erase(it);
      if (waiting.request->failures == 0)
        waiting.request->chosenAt = now;
      if (!isChosen)
        break;
      piece = {waiting.request,
               waiting.begin,
               waiting.end,
               chosen.device,
               chosen.kernel,
               chosen.transfer,
               waiting.request->reason.kind == Reason::Explored};
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

void Dispatcher::start(Piece piece, uint64_t now) {
  Device &device = all[piece.device];
  if (device.inFlight.empty())
    device.since = now;
  device.explorations += piece.isExploring;
  device.inFlight.push_back(piece);
  ++piece.request->inFlight;
}

//===----------------------------------------------------------------------===//
// Dividing
//===----------------------------------------------------------------------===//

/// Gives each device the part that it does until all end together: of the time
/// until then, what is left after its backlog and its start, at its rate.
bool Dispatcher::divide(const Waiting &waiting, uint64_t now,
                        const Candidate &best) {
  Request &request = *waiting.request;
  TaskModel &task = *request.task;
  if (!options.splits || task.units < 2)
    return false;
  if (task.runsUntilDivided) {
    --task.runsUntilDivided;
    return false;
  }
  struct Share {
    uint32_t device;
    double before, whole, kernel;
    int64_t units;
  };
  std::vector<Share> shares;
  double most = 0;
  for (const Candidate &candidate : candidates) {
    // Two that take turns gain nothing from each other: the better one.
    const DeviceModel &model = all[candidate.device].model;
    bool isSlower = std::any_of(
        candidates.begin(), candidates.end(), [&](const Candidate &other) {
          return other.device != candidate.device &&
                 all[other.device].model.resource == model.resource &&
                 other.end < candidate.end;
        });
    if (!candidate.canStart || isSlower || all[candidate.device].isSetAside)
      continue;
    const Behaviour &behaviour = task.devices[candidate.device];
    if (!behaviour.whole.count() && !behaviour.part.count())
      continue; // nothing is known yet
    double kernel = behaviour.predictPart(model);
    double transfer = model.getTransfer(task.inputBytes + task.outputBytes);
    double launch = model.performance.launch_ns;
    shares.push_back({candidate.device,
                      getBacklog(candidate.device, now) + launch,
                      kernel + transfer, kernel, 0});
    most = std::max(most, shares.back().before + shares.back().whole);
  }
  if (shares.size() < 2)
    return false;
  // The work that is done by a time grows with it.
  auto getDone = [&](double time, const Share &share) {
    double rest = time - share.before;
    double least =
        leastPartOfLaunch * all[share.device].model.performance.launch_ns;
    return rest < least ? 0 : std::min(rest / share.whole, 1.0);
  };
  double low = 0, high = most;
  for (int step = 0; step < 40; ++step) {
    double middle = (low + high) / 2, done = 0;
    for (const Share &share : shares)
      done += getDone(middle, share);
    (done < 1 ? low : high) = middle;
  }
  // Whole units, what is left over to those that end first with one more.
  int64_t given = 0;
  for (Share &share : shares) {
    share.units = static_cast<int64_t>(getDone(high, share) *
                                       static_cast<double>(task.units));
    share.units = std::min(share.units, task.units - given);
    given += share.units;
  }
  double unit = 1 / static_cast<double>(task.units);
  auto getEnd = [&](const Share &share, int64_t more) {
    double units = static_cast<double>(share.units + more);
    return units ? share.before + share.whole * units * unit : 0;
  };
  for (; given < task.units; ++given)
    ++std::min_element(shares.begin(), shares.end(),
                       [&](const Share &x, const Share &y) {
                         return getEnd(x, 1) < getEnd(y, 1);
                       })
          ->units;
  double end = 0;
  size_t used = 0;
  for (const Share &share : shares) {
    end = std::max(end, getEnd(share, 0));
    used += share.units > 0;
  }
  if (used < 2 || used > SPARKLE_MAX_PARTS || end * splitMargin > best.end)
    return false;
  int64_t begin = 0;
  for (const Share &share : shares) {
    if (!share.units)
      continue;
    double fraction = static_cast<double>(share.units) * unit;
    divided.push_back({&request, begin, begin + share.units, share.device,
                       share.kernel * fraction,
                       (share.whole - share.kernel) * fraction, false});
    begin += share.units;
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
  if (it == device.inFlight.begin())
    device.since = now;
  device.inFlight.erase(it);
  --piece.request->inFlight;
}

void Dispatcher::learn(const Piece &piece, double kernel) {
  TaskModel &task = *piece.request->task;
  Behaviour &behaviour = task.devices[piece.device];
  double whole = kernel / getFraction(piece.begin, piece.end, task);
  (piece.isWhole() ? behaviour.whole : behaviour.part).add(whole);
  all[piece.device].model.learnEfficiency(behaviour.bound, whole);
}

/// What a divided run says of dividing.
void Dispatcher::learnGain(Request &request, uint64_t now) {
  TaskModel &task = *request.task;
  if (request.reason.kind != Reason::Divided || request.failures)
    return;
  double took = static_cast<double>(now - request.chosenAt);
  task.gain.add(request.reason.bestTime / std::max(took, 1.0));
  if (task.gain.count() < 3 || task.gain.mean() >= 1)
    return;
  task.runsUntilDivided = task.runsBetween;
  task.runsBetween = std::min(task.runsBetween * 2, 1024u);
  task.gain = {};
}

bool Dispatcher::finish(const Piece &piece, uint64_t now, double &kernel) {
  Device &device = all[piece.device];
  Request &request = *piece.request;
  TaskModel &task = *request.task;
  if (kernel <= 0) {
    double gone =
        now > device.since ? static_cast<double>(now - device.since) : 1;
    kernel = std::max(gone - piece.transfer, gone / 16);
  }
  take(piece, now);
  device.isSetAside = false;
  device.delay = 0;
  ++device.parts;
  task.spent += kernel;
  task.devices[piece.device].spentAtRun = task.spent;
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
  // What was in flight with it fails too, and is one failure.
  if (device.isSetAside && now < device.retryAt)
    return;
  device.delay =
      device.delay ? std::min(device.delay * 2, longestDelay) : firstDelay;
  device.isSetAside = true;
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
  if (isDevice)
    setAside(device, now, status);
  uint64_t mask = bit(piece.device);
  if (!isDevice || request.failedOnce & mask)
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

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

void describe(const Request &request, const char *const *names, char *text,
              size_t size) {
  const Reason &reason = request.reason;
  const char *best = names[reason.best], *second = names[reason.second];
  double bestTime = reason.bestTime / 1e3, secondTime = reason.secondTime / 1e3;
  const char *prefix =
      reason.isHintUnheard ? "the device of the hint cannot; " : "";
  const char *after = request.failures ? ", after a failure" : "";
  switch (reason.kind) {
  case Reason::None:
    std::snprintf(text, size, "nothing is chosen yet");
    return;
  case Reason::Only:
    std::snprintf(text, size, "%sonly %s can run it now%s", prefix, best,
                  after);
    return;
  case Reason::Hinted:
    std::snprintf(text, size, "%s is what the hint asks for%s", best, after);
    return;
  case Reason::Explored:
    std::snprintf(text, size,
                  "%s is tried, about which too little is known: %.0f us "
                  "expected, %s %.0f us",
                  best, bestTime, second, secondTime);
    return;
  case Reason::Divided:
    std::snprintf(text, size,
                  "%u devices together end first: %.0f us, before %s alone, "
                  "%.0f us",
                  reason.parts, request.predicted / 1e3, best, bestTime);
    return;
  case Reason::First:
    std::snprintf(text, size, "%s%s ends first: %.0f us, before %s, %.0f us%s",
                  prefix, best, bestTime, second, secondTime, after);
    return;
  }
}

} // namespace sparkle::runtime
