// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the mean makes of still, noisy, straying and changing times.

#include "runtime/Scheduler/Statistics.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace sparkle::runtime;

namespace {

/// From 0 to 1, the same in every run.
double random(uint32_t index) {
  uint32_t value = index * 0x9e3779b9u;
  value = (value ^ (value >> 16)) * 0x85ebca6bu;
  value = (value ^ (value >> 13)) * 0xc2b2ae35u;
  return (value ^ (value >> 16)) / 4294967296.0;
}

/// Nearly normal, with deviation 1.
double noise(uint32_t index) {
  double sum = 0;
  for (uint32_t i = 0; i < 12; ++i)
    sum += random(index * 12 + i);
  return sum - 6;
}

TEST(Statistics, nothing) {
  Statistics statistics;
  EXPECT_EQ(statistics.count(), 0u);
  EXPECT_EQ(statistics.mean(), 0);
  EXPECT_EQ(statistics.deviation(), 0);
  EXPECT_EQ(statistics.last(), 0);
}

TEST(Statistics, still) {
  Statistics statistics;
  for (int i = 0; i < 100; ++i)
    statistics.add(5000);
  EXPECT_EQ(statistics.count(), 100u);
  EXPECT_DOUBLE_EQ(statistics.mean(), 5000);
  EXPECT_EQ(statistics.deviation(), 0);
  EXPECT_EQ(statistics.last(), 5000);
}

/// The first ones count alike.
TEST(Statistics, few) {
  Statistics statistics;
  for (double time : {100, 110, 90, 104})
    statistics.add(time);
  EXPECT_DOUBLE_EQ(statistics.mean(), 101);
}

/// Within a fifth of the noise, three times that for the worst moment; the mean
/// absolute distance of normal noise is 0.8 of its deviation.
TEST(Statistics, noisy) {
  for (double part : {0.01, 0.05, 0.1, 0.2}) {
    Statistics statistics;
    double worst = 0, spread = 0;
    for (uint32_t i = 0; i < 5000; ++i) {
      statistics.add(1000 * (1 + part * noise(i)));
      if (i < 100)
        continue;
      worst = std::max(worst, std::abs(statistics.mean() - 1000));
      spread += statistics.deviation() / 4900;
    }
    EXPECT_LT(worst, 1000 * part * 0.2 * 4) << part;
    EXPECT_NEAR(spread, 1000 * part * 0.8, 1000 * part * 0.1) << part;
    EXPECT_GT(statistics.count(), 4950u) << part;
  }
}

/// Times all over the place are no outliers of each other.
TEST(Statistics, wild) {
  Statistics statistics;
  double sum = 0;
  for (uint32_t i = 0; i < 5000; ++i) {
    statistics.add(std::exp(noise(i)));
    sum += i < 1000 ? 0 : statistics.mean() / 4000;
  }
  EXPECT_NEAR(sum, std::exp(0.5), 0.3);
  EXPECT_GT(statistics.count(), 3000u);
}

/// One of twenty takes ten times as long, as when another program runs.
TEST(Statistics, outliers) {
  Statistics statistics;
  double worst = 0;
  for (uint32_t i = 0; i < 5000; ++i) {
    bool isOut = i % 20 == 7 || random(i) < 0.01;
    statistics.add((isOut ? 10000 : 1000) * (1 + 0.03 * noise(i)));
    if (i > 20)
      worst = std::max(worst, std::abs(statistics.mean() - 1000));
  }
  EXPECT_LT(worst, 30);
  EXPECT_LT(statistics.count(), 4800u);
  EXPECT_LT(statistics.deviation(), 100);
}

TEST(Statistics, outlierIsTheLast) {
  Statistics statistics;
  for (int i = 0; i < 10; ++i)
    statistics.add(1000);
  statistics.add(9000);
  EXPECT_EQ(statistics.mean(), 1000);
  EXPECT_EQ(statistics.count(), 10u);
  EXPECT_EQ(statistics.last(), 9000);
  EXPECT_EQ(statistics.strayCount(), 1u);
  EXPECT_EQ(statistics.strayMean(), 9000);
  statistics.add(1000);
  EXPECT_EQ(statistics.strayCount(), 0u);
}

/// A device that is slower, or faster, from now on: known after three runs.
TEST(Statistics, shift) {
  for (double after : {100.0, 500.0, 1500.0, 20000.0}) {
    Statistics statistics;
    uint32_t i = 0;
    for (; i < 200; ++i)
      statistics.add(1000 * (1 + 0.03 * noise(i)));
    for (int count = 0; count < 3; ++count, ++i)
      statistics.add(after * (1 + 0.03 * noise(i)));
    EXPECT_NEAR(statistics.mean(), after, after * 0.06) << after;
    EXPECT_EQ(statistics.count(), 3u);
    EXPECT_LT(statistics.deviation(), after * 0.1) << after;
  }
}

/// A small shift is followed: within 5 % of the way after fifty runs.
TEST(Statistics, drift) {
  Statistics statistics;
  for (int i = 0; i < 100; ++i)
    statistics.add(1000);
  for (int i = 0; i < 50; ++i)
    statistics.add(1200);
  EXPECT_NEAR(statistics.mean(), 1200, 10);
  EXPECT_EQ(statistics.count(), 150u);
}

/// Strays that do not agree are no shift.
TEST(Statistics, disagreement) {
  Statistics statistics;
  for (int i = 0; i < 100; ++i)
    statistics.add(1000);
  for (double time : {4000, 9000, 2000, 9000})
    statistics.add(time);
  EXPECT_EQ(statistics.mean(), 1000);
}

/// The first run pays for cold caches: the second one counts in its place, and
/// so it does if it is the second that was disturbed.
TEST(Statistics, coldStart) {
  Statistics cold;
  for (double time : {9000, 1000, 1010, 990})
    cold.add(time);
  EXPECT_DOUBLE_EQ(cold.mean(), 1000);
  EXPECT_EQ(cold.count(), 3u);
  Statistics disturbed;
  for (double time : {1000, 9000, 1010, 990, 1000})
    disturbed.add(time);
  EXPECT_NEAR(disturbed.mean(), 1000, 5);
}

TEST(Statistics, noTimes) {
  Statistics statistics;
  for (double time : {0.0, -1.0, double(NAN), double(INFINITY), 1e300})
    statistics.add(time);
  EXPECT_EQ(statistics.count(), 0u);
  statistics.add(7);
  for (double time : {0.0, -1.0, double(NAN), double(INFINITY), 1e300})
    statistics.add(time);
  EXPECT_EQ(statistics.count(), 1u);
  EXPECT_EQ(statistics.mean(), 7);
  EXPECT_EQ(statistics.last(), 7);
}

/// Taken apart and put together after each time, all goes the same way.
TEST(Statistics, kept) {
  Statistics whole, kept;
  for (uint32_t i = 0; i < 500; ++i) {
    double time = (i % 100 < 50 ? 1000 : 3000) * (1 + 0.3 * noise(i));
    whole.add(time);
    kept.add(time);
    kept = Statistics(kept.count(), kept.mean(), kept.deviation(), kept.last(),
                      kept.strayCount(), kept.strayMean());
    ASSERT_EQ(whole.count(), kept.count());
    ASSERT_EQ(whole.mean(), kept.mean());
    ASSERT_EQ(whole.deviation(), kept.deviation());
    ASSERT_EQ(whole.last(), kept.last());
  }
}

TEST(Statistics, keptNonsense) {
  EXPECT_EQ(Statistics(0, 5, 1, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, NAN, 1, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, 0, 1, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, -5, 1, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, 5, -1, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, 5, NAN, 5).count(), 0u);
  EXPECT_EQ(Statistics(3, 5, 1, NAN).last(), 5);
  Statistics many(UINT64_MAX, 5, 1, 5, UINT32_MAX, 9);
  for (int i = 0; i < 100; ++i)
    many.add(6);
  EXPECT_NEAR(many.mean(), 6, 0.01);
}

} // namespace
