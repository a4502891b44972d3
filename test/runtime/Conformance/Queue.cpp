// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order, waits, signals and times, within a queue and between queues. Nothing
// is assumed about how long anything takes: work is held back by timelines of
// the host.

#include "test/runtime/Conformance/Problem.h"

#include <thread>

namespace {

using Words = std::vector<uint32_t>;

struct QueueTest : Conformance {
  uint64_t query(sparkle_timeline_t *timeline) {
    uint64_t value = 0;
    ok(sparkle_timeline_query(timeline, &value, &error));
    return value;
  }
  void signal(sparkle_timeline_t *timeline, uint64_t value) {
    ok(sparkle_timeline_signal(timeline, value, &error));
  }
  void await(sparkle_timeline_t *timeline, uint64_t value) {
    ok(sparkle_timeline_wait(timeline, value, SPARKLE_FOREVER, &error));
  }
  sparkle_submission_t
  with(const std::vector<sparkle_command_t> &commands,
       const std::vector<sparkle_point_t> &waits = none,
       const std::vector<sparkle_point_t> &signals = none) {
    sparkle_submission_t submission = {};
    submission.commands = commands.data();
    submission.command_count = static_cast<uint32_t>(commands.size());
    submission.waits = waits.data();
    submission.wait_count = static_cast<uint32_t>(waits.size());
    submission.signals = signals.data();
    submission.signal_count = static_cast<uint32_t>(signals.size());
    return submission;
  }
  static const std::vector<sparkle_point_t> none;
};

const std::vector<sparkle_point_t> QueueTest::none;

TEST_P(QueueTest, valuesCount) {
  Queue queue = makeQueue();
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queue);
  EXPECT_EQ(query(timeline), 0u);
  for (uint64_t i = 1; i <= 20; ++i)
    EXPECT_EQ(submit(queue, sparkle_submission_t{}), i);
  await(timeline, 20);
  EXPECT_EQ(query(timeline), 20u);
}

/// Copies may have a queue of the device's own; they keep their place.
TEST_P(QueueTest, copiesAndKernelsInTurn) {
  Module module = makeModule("add"); // y = 2 x + z
  const std::vector<int64_t> sizes = {1000};
  Buffer x = upload(Floats(1000, 1)), z = upload(Floats(1000, 0));
  Buffer y = makeBuffer(4000);
  const std::vector<sparkle_view_t> arguments = {all(x), all(z), all(y)};
  const sparkle_view_t fromTo[] = {all(y), all(x)};
  Recording doubling = makeRecording({call(module, arguments, sizes)});
  Recording copying = makeRecording({copy(fromTo)});
  Queue queue = makeQueue();
  sparkle_submission_t submission = {};
  for (int i = 0; i < 40; ++i) {
    submission.recording = i % 2 ? copying : doubling;
    submit(queue, submission);
  }
  wait(queue, 40);
  EXPECT_EQ(download<float>(x), Floats(1000, 1 << 20));
}

TEST_P(QueueTest, emptySubmissionSignals) {
  Queue queue = makeQueue();
  Timeline done = makeTimeline();
  submit(queue, with({}, none, {{done, 5}}));
  await(done, 5);
  EXPECT_EQ(query(done), 5u);
}

TEST_P(QueueTest, laterSeesEarlier) {
  Queue queue = makeQueue();
  Buffer a = makeBuffer(4096), b = makeBuffer(4096);
  sparkle_view_t view = all(a);
  sparkle_view_t fromTo[] = {all(a), all(b)};
  for (uint32_t i = 1; i <= 10; ++i) {
    submit(queue, {fill(view, i)});
    submit(queue, {copy(fromTo)});
  }
  submit(queue, {fill(view, 77)});
  wait(queue, 21);
  EXPECT_EQ(download<uint32_t>(b), Words(1024, 10));
  EXPECT_EQ(download<uint32_t>(a), Words(1024, 77));
}

