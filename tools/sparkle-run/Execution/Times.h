// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a clock said of one kernel, again and again, and of two kernels in turn.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H

#include <algorithm>
#include <vector>

namespace sparkle {

inline double getMedian(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Times in seconds, by the round in which they were taken.
class Times {
public:
  /// What is added from now on belongs to a round of its own.
  void beginRound() { rounds.emplace_back(); }
  void add(double time) { rounds.back().push_back(time); }

  bool isEmpty() const {
    return std::all_of(rounds.begin(), rounds.end(),
                       [](auto &round) { return round.empty(); });
  }
  double getBest() const {
    std::vector<double> seconds = getAll();
    return *std::min_element(seconds.begin(), seconds.end());
  }
  double getMedian() const { return sparkle::getMedian(getAll()); }
  /// This time over the other's: the median of what each round tells. Its two
  /// sides ran one right after the other, so that what slows the machine down
  /// for longer than a round is in both and drops out. 0 if they share none.
  double getRatioTo(const Times &other) const {
    std::vector<double> ratios;
    size_t count = std::min(rounds.size(), other.rounds.size());
    for (size_t i = 0; i < count; ++i)
      if (!rounds[i].empty() && !other.rounds[i].empty())
        ratios.push_back(sparkle::getMedian(rounds[i]) /
                         sparkle::getMedian(other.rounds[i]));
    return ratios.empty() ? 0 : sparkle::getMedian(ratios);
  }

private:
  std::vector<double> getAll() const {
    std::vector<double> all;
    for (const std::vector<double> &round : rounds)
      all.insert(all.end(), round.begin(), round.end());
    return all;
  }

  std::vector<std::vector<double>> rounds;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TIMES_H
