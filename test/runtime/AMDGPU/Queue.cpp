// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is submitted, on which ring, after what, and in how many parts. What all
// queues have in common is in test/runtime/Conformance.

#include "test/runtime/AMDGPU/Work.h"

#include <chrono>
#include <thread>

namespace {

using AMDGPUQueue = AMDGPUTest;

TEST_F(AMDGPUQueue, runs) {
  for (const char *processor : {"gfx1100", "gfx1030", "gfx1036"}) {
    state.family = processor == std::string("gfx1100")   ? 145
                   : processor == std::string("gfx1030") ? 143
                                                         : 149;
    state.revision = state.family == 143 ? 0x28 : 1;
    AffineKernel kernel(processor);
    open();
    sparkle_queue_t *queue = createQueue();
    for (int64_t n : {0, 1, 64, 65, 100000, 65535 * 64 + 1}) {
      Work work(device, kernel.kernel, n);
      wait(queue, submit(queue, work.recording));
      work.expectOutput();
    }
    sparkle_queue_release(queue);
    close();
  }
}

/// The same recording many times: one list, and no memory that grows.
TEST_F(AMDGPUQueue, recordingIsSubmittedAgain) {
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 1000);
  for (int i = 0; i < 10; ++i) {
    work.clear();
    wait(queue, submit(queue, work.recording));
    work.expectOutput();
    EXPECT_EQ(state.lists, 1u);
  }
  size_t objects = state.objects;
  for (int i = 0; i < 100; ++i)
    wait(queue, submit(queue, work.recording));
  EXPECT_EQ(state.objects, objects);
  // Code, arguments and packets, two buffers, and the queue's page.
  EXPECT_EQ(state.submissions.back().objectCount, 5u);
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, spreadOverRings) {
  state.rings = 0b1011;
  open();
  Work work(device, affine.kernel, 10);
  for (uint32_t ring : {0, 1, 3, 0}) {
    sparkle_queue_t *queue = createQueue();
    wait(queue, submit(queue, work.recording));
    EXPECT_EQ(state.submissions.back().ring, ring);
    sparkle_queue_release(queue);
  }
}

TEST_F(AMDGPUQueue, copiesAndFills) {
  open();
  sparkle_queue_t *queue = createQueue();
  sparkle_buffer_t *from, *far, *to;
  constexpr uint64_t size = 1000;
  ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_UPLOAD, size, &from,
                                  &error));
  ASSERT_OK(
      sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, size, &far, &error));
  ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_READBACK, size, &to,
                                  &error));
  std::memset(sparkle_buffer_get_pointer(from), 0x11, size);
  sparkle_view_t fill[] = {{far, 0, 0, 0, 0, nullptr}};
  sparkle_view_t there[] = {{from, 1, 17, 0, 0, nullptr},
                            {far, 3, 17, 0, 0, nullptr}};
  sparkle_view_t back[] = {{far, 0, 0, 0, 0, nullptr},
                           {to, 0, 0, 0, 0, nullptr}};
  sparkle_command_t commands[3] = {};
  commands[0].kind = SPARKLE_COMMAND_FILL;
  commands[0].fill = 0x04030201;
  commands[0].arguments = fill;
  commands[0].argument_count = 1;
  commands[1].kind = commands[2].kind = SPARKLE_COMMAND_COPY;
  commands[1].arguments = there;
  commands[2].arguments = back;
  commands[1].argument_count = commands[2].argument_count = 2;
  sparkle_submission_t submission = {};
  submission.commands = commands;
  submission.command_count = 3;
  uint64_t value = 0;
  ASSERT_OK(sparkle_queue_submit(queue, &submission, &value, &error));
  wait(queue, value);
  auto *bytes = static_cast<const uint8_t *>(sparkle_buffer_get_pointer(to));
  for (uint64_t i = 0; i < size; ++i)
    ASSERT_EQ(bytes[i], i >= 3 && i < 20 ? 0x11 : i % 4 + 1) << i;
  // Each depends on the one before: a flush and an invalidation between them.
  int barriers = 0;
  const std::vector<uint32_t> &words = state.submissions.back().buffers[0];
  for (size_t i = 7; i < words.size(); ++i)
    barriers += words[i - 7] == 0xc0065800 && words[i] == 0x380;
  EXPECT_EQ(barriers, 2);
  for (sparkle_buffer_t *buffer : {from, far, to})
    sparkle_buffer_release(buffer);
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, times) {
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 1000);
  uint64_t begin, end, before = 0;
  for (int i = 0; i < 5; ++i) {
    uint64_t value =
        submit(queue, work.recording, {}, {}, SPARKLE_SUBMIT_TIMED);
    EXPECT_EQ(state.submissions.back().buffers.size(), 3u);
    wait(queue, value);
    ASSERT_OK(sparkle_queue_query_times(queue, value, &begin, &end, &error));
    EXPECT_LE(before, begin);
    EXPECT_EQ(end - begin, 10000u); // 1000 ticks of 10 ns
    before = end;
  }
  EXPECT_EQ(sparkle_queue_query_times(queue, 2, &begin, &end, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected one of the last 3 submissions with "
                              "SPARKLE_SUBMIT_TIMED, but got 2");
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, noClock) {
  state.clock = 0;
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 10);
  uint64_t begin, end;
  wait(queue, submit(queue, work.recording, {}, {}, SPARKLE_SUBMIT_TIMED));
  EXPECT_EQ(sparkle_queue_query_times(queue, 1, &begin, &end, &error),
            SPARKLE_MISSING_FEATURE);
  EXPECT_STREQ(error.message, "expected device 'amdgpu:0' to have timestamps, "
                              "but got none");
  sparkle_queue_release(queue);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