TEST_P(QueueTest, heldBackByTheHost) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  Buffer buffer = upload(Words(64, 1));
  sparkle_view_t view = all(buffer);
  uint64_t value = submit(queue, with({fill(view, 2)}, {{gate, 3}}));
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queue);
  EXPECT_EQ(sparkle_timeline_wait(timeline, value, 0, &error), SPARKLE_TIMEOUT);
  EXPECT_EQ(query(timeline), 0u);
  signal(gate, 2);
  EXPECT_EQ(sparkle_timeline_wait(timeline, value, 1000000, &error),
            SPARKLE_TIMEOUT);
  // Another queue is not held back, and sees what was there before.
  EXPECT_EQ(download<uint32_t>(buffer), Words(64, 1));
  signal(gate, 3);
  wait(queue, value);
  EXPECT_EQ(download<uint32_t>(buffer), Words(64, 2));
}

TEST_P(QueueTest, signalBeyondTheValue) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  submit(queue, with({}, {{gate, 3}}));
  signal(gate, UINT64_MAX);
  wait(queue, 1);
}

TEST_P(QueueTest, waitAlreadyReached) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline(9);
  wait(queue, submit(queue, with({}, {{gate, 9}, {gate, 1}, {gate, 0}})));
}

TEST_P(QueueTest, severalWaits) {
  Queue queue = makeQueue();
  Timeline a = makeTimeline(), b = makeTimeline(), c = makeTimeline();
  uint64_t value = submit(queue, with({}, {{a, 1}, {b, 1}, {c, 1}}));
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queue);
  for (Timeline *next : {&c, &a}) {
    signal(*next, 1);
    EXPECT_EQ(sparkle_timeline_wait(timeline, value, 100000, &error),
              SPARKLE_TIMEOUT);
  }
  signal(b, 1);
  wait(queue, value);
}

TEST_P(QueueTest, severalSignals) {
  Queue queue = makeQueue();
  Timeline a = makeTimeline(), b = makeTimeline(10);
  submit(queue, with({}, none, {{a, 4}, {b, 11}, {a, 6}}));
  await(a, 6);
  await(b, 11);
}

TEST_P(QueueTest, lateSignalDoesNothing) {
  Queue queue = makeQueue();
  Timeline timeline = makeTimeline(100), after = makeTimeline();
  submit(queue, with({}, none, {{timeline, 7}, {after, 1}}));
  await(after, 1); // in order: the late one has been there
  EXPECT_EQ(query(timeline), 100u);
}

TEST_P(QueueTest, queuesWaitForEachOther) {
  Queue first = makeQueue(), second = makeQueue();
  Timeline gate = makeTimeline();
  Buffer a = makeBuffer(4096), b = makeBuffer(4096), c = makeBuffer(4096);
  sparkle_view_t view = all(a);
  sparkle_view_t aToB[] = {all(a), all(b)}, bToC[] = {all(b), all(c)};
  // The first in a chain is submitted last and let go last.
  uint64_t one = submit(first, with({fill(view, 8)}, {{gate, 1}}));
  sparkle_point_t filled = {sparkle_queue_get_timeline(first), one};
  uint64_t two = submit(second, with({copy(aToB)}, {filled}));
  sparkle_point_t copied = {sparkle_queue_get_timeline(second), two};
  uint64_t three = submit(first, with({copy(bToC)}, {copied}));
  signal(gate, 1);
  wait(first, three);
  EXPECT_EQ(download<uint32_t>(c), Words(1024, 8));
}

TEST_P(QueueTest, pingPong) {
  Queue queues[] = {makeQueue(), makeQueue()};
  Timeline turn = makeTimeline();
  Module module = makeModule("add");
  Buffer x = upload(Floats(500, 1)), a = upload(Floats(500, 0)),
         b = makeBuffer(2000);
  std::vector<sparkle_view_t> toB{all(x), all(a), all(b)},
      toA{all(x), all(b), all(a)};
  std::vector<int64_t> sizes{500};
  for (uint64_t i = 0; i < 40; ++i)
    submit(queues[i % 2], with({call(module, i % 2 ? toA : toB, sizes)},
                               {{turn, i}}, {{turn, i + 1}}));
  await(turn, 40);
  EXPECT_EQ(download<float>(a), Floats(500, 80));
}

