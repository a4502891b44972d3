// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random work on simulated devices: nothing is lost, doubled or stuck, and it
// ends soon. SPARKLE_SIMULATION_WORLDS: of each kind, instead of the number
// written here; sanitizers take fewer.

#include "test/runtime/Scheduler/Simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace sparkle::runtime;

namespace {

uint64_t getWorlds(uint64_t usual) {
  const char *text = std::getenv("SPARKLE_SIMULATION_WORLDS");
  return text ? std::strtoull(text, nullptr, 10) : usual;
}

double getMean(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

double getQuantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part *
                                    static_cast<double>(values.size() - 1))];
}

void print(const char *what, const std::vector<double> &values) {
  std::printf("%-28s mean %6.2f %%, median %6.2f, 90th %6.2f, 99th %6.2f, "
              "worst %6.2f\n",
              what, getMean(values), getQuantile(values, 0.5),
              getQuantile(values, 0.9), getQuantile(values, 0.99),
              getQuantile(values, 1));
}

/// In percent: what it takes longer than on the best single device, of all
/// submissions, and of those after the 30th.
struct Regret {
  double all, later;
};

Regret getRegret(const World &world, const Dispatcher::Options &options) {
  auto measure = [](const Outcome &outcome, size_t first) {
    uint64_t start = first ? outcome.ends[first - 1] : 0;
    return static_cast<double>(outcome.end - start);
  };
  constexpr size_t learning = 30;
  double all = 1e30, later = 1e30;
  for (size_t i = 0; i < world.devices.size(); ++i) {
    bool isPossible = true;
    for (const TrueKernel &kernel : world.kernels)
      isPossible &= !kernel.lacks[i];
    if (!isPossible)
      continue;
    Outcome single = simulate(world, {false, false}, uint64_t(1) << i);
    EXPECT_EQ(single.violation, "");
    all = std::min(all, measure(single, 0));
    later = std::min(later, measure(single, learning));
  }
  Outcome outcome = simulate(world, options);
  EXPECT_EQ(outcome.violation, "");
  return {100 * (measure(outcome, 0) / all - 1),
          100 * (measure(outcome, learning) / later - 1)};
}

TEST(RandomWork, losesNothingUnderFaults) {
  uint64_t worlds = getWorlds(1500), lost = 0, divided = 0, failures = 0,
           retries = 0, pieces = 0;
  for (int work = 0; work < workCount; ++work)
    for (uint64_t i = 0; i < worlds; ++i) {
      World world = makeWorld("faults", i * workCount + work,
                              static_cast<Work>(work), Faults::Some, 60);
      Outcome outcome = simulate(world, {});
      ASSERT_EQ(outcome.violation, "") << "work " << work;
      lost += outcome.lost;
      divided += outcome.divided;
      failures += outcome.failures;
      retries += outcome.retries;
      pieces += outcome.pieces;
    }
  std::printf("%llu pieces, %llu failed, %llu retries of devices, %llu "
              "divided, %llu lost\n",
              (unsigned long long)pieces, (unsigned long long)failures,
              (unsigned long long)retries, (unsigned long long)divided,
              (unsigned long long)lost);
}

/// The least time in which all units of the first kernel can be done, if
/// everything were known: the count of whole units that each device does by a
/// time grows with it.
double getIdeal(const World &world) {
  const TrueKernel &kernel = world.kernels[0];
  auto count = [&](double time) {
    std::vector<double> units(world.devices.size()); // of each resource
    for (size_t i = 0; i < world.devices.size(); ++i) {
      const TrueDevice &device = world.devices[i];
      if (kernel.lacks[i])
        continue;
      double transfer =
          device.model.sharesMemory
              ? 0
              : (kernel.inputBytes + kernel.outputBytes) / device.copied;
      double whole = world.getKernelTime(0, i) + transfer;
      double rest = std::max(time - device.launch, 0.0);
      double part =
          rest / (whole + world.getKernelTime(0, i) * kernel.partCost);
      double done = part * static_cast<double>(kernel.units);
      done =
          rest >= whole ? static_cast<double>(kernel.units) : std::floor(done);
      double &most = units[device.model.resource];
      most = std::max(most, done);
    }
    double sum = 0;
    for (double one : units)
      sum += one;
    return sum;
  };
  double low = 0, high = 1e12;
  for (int step = 0; step < 100; ++step) {
    double middle = (low + high) / 2;
    (count(middle) < static_cast<double>(kernel.units) ? low : high) = middle;
  }
  return high;
}

TEST(RandomWork, dividedRunsComeCloseToTheIdeal) {
  std::vector<double> excess;
  size_t divided = 0;
  for (uint64_t i = 0; i < getWorlds(1000); ++i) {
    World world = makeWorld("ideal", i, Work::Divided, Faults::None, 100);
    for (Submission &submission : world.submissions)
      submission.input = -1; // what is where is no matter of this
    Outcome outcome = simulate(world, {});
    ASSERT_EQ(outcome.violation, "");
    double took = static_cast<double>(outcome.end - outcome.ends[49]) / 50;
    excess.push_back(100 * (took / getIdeal(world) - 1));
    divided += outcome.divided > 25;
  }
  print("divided, above the ideal", excess);
  std::printf("%zu divided\n", divided);
}

TEST(RandomWork, regret) {
  const char *names[] = {"loop",   "mixed",  "stream",
                         "chains", "bursts", "divided"};
  for (int work = 0; work < workCount; ++work) {
    std::vector<double> all, later;
    for (uint64_t i = 0; i < getWorlds(500); ++i) {
      World world = makeWorld(
          "regret", i * workCount + work, static_cast<Work>(work), Faults::None,
          work == int(Work::Loop) || work == int(Work::Divided) ? 100 : 400);
      Regret regret = getRegret(world, {});
      all.push_back(regret.all);
      later.push_back(regret.later);
    }
    print((std::string(names[work]) + ", all").c_str(), all);
    print((std::string(names[work]) + ", after 30").c_str(), later);
  }
}

} // namespace
