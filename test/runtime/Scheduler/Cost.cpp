// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What choosing costs: printed, not asserted, as other programs run beside it.

#include "test/runtime/Scheduler/Bench.h"

#include <algorithm>
#include <chrono>

using namespace sparkle::runtime;

namespace {

/// Keeps `depth` submissions ready on three full devices. Each round one piece
/// ends, the next one is chosen, and another submission is added.
/// Returns nanoseconds of choosing, and of all, for each submission.
/// slow: by how much the host is slower than otherwise.
std::pair<double, double> measure(size_t depth, double slow) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t rounds = 20000;
  Bench bench(3);
  std::vector<TaskModel> tasks;
  for (int i = 0; i < 8; ++i)
    tasks.push_back(bench.makeTask(1e6 * (1 << i), ~uint64_t(0), slow));
  std::vector<TestRequest> requests(depth + 9 + rounds);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].task = &tasks[i * 5 % tasks.size()];
    requests[i].uploads[card] = requests[i].uploads[other] = 1e5;
  }
  size_t added = 0, chosen = 0;
  while (added < depth + 9)
    bench.dispatcher.add(requests[added++]);
  bench.start();
  auto &devices = bench.dispatcher.devices();
  Clock::duration choosing = {};
  auto start = Clock::now();
  for (size_t i = 0; i < rounds; ++i) {
    // The piece that is the first to end.
    size_t first = 0;
    double end = 1e30;
    for (size_t j = 0; j < devices.size(); ++j)
      if (!devices[j].inFlight.empty()) {
        const Piece &piece = devices[j].inFlight.front();
        double its = static_cast<double>(devices[j].since) + piece.getTime();
        first = its < end ? j : first;
        end = std::min(end, its);
      }
    Piece piece = devices[first].inFlight.front();
    bench.now = std::max(bench.now, static_cast<uint64_t>(end));
    double kernel = piece.kernel;
    bench.dispatcher.finish(piece, bench.now, kernel);
    bench.dispatcher.add(requests[added++]);
    auto before = Clock::now();
    while (bench.dispatcher.next(bench.now, piece))
      ++chosen;
    choosing += Clock::now() - before;
  }
  auto count = [](Clock::duration time) {
    return std::chrono::duration<double, std::nano>(time).count() / rounds;
  };
  EXPECT_GT(chosen, rounds / 2);
  return {count(choosing), count(Clock::now() - start)};
}

void print(const char *what, size_t depth, double slow) {
  auto best = measure(depth, slow);
  for (int i = 0; i < 4; ++i)
    best = std::min(best, measure(depth, slow));
  std::printf("3 devices%s, %2zu ready: choosing takes %.0f ns a submission, "
              "with adding and ending it %.0f ns\n",
              what, depth, best.first, best.second);
}

TEST(Cost, ofChoosing) {
  for (size_t depth : {0, 8, 64})
    print("", depth, 1);
  // It is offered everything, each time.
  print(", one for which nothing is worth it", 64, 1e4);
}

} // namespace
