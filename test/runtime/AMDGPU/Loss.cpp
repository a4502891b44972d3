// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Work that is lost: how it is found out, what is said, and that the device
// begins anew.

#include "test/runtime/AMDGPU/Work.h"

#include <cerrno>
#include <chrono>
#include <thread>

namespace {

enum : uint64_t { Reset = 1, VramLost = 2, Guilty = 4, InProgress = 32 };

struct AMDGPULoss : AMDGPUTest {
  void SetUp() override {
    open();
    queue = createQueue();
    work = std::make_unique<Work>(device, affine.kernel, 100);
  }
  void TearDown() override {
    work.reset();
    sparkle_queue_release(queue);
    AMDGPUTest::TearDown();
  }

  /// Waits for a value that never comes.
  void expectLost(uint64_t value, const std::string &sentence) {
    EXPECT_EQ(tryWait(queue, value), SPARKLE_DEVICE_LOST);
    EXPECT_EQ(error.message,
              "expected amdgpu:0 to finish its work, but " + sentence);
  }
  /// As a new queue, on a new context.
  void expectAlive() {
    state.work = MockWork::Run;
    state.waitError = 0;
    state.resetFlags = 0;
    sparkle_queue_t *other = createQueue();
    work->clear();
    uint64_t value = submit(other, work->recording);
    wait(other, value);
    work->expectOutput();
    sparkle_queue_release(other);
  }

  /// A second is long for a test.
  Variable timeout{"SPARKLE_AMDGPU_TIMEOUT", "200"};
  sparkle_queue_t *queue = nullptr;
  std::unique_ptr<Work> work;
};

/// Nothing goes on: said within a second of the deadline.
TEST_F(AMDGPULoss, hang) {
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  auto begin = std::chrono::steady_clock::now();
  expectLost(1, "nothing on it went on for 200 ms; the kernel knows of no "
                "reset");
  auto spent = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(spent, std::chrono::milliseconds(200));
  EXPECT_LT(spent, std::chrono::milliseconds(1200));
  // Every later submission, and whoever asks, hears the same.
  std::string sentence = error.message;
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  EXPECT_EQ(error.message, sentence);
  uint64_t value;
  EXPECT_EQ(
      sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value, &error),
      SPARKLE_DEVICE_LOST);
  EXPECT_EQ(error.message, sentence);
  getMock().lose(Reset | Guilty, -ECANCELED); // the kernel ends it, too
  expectAlive();
}

/// Its kernel never ends it either: what it may write to stays for ever.
TEST_F(AMDGPULoss, hangThatNeverEnds) {
  sparkle_queue_release(queue);
  queue = nullptr;
  work.reset();
  close();
  testing::internal::CaptureStderr();
  {
    Variable log("SPARKLE_LOG", "1");
    open();
    sparkle_queue_t *hanging = createQueue();
    Work lost(device, affine.kernel, 100);
    state.work = MockWork::Hold;
    submit(hanging, lost.recording);
    EXPECT_EQ(tryWait(hanging, 1), SPARKLE_DEVICE_LOST);
    sparkle_queue_release(hanging);
    close();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(3000));
  EXPECT_GT(state.objects, 0u);
  std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_NE(
      printed.find("sparkle: amdgpu:0: memory of work that hangs is kept\n"),
      std::string::npos)
      << printed;
  getMock().forget();
}

/// A device that takes longer than the deadline, but goes on, does not hang.
TEST_F(AMDGPULoss, slowIsNoHang) {
  sparkle_queue_release(queue);
  work.reset();
  close();
  {
    Variable longer("SPARKLE_AMDGPU_TIMEOUT", "1500");
    open();
  }
  queue = createQueue();
  work = std::make_unique<Work>(device, affine.kernel, 100);
  state.work = MockWork::Hold;
  sparkle_queue_t *other = createQueue();
  for (int i = 0; i < 3; ++i)
    submit(other, work->recording);
  submit(queue, work->recording);
  std::thread device([&] {
    for (int i = 0; i < 4; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      getMock().release(1);
    }
  });
  wait(queue, 1);
  device.join();
  wait(other, 3);
  sparkle_queue_release(other);
}

