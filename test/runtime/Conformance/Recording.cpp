// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recordings that are submitted again and again, and who outlives whom.

#include "test/runtime/Conformance/Problem.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

namespace {

using Words = std::vector<uint32_t>;

struct RecordingTest : Conformance {
  uint64_t resubmit(sparkle_queue_t *queue, sparkle_recording_t *recording) {
    sparkle_submission_t submission = {};
    submission.recording = recording;
    return submit(queue, submission);
  }
};

TEST_P(RecordingTest, hundredsOfTimes) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(300, 1)), sum = upload(Floats(300, 0)),
         next = makeBuffer(1200);
  std::vector<sparkle_view_t> views{all(x), all(sum), all(next)};
  std::vector<int64_t> sizes{300};
  sparkle_view_t back[] = {all(next), all(sum)};
  Recording recording = makeRecording({call(module, views, sizes), copy(back)});
  Queue queue = makeQueue();
  uint64_t last = 0;
  for (int i = 0; i < 400; ++i)
    last = resubmit(queue, recording);
  wait(queue, last);
  EXPECT_EQ(download<float>(sum), Floats(300, 800));
}

TEST_P(RecordingTest, empty) {
  Recording recording = makeRecording({});
  Queue queue = makeQueue();
  for (int i = 0; i < 10; ++i)
    resubmit(queue, recording);
  wait(queue, 10);
}

TEST_P(RecordingTest, manyCommands) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(64, 1)), a = upload(Floats(64, 0)),
         b = makeBuffer(256);
  std::vector<sparkle_view_t> toB{all(x), all(a), all(b)},
      toA{all(x), all(b), all(a)};
  std::vector<int64_t> sizes{64};
  std::vector<sparkle_command_t> commands;
  for (int i = 0; i < 500; ++i)
    commands.push_back(call(module, i % 2 ? toA : toB, sizes));
  run(commands);
  EXPECT_EQ(download<float>(a), Floats(64, 1000));
}

TEST_P(RecordingTest, viewsAndSizesAreCopied) {
  Module module = makeModule("add");
  Buffer x = upload(Floats(64, 1)), y = upload(Floats(64, 9));
  Recording recording;
  {
    std::vector<sparkle_view_t> views{all(x), all(x), all(y)};
    std::vector<int64_t> sizes{10};
    recording = makeRecording({call(module, views, sizes)});
    std::fill(sizes.begin(), sizes.end(), -1);
    std::fill(views.begin(), views.end(), sparkle_view_t{});
  }
  Queue queue = makeQueue();
  wait(queue, resubmit(queue, recording));
  Floats expected(64, 9);
  std::fill_n(expected.begin(), 10, 3);
  EXPECT_EQ(download<float>(y), expected);
}

TEST_P(RecordingTest, severalOnOneQueue) {
  Problem first(*this, "chain", {50}), second(*this, "chain", {7}, 1),
      third(*this, "product", {20}, 2);
  Recording a = makeRecording({first.command()}),
            b = makeRecording({second.command()}),
            c = makeRecording({third.command()});
  Queue queue = makeQueue();
  for (int i = 0; i < 20; ++i)
    for (Recording *next : {&a, &b, &c})
      resubmit(queue, *next);
  wait(queue, 60);
  for (Problem *problem : {&first, &second, &third})
    problem->check();
}

TEST_P(RecordingTest, ofEachQueueItsOwn) {
  Problem first(*this, "chain", {500}), second(*this, "chain", {501}, 1);
  Recording a = makeRecording({first.command()}),
            b = makeRecording({second.command()});
  Queue one = makeQueue(), two = makeQueue();
  for (int i = 0; i < 30; ++i) {
    resubmit(one, a);
    resubmit(two, b);
  }
  wait(one, 30);
  wait(two, 30);
  first.check();
  second.check();
}

TEST_P(RecordingTest, keepsItsVariant) {
  Problem problem(*this, "product", {9});
  Recording recording = makeRecording({problem.command()});
  sparkle_module_properties_t seen;
  sparkle_module_query_properties(problem.module, &seen);
  ok(sparkle_module_select_variant(problem.module, seen.variant_count - 1,
                                   &error));
  Queue queue = makeQueue();
  wait(queue, resubmit(queue, recording));
  problem.check();
}

