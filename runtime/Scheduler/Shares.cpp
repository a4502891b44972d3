// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As water finds its level: the time until which all that take part work is
// where what they get done adds up to one run.

#include "runtime/Scheduler/Shares.h"

#include <algorithm>

namespace sparkle::runtime {

/// The time at which those that take part have done all of it together.
static double getLevel(const std::vector<Share> &shares,
                       const std::vector<bool> &takesPart) {
  double done = 1, rate = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    if (!takesPart[i])
      continue;
    done += shares[i].start / shares[i].whole;
    rate += 1 / shares[i].whole;
  }
  return done / rate;
}

/// Leaves out, one after the other, those that start too late.
static double findLevel(const std::vector<Share> &shares,
                        std::vector<bool> &takesPart) {
  for (size_t left = shares.size();; --left) {
    double level = getLevel(shares, takesPart);
    size_t worst = shares.size();
    double lack = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      double rest = level - shares[i].start;
      if (takesPart[i] && shares[i].least - rest > lack) {
        lack = shares[i].least - rest;
        worst = i;
      }
    }
    if (worst == shares.size() || left == 1)
      return level;
    takesPart[worst] = false;
  }
}

double shareOut(std::vector<Share> &shares, int64_t units) {
  std::vector<bool> takesPart(shares.size(), true);
  double level = findLevel(shares, takesPart);
  double unit = 1 / static_cast<double>(units);
  auto getEnd = [&](size_t i, int64_t more) {
    double count = static_cast<double>(shares[i].units + more);
    return shares[i].start + shares[i].whole * unit * count;
  };
  // Whole units first, what is left over to those that end first with one more.
  int64_t left = units;
  for (size_t i = 0; i < shares.size(); ++i) {
    double part = (level - shares[i].start) / shares[i].whole;
    double count = takesPart[i] ? part * static_cast<double>(units) : 0;
    shares[i].units = std::min(static_cast<int64_t>(count), left);
    left -= shares[i].units;
  }
  for (; left; --left) {
    size_t first = shares.size();
    for (size_t i = 0; i < shares.size(); ++i)
      if (takesPart[i] &&
          (first == shares.size() || getEnd(i, 1) < getEnd(first, 1)))
        first = i;
    ++shares[first].units;
  }
  double end = 0;
  for (size_t i = 0; i < shares.size(); ++i)
    if (shares[i].units)
      end = std::max(end, getEnd(i, 0));
  return end;
}

} // namespace sparkle::runtime
