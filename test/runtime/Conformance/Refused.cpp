// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every command and submission that is refused, with its status and sentence.
// Each case damages one thing of a good call.

#include "test/runtime/Conformance/Problem.h"

namespace {

/// add(x, z, y) of 16 elements, to be damaged.
struct RefusedTest : Conformance {
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    module = makeModule("add");
    for (Buffer *buffer : {&x, &z, &y})
      *buffer = makeBuffer(1024);
    views = {all(x), all(z), all(y)};
    command = call(module, views, sizes);
  }

  /// Recorded, and submitted at once: the same answer.
  void refuse(sparkle_status_t status, const std::string &sentence,
              uint32_t count = 1) {
    sparkle_recording_t *recording = nullptr;
    expect(
        sparkle_recording_create(device, commands(), count, &recording, &error),
        status, sentence);
    EXPECT_EQ(recording, nullptr);
    release(recording);
    Queue queue = makeQueue();
    sparkle_submission_t submission = {};
    submission.commands = commands();
    submission.command_count = count;
    uint64_t value = 1;
    expect(sparkle_queue_submit(queue, &submission, &value, &error), status,
           sentence);
    EXPECT_EQ(value, 0u);
    // Nothing was submitted, and the queue goes on.
    EXPECT_EQ(submit(queue, sparkle_submission_t{}), 1u);
    wait(queue, 1);
  }
  const sparkle_command_t *commands() const {
    return second.empty() ? &command : second.data();
  }

  /// With a kernel of other arguments.
  void refuseCall(const char *kernel, const std::vector<uint64_t> &bytes,
                  sparkle_status_t status, const std::string &sentence) {
    Module other = makeModule(kernel);
    std::vector<Buffer> buffers;
    views.clear();
    for (uint64_t size : bytes) {
      buffers.push_back(makeBuffer(size));
      views.push_back(all(buffers.back()));
    }
    command = call(other, views, sizes);
    refuse(status, sentence);
  }

  Module module;
  Buffer x, z, y;
  std::vector<sparkle_view_t> views;
  std::vector<int64_t> sizes{16};
  sparkle_command_t command = {};
  std::vector<sparkle_command_t> second;
};

//===----------------------------------------------------------------------===//
// Null pointers and counts
//===----------------------------------------------------------------------===//

TEST_P(RefusedTest, module) {
  command.module = nullptr;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0: expected a module, but got a null pointer");
}

TEST_P(RefusedTest, arguments) {
  command.arguments = nullptr;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0: expected arguments, but got a null pointer");
}

TEST_P(RefusedTest, sizesPointer) {
  command.sizes = nullptr;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0: expected sizes, but got a null pointer");
}

TEST_P(RefusedTest, buffer) {
  views[1].buffer = nullptr;
  refuse(SPARKLE_INVALID_ARGUMENT, "command 0, argument 'z': expected a "
                                   "buffer, but got a null pointer");
}

TEST_P(RefusedTest, shapePointer) {
  views[0].rank = 1;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0, argument 'x': expected a shape, but got a null pointer");
}

TEST_P(RefusedTest, kind) {
  command.kind = 3;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0: expected a kind from 0 to 2, but got 3");
}

TEST_P(RefusedTest, fewArguments) {
  command.argument_count = 2;
  refuse(SPARKLE_WRONG_COUNT, "command 0: expected 3 arguments, but got 2");
}

TEST_P(RefusedTest, manyArguments) {
  command.argument_count = 4;
  refuse(SPARKLE_WRONG_COUNT, "command 0: expected 3 arguments, but got 4");
}

TEST_P(RefusedTest, fewSizes) {
  command.size_count = 0;
  refuse(SPARKLE_WRONG_COUNT,
         "command 0: expected 1 sizes of kernel 'add', but got 0");
}

TEST_P(RefusedTest, manySizes) {
  command.size_count = 2;
  refuse(SPARKLE_WRONG_COUNT,
         "command 0: expected 1 sizes of kernel 'add', but got 2");
}