TEST_P(QueueTest, onlyWhatWaitsIsHeldBack) {
  Queue held = makeQueue(), free = makeQueue();
  Timeline gate = makeTimeline();
  submit(held, with({}, {{gate, 1}}));
  for (int i = 0; i < 10; ++i)
    wait(free, submit(free, sparkle_submission_t{}));
  signal(gate, 1);
  wait(held, 1);
}

TEST_P(QueueTest, moreThanThreeInFlight) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  for (int i = 0; i < 3; ++i)
    submit(queue, with({}, {{gate, 1}}));
  // The fourth waits on the host, until the gate opens.
  std::thread opener([&] { sparkle_timeline_signal(gate, 1, nullptr); });
  for (uint64_t i = 4; i <= 50; ++i)
    EXPECT_EQ(submit(queue, with({}, {{gate, 1}})), i);
  wait(queue, 50);
  opener.join();
}

//===----------------------------------------------------------------------===//
// Between devices
//===----------------------------------------------------------------------===//

struct AcrossTest : QueueTest {
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    ok(sparkle_context_find_device(context, "cpu", &cpu, &error));
    ok(sparkle_queue_create(cpu, other.out(), &error));
  }
  sparkle_device_t *cpu = nullptr;
  Queue other; // of the CPU's
};

TEST_P(AcrossTest, waitsForTheOther) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  uint64_t first = submit(other, with({}, {{gate, 1}}));
  uint64_t second =
      submit(queue, with({}, {{sparkle_queue_get_timeline(other), first}}));
  EXPECT_EQ(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), second, 0,
                                  &error),
            SPARKLE_TIMEOUT);
  signal(gate, 1);
  wait(queue, second);
}

TEST_P(AcrossTest, theOtherWaits) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  uint64_t first = submit(queue, with({}, {{gate, 1}}));
  uint64_t second =
      submit(other, with({}, {{sparkle_queue_get_timeline(queue), first}}));
  EXPECT_EQ(sparkle_timeline_wait(sparkle_queue_get_timeline(other), second, 0,
                                  &error),
            SPARKLE_TIMEOUT);
  signal(gate, 1);
  wait(other, second);
}

TEST_P(AcrossTest, inTurns) {
  Queue queue = makeQueue();
  Timeline turn = makeTimeline();
  for (uint64_t i = 0; i < 60; ++i)
    submit(i % 2 ? queue : other, with({}, {{turn, i}}, {{turn, i + 1}}));
  await(turn, 60);
}

//===----------------------------------------------------------------------===//
// Timelines
//===----------------------------------------------------------------------===//

TEST_P(QueueTest, timelineCounts) {
  Timeline timeline = makeTimeline(5);
  EXPECT_EQ(query(timeline), 5u);
  await(timeline, 0);
  await(timeline, 5);
  signal(timeline, 6);
  signal(timeline, UINT64_MAX);
  EXPECT_EQ(query(timeline), UINT64_MAX);
}

TEST_P(QueueTest, timelineOnlyGrows) {
  Timeline timeline = makeTimeline(5);
  for (uint64_t value : {0, 4, 5})
    expect(sparkle_timeline_signal(timeline, value, &error),
           SPARKLE_INVALID_ARGUMENT,
           "expected a value above 5, but got " + std::to_string(value));
  EXPECT_EQ(query(timeline), 5u);
}

TEST_P(QueueTest, hostDoesNotSignalAQueue) {
  Queue queue = makeQueue();
  expect(sparkle_timeline_signal(sparkle_queue_get_timeline(queue), 1, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a timeline of the host, but got a queue's own");
}

TEST_P(QueueTest, timeOut) {
  Timeline timeline = makeTimeline(1);
  for (uint64_t timeout : {0, 1, 1000000})
    expect(sparkle_timeline_wait(timeline, 3, timeout, &error), SPARKLE_TIMEOUT,
           "expected value 3 of the timeline in time, but it is not reached");
}

TEST_P(QueueTest, timeOutOfAQueue) {
  Queue queue = makeQueue();
  for (uint64_t timeout : {0, 1, 1000000})
    expect(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), 1, timeout,
                                 &error),
           SPARKLE_TIMEOUT,
           "expected value 1 of the timeline in time, but it is not reached");
}

