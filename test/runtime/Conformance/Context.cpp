// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finding devices, what the environment changes, and null pointers.

#include "test/runtime/Conformance/Problem.h"
#include "test/runtime/Environment.h"

namespace {

struct ContextTest : Conformance {
  void find(const std::string &what, sparkle_status_t status,
            const std::string &sentence) {
    sparkle_device_t *found = device;
    expect(sparkle_context_find_device(context, what.c_str(), &found, &error),
           status, sentence);
    EXPECT_EQ(found, nullptr);
  }
  /// Once more, as the environment is now.
  void again() {
    library = {};
    context = {};
    SetUp();
  }
};

TEST_P(ContextTest, findsByName) {
  for (const std::string &spelling :
       {name(), std::string(GetParam()), std::string(GetParam()) + ":0"}) {
    sparkle_device_t *found = nullptr;
    ok(sparkle_context_find_device(context, spelling.c_str(), &found, &error));
    EXPECT_EQ(found, device) << spelling;
  }
}

TEST_P(ContextTest, listsIt) {
  size_t count = sparkle_context_get_device_count(context), hits = 0;
  for (size_t i = 0; i < count; ++i)
    hits += sparkle_context_get_device(context, i) == device;
  EXPECT_EQ(hits, 1u);
  EXPECT_EQ(sparkle_context_get_device(context, count), nullptr);
  // The CPU comes first.
  sparkle_device_properties_t first;
  sparkle_device_query_properties(sparkle_context_get_device(context, 0),
                                  &first);
  EXPECT_STREQ(first.name, "cpu");
}

TEST_P(ContextTest, noSuchIndex) {
  size_t count = 0;
  for (size_t i = 0; i < sparkle_context_get_device_count(context); ++i) {
    sparkle_device_properties_t each;
    sparkle_device_query_properties(sparkle_context_get_device(context, i),
                                    &each);
    count += each.target == properties.target;
  }
  std::string word = GetParam();
  for (const char *index : {":4000", ":99999999999999999999"})
    find(word + index, SPARKLE_UNAVAILABLE,
         "expected one of " + std::to_string(count) + " devices of '" + word +
             "', but got '" + word + index + "'");
}

TEST_P(ContextTest, noSuchName) {
  std::string word = GetParam();
  for (const std::string &wrong :
       {std::string("gpu"), std::string(), word + ":", word + ":-1", word + "0",
        word + ":0x", word + ":0:0"})
    find(wrong, SPARKLE_INVALID_ARGUMENT,
         "expected the name of a device, but got '" + wrong + "'");
}

TEST_P(ContextTest, nullPointers) {
  sparkle_device_t *found = nullptr;
  expect(sparkle_context_create(nullptr, &error), SPARKLE_INVALID_ARGUMENT,
         "expected out_context, but got a null pointer");
  expect(sparkle_context_find_device(nullptr, "cpu", &found, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a context, but got a null pointer");
  expect(sparkle_context_find_device(context, nullptr, &found, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected the name of a device, but got a null pointer");
  expect(sparkle_context_find_device(context, "cpu", nullptr, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected out_device, but got a null pointer");
  expect(
      sparkle_buffer_create(nullptr, SPARKLE_MEMORY_DEVICE, 4, nullptr, &error),
      SPARKLE_INVALID_ARGUMENT, "expected out_buffer, but got a null pointer");
  Buffer buffer;
  expect(sparkle_buffer_create(nullptr, SPARKLE_MEMORY_DEVICE, 4, buffer.out(),
                               &error),
         SPARKLE_INVALID_ARGUMENT, "expected a device, but got a null pointer");
  Module module;
  expect(sparkle_module_create(device, nullptr, module.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a kernel descriptor, but got a null pointer");
  uint64_t value = 0;
  expect(sparkle_timeline_query(nullptr, &value, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a timeline, but got a null pointer");
  expect(sparkle_timeline_wait(nullptr, 0, 0, &error), SPARKLE_INVALID_ARGUMENT,
         "expected a timeline, but got a null pointer");
  expect(sparkle_timeline_signal(nullptr, 0, &error), SPARKLE_INVALID_ARGUMENT,
         "expected a timeline, but got a null pointer");
  Timeline timeline;
  expect(sparkle_timeline_create(nullptr, 0, timeline.out(), &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected a context, but got a null pointer");
  expect(sparkle_device_measure(device, 1, nullptr, &error),
         SPARKLE_INVALID_ARGUMENT,
         "expected out_performance, but got a null pointer");
  Recording recording;
  expect(sparkle_recording_create(device, nullptr, 1, recording.out(), &error),
         SPARKLE_INVALID_ARGUMENT, "expected commands, but got a null pointer");
}

TEST_P(ContextTest, gettersOfNull) {
  EXPECT_EQ(sparkle_context_get_device_count(nullptr), 0u);
  EXPECT_EQ(sparkle_context_get_device(nullptr, 0), nullptr);
  EXPECT_EQ(sparkle_buffer_get_size(nullptr), 0u);
  EXPECT_EQ(sparkle_buffer_get_pointer(nullptr), nullptr);
  EXPECT_EQ(sparkle_queue_get_timeline(nullptr), nullptr);
  sparkle_device_properties_t empty;
  sparkle_device_query_properties(nullptr, &empty);
  EXPECT_STREQ(empty.name, "");
  sparkle_device_query_properties(device, nullptr);
  sparkle_module_properties_t none;
  sparkle_module_query_properties(nullptr, &none);
  EXPECT_EQ(none.kernel, nullptr);
}

TEST_P(ContextTest, errorIsOptional) {
  EXPECT_EQ(sparkle_context_create(nullptr, nullptr), SPARKLE_INVALID_ARGUMENT);
  // And is cleared by success.
  std::memset(&error, 0x55, sizeof(error));
  makeTimeline();
  EXPECT_EQ(error.status, SPARKLE_OK);
  EXPECT_STREQ(error.message, "");
}

TEST_P(ContextTest, codeOfAnotherTarget) {
  sparkle_kernel_t other = *kernel("split");
  std::vector<sparkle_code_t> codes;
  for (uint32_t i = 0; i < other.code_count; ++i)
    if (other.codes[i].target != properties.target)
      codes.push_back(other.codes[i]);
  if (codes.empty())
    GTEST_SKIP() << "one target only";
  other.codes = codes.data();
  other.code_count = static_cast<uint32_t>(codes.size());
  Module module;
  expect(sparkle_module_create(device, &other, module.out(), &error),
         SPARKLE_NO_IMAGE,
         "kernel 'split': expected code for " + name() + ", but got none");
  EXPECT_EQ(module, nullptr);
}

TEST_P(ContextTest, damagedDescriptor) {
  sparkle_kernel_t damaged = *kernel("add");
  damaged.version = 1;
  Module module;
  expect(sparkle_module_create(device, &damaged, module.out(), &error),
         SPARKLE_INVALID_ARTIFACT,
         "expected kernel descriptor version 6, but got 1");
}

TEST_P(ContextTest, synchronous) {
  Variable variable("SPARKLE_GPU_ASYNC", "0");
  again();
  Queue queue = makeQueue();
  for (uint64_t i = 1; i <= 5; ++i) {
    Problem problem(*this, "product", {100});
    submit(queue, {problem.command()});
    uint64_t value = 0;
    ok(sparkle_timeline_query(sparkle_queue_get_timeline(queue), &value,
                              &error));
    EXPECT_EQ(value, i);
  }
}

TEST_P(ContextTest, asynchronousByDefault) {
  for (const char *value : {"1", "", "yes"}) {
    Variable variable("SPARKLE_GPU_ASYNC", value);
    again();
    Queue queue = makeQueue();
    Timeline gate = makeTimeline();
    sparkle_point_t wait = {gate, 1};
    sparkle_submission_t submission = {};
    submission.waits = &wait;
    submission.wait_count = 1;
    submit(queue, submission); // would never return
    ok(sparkle_timeline_signal(gate, 1, &error));
    Conformance::wait(queue, 1);
  }
}

TEST_P(ContextTest, log) {
  for (const char *level : {"0", "1", "2", "3", "x"}) {
    Variable variable("SPARKLE_LOG", level);
    testing::internal::CaptureStderr();
    again();
    Queue queue = makeQueue();
    sparkle_submission_t wrong = {};
    wrong.command_count = 1;
    wait(queue, submit(queue, sparkle_submission_t{}));
    EXPECT_NE(sparkle_queue_submit(queue, &wrong, nullptr, &error), SPARKLE_OK);
    std::string text = testing::internal::GetCapturedStderr();
    bool hasFailure = text.find("expected commands") != std::string::npos;
    bool hasSubmission = text.find("submission 1") != std::string::npos;
    EXPECT_EQ(hasFailure, *level == '1' || *level == '2') << text;
    EXPECT_EQ(hasSubmission, *level == '2') << text;
    if (*level != '1' && *level != '2') {
      EXPECT_EQ(text, "");
    }
  }
}

SPARKLE_ON_ALL_DEVICES(ContextTest);

} // namespace
