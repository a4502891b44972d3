// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order, waits and lifetimes of Vulkan queues, all of which share one queue of
// the driver's on a device that has no more.

#include "test/runtime/Vulkan/Work.h"

#include <thread>

namespace {

struct VulkanQueue : VulkanTest {
  /// y[i] = a fill, a copy of it to x, and the kernel: each needs the one
  /// before, and no two submissions of it may mix.
  sparkle_recording_t *recordChain(Work &work, uint32_t fill) {
    sparkle_view_t views[2] = {};
    views[0].buffer = work.y;
    views[1].buffer = work.x;
    sparkle_view_t arguments[2] = {views[1], views[0]};
    sparkle_command_t commands[3] = {};
    commands[0].kind = SPARKLE_COMMAND_FILL;
    commands[0].fill = fill;
    commands[0].arguments = views;
    commands[0].argument_count = 1;
    commands[1].kind = SPARKLE_COMMAND_COPY;
    commands[1].arguments = views;
    commands[1].argument_count = 2;
    commands[2].kind = SPARKLE_COMMAND_KERNEL;
    commands[2].module = work.module;
    commands[2].arguments = arguments;
    commands[2].argument_count = 2;
    commands[2].sizes = &work.n;
    commands[2].size_count = 1;
    sparkle_recording_t *recording;
    EXPECT_OK(
        sparkle_recording_create(device, commands, 3, &recording, &error));
    return recording;
  }
  static constexpr uint32_t three = 0x40400000, four = 0x40800000; // floats

  void expectAll(Work &work, float value) {
    int64_t wrong = 0;
    for (int64_t i = 0; i < work.n; ++i)
      wrong += work.output()[i] != value;
    EXPECT_EQ(wrong, 0);
  }
};

TEST_F(VulkanQueue, chain) {
  Work work(device, affine.kernel, 50000);
  sparkle_queue_t *queue = createQueue();
  sparkle_recording_t *recording = recordChain(work, three);
  wait(queue, submit(queue, recording));
  expectAll(work, 7);
  sparkle_recording_release(recording);
  sparkle_queue_release(queue);
}

/// One recording more often than there are slots, another one in between.
TEST_F(VulkanQueue, sameRecordingInFlight) {
  Work work(device, affine.kernel, 50000);
  sparkle_queue_t *queue = createQueue();
  sparkle_recording_t *first = recordChain(work, three);
  sparkle_recording_t *second = recordChain(work, four);
  for (int i = 0; i < 20; ++i) {
    submit(queue, first);
    submit(queue, first);
    submit(queue, second);
  }
  sparkle_recording_release(first);
  sparkle_recording_release(second);
  wait(queue, 60);
  expectAll(work, 9);
  sparkle_queue_release(queue);
}

/// The host opens the gate; what was submitted after keeps its place.
TEST_F(VulkanQueue, waitsForHost) {
  Work work(device, affine.kernel, 1000);
  sparkle_recording_t *first = recordChain(work, three);
  sparkle_recording_t *second = recordChain(work, four);
  sparkle_queue_t *queue = createQueue();
  sparkle_timeline_t *gate = createTimeline(), *done = createTimeline();
  EXPECT_EQ(submit(queue, first, {{gate, 5}}, {{done, 1}}), 1u);
  // More than three wait here without blocking anybody.
  for (uint64_t i = 2; i <= 6; ++i)
    EXPECT_EQ(submit(queue, second, {}, {{done, i}}), i);
  EXPECT_EQ(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), 1, 1000000,
                                  &error),
            SPARKLE_TIMEOUT);
  EXPECT_STREQ(error.message, "expected value 1 of the timeline in time, but "
                              "it is not reached");
  uint64_t begin, end;
  EXPECT_EQ(sparkle_queue_query_times(queue, 1, &begin, &end, &error),
            hasTimestamps() ? SPARKLE_TIMEOUT : SPARKLE_MISSING_FEATURE);
  EXPECT_OK(sparkle_timeline_signal(gate, 5, &error));
  wait(done, 6);
  expectAll(work, 9);
  sparkle_timeline_release(gate);
  sparkle_timeline_release(done);
  sparkle_recording_release(first);
  sparkle_recording_release(second);
  sparkle_queue_release(queue);
}

/// A queue waits for a value of another one that nobody has submitted yet:
/// handed to the driver, it would block the work that it waits for.
TEST_F(VulkanQueue, waitsForLaterWork) {
  Work work(device, affine.kernel, 1000);
  sparkle_recording_t *first = recordChain(work, three);
  sparkle_recording_t *second = recordChain(work, four);
  sparkle_queue_t *queues[2] = {createQueue(), createQueue()};
  submit(queues[0], second, {{sparkle_queue_get_timeline(queues[1]), 2}});
  submit(queues[1], first);
  submit(queues[1], first);
  wait(queues[0], 1);
  expectAll(work, 9);
  // And the other way round, now that it is submitted.
  submit(queues[1], first, {{sparkle_queue_get_timeline(queues[0]), 1}});
  wait(queues[1], 3);
  expectAll(work, 7);
  sparkle_recording_release(first);
  sparkle_recording_release(second);
  for (sparkle_queue_t *queue : queues)
    sparkle_queue_release(queue);
}