TEST_P(QueueTest, veryLongIsNoOverflow) {
  Queue queue = makeQueue();
  uint64_t value = submit(queue, sparkle_submission_t{});
  for (uint64_t timeout : {UINT64_MAX - 1, UINT64_C(1) << 63,
                           (UINT64_C(1) << 62) - 1, UINT64_C(1) << 61})
    ok(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value, timeout,
                             &error));
}

TEST_P(QueueTest, manyHostsWait) {
  Queue queue = makeQueue();
  Timeline gate = makeTimeline();
  uint64_t value = submit(queue, with({}, {{gate, 1}}));
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queue);
  std::vector<std::thread> threads;
  std::vector<sparkle_status_t> results(8, SPARKLE_KERNEL);
  for (sparkle_status_t &result : results)
    threads.emplace_back([&result, timeline, value] {
      result = sparkle_timeline_wait(timeline, value, SPARKLE_FOREVER, nullptr);
    });
  signal(gate, 1);
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(results, std::vector<sparkle_status_t>(8, SPARKLE_OK));
}

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

struct TimesTest : QueueTest {
  void SetUp() override {
    Conformance::SetUp();
    if (!IsSkipped() && !HasFatalFailure())
      queue = makeQueue();
  }
  void submitMany(int count, uint32_t flags) {
    sparkle_submission_t submission = {};
    submission.flags = flags;
    for (int i = 0; i < count; ++i)
      last = submit(queue, submission);
    wait(queue, last);
  }
  sparkle_status_t times(uint64_t value) {
    return sparkle_queue_query_times(queue, value, &begin, &end, &error);
  }
  Queue queue;
  uint64_t last = 0, begin = 0, end = 0;
};

TEST_P(TimesTest, lastThree) {
  if (!properties.has_timestamps) {
    submitMany(1, SPARKLE_SUBMIT_TIMED);
    EXPECT_EQ(times(1), SPARKLE_MISSING_FEATURE);
    return;
  }
  submitMany(5, SPARKLE_SUBMIT_TIMED);
  uint64_t before = 0;
  for (uint64_t value : {3, 4, 5}) {
    ok(times(value));
    EXPECT_LE(before, begin);
    EXPECT_LE(begin, end);
    before = end;
  }
}

TEST_P(TimesTest, noSuchSubmission) {
  if (!properties.has_timestamps)
    return;
  submitMany(5, SPARKLE_SUBMIT_TIMED);
  for (uint64_t value : {0, 1, 2, 6})
    expect(times(value), SPARKLE_INVALID_ARGUMENT,
           "expected one of the last 3 submissions with SPARKLE_SUBMIT_TIMED, "
           "but got " +
               std::to_string(value));
  EXPECT_EQ(begin, 0u);
}

TEST_P(TimesTest, notTimed) {
  if (!properties.has_timestamps)
    return;
  submitMany(1, 0);
  expect(times(1), SPARKLE_INVALID_ARGUMENT,
         "expected one of the last 3 submissions with SPARKLE_SUBMIT_TIMED, "
         "but got 1");
}

TEST_P(TimesTest, notDone) {
  if (!properties.has_timestamps)
    return;
  Timeline gate = makeTimeline();
  std::vector<sparkle_point_t> waits{{gate, 1}};
  sparkle_submission_t submission = with({}, waits);
  submission.flags = SPARKLE_SUBMIT_TIMED;
  submit(queue, submission);
  expect(times(1), SPARKLE_TIMEOUT,
         "expected value 1 of the timeline in time, but it is not reached");
  signal(gate, 1);
  wait(queue, 1);
  ok(times(1));
}

TEST_P(TimesTest, workTakesTime) {
  if (!properties.has_timestamps)
    return;
  Problem problem(*this, "product", {4000});
  std::vector<sparkle_command_t> commands{problem.command()};
  sparkle_submission_t submission = with(commands);
  submission.flags = SPARKLE_SUBMIT_TIMED;
  wait(queue, submit(queue, submission));
  ok(times(1));
  EXPECT_LT(begin, end);
}

SPARKLE_ON_ALL_DEVICES(QueueTest);
SPARKLE_ON_ALL_DEVICES(AcrossTest);
SPARKLE_ON_ALL_DEVICES(TimesTest);

} // namespace