/// Who only asks hears of a hang, too.
TEST_F(AMDGPULoss, hangByQuery) {
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  auto begin = std::chrono::steady_clock::now();
  sparkle_status_t status = SPARKLE_OK;
  uint64_t value;
  while (status == SPARKLE_OK &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    status = sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value,
                                    &error);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(status, SPARKLE_DEVICE_LOST);
  EXPECT_LT(std::chrono::steady_clock::now() - begin,
            std::chrono::milliseconds(1200));
  getMock().lose(Reset, -ECANCELED);
}

/// What the kernel says of a submission that it ended.
TEST_F(AMDGPULoss, errorsOfWaiting) {
  const struct {
    int error;
    uint64_t flags;
    const char *sentence;
  } cases[] = {
      {-ECANCELED, Reset,
       "amdgpu_cs_query_fence_status gave ECANCELED: the kernel cancelled it; "
       "another program caused a reset"},
      {-ENODATA, Reset | Guilty,
       "amdgpu_cs_query_fence_status gave ENODATA: the kernel ended it for a "
       "hang of its own; this program caused a reset"},
      {-ENODATA, Reset,
       "amdgpu_cs_query_fence_status gave ENODATA: the kernel ended it for a "
       "hang of its own; there was a reset"},
      {-ETIME, Reset | Guilty | VramLost,
       "amdgpu_cs_query_fence_status gave ETIME: it ran into the kernel's "
       "time-out; this program caused a reset, and device memory is lost"},
      {-ENODEV, 0,
       "amdgpu_cs_query_fence_status gave ENODEV; the kernel knows of no "
       "reset"},
      {-ECANCELED, Reset | InProgress,
       "amdgpu_cs_query_fence_status gave ECANCELED: the kernel cancelled it; "
       "a reset is under way"},
  };
  for (const auto &one : cases) {
    state.work = MockWork::Hold;
    submit(queue, work->recording);
    getMock().lose(one.flags, one.error);
    expectLost(1, one.sentence);
    expectAlive();
    sparkle_queue_release(queue);
    queue = createQueue();
  }
}

/// And of one that it does not take.
TEST_F(AMDGPULoss, errorsOfSubmitting) {
  getMock().lose(Reset, -ECANCELED);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  EXPECT_STREQ(
      error.message,
      "expected amdgpu:0 to finish its work, but amdgpu_cs_submit "
      "gave ECANCELED: the kernel cancelled it; another program caused "
      "a reset");
  expectAlive();
}

/// A fence is no proof: the kernel signals that of work that it killed.
TEST_F(AMDGPULoss, fenceWithoutWork) {
  state.work = MockWork::Skip;
  submit(queue, work->recording);
  expectLost(1, "the kernel says that it is over, and the end of it never ran; "
                "the kernel knows of no reset");
  expectAlive();
}

TEST_F(AMDGPULoss, pageFault) {
  state.faultAddress = 0x1234500000;
  state.faultStatus = 0x301031;
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  getMock().lose(Reset | Guilty, -ETIME);
  expectLost(1, "amdgpu_cs_query_fence_status gave ETIME: it ran into the "
                "kernel's time-out; this program caused a reset; page fault at "
                "0x1234500000");
}

/// Past the end of a buffer, in the page that is left out behind it.
TEST_F(AMDGPULoss, pageFaultBehindABuffer) {
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  state.faultAddress = getMock().getLastAddress() + 4096 + 16;
  state.faultStatus = 1;
  getMock().lose(Reset | Guilty | VramLost, -ETIME);
  char sentence[128];
  std::snprintf(sentence, sizeof(sentence),
                "0x%llx, behind 4096 bytes at 0x%llx",
                static_cast<unsigned long long>(state.faultAddress),
                static_cast<unsigned long long>(state.faultAddress - 4112));
  expectLost(1,
             std::string("amdgpu_cs_query_fence_status gave ETIME: it ran "
                         "into the kernel's time-out; this program caused a "
                         "reset, and device memory is lost; page fault at ") +
                 sentence);
}

