// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fixture, and the program's entry.

#include "test/runtime/Conformance/Device.h"

#include <cstdlib>

float draw(uint64_t place, uint64_t salt) {
  // SplitMix64 (Steele, Lea and Flood, 2014).
  uint64_t x = (place + 1) * 0x9e3779b97f4a7c15u + salt;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return static_cast<float>(static_cast<int>((x ^ x >> 31) % 7) - 3);
}

Floats drawAll(size_t count, uint64_t salt) {
  Floats values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = draw(i, salt);
  return values;
}

sparkle_command_t call(sparkle_module_t *module,
                       const std::vector<sparkle_view_t> &arguments,
                       const std::vector<int64_t> &sizes) {
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_KERNEL;
  command.module = module;
  command.arguments = arguments.data();
  command.argument_count = static_cast<uint32_t>(arguments.size());
  command.sizes = sizes.data();
  command.size_count = static_cast<uint32_t>(sizes.size());
  return command;
}

sparkle_command_t copy(const sparkle_view_t (&fromTo)[2]) {
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_COPY;
  command.arguments = fromTo;
  command.argument_count = 2;
  return command;
}

sparkle_command_t fill(const sparkle_view_t &to, uint32_t word) {
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_FILL;
  command.fill = word;
  command.arguments = &to;
  command.argument_count = 1;
  return command;
}

sparkle_view_t all(sparkle_buffer_t *buffer) { return part(buffer, 0, 0); }

sparkle_view_t part(sparkle_buffer_t *buffer, uint64_t offset, uint64_t size) {
  sparkle_view_t view = {};
  view.buffer = buffer;
  view.offset = offset;
  view.size = size;
  return view;
}

std::vector<const char *> getDeviceNames() {
  return {
#define SPARKLE_TARGET(folder, word, number) #word,
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  };
}

void Conformance::SetUp() {
  ASSERT_EQ(sparkle_context_create(context.out(), &error), SPARKLE_OK)
      << error.message;
  sparkle_status_t status =
      sparkle_context_find_device(context, GetParam(), &device, &error);
  if (status == SPARKLE_UNAVAILABLE)
    GTEST_SKIP() << error.message;
  ASSERT_EQ(status, SPARKLE_OK) << error.message;
  sparkle_device_query_properties(device, &properties);
  ASSERT_EQ(sparkle_library_open(SPARKLE_TEST_KERNELS, library.out(), &error),
            SPARKLE_OK)
      << error.message;
}

Buffer Conformance::makeBuffer(uint64_t size, sparkle_memory_t memory) {
  Buffer buffer;
  ok(sparkle_buffer_create(device, memory, size, buffer.out(), &error));
  return buffer;
}

Queue Conformance::makeQueue() {
  Queue queue;
  ok(sparkle_queue_create(device, queue.out(), &error));
  return queue;
}

Timeline Conformance::makeTimeline(uint64_t initial) {
  Timeline timeline;
  ok(sparkle_timeline_create(context, initial, timeline.out(), &error));
  return timeline;
}

Module Conformance::makeModule(const char *name) {
  Module module;
  ok(sparkle_module_create(device, kernel(name), module.out(), &error));
  return module;
}

Recording
Conformance::makeRecording(const std::vector<sparkle_command_t> &commands) {
  Recording recording;
  ok(sparkle_recording_create(device, commands.data(),
                              static_cast<uint32_t>(commands.size()),
                              recording.out(), &error));
  return recording;
}

Buffer Conformance::uploadBytes(const void *bytes, size_t size) {
  Buffer staging = makeBuffer(size, SPARKLE_MEMORY_UPLOAD);
  Buffer buffer = makeBuffer(size);
  if (size)
    std::memcpy(sparkle_buffer_get_pointer(staging), bytes, size);
  sparkle_view_t fromTo[] = {all(staging), all(buffer)};
  run({copy(fromTo)});
  return buffer;
}

void Conformance::downloadBytes(sparkle_buffer_t *buffer, void *bytes) {
  uint64_t size = sparkle_buffer_get_size(buffer);
  Buffer staging = makeBuffer(size, SPARKLE_MEMORY_READBACK);
  sparkle_view_t fromTo[] = {all(buffer), all(staging)};
  run({copy(fromTo)});
  if (size)
    std::memcpy(bytes, sparkle_buffer_get_pointer(staging), size);
}

uint64_t Conformance::submit(sparkle_queue_t *queue,
                             const sparkle_submission_t &what) {
  uint64_t value = 0;
  ok(sparkle_queue_submit(queue, &what, &value, &error));
  return value;
}

uint64_t Conformance::submit(sparkle_queue_t *queue,
                             const std::vector<sparkle_command_t> &commands) {
  sparkle_submission_t submission = {};
  submission.commands = commands.data();
  submission.command_count = static_cast<uint32_t>(commands.size());
  return submit(queue, submission);
}

void Conformance::wait(sparkle_queue_t *queue, uint64_t value) {
  ok(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                           SPARKLE_FOREVER, &error));
}

void Conformance::run(const std::vector<sparkle_command_t> &commands) {
  Queue queue = makeQueue();
  wait(queue, submit(queue, commands));
}

void Conformance::expect(sparkle_status_t got, sparkle_status_t status,
                         const std::string &sentence) {
  EXPECT_STREQ(sparkle_status_name(got), sparkle_status_name(status));
  EXPECT_EQ(error.status, status);
  EXPECT_STREQ(error.message, sentence.c_str());
}

#if defined(__SANITIZE_THREAD__)
#define SPARKLE_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SPARKLE_TEST_TSAN 1
#endif
#endif

#ifdef SPARKLE_TEST_TSAN
/// Libraries that are compiled without ThreadSanitizer, which therefore does
/// not see their locks and atomics: what it reports from inside of them is no
/// finding. Nothing of Sparkle's is in this list.
extern "C" const char *__tsan_default_suppressions() {
  return "race:libomp.so\n"
         "race:libvulkan_lvp.so\n" // lavapipe
         "race:libLLVM\n"          // which it compiles with
         "race:libVkLayer_khronos_validation.so\n"
         // Its locks of queues and semaphores, in either order.
         "deadlock:libVkLayer_khronos_validation.so\n";
}
#endif

int main(int argc, char **argv) {
  // Every message of the validation layers is a failure.
  setenv("SPARKLE_VULKAN_VALIDATION", "1", 0);
#ifdef SPARKLE_TEST_TSAN
  // ThreadSanitizer does not know the locks of libomp, which is compiled
  // without it, and would take its workers for races.
  setenv("OMP_NUM_THREADS", "1", 1);
#endif
  testing::InitGoogleTest(&argc, argv);
  int result = RUN_ALL_TESTS();
  std::printf("%d skipped\n",
              testing::UnitTest::GetInstance()->skipped_test_count());
  return result;
}