TEST_P(RefusedTest, secondCommand) {
  second = {command, command};
  second[1].argument_count = 0;
  refuse(SPARKLE_WRONG_COUNT, "command 1: expected 3 arguments, but got 0", 2);
}

//===----------------------------------------------------------------------===//
// Shapes and elements
//===----------------------------------------------------------------------===//

TEST_P(RefusedTest, negativeSize) {
  sizes[0] = -1;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0: expected size 'N' of 0 or more, but got -1");
}

TEST_P(RefusedTest, hugeSize) {
  sizes[0] = INT64_MAX;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0: expected the bytes of tensor 'x' to fit in 64 bits");
}

TEST_P(RefusedTest, tooLargeForTheDevice) {
  sizes[0] = INT64_MAX / 8;
  refuse(SPARKLE_MISSING_FEATURE,
         "command 0: argument 'x': expected at most " +
             std::to_string(properties.max_buffer) + " bytes, which " + name() +
             " takes, but got " + std::to_string(INT64_MAX / 8 * 4));
}

TEST_P(RefusedTest, shortBuffer) {
  sizes[0] = 257;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'x': expected 1028 bytes, but got 1024");
}

TEST_P(RefusedTest, shortView) {
  views[2].size = 60;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'y': expected 64 bytes, but got 60");
}

TEST_P(RefusedTest, longView) {
  views[2].size = 68;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'y': expected 64 bytes, but got 68");
}

TEST_P(RefusedTest, rank) {
  int64_t shape[] = {4, 4};
  views[0].rank = 2;
  views[0].shape = shape;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'x': expected 1 dimensions, but got 2");
}

TEST_P(RefusedTest, shape) {
  int64_t shape[] = {17};
  views[1].rank = 1;
  views[1].shape = shape;
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'z': expected extent 0 to be 16, but got 17");
}

TEST_P(RefusedTest, element) {
  views[2].element = SPARKLE_ELEMENT_F16;
  refuse(SPARKLE_WRONG_ELEMENT,
         "command 0, argument 'y': expected elements f32, but got f16");
}

TEST_P(RefusedTest, unknownElement) {
  views[2].element = 77;
  refuse(SPARKLE_WRONG_ELEMENT,
         "command 0, argument 'y': expected elements f32, but got unknown");
}

TEST_P(RefusedTest, blockedOutput) {
  // 20 channels take two whole blocks of 16, for each of 16 images.
  refuseCall("conv", {16 * 5 * 81 * 4, 1 << 16, 16 * 20 * 81 * 4},
             SPARKLE_WRONG_SHAPE,
             "command 0, argument 'y': expected 165888 bytes, but got 103680");
}

TEST_P(RefusedTest, unpackedWeight) {
  Module product = makeModule("product");
  uint64_t packed = 0;
  ok(sparkle_module_query_argument_size(product, 1, sizes.data(), 1, &packed,
                                        &error));
  refuseCall("product", {16 * 24 * 4, packed - 4, 80, 16 * 20 * 4},
             SPARKLE_WRONG_SHAPE,
             "command 0, argument 'w': expected " + std::to_string(packed) +
                 " bytes, but got " + std::to_string(packed - 4));
}

//===----------------------------------------------------------------------===//
// Places in memory
//===----------------------------------------------------------------------===//

TEST_P(RefusedTest, offset) {
  views[0].offset = 1028;
  refuse(SPARKLE_INVALID_ARGUMENT, "command 0, argument 'x': expected an "
                                   "offset of at most 1024, but got 1028");
}

TEST_P(RefusedTest, hugeOffset) {
  views[0].offset = UINT64_MAX - 63;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0, argument 'x': expected an offset of at most 1024, but got "
         "18446744073709551552");
}

TEST_P(RefusedTest, size) {
  views[0].offset = 512;
  views[0].size = 516;
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0, argument 'x': expected at most 512 bytes from offset 512 "
         "on, but got 516");
}

TEST_P(RefusedTest, hugeSizeOfAView) {
  views[0].offset = 512;
  views[0].size = UINT64_MAX - 256; // the sum would wrap to within the buffer
  refuse(SPARKLE_INVALID_ARGUMENT,
         "command 0, argument 'x': expected at most 512 bytes from offset 512 "
         "on, but got 18446744073709551359");
}

