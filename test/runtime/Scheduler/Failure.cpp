// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices that fail, tasks that a device cannot run, and what is tried when.

#include "test/runtime/Scheduler/Bench.h"

using namespace sparkle::runtime;

namespace {

constexpr uint64_t firstDelay = 100 * millisecond;

TEST(Failure, workIsDoneElsewhere) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  ASSERT_EQ(pieces[0].device, card);
  EXPECT_FALSE(bench.fail(pieces[0], true));
  const auto &device = bench.dispatcher.devices()[card];
  EXPECT_TRUE(device.isSetAside);
  EXPECT_EQ(device.retryAt, bench.now + firstDelay);
  EXPECT_EQ(device.failures, 1u);
  EXPECT_STREQ(device.reason.message(), "no answer");
  pieces = bench.start();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
  EXPECT_EQ(say(request), "only host can run it now, after a failure");
  EXPECT_TRUE(bench.finish(pieces[0]));
  EXPECT_FALSE(request.isLost);
  EXPECT_EQ(request.failures, 1u);
  ASSERT_EQ(request.losses.size(), 1u);
  EXPECT_EQ(request.losses[0].first, card);
}

TEST(Failure, theRestChooseAgain) {
  Bench bench(3);
  TaskModel task = bench.makeTask(1e8);
  TestRequest request, hinted;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  bench.fail(pieces[0], true);
  pieces = bench.start();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(say(request), "other ends first: 420 us, before host, 2002 us, "
                          "after a failure");
  bench.finish(pieces[0]);
  hinted.hint = 1u << other;
  pieces = bench.submit(hinted, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(say(hinted), "other is what the hint asks for");
}

/// Runs one request; whether it was started on the card.
bool tryCard(Bench &bench, TaskModel &task, bool works) {
  TestRequest request;
  auto pieces = bench.submit(request, task);
  EXPECT_EQ(pieces.size(), 1u);
  bool isOnCard = pieces[0].device == card;
  if (!isOnCard || works) {
    bench.finish(pieces[0]);
    return isOnCard;
  }
  bench.fail(pieces[0], true);
  for (const Piece &piece : bench.start())
    bench.finish(piece);
  return true;
}

TEST(Failure, delaysGrowUntilItWorksForLong) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  const auto &device = bench.dispatcher.devices()[card];
  uint64_t delay = firstDelay;
  for (int i = 0; i < 5; ++i, delay *= 2) {
    EXPECT_TRUE(tryCard(bench, task, false));
    EXPECT_EQ(device.delay, delay);
    EXPECT_FALSE(tryCard(bench, task, true)); // not yet
    bench.now = device.retryAt;
  }
  EXPECT_TRUE(tryCard(bench, task, true));
  EXPECT_FALSE(device.isSetAside);
  // It fails again soon: this is the same story.
  EXPECT_TRUE(tryCard(bench, task, false));
  EXPECT_EQ(device.delay, delay);
  bench.now = device.retryAt;
  EXPECT_TRUE(tryCard(bench, task, true));
  bench.now += 17 * delay;
  EXPECT_TRUE(tryCard(bench, task, false));
  EXPECT_EQ(device.delay, firstDelay);
}

TEST(Failure, oneIsTriedAtATime) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  tryCard(bench, task, false);
  bench.now += firstDelay;
  std::vector<TestRequest> requests(3);
  size_t onCard = 0;
  for (TestRequest &request : requests)
    for (const Piece &piece : bench.submit(request, task))
      onCard += piece.device == card;
  EXPECT_EQ(onCard, 1u);
}

TEST(Failure, whatWasInFlightFailsWithIt) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  task.devices[host].isPossible = false;
  std::vector<TestRequest> requests(3);
  std::vector<Piece> pieces;
  for (TestRequest &request : requests)
    for (const Piece &piece : bench.submit(request, task))
      pieces.push_back(piece);
  ASSERT_EQ(pieces.size(), 3u);
  for (const Piece &piece : pieces)
    EXPECT_FALSE(bench.fail(piece, true));
  EXPECT_EQ(bench.dispatcher.devices()[card].delay, firstDelay); // once
  // Nothing else can: each is tried once more, one at a time.
  for (size_t i = 0; i < 3; ++i) {
    pieces = bench.start();
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_TRUE(bench.fail(pieces[0], true));
  }
  for (const TestRequest &request : requests) {
    EXPECT_TRUE(request.isLost);
    EXPECT_EQ(request.losses.size(), 2u);
  }
}

TEST(Failure, whatWasStartedBeforeDoesNotClearIt) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest first, second;
  auto one = bench.submit(first, task), two = bench.submit(second, task);
  ASSERT_EQ(one.size() + two.size(), 2u);
  bench.fail(one[0], true);
  bench.finish(two[0]);
  EXPECT_TRUE(bench.dispatcher.devices()[card].isSetAside);
}

TEST(Failure, ofATaskIsNotOfTheDevice) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_FALSE(bench.fail(pieces[0], false));
  EXPECT_FALSE(bench.dispatcher.devices()[card].isSetAside);
  pieces = bench.start();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
  EXPECT_TRUE(bench.fail(pieces[0], false));
  EXPECT_TRUE(request.isLost);
  ASSERT_EQ(request.losses.size(), 2u);
  EXPECT_EQ(request.losses[0].first, card);
  EXPECT_EQ(request.losses[1].first, host);
  EXPECT_TRUE(bench.start().empty());
}

TEST(Turns, devicesOfOneResourceDoNotOverlapOrStarve) {
  std::vector<DeviceModel> models = makeModels(2);
  models[card].resource = models[host].resource;
  Bench bench;
  bench.dispatcher.devices()[card].model.resource = 0;
  TaskModel task = bench.makeTask(1e8);
  std::vector<TestRequest> requests(20);
  for (TestRequest &request : requests)
    request.hint = 1u << host;
  requests[5].hint = 1u << card;
  std::vector<Piece> pieces;
  size_t submitted = 0, ends = 0, cardAt = 0;
  while (ends < requests.size()) {
    for (; submitted < requests.size() && submitted < ends + 10; ++submitted)
      for (const Piece &piece : bench.submit(requests[submitted], task))
        pieces.push_back(piece);
    ASSERT_FALSE(pieces.empty());
    for (const Piece &piece : pieces)
      ASSERT_EQ(piece.device, pieces[0].device);
    cardAt = pieces[0].device == card ? ends : cardAt;
    bench.finish(pieces[0]);
    ++ends;
    pieces.erase(pieces.begin());
    for (const Piece &piece : bench.start())
      pieces.push_back(piece);
  }
  EXPECT_EQ(cardAt, 5u);
}

} // namespace