//===----------------------------------------------------------------------===//
// Lifetimes
//===----------------------------------------------------------------------===//

/// Everything that one call needs, to be let go in any order.
struct LifetimeTest : RecordingTest {
  void make() {
    gate = makeTimeline();
    module = makeModule("add");
    x = upload(Floats(64, 2));
    y = makeBuffer(256);
    back = makeBuffer(256, SPARKLE_MEMORY_READBACK);
    std::vector<sparkle_view_t> views{all(x), all(x), all(y)};
    std::vector<int64_t> sizes{64};
    sparkle_view_t down[] = {all(y), all(back)};
    recording = makeRecording({call(module, views, sizes), copy(down)});
    queue = makeQueue();
  }
  uint64_t start() {
    sparkle_submission_t submission = {};
    submission.recording = recording;
    sparkle_point_t wait = {gate, 1};
    submission.waits = &wait;
    submission.wait_count = 1;
    return submit(queue, submission);
  }
  void finish(sparkle_timeline_t *opened, sparkle_timeline_t *done,
              uint64_t value) {
    ok(sparkle_timeline_signal(opened, 1, &error));
    ok(sparkle_timeline_wait(done, value, SPARKLE_FOREVER, &error));
  }
  void expectResult(sparkle_buffer_t *from) {
    auto *floats = static_cast<float *>(sparkle_buffer_get_pointer(from));
    EXPECT_EQ(Floats(floats, floats + 64), Floats(64, 6));
  }

  Timeline gate;
  Module module;
  Buffer x, y, back;
  Recording recording;
  Queue queue;
};