TEST_F(AMDGPUQueue, kernelWaitsForOtherQueues) {
  open();
  state.work = MockWork::Hold;
  sparkle_queue_t *first = createQueue(), *second = createQueue();
  Work work(device, affine.kernel, 100), other(device, affine.kernel, 200);
  submit(first, work.recording);
  submit(first, work.recording);
  sparkle_point_t wait = {sparkle_queue_get_timeline(first), 2};
  submit(second, other.recording, {wait});
  ASSERT_EQ(state.submissions.size(), 3u);
  const MockSubmission &last = state.submissions.back();
  EXPECT_EQ(last.ring, 1u);
  ASSERT_EQ(last.waits.size(), 1u);
  EXPECT_EQ(last.waits[0].ring, 0u);
  EXPECT_EQ(last.waits[0].sequence, 2u);
  EXPECT_EQ(tryWait(second, 1, 1000), SPARKLE_TIMEOUT);
  EXPECT_STREQ(error.message, "expected value 1 of the timeline in time, but "
                              "it is not reached");
  getMock().release(3);
  this->wait(second, 1);
  other.expectOutput();
  // What is done needs no fence.
  submit(second, other.recording, {wait});
  EXPECT_TRUE(state.submissions.back().waits.empty());
  getMock().release(1);
  sparkle_queue_release(first);
  sparkle_queue_release(second);
}

/// Nothing goes to the kernel before the host says so.
TEST_F(AMDGPUQueue, waitsForTheHost) {
  open();
  sparkle_queue_t *queue = createQueue();
  sparkle_timeline_t *gate = createTimeline(), *done = createTimeline();
  Work work(device, affine.kernel, 100);
  uint64_t value = submit(queue, work.recording, {{gate, 1}}, {{done, 7}});
  uint64_t later = submit(queue, work.recording);
  EXPECT_EQ(tryWait(queue, value, 1000000), SPARKLE_TIMEOUT);
  EXPECT_TRUE(state.submissions.empty());
  ASSERT_OK(sparkle_timeline_signal(gate, 1, &error));
  ASSERT_OK(sparkle_timeline_wait(done, 7, SPARKLE_FOREVER, &error));
  wait(queue, later);
  EXPECT_EQ(state.submissions.size(), 2u);
  work.expectOutput();
  sparkle_timeline_release(gate);
  sparkle_timeline_release(done);
  sparkle_queue_release(queue);
}

/// Released with work that begins much later; all is freed then.
TEST_F(AMDGPUQueue, releasedBeforeItsWork) {
  open();
  sparkle_queue_t *queue = createQueue();
  sparkle_timeline_t *gate = createTimeline(), *done = createTimeline();
  {
    Work work(device, affine.kernel, 100);
    submit(queue, work.recording, {{gate, 1}}, {{done, 1}});
  }
  sparkle_queue_release(queue);
  ASSERT_OK(sparkle_timeline_signal(gate, 1, &error));
  ASSERT_OK(sparkle_timeline_wait(done, 1, SPARKLE_FOREVER, &error));
  sparkle_timeline_release(gate);
  sparkle_timeline_release(done);
}

TEST_F(AMDGPUQueue, threeInFlight) {
  open();
  state.work = MockWork::Hold;
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  for (int i = 0; i < 3; ++i)
    submit(queue, work.recording);
  std::thread other([&] { submit(queue, work.recording); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(state.submitted, 3u);
  getMock().release(1);
  other.join();
  EXPECT_EQ(state.submissions.size(), 4u);
  uint64_t value = 0;
  ASSERT_OK(sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value,
                                   &error));
  EXPECT_EQ(value, 1u);
  getMock().release(3);
  ASSERT_OK(sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value,
                                   &error));
  EXPECT_EQ(value, 4u);
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, waitsForItself) {
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  sparkle_timeline_t *own = sparkle_queue_get_timeline(queue);
  submit(queue, work.recording);
  wait(queue, submit(queue, work.recording, {{own, 1}}));
  EXPECT_EQ(trySubmit(queue, work.recording, nullptr, {{own, 3}}),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected a queue to wait for at most value 2 of "
                              "its own timeline, but got 3");
  EXPECT_EQ(sparkle_timeline_signal(own, 9, &error), SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected a timeline of the host, but got a "
                              "queue's own");
  sparkle_queue_release(queue);
}

