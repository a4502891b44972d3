// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many threads at once: on queues of their own, on one queue, on everything.

#include "test/runtime/Conformance/Problem.h"

#include <functional>
#include <thread>

namespace {

constexpr uint32_t threadCount = 6;

struct ThreadTest : Conformance {
  static void inThreads(const std::function<void(uint32_t)> &work) {
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < threadCount; ++i)
      threads.emplace_back(work, i);
    for (std::thread &thread : threads)
      thread.join();
  }
  /// Without the fixture's `error`, which threads would share.
  static uint64_t send(sparkle_queue_t *queue, const sparkle_command_t &command,
                       sparkle_recording_t *recording = nullptr) {
    sparkle_submission_t submission = {};
    submission.recording = recording;
    submission.commands = &command;
    submission.command_count = recording ? 0 : 1;
    uint64_t value = 0;
    EXPECT_EQ(sparkle_queue_submit(queue, &submission, &value, nullptr),
              SPARKLE_OK);
    return value;
  }
  static void await(sparkle_queue_t *queue, uint64_t value) {
    EXPECT_EQ(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                                    SPARKLE_FOREVER, nullptr),
              SPARKLE_OK);
  }
};

TEST_P(ThreadTest, queuesOfTheirOwn) {
  std::vector<Problem> problems;
  for (uint32_t i = 0; i < threadCount; ++i)
    problems.emplace_back(*this, i % 2 ? "chain" : "product",
                          std::vector<int64_t>{10 + i}, i);
  inThreads([&](uint32_t i) {
    Queue queue;
    ASSERT_EQ(sparkle_queue_create(device, queue.out(), nullptr), SPARKLE_OK);
    uint64_t value = 0;
    for (int round = 0; round < 20; ++round)
      value = send(queue, problems[i].command());
    await(queue, value);
  });
  for (Problem &problem : problems)
    problem.check();
}

TEST_P(ThreadTest, oneQueue) {
  std::vector<Problem> problems;
  for (uint32_t i = 0; i < threadCount; ++i)
    problems.emplace_back(*this, i % 2 ? "chain" : "conv",
                          std::vector<int64_t>{1 + i}, i);
  Queue queue = makeQueue();
  inThreads([&](uint32_t i) {
    for (int round = 0; round < 20; ++round)
      await(queue, send(queue, problems[i].command()));
  });
  uint64_t value = 0;
  ok(sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value, &error));
  EXPECT_EQ(value, 20u * threadCount);
  for (Problem &problem : problems)
    problem.check();
}

TEST_P(ThreadTest, oneRecording) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(50, 1)), sum = upload(Floats(50, 0)),
         next = makeBuffer(200);
  std::vector<sparkle_view_t> views{all(x), all(sum), all(next)};
  std::vector<int64_t> sizes{50};
  sparkle_view_t back[] = {all(next), all(sum)};
  Recording recording = makeRecording({call(module, views, sizes), copy(back)});
  Queue queue = makeQueue();
  inThreads([&](uint32_t) {
    for (int round = 0; round < 30; ++round)
      send(queue, {}, recording);
  });
  wait(queue, 30 * threadCount);
  EXPECT_EQ(download<float>(sum), Floats(50, 60 * threadCount));
}

TEST_P(ThreadTest, buffersComeAndGo) {
  inThreads([&](uint32_t i) {
    for (uint32_t round = 0; round < 50; ++round) {
      Buffer buffer;
      ASSERT_EQ(sparkle_buffer_create(device, SPARKLE_MEMORY_UPLOAD,
                                      64 + 64 * (round % 7 + i), buffer.out(),
                                      nullptr),
                SPARKLE_OK);
      std::memset(sparkle_buffer_get_pointer(buffer), 1, 64);
    }
  });
}

TEST_P(ThreadTest, modulesComeAndGo) {
  inThreads([&](uint32_t) {
    for (int round = 0; round < 3; ++round) {
      Module module;
      ASSERT_EQ(sparkle_module_create(device, kernel("product"), module.out(),
                                      nullptr),
                SPARKLE_OK);
    }
  });
}

TEST_P(ThreadTest, recordingsComeAndGo) {
  Queue queue = makeQueue();
  std::vector<Buffer> buffers;
  for (uint32_t i = 0; i < threadCount; ++i)
    buffers.push_back(makeBuffer(256));
  inThreads([&](uint32_t i) {
    for (uint32_t round = 1; round <= 20; ++round) {
      sparkle_view_t view = all(buffers[i]);
      sparkle_command_t command = fill(view, round);
      Recording recording;
      ASSERT_EQ(sparkle_recording_create(device, &command, 1, recording.out(),
                                         nullptr),
                SPARKLE_OK);
      send(queue, {}, recording);
    }
  });
  wait(queue, 20 * threadCount);
  for (Buffer &buffer : buffers)
    EXPECT_EQ(download<uint32_t>(buffer), std::vector<uint32_t>(64, 20));
}

TEST_P(ThreadTest, signalsAndWaits) {
  Timeline turn = makeTimeline();
  inThreads([&](uint32_t i) {
    Queue queue;
    ASSERT_EQ(sparkle_queue_create(device, queue.out(), nullptr), SPARKLE_OK);
    for (uint64_t round = 0; round < 10; ++round) {
      uint64_t mine = round * threadCount + i;
      sparkle_point_t wait = {turn, mine}, signal = {turn, mine + 1};
      sparkle_submission_t submission = {};
      submission.waits = &wait;
      submission.signals = &signal;
      submission.wait_count = submission.signal_count = 1;
      uint64_t value = 0;
      EXPECT_EQ(sparkle_queue_submit(queue, &submission, &value, nullptr),
                SPARKLE_OK);
    }
    // The queue goes, its work stays.
  });
  ok(sparkle_timeline_wait(turn, 10 * threadCount, SPARKLE_FOREVER, &error));
}

TEST_P(ThreadTest, hostInTurns) {
  Timeline turn = makeTimeline();
  inThreads([&](uint32_t i) {
    for (uint64_t round = 0; round < 50; ++round) {
      uint64_t mine = round * threadCount + i;
      EXPECT_EQ(sparkle_timeline_wait(turn, mine, SPARKLE_FOREVER, nullptr),
                SPARKLE_OK);
      EXPECT_EQ(sparkle_timeline_signal(turn, mine + 1, nullptr), SPARKLE_OK);
    }
  });
}

TEST_P(ThreadTest, variantsChange) {
  Problem problem(*this, "product", {5});
  sparkle_module_properties_t seen;
  sparkle_module_query_properties(problem.module, &seen);
  Recording recording = makeRecording({problem.command()});
  Queue queue = makeQueue();
  inThreads([&](uint32_t i) {
    for (int round = 0; round < 20; ++round) {
      EXPECT_EQ(sparkle_module_select_variant(
                    problem.module, (i + round) % seen.variant_count, nullptr),
                SPARKLE_OK);
      send(queue, {}, recording);
    }
  });
  wait(queue, 20 * threadCount);
  problem.check();
}

SPARKLE_ON_ALL_DEVICES(ThreadTest);

} // namespace
