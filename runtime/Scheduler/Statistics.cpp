// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What counts, how much, and when to begin anew.

#include "runtime/Scheduler/Statistics.h"

#include <algorithm>
#include <cmath>

namespace sparkle::runtime {

/// The least weight of a new time: half of what is known is forgotten after 11
/// runs, and the mean of noisy times moves by a fifth of their noise.
static constexpr double minWeight = 1.0 / 16;

/// A time is far from the mean beyond this many deviations: four standard ones,
/// if the noise is normal.
static constexpr double farDeviations = 5;
/// And beyond this part of the mean, however still it has been: other programs,
/// clocks and temperatures move times by so much, which is to be followed.
static constexpr double farPart = 0.25;

/// So many in a row that agree are no accident. Times that one of five runs
/// strays to come so often less than once in a hundred.
static constexpr uint32_t restartCount = 3;

/// Thirty years: what is longer is no time of a run.
static constexpr double longest = 1e18;

/// Nothing changes far below it, and it never overflows.
static constexpr uint64_t maxCount = uint64_t(1) << 53;

static bool isTime(double value) { return value > 0 && value < longest; }

Statistics::Statistics(uint64_t count, double mean, double deviation,
                       double last, uint32_t strays, double stray) {
  if (!count || !isTime(mean) || !(deviation >= 0 && deviation < longest))
    return;
  samples = std::min(count, maxCount);
  average = mean;
  spread = deviation;
  latest = isTime(last) ? last : mean;
  this->strays = isTime(stray) ? std::min(strays, restartCount - 1) : 0;
  this->stray = this->strays ? stray : 0;
}

double Statistics::limitAround(double center) const {
  return center * std::max(farDeviations * spread / average, farPart);
}

void Statistics::add(double nanoseconds) {
  if (!isTime(nanoseconds))
    return;
  latest = nanoseconds;
  if (!samples) {
    samples = 1;
    average = nanoseconds;
    return;
  }
  double distance = std::abs(nanoseconds - average);
  double limit = limitAround(average);
  double weight = std::max(1.0 / static_cast<double>(samples + 1), minWeight);
  // One that is left out widens the spread as well, as if it lay at the limit:
  // where more than one of five is far away, that is what these times are like,
  // and the spread grows until they count.
  spread += weight * (std::min(distance, limit) - spread);
  if (distance > limit)
    return addStray(nanoseconds);
  ++samples;
  average += weight * (nanoseconds - average);
  strays = 0;
  stray = 0;
}

void Statistics::addStray(double nanoseconds) {
  bool agrees = strays && std::abs(nanoseconds - stray) <= limitAround(stray);
  strays = agrees ? strays + 1 : 1;
  stray = agrees ? stray + (nanoseconds - stray) / strays : nanoseconds;
  // Strays have nothing against them but as many runs: the first one of a
  // kernel, which finds nothing in any cache, gives way to the second.
  if (strays < std::min<uint64_t>(restartCount, samples))
    return;
  samples = strays;
  spread *= stray / average; // the noise is that of the machine
  average = stray;
  strays = 0;
  stray = 0;
}

} // namespace sparkle::runtime