/// The fence of the user is an offer of the kernel's, no promise.
TEST_F(AMDGPUQueue, fenceThatIsNeverWritten) {
  state.writesFence = false;
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  wait(queue, submit(queue, work.recording));
  work.expectOutput();
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, synchronous) {
  Variable async("SPARKLE_GPU_ASYNC", "0");
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  submit(queue, work.recording);
  work.expectOutput();
  sparkle_queue_release(queue);
}

//===----------------------------------------------------------------------===//
// Long work
//===----------------------------------------------------------------------===//

/// 9.6e11 operations a second are what such a card reaches at least, so that a
/// quarter of a second are 2.4e11.
int64_t countMany(const int64_t *) { return int64_t(5) * 240 * 1000000000; }

TEST_F(AMDGPUQueue, longGridsAreSplit) {
  affine.kernel.operation_count = countMany;
  open();
  sparkle_queue_t *queue = createQueue();
  for (int64_t n : {1000 * 64 + 1, 65535 * 64 * 2 + 1}) {
    state.submissions.clear();
    Work work(device, affine.kernel, n);
    wait(queue, submit(queue, work.recording, {}, {}, SPARKLE_SUBMIT_TIMED));
    work.expectOutput();
    EXPECT_GE(state.submissions.size(), 5u);
    EXPECT_LE(state.submissions.size(), 9u);
    // The time at the beginning, and the end behind the last one.
    EXPECT_EQ(state.submissions.front().buffers.size(), 2u);
    EXPECT_EQ(state.submissions[1].buffers.size(), 1u);
    EXPECT_EQ(state.submissions.back().buffers.size(), 2u);
  }
  sparkle_queue_release(queue);
}

/// A kernel that does not say how much it does counts as one that does much.
TEST_F(AMDGPUQueue, unknownWorkIsSplit) {
  affine.kernel.operation_count = nullptr;
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 64 * 200000);
  wait(queue, submit(queue, work.recording));
  work.expectOutput();
  EXPECT_GT(state.submissions.size(), 1u);
  sparkle_queue_release(queue);
}

/// What is split stays in order with what follows: the second command reads
/// what the last part of the first one writes.
TEST_F(AMDGPUQueue, splitWorkIsAwaited) {
  affine.kernel.operation_count = countMany;
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 6400);
  sparkle_view_t views[2] = {}, back[2] = {};
  views[0].buffer = back[1].buffer = work.x;
  views[1].buffer = back[0].buffer = work.y;
  sparkle_command_t commands[2] = {};
  commands[0].module = work.module;
  commands[0].arguments = views;
  commands[0].argument_count = 2;
  commands[0].sizes = &work.n;
  commands[0].size_count = 1;
  commands[1].kind = SPARKLE_COMMAND_COPY;
  commands[1].arguments = back;
  commands[1].argument_count = 2;
  sparkle_submission_t submission = {};
  submission.commands = commands;
  submission.command_count = 2;
  uint64_t value = 0;
  ASSERT_OK(sparkle_queue_submit(queue, &submission, &value, &error));
  wait(queue, value);
  EXPECT_EQ(work.input()[1], 3);
  // A flush and an invalidation stand before the copy, or it has a part of its
  // own.
  const std::vector<uint32_t> &words = state.submissions.back().buffers.front();
  bool hasDispatch = false, hasBarrier = false;
  for (size_t i = 0; i < words.size(); ++i) {
    hasDispatch |= words[i] == 0xc0031502;
    hasBarrier |= words[i] == 0xc0065800 && words[i + 7] == 0x380;
  }
  EXPECT_EQ(hasDispatch, hasBarrier);
  sparkle_queue_release(queue);
}

/// No more than eight parts are with the kernel at a time.
TEST_F(AMDGPUQueue, manyParts) {
  affine.kernel.operation_count = [](const int64_t *) {
    return int64_t(20) * 240 * 1000000000;
  };
  open();
  state.work = MockWork::Hold;
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 64 * 20000);
  std::thread other([&] { submit(queue, work.recording); });
  while (state.submitted < 8)
    std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(state.submitted, 8u);
  state.work = MockWork::Run;
  getMock().release(8);
  other.join();
  wait(queue, 1);
  work.expectOutput();
  EXPECT_GE(state.submissions.size(), 20u);
  sparkle_queue_release(queue);
}