/// Older drivers do not know where.
TEST_F(AMDGPULoss, pageFaultOfAnOlderDriver) {
  sparkle_queue_release(queue);
  work.reset();
  close();
  state.minor = 54;
  open();
  queue = createQueue();
  work = std::make_unique<Work>(device, affine.kernel, 100);
  state.faultAddress = 0x1234500000;
  state.faultStatus = 1;
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  getMock().lose(Reset, -ECANCELED);
  expectLost(1, "amdgpu_cs_query_fence_status gave ECANCELED: the kernel "
                "cancelled it; another program caused a reset");
}

TEST_F(AMDGPULoss, reasonThatIsUnknown) {
  for (uint32_t i = 0; i < getMock().functionCount; ++i)
    if (getMock().getName(i) == std::string("amdgpu_cs_query_reset_state2"))
      getMock().fail(i, 1, 1, -EINVAL);
  getMock().lose(0, -ECANCELED);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  EXPECT_STREQ(error.message,
               "expected amdgpu:0 to finish its work, but amdgpu_cs_submit "
               "gave ECANCELED: the kernel cancelled it; why is unknown");
}

/// Programs are loaded again before they run; copies that the host has are
/// good.
TEST_F(AMDGPULoss, memoryOfTheDevice) {
  wait(queue, submit(queue, work->recording));
  work->expectOutput();
  getMock().lose(Reset | Guilty | VramLost, -ECANCELED);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  work->expectOutput();
  expectAlive();
  // Once more, with a module that was made between.
  getMock().lose(Reset | VramLost, -ECANCELED);
  sparkle_queue_t *other = createQueue(); // does not know yet
  EXPECT_EQ(trySubmit(other, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  sparkle_queue_release(other);
  expectAlive();
}

/// What was reached stays reached.
TEST_F(AMDGPULoss, earlierWork) {
  state.work = MockWork::Hold;
  submit(queue, work->recording);
  submit(queue, work->recording);
  getMock().release(1);
  getMock().lose(Reset, -ECANCELED);
  EXPECT_EQ(tryWait(queue, 2), SPARKLE_DEVICE_LOST);
  wait(queue, 1);
}

/// Whoever waits for lost work hears of it: other queues, and the host.
TEST_F(AMDGPULoss, isPassedOn) {
  sparkle_queue_t *second = createQueue(), *third = createQueue();
  sparkle_timeline_t *gate = createTimeline(), *done = createTimeline(),
                     *last = createTimeline();
  sparkle_timeline_t *own = sparkle_queue_get_timeline(queue);
  state.work = MockWork::Hold;
  submit(queue, work->recording, {}, {{done, 1}});
  submit(second, work->recording, {{own, 1}, {gate, 1}}, {{last, 1}});
  getMock().lose(Reset | Guilty, -ENODATA);
  EXPECT_EQ(sparkle_timeline_wait(done, 1, SPARKLE_FOREVER, &error),
            SPARKLE_DEVICE_LOST);
  const std::string sentence = error.message;
  EXPECT_EQ(sparkle_timeline_signal(gate, 1, &error), SPARKLE_OK);
  EXPECT_EQ(sparkle_timeline_wait(last, 1, SPARKLE_FOREVER, &error),
            SPARKLE_DEVICE_LOST);
  EXPECT_EQ(error.message, sentence);
  EXPECT_EQ(tryWait(second, 1), SPARKLE_DEVICE_LOST);
  // One that was idle fails with what comes next.
  EXPECT_EQ(trySubmit(third, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  EXPECT_EQ(error.message, sentence);
  expectAlive();
  for (sparkle_queue_t *one : {second, third})
    sparkle_queue_release(one);
  for (sparkle_timeline_t *one : {gate, done, last})
    sparkle_timeline_release(one);
}

/// A queue of the new context waits for one of the lost one.
TEST_F(AMDGPULoss, queueOfTheNewContext) {
  getMock().lose(Reset, -ECANCELED);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DEVICE_LOST);
  sparkle_queue_t *other = createQueue();
  sparkle_timeline_t *own = sparkle_queue_get_timeline(queue);
  uint64_t value = submit(other, work->recording, {{own, 1}});
  EXPECT_EQ(tryWait(other, value), SPARKLE_DEVICE_LOST);
  sparkle_queue_release(other);
}

//===----------------------------------------------------------------------===//
// Memory that is short
//===----------------------------------------------------------------------===//

struct AMDGPUShortage : AMDGPULoss {
  void failSubmit(uint32_t first, uint32_t count, int error) {
    for (uint32_t i = 0; i < getMock().functionCount; ++i)
      if (getMock().getName(i) == std::string("amdgpu_cs_submit"))
        getMock().fail(i, first, count, error);
  }
};

TEST_F(AMDGPUShortage, forAMoment) {
  failSubmit(1, 20, -ENOMEM);
  wait(queue, submit(queue, work->recording));
  work->expectOutput();
}

TEST_F(AMDGPUShortage, forLong) {
  failSubmit(1, UINT32_MAX, -ENOMEM);
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_OUT_OF_MEMORY);
  EXPECT_STREQ(error.message, "expected memory for a submission, but "
                              "amdgpu_cs_submit gave ENOMEM for a second");
  auto spent = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(spent, std::chrono::milliseconds(900));
  EXPECT_LT(spent, std::chrono::milliseconds(3000));
  // Nothing was accepted, so the queue goes on.
  failSubmit(1, 0, 0);
  wait(queue, submit(queue, work->recording));
  work->expectOutput();
}

/// In the middle of a submission: half of it runs, so the queue fails.
TEST_F(AMDGPUShortage, inTheMiddle) {
  affine.kernel.operation_count = [](const int64_t *) {
    return int64_t(4) * 240 * 1000000000;
  };
  Work large(device, affine.kernel, 64000);
  failSubmit(3, 1, -EINVAL);
  EXPECT_EQ(trySubmit(queue, large.recording, nullptr), SPARKLE_DRIVER);
  EXPECT_STREQ(error.message,
               "expected amdgpu_cs_submit to succeed, but got EINVAL");
  EXPECT_EQ(state.submissions.size(), 2u);
  failSubmit(1, 0, 0);
  EXPECT_EQ(trySubmit(queue, large.recording, nullptr), SPARKLE_DRIVER);
  expectAlive(); // in the same context
}

/// What the arguments are to blame for costs nothing else.
TEST_F(AMDGPUShortage, wrongSubmission) {
  failSubmit(1, 1, -EINVAL);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DRIVER);
  EXPECT_STREQ(error.message,
               "expected amdgpu_cs_submit to succeed, but got EINVAL");
  failSubmit(1, 1, -4321);
  EXPECT_EQ(trySubmit(queue, work->recording, nullptr), SPARKLE_DRIVER);
  EXPECT_STREQ(error.message,
               "expected amdgpu_cs_submit to succeed, but got error 4321");
  wait(queue, submit(queue, work->recording));
  work->expectOutput();
}

//===----------------------------------------------------------------------===//
// The deadline
//===----------------------------------------------------------------------===//

/// What is no number of milliseconds is five seconds; here, that is longer than
/// half a second.
TEST_F(AMDGPULoss, deadlineThatIsNone) {
  sparkle_queue_release(queue);
  work.reset();
  close();
  for (const char *value : {"0", "-1", "soon", "1x", "", "99999999999999999"}) {
    Variable timeout("SPARKLE_AMDGPU_TIMEOUT", value);
    open();
    queue = createQueue();
    work = std::make_unique<Work>(device, affine.kernel, 100);
    state.work = MockWork::Hold;
    submit(queue, work->recording);
    EXPECT_EQ(tryWait(queue, 1, 300000000), SPARKLE_TIMEOUT) << value;
    getMock().release(1);
    wait(queue, 1);
    sparkle_queue_release(queue);
    work.reset();
    close();
  }
  open();
  queue = createQueue();
  work = std::make_unique<Work>(device, affine.kernel, 100);
}

} // namespace
