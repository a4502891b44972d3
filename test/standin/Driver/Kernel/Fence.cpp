// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A point of a timeline is reached when it and all before it are.

#include "test/standin/Driver/Kernel/Fence.h"

#include <algorithm>

namespace sparkle::standin {

bool areSignaled(const Fences &fences) {
  return std::all_of(fences.begin(), fences.end(),
                     [](const auto &fence) { return fence->isSignaled; });
}

void Syncobj::reset() {
  points.clear();
  passed = 0;
  hasPassed = false;
  Monitor::get().notify();
}

bool Syncobj::attach(uint64_t point, Fences fences) {
  if (!point)
    reset();
  else if (point <= getSubmitted() && (hasPassed || !points.empty()))
    return false;
  while (!points.empty() && areSignaled(points.front().fences) &&
         points.front().value) {
    passed = points.front().value;
    hasPassed = true;
    points.erase(points.begin());
  }
  points.push_back({point, std::move(fences)});
  Monitor::get().notify();
  return true;
}

bool Syncobj::collect(uint64_t point, Fences &fences) const {
  if (points.empty())
    return hasPassed && point <= passed;
  for (const Point &known : points) {
    fences.insert(fences.end(), known.fences.begin(), known.fences.end());
    if (point && known.value >= point)
      return true;
  }
  return !point;
}

uint64_t Syncobj::getSignaled() const {
  uint64_t value = passed;
  for (const Point &known : points) {
    if (!areSignaled(known.fences))
      break;
    value = known.value;
  }
  return value;
}

} // namespace sparkle::standin
