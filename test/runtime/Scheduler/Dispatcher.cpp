// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One decision at a time: a device whose launch is cheap, one that is fast, and
// what sways the choice between them.

#include "test/runtime/Scheduler/Bench.h"

#include <gtest/gtest.h>

using namespace sparkle::runtime;

namespace {

TEST(Choice, smallWorkStaysWhereTheLaunchIsCheap) {
  Bench bench;
  TaskModel small = bench.makeTask(1e5), large = bench.makeTask(1e8);
  TestRequest first, second;
  auto pieces = bench.submit(first, small);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
  EXPECT_EQ(say(first), "host ends first: 4 us, before card, 20 us");
  EXPECT_TRUE(bench.finish(pieces[0]));
  pieces = bench.submit(second, large);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, card);
  EXPECT_EQ(say(second), "card ends first: 220 us, before host, 2002 us");
}

TEST(Choice, transferCounts) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest far, there;
  far.uploads[card] = 2e7; // 2 ms
  auto pieces = bench.submit(far, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
  bench.finish(pieces[0]);
  // The same, but the inputs are there already.
  pieces = bench.submit(there, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, card);
  bench.finish(pieces[0]);
  // Outputs come back.
  TestRequest back;
  task.outputBytes = 2e7;
  pieces = bench.submit(back, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
}

TEST(Choice, queueDepthCounts) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8); // 2 ms on the host, 0.2 on the card
  std::vector<TestRequest> requests(16);
  size_t onCard = 0, onHost = 0;
  for (TestRequest &request : requests)
    for (const Piece &piece : bench.submit(request, task))
      ++(piece.device == card ? onCard : onHost);
  // The eleventh would wait for longer than the host takes.
  EXPECT_EQ(onCard, 3u);
  EXPECT_EQ(onHost, 1u);
  EXPECT_EQ(bench.dispatcher.devices()[card].inFlight.size(), 3u);
}

TEST(Choice, inputsThatAreUsedOftenAreBrought) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  std::vector<uint32_t> devices;
  double upload = 5e7; // 5 ms, and 1.8 ms are gained each time
  std::string sentence;
  for (int i = 0; i < 6; ++i) {
    TestRequest request;
    request.uploads[card] = request.reused = upload;
    auto pieces = bench.submit(request, task);
    ASSERT_EQ(pieces.size(), 1u);
    devices.push_back(pieces[0].device);
    if (request.reason.kind == Reason::Moved) {
      sentence = say(request);
      upload = 0;
    }
    bench.finish(pieces[0]);
  }
  EXPECT_EQ(devices,
            (std::vector<uint32_t>{host, card, card, card, card, card}));
  EXPECT_EQ(sentence, "card is given the inputs, which are used often: 5220 us "
                      "this time, host 2002 us");
}

TEST(Choice, inputsThatAreUsedOnceAreNotBrought) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  for (int i = 0; i < 20; ++i) {
    TestRequest request;
    request.uploads[card] = 5e7;
    auto pieces = bench.submit(request, task);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_EQ(pieces[0].device, host);
    bench.finish(pieces[0]);
  }
}

TEST(Choice, inputsThatWereBroughtInVainAreBroughtLessOften) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  int moves = 0;
  for (int i = 0; i < 100; ++i) {
    TestRequest request;
    request.uploads[card] = request.reused = 5e7; // said, but not true
    auto pieces = bench.submit(request, task);
    ASSERT_EQ(pieces.size(), 1u);
    moves += request.reason.kind == Reason::Moved;
    bench.finish(pieces[0]);
  }
  EXPECT_GE(moves, 1);
  EXPECT_LE(moves, 5);
}

TEST(Choice, hintIsFollowed) {
  Bench bench;
  TaskModel small = bench.makeTask(1e5);
  TestRequest request;
  request.hint = 1u << card;
  auto pieces = bench.submit(request, small);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, card);
  EXPECT_EQ(say(request), "card is what the hint asks for");
}

TEST(Choice, hintThatCannotBeFollowedIsTold) {
  Bench bench(3);
  TaskModel small = bench.makeTask(1e5);
  small.devices[card].isPossible = false;
  TestRequest request, alone;
  request.hint = 1u << card;
  auto pieces = bench.submit(request, small);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
  EXPECT_EQ(say(request), "the device of the hint cannot; host ends first: 4 "
                          "us, before other, 20 us");
  bench.finish(pieces[0]);
  small.devices[other].isPossible = false;
  alone.hint = 1u << card;
  pieces = bench.submit(alone, small);
  EXPECT_EQ(say(alone),
            "the device of the hint cannot; only host can run it now");
}

TEST(Choice, thoseThatWaitForTheirDeviceDoNotHoldUpOthers) {
  Bench bench;
  TaskModel large = bench.makeTask(1e8), small = bench.makeTask(1e5);
  std::vector<TestRequest> requests(40);
  for (TestRequest &request : requests) {
    request.hint = 1u << card;
    bench.submit(request, large);
  }
  TestRequest free;
  auto pieces = bench.submit(free, small);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, host);
}

TEST(Choice, nothingIsSaidBeforeItIsChosen) {
  TestRequest request;
  EXPECT_EQ(say(request), "nothing is chosen yet");
}