//===----------------------------------------------------------------------===//
// Without submitting, and beside it
//===----------------------------------------------------------------------===//

TEST_F(AMDGPUQueue, validatesOnly) {
  Variable validate("SPARKLE_AMDGPU_VALIDATE", "1");
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  for (int i = 0; i < 5; ++i)
    wait(queue, submit(queue, work.recording));
  EXPECT_TRUE(state.submissions.empty());
  EXPECT_EQ(work.output()[1], 0);
  sparkle_queue_release(queue);
}

/// The same checks as above stand before every submission: here the memory of a
/// recording is overwritten by what a stray pointer might do.
TEST_F(AMDGPUQueue, checksBeforeSubmitting) {
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  wait(queue, submit(queue, work.recording));
  const std::vector<uint32_t> words = state.submissions.back().buffers[0];
  // The arguments lie a line before the packets, and begin with x.
  getMock().damage(words.data(), words.size(), -256);
  EXPECT_EQ(trySubmit(queue, work.recording, nullptr), SPARKLE_DRIVER);
  std::string message = error.message;
  EXPECT_EQ(message.find("entry 'affine', argument 'x': expected address 0x1"),
            0u)
      << message;
  EXPECT_EQ(state.submissions.size(), 1u);
  sparkle_queue_release(queue);
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(AMDGPUQueue, dumps) {
  Folder folder;
  Variable dump("SPARKLE_AMDGPU_DUMP", folder.path.c_str());
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  wait(queue, submit(queue, work.recording, {}, {}, SPARKLE_SUBMIT_TIMED));
  wait(queue, submit(queue, work.recording));
  const std::string first = folder.path + "/submission-000000/";
  const std::string index = readFile(first + "index.json");
  for (const char *part :
       {"\"device\": \"amdgpu:0\", \"processor\": \"gfx1100\", \"ring\": 0, "
        "\"value\": 1",
        "{\"file\": \"ib-0.bin\", \"address\": \"0x1", "\"ib-2.bin\"",
        "\"batch\": 0}", "{\"file\": \"kernarg-0.bin\"",
        "\"entry\": \"affine\"", "\"invocations\": 64}", "\"use\": \"code\"}",
        "\"use\": \"commands\"}", "\"use\": \"buffer\"}",
        "\"use\": \"queue\"}"})
    EXPECT_NE(index.find(part), std::string::npos) << part << "\n" << index;
  const std::vector<uint32_t> &words = state.submissions[0].buffers[1];
  const std::string bytes = readFile(first + "ib-1.bin");
  ASSERT_EQ(bytes.size(), words.size() * 4);
  EXPECT_EQ(std::memcmp(bytes.data(), words.data(), bytes.size()), 0);
  EXPECT_EQ(readFile(first + "kernarg-0.bin").size(), 20u);
  readFile(folder.path + "/submission-000001/index.json");
  sparkle_queue_release(queue);
}

/// Memory that only the device sees would be missing.
TEST_F(AMDGPUQueue, dumpsFarBuffers) {
  Folder folder;
  Variable dump("SPARKLE_AMDGPU_DUMP", folder.path.c_str());
  open();
  sparkle_queue_t *queue = createQueue();
  sparkle_buffer_t *buffer;
  ASSERT_OK(sparkle_buffer_create(device, SPARKLE_MEMORY_DEVICE, 100, &buffer,
                                  &error));
  EXPECT_EQ(sparkle_buffer_get_pointer(buffer), nullptr);
  sparkle_view_t view = {};
  view.buffer = buffer;
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_FILL;
  command.arguments = &view;
  command.argument_count = 1;
  sparkle_submission_t submission = {};
  submission.commands = &command;
  submission.command_count = 1;
  for (uint64_t value : {1, 2}) {
    command.fill = 0x61616161;
    ASSERT_OK(sparkle_queue_submit(queue, &submission, nullptr, &error));
    wait(queue, value);
  }
  const std::string object =
      readFile(folder.path + "/submission-000001/object-0.bin");
  EXPECT_EQ(object.substr(0, 100), std::string(100, 'a'));
  sparkle_buffer_release(buffer);
  sparkle_queue_release(queue);
}

TEST_F(AMDGPUQueue, dumpsNowhere) {
  Variable dump("SPARKLE_AMDGPU_DUMP", "/nowhere");
  open();
  sparkle_queue_t *queue = createQueue();
  Work work(device, affine.kernel, 100);
  EXPECT_EQ(trySubmit(queue, work.recording, nullptr), SPARKLE_FILE);
  EXPECT_STREQ(error.message,
               "expected to write '/nowhere/submission-000000', but got: No "
               "such file or directory");
  sparkle_queue_release(queue);
}

} // namespace