TEST_P(RefusedTest, misaligned) {
  views[1].offset = 2;
  refuse(SPARKLE_MISALIGNED,
         "command 0, argument 'z': expected an offset that is a multiple of " +
             std::to_string(properties.alignment) + ", but got 2");
}

TEST_P(RefusedTest, overlap) {
  Problem problem(*this, "residual", {30});
  problem.views[3] = part(problem.buffers[0], 0, 30 * 20 * 4);
  command = problem.command();
  refuse(SPARKLE_OVERLAP,
         "command 0, argument 'y': expected bytes of its own, since it is "
         "written, but got some of 'x'");
}

TEST_P(RefusedTest, overlapInPart) {
  uint64_t step = properties.alignment;
  sizes[0] = static_cast<int64_t>(step / 2); // twice the step in bytes
  views[2] = part(z, step, 2 * step);
  refuse(SPARKLE_OVERLAP,
         "command 0, argument 'y': expected bytes of its own, since it is "
         "written, but got some of 'z'");
}

TEST_P(RefusedTest, overlapOfOutputs) {
  sizes.clear();
  Module split = makeModule("split");
  views = {all(x), all(y), all(y)};
  command = call(split, views, sizes);
  refuse(SPARKLE_OVERLAP,
         "command 0, argument 'y': expected bytes of its own, since it is "
         "written, but got some of 'z'");
}

//===----------------------------------------------------------------------===//
// Copies and fills
//===----------------------------------------------------------------------===//

TEST_P(RefusedTest, copyCount) {
  command.kind = SPARKLE_COMMAND_COPY;
  refuse(SPARKLE_WRONG_COUNT, "command 0: expected 2 arguments, but got 3");
}

TEST_P(RefusedTest, copyLengths) {
  sparkle_view_t fromTo[] = {part(x, 0, 8), part(y, 0, 12)};
  command = copy(fromTo);
  refuse(SPARKLE_WRONG_SHAPE,
         "command 0, argument 'to': expected 8 bytes, but got 12");
}

TEST_P(RefusedTest, copyOverlap) {
  sparkle_view_t fromTo[] = {part(x, 0, 8), part(x, 4, 8)};
  command = copy(fromTo);
  refuse(SPARKLE_OVERLAP,
         "command 0, argument 'to': expected bytes of its own, since it is "
         "written, but got some of 'from'");
}

TEST_P(RefusedTest, copyBuffer) {
  sparkle_view_t fromTo[] = {part(nullptr, 0, 8), part(x, 4, 8)};
  command = copy(fromTo);
  refuse(SPARKLE_INVALID_ARGUMENT, "command 0, argument 'from': expected a "
                                   "buffer, but got a null pointer");
}

TEST_P(RefusedTest, fillCount) {
  command.kind = SPARKLE_COMMAND_FILL;
  refuse(SPARKLE_WRONG_COUNT, "command 0: expected 1 arguments, but got 3");
}

TEST_P(RefusedTest, fillOffset) {
  sparkle_view_t to = part(x, 6, 8);
  command = fill(to, 1);
  refuse(SPARKLE_MISALIGNED, "command 0, argument 'to': expected an offset "
                             "that is a multiple of 4, but got 6");
}

TEST_P(RefusedTest, fillSize) {
  sparkle_view_t to = part(x, 4, 6);
  command = fill(to, 1);
  refuse(SPARKLE_MISALIGNED, "command 0, argument 'to': expected a size that "
                             "is a multiple of 4, but got 6");
}

//===----------------------------------------------------------------------===//
// Other devices
//===----------------------------------------------------------------------===//

/// A second context has devices of its own.
struct OtherDeviceTest : RefusedTest {
  void SetUp() override {
    RefusedTest::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    ok(sparkle_context_create(others.out(), &error));
    ok(sparkle_context_find_device(others, GetParam(), &other, &error));
  }
  std::string got(const char *what) const {
    return "expected a " + std::string(what) + " of device '" + name() +
           "', but got one of '" + name() + "'";
  }

