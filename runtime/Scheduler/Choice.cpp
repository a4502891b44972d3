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

} // namespace

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
    if (!isBlocked && device.hasPlace())
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
  double fraction = isWhole ? 1 : task.getFraction(waiting.begin, waiting.end);
  double carried = isWhole ? 1 : task.getMoved(waiting.begin, waiting.end);
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
      double rate = carried * places[i].nanosecondsPerByte;
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
        behaviour.isTried || !all[candidate.device].hasPlace())
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
        !all[candidate.device].hasPlace()) {
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

/// Of the candidates, who ends first, and who is next; null if there is none.
std::pair<const Dispatcher::Candidate *, const Dispatcher::Candidate *>
Dispatcher::findFirst() const {
  const Candidate *best = nullptr, *second = nullptr;
  for (const Candidate &candidate : candidates) {
    if (!best || candidate.end < best->end) {
      second = best;
      best = &candidate;
    } else if (!second || candidate.end < second->end) {
      second = &candidate;
    }
  }
  return {best, second};
}

/// The piece to be started of a request now; false if it waits, or is divided.
bool Dispatcher::choose(const Waiting &waiting, uint64_t now, Piece &piece) {
  Request &request = *waiting.request;
  uint64_t able = getAble(request, now);
  uint64_t wanted = able & request.hint;
  collect(waiting, wanted ? wanted : able);
  assert(!candidates.empty() && "a request without a device is lost");
  auto [best, second] = findFirst();
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
  Reason &reason = request.reason;
  reason.kind = kind;
  reason.isHintUnheard = request.hint && !wanted;
  reason.best = best->device;
  reason.bestTime = best->end;
  reason.second = second ? second->device : best->device;
  reason.secondTime = second ? second->end : 0;
  reason.parts =
      kind == Reason::Divided ? static_cast<uint32_t>(divided.size()) : 1;
  if (kind == Reason::Divided)
    return false;
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
    double start = places[candidate.device].backlog + candidate.launch;
    (task.movesWhole ? start : kernel) += candidate.transfer;
    shares.push_back(
        {start, kernel, leastPartOfLaunch * device.model.getLaunch()});
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
    double fraction = task.getFraction(piece.begin, piece.end);
    const Candidate &candidate = *std::find_if(
        candidates.begin(), candidates.end(),
        [&](const Candidate &one) { return one.device == piece.device; });
    piece.transfer = task.getMoved(piece.begin, piece.end) * candidate.transfer;
    piece.kernel =
        fraction * shares[i].whole - (task.movesWhole ? 0 : piece.transfer);
    piece.launch = candidate.launch;
    divided.push_back(piece);
  }
  request.predicted = end;
  return true;
}

} // namespace sparkle::runtime
