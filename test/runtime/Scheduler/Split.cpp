// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who does how much of a divided run, and when it is given up.

#include "test/runtime/Scheduler/Bench.h"

using namespace sparkle::runtime;

namespace {

std::vector<int64_t> getUnits(const std::vector<Share> &shares) {
  std::vector<int64_t> units;
  for (const Share &share : shares)
    units.push_back(share.units);
  return units;
}

TEST(Shares, followTheRates) {
  std::vector<Share> shares = {{0, 100, 0, 0}, {0, 300, 0, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 100), 75);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{75, 25}));
}

TEST(Shares, countWhatComesBefore) {
  std::vector<Share> shares = {{50, 100, 0, 0}, {0, 100, 0, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 100), 75);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{25, 75}));
}

TEST(Shares, leaveOutWhoStartsTooLate) {
  std::vector<Share> shares = {{0, 100, 0, 0}, {200, 100, 0, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 100), 100);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{100, 0}));
}

TEST(Shares, leaveOutPartsThatAreTooShort) {
  std::vector<Share> shares = {{0, 100, 0, 0}, {80, 100, 20, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 100), 100);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{100, 0}));
  shares = {{0, 100, 500, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 7), 100);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{7}));
}

TEST(Shares, giveTheOddUnitToWhoEndsFirstWithIt) {
  std::vector<Share> shares = {{0, 100, 0, 0}, {0, 90, 0, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 3), 60);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{1, 2}));
  shares = {{0, 100, 0, 0}, {0, 1000, 0, 0}};
  EXPECT_DOUBLE_EQ(shareOut(shares, 1), 100);
  EXPECT_EQ(getUnits(shares), (std::vector<int64_t>{1, 0}));
}

/// Runs a request; its parts, in order.
std::vector<Piece> runOnce(Bench &bench, TestRequest &request, TaskModel &task,
                           std::vector<double> factors) {
  auto pieces = bench.submit(request, task);
  uint64_t start = bench.now, end = start;
  size_t ends = 0;
  for (const Piece &piece : pieces) {
    double factor = factors[piece.device], kernel = piece.kernel * factor;
    uint64_t now =
        start + static_cast<uint64_t>(piece.getTime() + kernel - piece.kernel);
    end = std::max(end, now);
    ends += bench.dispatcher.finish(piece, now, kernel);
  }
  EXPECT_EQ(ends, 1u);
  bench.now = end;
  return pieces;
}

TEST(Split, allTakePartAndAreTold) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e9); // 20 ms, 2 ms, 4 ms
  task.units = 160;
  TestRequest request;
  auto pieces = runOnce(bench, request, task, {1, 1, 1});
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(
      say(request),
      "3 devices together end first: 1270 us, before card alone, 2020 us");
  int64_t at = 0;
  for (const Piece &piece : pieces) {
    EXPECT_EQ(piece.begin, at);
    at = piece.end;
    EXPECT_NEAR(piece.getTime(), 1.26e6, 0.15e6);
  }
  EXPECT_EQ(at, 160);
}

TEST(Split, canBeSwitchedOff) {
  Dispatcher::Options options;
  options.splits = false;
  Bench bench(3, options);
  TaskModel task = bench.makeTask(1e9);
  task.units = 160;
  TestRequest request;
  EXPECT_EQ(runOnce(bench, request, task, {1, 1, 1}).size(), 1u);
}

TEST(Split, shortRunsStayWhole) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e5);
  task.units = 160;
  TestRequest request;
  EXPECT_EQ(runOnce(bench, request, task, {1, 1, 1}).size(), 1u);
}

TEST(Split, whoIsNotKnownGetsAShortPart) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e9, 1u << host | 1u << card);
  task.units = 160;
  TestRequest request, next;
  auto cautious = runOnce(bench, request, task, {1, 1, 0.5}); // as expected
  auto usual = runOnce(bench, next, task, {1, 1, 1});
  ASSERT_EQ(cautious.size(), 3u);
  ASSERT_EQ(usual.size(), 3u);
  EXPECT_LT(cautious[2].end - cautious[2].begin,
            (usual[2].end - usual[2].begin) * 2 / 3);
}

TEST(Split, isRebalancedAfterADeviceSlowsDown) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e9);
  task.units = 160;
  std::vector<TestRequest> requests(12);
  auto first = runOnce(bench, requests[0], task, {1, 1, 1});
  ASSERT_EQ(first.size(), 3u);
  std::vector<Piece> last;
  double isTrue = 4e6; // what all of it takes on the card, from now on
  for (size_t i = 1; i < requests.size(); ++i) {
    double predicted =
        task.devices[card].predictPart(bench.dispatcher.devices()[card].model);
    last = runOnce(bench, requests[i], task, {1, isTrue / predicted, 1});
  }
  ASSERT_EQ(last.size(), 3u);
  // It is as fast as the other one now.
  EXPECT_NEAR(last[1].end - last[1].begin, last[2].end - last[2].begin, 2);
  EXPECT_GT(last[2].end - last[2].begin, first[2].end - first[2].begin);
}

TEST(Split, isGivenUpWhereItDoesNotPayAndTriedAgain) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e9);
  task.units = 160;
  std::string runs;
  for (int i = 0; i < 60; ++i) {
    TestRequest request;
    request.task = &task;
    bench.dispatcher.add(request);
    // Each part does what is expected of it, but it takes long to start it.
    size_t parts = 0;
    for (Piece piece; bench.dispatcher.next(bench.now, piece); ++parts)
      bench.finish(piece);
    runs += parts > 1 ? 'd' : 'w';
  }
  EXPECT_EQ(runs.substr(0, 12), "dddwwwwwwwwd");
  EXPECT_EQ(runs.substr(11, 20), "dddwwwwwwwwwwwwwwwwd");
}

} // namespace