TEST(Choice, whatNothingCanRunIsRefused) {
  Bench bench;
  TaskModel task = bench.makeTask(1e5);
  task.devices[host].isPossible = task.devices[card].isPossible = false;
  TestRequest request;
  request.task = &task;
  EXPECT_FALSE(bench.dispatcher.add(request));
  EXPECT_TRUE(bench.start().empty());
}

TEST(Exploration, triesWhatCouldBeFaster) {
  Bench bench;
  TaskModel task = bench.makeTask(1e6, 1u << host); // 20 us there
  task.devices[card].bound = 1e4;
  bench.dispatcher.devices()[card].model.performance.launch_ns = 5e3;
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].device, card);
  EXPECT_EQ(say(request), "card is tried, about which too little is known: 25 "
                          "us expected, host 22 us");
  EXPECT_TRUE(pieces[0].isExploring);
  EXPECT_EQ(bench.dispatcher.devices()[card].explorations, 1u);
  // Not again before it is known how that went.
  TestRequest next;
  auto after = bench.submit(next, task);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].device, host);
  // It went badly: that is charged.
  bench.finish(pieces[0], 10);
  EXPECT_DOUBLE_EQ(task.explored, 183'000);
}

TEST(Exploration, leavesWhatCannotBeFaster) {
  Bench bench;
  TaskModel task = bench.makeTask(1e5, 1u << host);
  for (int i = 0; i < 200; ++i) {
    TestRequest request;
    auto pieces = bench.submit(request, task);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_EQ(pieces[0].device, host); // its launch alone takes longer
    bench.finish(pieces[0]);
  }
}

TEST(Exploration, canBeSwitchedOff) {
  Dispatcher::Options options;
  options.explores = false;
  Bench bench(2, options);
  TaskModel task = bench.makeTask(1e6, 1u << host);
  task.devices[card].bound = 1e4;
  for (int i = 0; i < 200; ++i) {
    TestRequest request;
    auto pieces = bench.submit(request, task);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_EQ(pieces[0].device, host);
    bench.finish(pieces[0]);
  }
}

TEST(Suspects, areCountedAndNotLearnedFrom) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  double mean = task.devices[card].whole.mean();
  double kernel = 5e4; // 2000 GFLOPS
  EXPECT_TRUE(bench.dispatcher.finish(pieces[0], bench.now + 100'000, kernel));
  EXPECT_EQ(kernel, -5e4);
  const auto &device = bench.dispatcher.devices()[card];
  EXPECT_EQ(device.suspects, 1u);
  EXPECT_EQ(device.parts, 1u);
  EXPECT_EQ(device.operations, 0);
  EXPECT_EQ(task.devices[card].whole.mean(), mean);
}

/// A launch that was shorter than was predicted made a suspect of a kernel.
TEST(Suspects, areNotWhatWasPredictedTooLong) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest first, second;
  auto pieces = bench.submit(first, task);
  ASSERT_EQ(pieces.size(), 1u);
  double kernel = 0;
  bench.dispatcher.finish(pieces[0], bench.now += 105'000, kernel);
  EXPECT_DOUBLE_EQ(kernel, 1e5 / 1.15); // not 85'000, at 1176 GFLOPS
  pieces = bench.submit(second, task);
  ASSERT_EQ(pieces.size(), 1u);
  kernel = 0;
  bench.dispatcher.finish(pieces[0], bench.now + 80'000, kernel);
  EXPECT_EQ(kernel, -80'000); // whatever the launch took
  EXPECT_EQ(bench.dispatcher.devices()[card].suspects, 1u);
}

TEST(Times, thatAreNotToldAreWhatRemains) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  double kernel = 0;
  bench.dispatcher.finish(pieces[0], bench.now + 320'000, kernel);
  EXPECT_EQ(kernel, 300'000); // the launch takes 20 us
}

TEST(Times, thatAreToldSayWhatALaunchTakes) {
  Bench bench;
  TaskModel task = bench.makeTask(1e8);
  TestRequest request;
  auto pieces = bench.submit(request, task);
  ASSERT_EQ(pieces.size(), 1u);
  double kernel = 200'000;
  bench.dispatcher.finish(pieces[0], bench.now + 230'000, kernel);
  EXPECT_EQ(bench.dispatcher.devices()[card].model.getLaunch(), 30'000);
}

TEST(Times, thatAreOfCopiesAsWellLeaveAKernelItsPart) {
  EXPECT_EQ(getKernelPart(100, 30, 10), 70);
  EXPECT_EQ(getKernelPart(100, 95, 10), 10);
  EXPECT_EQ(getKernelPart(160, 200, 1), 10);
  EXPECT_EQ(getKernelPart(100, 200, 1000), 100);
}

TEST(Roofline, isTheSlowestOfThree) {
  // GFLOPS, GB/s far, copied, launch, near.
  sparkle_device_performance_t performance = {100, 10, 5, 1e3, 50};
  EXPECT_EQ(getBound({1e6, 1e3, 1e3}, performance), 1e4);
  EXPECT_EQ(getBound({1e6, 1e6, 1e3}, performance), 1e5);
  EXPECT_EQ(getBound({1e6, 1e3, 1e7}, performance), 2e5);
  EXPECT_EQ(getBound({}, performance), 1);
  EXPECT_EQ(getBound({1e6, 1e6, 1e6}, {}), 1); // nothing is known
}

} // namespace