  Owned<sparkle_context_t> others;
  sparkle_device_t *other = nullptr;
};

TEST_P(OtherDeviceTest, buffer) {
  Buffer foreign;
  ok(sparkle_buffer_create(other, SPARKLE_MEMORY_DEVICE, 64, foreign.out(),
                           &error));
  views[0] = all(foreign);
  refuse(SPARKLE_WRONG_DEVICE, "command 0, argument 'x': " + got("buffer"));
}

TEST_P(OtherDeviceTest, module) {
  Module foreign;
  ok(sparkle_module_create(other, kernel("add"), foreign.out(), &error));
  command.module = foreign;
  refuse(SPARKLE_WRONG_DEVICE, "command 0: " + got("module"));
}

TEST_P(OtherDeviceTest, recording) {
  Recording foreign;
  ok(sparkle_recording_create(other, nullptr, 0, foreign.out(), &error));
  sparkle_submission_t submission = {};
  submission.recording = foreign;
  Queue queue = makeQueue();
  expect(sparkle_queue_submit(queue, &submission, nullptr, &error),
         SPARKLE_WRONG_DEVICE, got("recording"));
}

//===----------------------------------------------------------------------===//
// Submissions
//===----------------------------------------------------------------------===//

struct SubmissionTest : RefusedTest {
  void refuseSubmission(const std::string &sentence) {
    Queue queue = makeQueue();
    expect(sparkle_queue_submit(queue, &submission, nullptr, &error),
           SPARKLE_INVALID_ARGUMENT, sentence);
  }
  sparkle_submission_t submission = {};
};

TEST_P(SubmissionTest, commands) {
  submission.command_count = 1;
  refuseSubmission("expected commands, but got a null pointer");
}

TEST_P(SubmissionTest, recordingAndCommands) {
  Recording recording = makeRecording({command});
  submission.recording = recording;
  submission.commands = &command;
  submission.command_count = 1;
  refuseSubmission("expected a recording or commands, but got both");
}

TEST_P(SubmissionTest, flags) {
  submission.flags = 6;
  refuseSubmission("expected known flags, but got 0x6");
}

TEST_P(SubmissionTest, waits) {
  submission.wait_count = 1;
  refuseSubmission("expected waits, but got a null pointer");
}

TEST_P(SubmissionTest, signals) {
  submission.signal_count = 1;
  refuseSubmission("expected signals, but got a null pointer");
}

TEST_P(SubmissionTest, waitTimeline) {
  Timeline timeline = makeTimeline();
  sparkle_point_t points[] = {{timeline, 0}, {nullptr, 1}};
  submission.waits = points;
  submission.wait_count = 2;
  refuseSubmission("wait 1: expected a timeline, but got a null pointer");
}

TEST_P(SubmissionTest, signalTimeline) {
  sparkle_point_t point = {nullptr, 1};
  submission.signals = &point;
  submission.signal_count = 1;
  refuseSubmission("signal 0: expected a timeline, but got a null pointer");
}

TEST_P(SubmissionTest, signalOfAQueue) {
  Queue queue = makeQueue();
  sparkle_point_t point = {sparkle_queue_get_timeline(queue), 1};
  submission.signals = &point;
  submission.signal_count = 1;
  refuseSubmission(
      "signal 0: expected a timeline of the host, but got a queue's own");
}

TEST_P(SubmissionTest, nothing) {
  Queue queue = makeQueue();
  expect(sparkle_queue_submit(queue, nullptr, nullptr, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a submission, but got a null pointer");
  expect(sparkle_queue_submit(nullptr, &submission, nullptr, &error),
         SPARKLE_INVALID_ARGUMENT, "expected a queue, but got a null pointer");
}

SPARKLE_ON_ALL_DEVICES(RefusedTest);
SPARKLE_ON_ALL_DEVICES(OtherDeviceTest);
SPARKLE_ON_ALL_DEVICES(SubmissionTest);

} // namespace