TEST_P(LifetimeTest, everyOrder) {
  std::vector<int> order{0, 1, 2, 3, 4};
  do {
    make();
    uint64_t value = start();
    sparkle_timeline_t *done = sparkle_queue_get_timeline(queue);
    sparkle_timeline_retain(done);
    // While the work is in flight.
    const std::function<void()> releases[] = {
        [&] { module = {}; }, [&] { x = {}; }, [&] { y = {}; },
        [&] { recording = {}; }, [&] { queue = {}; }};
    for (int step : order)
      releases[step]();
    finish(gate, done, value);
    expectResult(back);
    sparkle_timeline_release(done);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_P(LifetimeTest, everythingBeforeItRan) {
  make();
  Timeline ended = makeTimeline();
  sparkle_submission_t submission = {};
  submission.recording = recording;
  sparkle_point_t wait = {gate, 1}, signal = {ended, 1};
  submission.waits = &wait;
  submission.signals = &signal;
  submission.wait_count = submission.signal_count = 1;
  submit(queue, submission);
  queue = {};
  recording = {};
  module = {};
  x = {};
  y = {};
  library = {};
  context = {};
  finish(gate, ended, 1);
  expectResult(back);
}

TEST_P(LifetimeTest, contextFirst) {
  make();
  context = {};
  uint64_t value = start();
  finish(gate, sparkle_queue_get_timeline(queue), value);
  expectResult(back);
}

TEST_P(LifetimeTest, libraryInFlight) {
  make();
  uint64_t value = start();
  module = {};
  recording = {};
  library = {};
  finish(gate, sparkle_queue_get_timeline(queue), value);
  expectResult(back);
}

TEST_P(LifetimeTest, timelinesInFlight) {
  make();
  uint64_t value = start();
  sparkle_timeline_t *opened = gate;
  sparkle_timeline_retain(opened);
  gate = {};
  finish(opened, sparkle_queue_get_timeline(queue), value);
  sparkle_timeline_release(opened);
  expectResult(back);
}

TEST_P(LifetimeTest, queueTimelineOutlivesAll) {
  make();
  uint64_t value = start();
  sparkle_timeline_t *done = sparkle_queue_get_timeline(queue);
  sparkle_timeline_retain(done);
  finish(gate, done, value);
  queue = {};
  recording = {};
  module = {};
  x = {};
  y = {};
  back = {};
  library = {};
  context = {};
  uint64_t reached = 0;
  ok(sparkle_timeline_query(done, &reached, &error));
  EXPECT_EQ(reached, value);
  sparkle_timeline_release(done);
}

TEST_P(LifetimeTest, deviceRetained) {
  sparkle_device_retain(device);
  library = {};
  context = {};
  Buffer buffer = upload(Words{1, 2, 3});
  EXPECT_EQ(download<uint32_t>(buffer), (Words{1, 2, 3}));
  buffer = {};
  sparkle_device_release(device);
}

TEST_P(LifetimeTest, buffersOutliveTheContext) {
  Buffer buffer = upload(Words{1, 2, 3});
  Buffer staging = makeBuffer(64, SPARKLE_MEMORY_UPLOAD);
  library = {};
  context = {};
  std::memset(sparkle_buffer_get_pointer(staging), 1, 64);
}

TEST_P(LifetimeTest, retainAndReleaseOfAll) {
  make();
#define SPARKLE_TWICE(noun, handle)                                            \
  sparkle_##noun##_retain(handle);                                             \
  sparkle_##noun##_retain(handle);                                             \
  sparkle_##noun##_release(handle);                                            \
  sparkle_##noun##_release(handle);                                            \
  sparkle_##noun##_retain(nullptr);                                            \
  sparkle_##noun##_release(nullptr)
  SPARKLE_TWICE(context, context);
  SPARKLE_TWICE(device, device);
  SPARKLE_TWICE(library, library);
  SPARKLE_TWICE(module, module);
  SPARKLE_TWICE(buffer, x);
  SPARKLE_TWICE(timeline, gate);
  SPARKLE_TWICE(recording, recording);
  SPARKLE_TWICE(queue, queue);
#undef SPARKLE_TWICE
  sparkle_stream_retain(nullptr);
  sparkle_stream_release(nullptr);
  uint64_t value = start();
  finish(gate, sparkle_queue_get_timeline(queue), value);
  expectResult(back);
}

TEST_P(LifetimeTest, contextsComeAndGo) {
  for (int i = 0; i < 5; ++i) {
    Owned<sparkle_context_t> next;
    ok(sparkle_context_create(next.out(), &error));
    sparkle_device_t *found = nullptr;
    ok(sparkle_context_find_device(next, GetParam(), &found, &error));
    EXPECT_NE(found, device);
    Queue own;
    ok(sparkle_queue_create(found, own.out(), &error));
    wait(own, submit(own, sparkle_submission_t{}));
  }
}

TEST_P(LifetimeTest, queuesComeAndGo) {
  Buffer buffer = makeBuffer(64);
  sparkle_view_t view = all(buffer);
  for (uint32_t i = 0; i < 40; ++i) {
    Queue next = makeQueue();
    uint64_t value = submit(next, {fill(view, i)});
    if (i % 2)
      wait(next, value);
    else // The next one must not be overtaken.
      wait(next, submit(next, sparkle_submission_t{}));
  }
  EXPECT_EQ(download<uint32_t>(buffer), Words(16, 39));
}

//===----------------------------------------------------------------------===//
// Lost work
//===----------------------------------------------------------------------===//

int fail(void *const *, const int64_t *) { return 7; }

/// A queue of the CPU's whose work fails, whatever the device of the case is.
struct LostTest : RecordingTest {
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    sparkle_device_t *cpu = nullptr;
    ok(sparkle_context_find_device(context, "cpu", &cpu, &error));
    ok(sparkle_queue_create(cpu, broken.out(), &error));
    ok(sparkle_buffer_create(cpu, SPARKLE_MEMORY_DEVICE, 4, output.out(),
                             &error));
    ok(sparkle_module_create(cpu, &kernel, module.out(), &error));
  }
  /// Submits work that fails, and that was to signal `lost`.
  void lose(sparkle_timeline_t *lost) {
    std::vector<sparkle_view_t> views{all(output)};
    sparkle_command_t command = call(module, views, {});
    sparkle_point_t signal = {lost, 1};
    sparkle_submission_t submission = {};
    submission.commands = &command;
    submission.signals = &signal;
    submission.command_count = submission.signal_count = 1;
    ok(sparkle_queue_submit(broken, &submission, nullptr, &error));
  }
  void expectLost(sparkle_status_t status) {
    expect(status, SPARKLE_KERNEL,
           "kernel 'broken': expected 0 from its code, but got 7");
  }

  sparkle_extent_t extent = {1, 1, nullptr};
  sparkle_factor_t factor = {0, 0, 1, 0};
  sparkle_tensor_t tensor = {
      "y", SPARKLE_ROLE_OUTPUT, SPARKLE_ELEMENT_F32, 1, 1, &extent, &factor, 0,
      0};
  sparkle_code_t code = [] {
    sparkle_code_t code = {};
    code.target = SPARKLE_TARGET_CPU;
    code.processor = "x86-64";
    code.pattern = "";
    code.invoke = fail;
    return code;
  }();
  sparkle_kernel_t kernel = [this] {
    sparkle_kernel_t kernel = {};
    kernel.magic = SPARKLE_KERNEL_MAGIC;
    kernel.version = SPARKLE_KERNEL_VERSION;
    kernel.struct_size = sizeof(kernel);
    kernel.tensor_count = kernel.code_count = 1;
    kernel.name = "broken";
    kernel.compiler = "by hand";
    kernel.tensors = &tensor;
    kernel.codes = &code;
    return kernel;
  }();
  Queue broken;
  Buffer output;
  Module module;
};

TEST_P(LostTest, hostTimelineGivesTheReason) {
  Timeline lost = makeTimeline();
  lose(lost);
  expectLost(sparkle_timeline_wait(lost, 1, SPARKLE_FOREVER, &error));
  uint64_t value = 1;
  expectLost(sparkle_timeline_query(lost, &value, &error));
  EXPECT_EQ(value, 0u);
  expectLost(sparkle_timeline_signal(lost, 5, &error));
  // What was reached before stays reached.
  ok(sparkle_timeline_wait(lost, 0, 0, &error));
}

TEST_P(LostTest, queueStaysFailed) {
  Timeline lost = makeTimeline(), later = makeTimeline();
  lose(lost);
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(broken);
  expectLost(sparkle_timeline_wait(timeline, 1, SPARKLE_FOREVER, &error));
  expectLost(sparkle_timeline_wait(timeline, 9, SPARKLE_FOREVER, &error));
  sparkle_submission_t submission = {};
  expectLost(sparkle_queue_submit(broken, &submission, nullptr, &error));
}

TEST_P(LostTest, whoWaitsForItIsLostToo) {
  Timeline lost = makeTimeline(), end = makeTimeline();
  Queue queue = makeQueue();
  sparkle_point_t wait = {lost, 1}, signal = {end, 1};
  sparkle_submission_t submission = {};
  submission.waits = &wait;
  submission.signals = &signal;
  submission.wait_count = submission.signal_count = 1;
  submit(queue, submission);
  submit(queue, sparkle_submission_t{});
  lose(lost);
  expectLost(sparkle_timeline_wait(end, 1, SPARKLE_FOREVER, &error));
  sparkle_timeline_t *timeline = sparkle_queue_get_timeline(queue);
  for (uint64_t value : {1, 2, 3})
    expectLost(sparkle_timeline_wait(timeline, value, SPARKLE_FOREVER, &error));
}

TEST_P(LostTest, isLogged) {
  setenv("SPARKLE_LOG", "1", 1);
  for (int i = 0; i < 2; ++i) {
    SetUp(); // in a context of its own, which reads the environment
    testing::internal::CaptureStderr();
    Timeline lost = makeTimeline();
    lose(lost);
    expectLost(sparkle_timeline_wait(lost, 1, SPARKLE_FOREVER, &error));
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              i ? ""
                : "sparkle: cpu: kernel 'broken': expected 0 from its code, "
                  "but got 7\n");
    unsetenv("SPARKLE_LOG");
  }
}

TEST_P(LostTest, othersGoOn) {
  Timeline lost = makeTimeline();
  Buffer buffer = upload(Words{1, 2, 3, 4});
  lose(lost);
  expectLost(sparkle_timeline_wait(lost, 1, SPARKLE_FOREVER, &error));
  EXPECT_EQ(download<uint32_t>(buffer), (Words{1, 2, 3, 4}));
  Problem problem(*this, "product", {3});
  run({problem.command()});
  problem.check();
}

SPARKLE_ON_ALL_DEVICES(RecordingTest);
SPARKLE_ON_ALL_DEVICES(LifetimeTest);
SPARKLE_ON_ALL_DEVICES(LostTest);

} // namespace