TEST_F(VulkanQueue, waitsForItself) {
  Work work(device, affine.kernel, 10);
  sparkle_queue_t *queue = createQueue();
  sparkle_point_t own = {sparkle_queue_get_timeline(queue), 0};
  submit(queue, work.recording, {own});
  own.value = 1;
  submit(queue, work.recording, {own});
  own.value = 3;
  sparkle_submission_t submission = {};
  submission.recording = work.recording;
  submission.waits = &own;
  submission.wait_count = 1;
  EXPECT_EQ(sparkle_queue_submit(queue, &submission, nullptr, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected a queue to wait for at most value 2 of "
                              "its own timeline, but got 3");
  wait(queue, 2);
  sparkle_queue_release(queue);
}

/// Everything but the gate is gone before the work begins.
TEST_F(VulkanQueue, releasedWhileWaiting) {
  sparkle_timeline_t *gate = createTimeline(), *done = createTimeline();
  sparkle_timeline_t *own;
  {
    Work work(device, affine.kernel, 1000);
    sparkle_queue_t *queue = createQueue();
    own = sparkle_queue_get_timeline(queue);
    sparkle_timeline_retain(own);
    submit(queue, work.recording, {{gate, 1}}, {{done, 1}});
    sparkle_queue_release(queue);
  }
  EXPECT_OK(sparkle_timeline_signal(gate, 1, &error));
  wait(done, 1);
  wait(own, 1);
  sparkle_timeline_release(own);
  sparkle_timeline_release(gate);
  sparkle_timeline_release(done);
}

TEST_F(VulkanQueue, releasedWhileRunning) {
  for (int i = 0; i < 20; ++i) {
    Work work(device, affine.kernel, 100000);
    sparkle_queue_t *queue = createQueue();
    submit(queue, work.recording);
    submit(queue, work.recording);
    sparkle_queue_release(queue);
  }
}

/// The CPU's work and the device's take turns.
TEST_F(VulkanQueue, withCpu) {
  Work work(device, affine.kernel, 1000);
  sparkle_device_t *cpu;
  ASSERT_OK(sparkle_context_find_device(context, "cpu", &cpu, &error));
  sparkle_queue_t *queue = createQueue(), *other;
  ASSERT_OK(sparkle_queue_create(cpu, &other, &error));
  sparkle_timeline_t *done = createTimeline();
  sparkle_recording_t *nothing;
  ASSERT_OK(sparkle_recording_create(cpu, nullptr, 0, &nothing, &error));
  for (uint64_t i = 1; i <= 10; ++i) {
    uint64_t value = submit(queue, work.recording,
                            {{sparkle_queue_get_timeline(other), i - 1}});
    submit(other, nothing, {{sparkle_queue_get_timeline(queue), value}},
           {{done, i}});
  }
  wait(done, 10);
  work.expectOutput();
  sparkle_recording_release(nothing);
  sparkle_timeline_release(done);
  sparkle_queue_release(queue);
  sparkle_queue_release(other);
}

TEST_F(VulkanQueue, manyThreads) {
  constexpr int threadCount = 4, submissions = 50;
  sparkle_queue_t *shared = createQueue();
  std::vector<std::thread> threads;
  for (int t = 0; t < threadCount; ++t)
    threads.emplace_back([&] {
      Work mine(device, affine.kernel, 500), both(device, affine.kernel, 500);
      sparkle_error_t error;
      sparkle_queue_t *queue;
      EXPECT_OK(sparkle_queue_create(device, &queue, &error));
      uint64_t last = 0;
      for (int i = 0; i < submissions; ++i) {
        sparkle_submission_t submission = {};
        submission.recording = both.recording;
        EXPECT_OK(sparkle_queue_submit(shared, &submission, &last, &error));
        sparkle_point_t point = {sparkle_queue_get_timeline(shared), last};
        submission.recording = mine.recording;
        submission.waits = &point;
        submission.wait_count = 1;
        EXPECT_OK(sparkle_queue_submit(queue, &submission, nullptr, &error));
      }
      EXPECT_OK(sparkle_timeline_wait(sparkle_queue_get_timeline(queue),
                                      submissions, SPARKLE_FOREVER, &error));
      mine.expectOutput();
      both.expectOutput();
      sparkle_queue_release(queue);
    });
  for (std::thread &thread : threads)
    thread.join();
  wait(shared, threadCount * submissions);
  sparkle_queue_release(shared);
}

} // namespace
