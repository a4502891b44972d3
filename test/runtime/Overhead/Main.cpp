// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime costs: the same small kernel through it and through the
// least that Vulkan needs, in turns in one process. Prints the medians.
// Usage: runtime-overhead [ROUNDS]

#include "test/runtime/Overhead/Minimal.h"
#include "test/runtime/Vulkan/Kernels.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>

namespace {

constexpr uint32_t count = 64;        // elements: one workgroup
constexpr uint32_t submissions = 100; // of a round
constexpr uint32_t together = 100;    // dispatches of one recording

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "runtime-overhead: %s\n", what);
  std::exit(1);
}

/// The same work through the runtime.
class Runtime {
public:
  Runtime();

  const sparkle_device_properties_t &getProperties() const {
    return properties;
  }
  sparkle_recording_t *record(uint32_t dispatches);
  uint64_t submit(sparkle_recording_t *recording);
  uint64_t submitCommands(uint32_t dispatches);
  void wait(uint64_t value);
  /// Whether the kernel did its work.
  bool isRight() const;

  sparkle_stream_t *stream = nullptr;
  std::vector<float> input, output[3];
  uint64_t submitToStream(uint32_t slot);
  void waitForStream(uint64_t ticket);

private:
  static void check(sparkle_status_t status, const sparkle_error_t &error) {
    if (status != SPARKLE_OK)
      fail(error.message);
  }
  uint64_t submit(const sparkle_submission_t &submission);

  AffineKernel affine;
  sparkle_device_t *device = nullptr;
  sparkle_device_properties_t properties = {};
  sparkle_module_t *module = nullptr;
  sparkle_queue_t *queue = nullptr;
  sparkle_buffer_t *buffers[2] = {};
  sparkle_view_t views[2] = {};
  int64_t size = count;
  std::vector<sparkle_command_t> commands;
};

Runtime::Runtime() {
  sparkle_error_t error;
  sparkle_context_t *context;
  check(sparkle_context_create(&context, &error), error);
  check(sparkle_context_find_device(context, "vulkan", &device, &error), error);
  sparkle_device_query_properties(device, &properties);
  check(sparkle_module_create(device, &affine.kernel, &module, &error), error);
  check(sparkle_queue_create(device, &queue, &error), error);
  // As the minimal loop's: the host sees both.
  const sparkle_memory_t kinds[] = {SPARKLE_MEMORY_UPLOAD,
                                    SPARKLE_MEMORY_READBACK};
  for (int i = 0; i < 2; ++i) {
    check(sparkle_buffer_create(device, kinds[i], count * sizeof(float),
                                &buffers[i], &error),
          error);
    views[i].buffer = buffers[i];
  }
  float *x = static_cast<float *>(sparkle_buffer_get_pointer(buffers[0]));
  for (uint32_t i = 0; i < count; ++i)
    x[i] = float(i);
  input.assign(x, x + count);
  for (std::vector<float> &slot : output)
    slot.resize(count);
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_KERNEL;
  command.module = module;
  command.arguments = views;
  command.argument_count = 2;
  command.sizes = &size;
  command.size_count = 1;
  commands.assign(together, command);
  const void *weights[2] = {};
  check(sparkle_stream_create(module, &size, 1, weights, 2, &stream, &error),
        error);
}

sparkle_recording_t *Runtime::record(uint32_t dispatches) {
  sparkle_error_t error;
  sparkle_recording_t *recording;
  check(sparkle_recording_create(device, commands.data(), dispatches,
                                 &recording, &error),
        error);
  return recording;
}

uint64_t Runtime::submit(const sparkle_submission_t &submission) {
  sparkle_error_t error;
  uint64_t value;
  check(sparkle_queue_submit(queue, &submission, &value, &error), error);
  return value;
}

uint64_t Runtime::submit(sparkle_recording_t *recording) {
  sparkle_submission_t submission = {};
  submission.recording = recording;
  return submit(submission);
}

uint64_t Runtime::submitCommands(uint32_t dispatches) {
  sparkle_submission_t submission = {};
  submission.commands = commands.data();
  submission.command_count = dispatches;
  return submit(submission);
}

void Runtime::wait(uint64_t value) {
  sparkle_error_t error;
  check(sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                              SPARKLE_FOREVER, &error),
        error);
}

uint64_t Runtime::submitToStream(uint32_t slot) {
  sparkle_error_t error;
  void *arguments[] = {input.data(), output[slot].data()};
  uint64_t ticket;
  check(sparkle_stream_submit(stream, arguments, 2, &ticket, &error), error);
  return ticket;
}

void Runtime::waitForStream(uint64_t ticket) {
  sparkle_error_t error;
  check(sparkle_stream_wait(stream, ticket, SPARKLE_FOREVER, &error), error);
}

/// The device that the runtime takes, which is closed again.
sparkle_device_properties_t findDevice() {
  sparkle_error_t error;
  sparkle_context_t *context;
  sparkle_device_t *device;
  sparkle_device_properties_t properties;
  if (sparkle_context_create(&context, &error) != SPARKLE_OK ||
      sparkle_context_find_device(context, "vulkan", &device, &error) !=
          SPARKLE_OK)
    fail(error.message);
  sparkle_device_query_properties(device, &properties);
  sparkle_context_release(context);
  return properties;
}

bool isAffine(const float *y) {
  for (uint32_t i = 0; i < count; ++i)
    if (y[i] != 2 * float(i) + 1)
      return false;
  return true;
}

bool Runtime::isRight() const {
  bool isRight = isAffine(
      static_cast<const float *>(sparkle_buffer_get_pointer(buffers[1])));
  for (const std::vector<float> &slot : output)
    isRight &= isAffine(slot.data());
  return isRight;
}

/// One way of doing the work, and the microseconds of a submission in every
/// round.
struct Way {
  const char *name;
  std::function<void()> run; // `submissions` of them
  std::vector<double> times;

  double getMedian() const {
    std::vector<double> sorted = times;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

enum {
  LoopInFlight,
  RuntimeInFlight,
  LoopWaiting,
  RuntimeWaiting,
  LoopTogether,
  RuntimeTogether,
  LoopRecording,
  RuntimeRecording,
  LoopCopying,
  StreamCopying,
  ways
};

class Benchmark {
public:
  Benchmark() : loop(findDevice().description, count) {
    std::copy(runtime.input.begin(), runtime.input.end(), loop.getInput());
    one = loop.record(1);
    many = loop.record(together);
    for (VkCommandBuffer &buffer : again)
      buffer = loop.record(1);
    recordedOne = runtime.record(1);
    recordedMany = runtime.record(together);
    describe();
  }

  void run(int rounds);
  void print(int rounds) const;

private:
  void describe();
  /// `submit(i)` returns a value; three are in flight.
  template <typename Submit> void fly(Submit submit) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < submissions; ++i) {
      if (value > 2)
        loop.wait(value - 2);
      value = submit(i);
    }
    loop.wait(value);
  }
  /// The runtime itself keeps three in flight.
  template <typename Submit> void flyThrough(Submit submit) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < submissions; ++i)
      value = submit();
    runtime.wait(value);
  }
  void copyByLoop();
  void copyByStream();
  void compare(const char *what, int theirs, int ours) const;

  // lavapipe is faster for whoever opens it first: not us.
  Minimal loop;
  Runtime runtime;
  VkCommandBuffer one, many, again[3];
  sparkle_recording_t *recordedOne, *recordedMany;
  Way all[ways];
};

void Benchmark::describe() {
  all[LoopInFlight] = {
      "loop", [&] { fly([&](uint32_t) { return loop.submit(one); }); }, {}};
  all[RuntimeInFlight] = {
      "runtime",
      [&] { flyThrough([&] { return runtime.submit(recordedOne); }); },
      {}};
  all[LoopWaiting] = {"loop",
                      [&] {
                        for (uint32_t i = 0; i < submissions; ++i)
                          loop.wait(loop.submit(one));
                      },
                      {}};
  all[RuntimeWaiting] = {"runtime",
                         [&] {
                           for (uint32_t i = 0; i < submissions; ++i)
                             runtime.wait(runtime.submit(recordedOne));
                         },
                         {}};
  all[LoopTogether] = {
      "loop", [&] { fly([&](uint32_t) { return loop.submit(many); }); }, {}};
  all[RuntimeTogether] = {
      "runtime",
      [&] { flyThrough([&] { return runtime.submit(recordedMany); }); },
      {}};
  all[LoopRecording] = {"loop",
                        [&] {
                          fly([&](uint32_t i) {
                            loop.record(again[i % 3], together);
                            return loop.submit(again[i % 3]);
                          });
                        },
                        {}};
  all[RuntimeRecording] = {
      "runtime",
      [&] { flyThrough([&] { return runtime.submitCommands(together); }); },
      {}};
  all[LoopCopying] = {"loop", [&] { copyByLoop(); }, {}};
  all[StreamCopying] = {"stream", [&] { copyByStream(); }, {}};
}

void Benchmark::copyByLoop() {
  for (uint32_t i = 0; i < submissions; ++i) {
    std::copy(runtime.input.begin(), runtime.input.end(), loop.getInput());
    loop.wait(loop.submit(one));
    std::copy(loop.getOutput(), loop.getOutput() + count,
              runtime.output[i % 3].begin());
  }
}

/// Two results behind, as a program that reads them does.
void Benchmark::copyByStream() {
  uint64_t ticket = 0;
  for (uint32_t i = 0; i < submissions; ++i) {
    ticket = runtime.submitToStream(i % 3);
    if (i >= 2)
      runtime.waitForStream(ticket - 2);
  }
  runtime.waitForStream(ticket);
}

void Benchmark::run(int rounds) {
  using Clock = std::chrono::steady_clock;
  for (int round = -1; round < rounds; ++round) // the first one warms up
    for (int i = 0; i < ways; ++i) {
      // In pairs, each side first in every other round.
      Way &way = all[round % 2 ? i ^ 1 : i];
      Clock::time_point begin = Clock::now();
      way.run();
      std::chrono::duration<double, std::micro> spent = Clock::now() - begin;
      if (round >= 0)
        way.times.push_back(spent.count() / submissions);
    }
  if (!runtime.isRight() || !isAffine(loop.getOutput()))
    fail("expected y = 2 x + 1, but the kernel wrote something else");
}

void Benchmark::compare(const char *what, int theirs, int ours) const {
  double a = all[theirs].getMedian(), b = all[ours].getMedian();
  std::printf("%-44s %9.2f %9.2f %8.2f\n", what, a, b, b / a);
}

void Benchmark::print(int rounds) const {
  std::string processor = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0)
      processor = line.substr(line.find(':') + 2);
  char date[16];
  std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  std::printf("%s, %s, %s, %s\n", date, processor.c_str(),
              runtime.getProperties().description,
              runtime.getProperties().driver);
  std::printf("medians of %d rounds of %u submissions, in turns\n\n", rounds,
              submissions);
  std::printf("%-44s %9s %9s %8s\n", "microseconds for each submission",
              "minimal", "runtime", "ratio");
  compare("recorded once, three in flight", LoopInFlight, RuntimeInFlight);
  compare("recorded once, waited for one by one", LoopWaiting, RuntimeWaiting);
  compare("100 dispatches recorded once, in flight", LoopTogether,
          RuntimeTogether);
  compare("100 dispatches recorded each time, in flight", LoopRecording,
          RuntimeRecording);
  compare("with copies: loop waiting, stream", LoopCopying, StreamCopying);
  auto median = [&](int way) { return all[way].getMedian(); };
  std::printf("\n%-52s %6.2f  (aim: at most 1.15)\n",
              "cost of a submission in flight, of the loop's",
              median(RuntimeInFlight) / median(LoopInFlight));
  std::printf("%-52s %6.2f  (aim: at least 1.3)\n",
              "throughput in flight, of the loop's that waits",
              median(LoopWaiting) / median(RuntimeInFlight));
  std::printf("%-52s %6.2f  (aim: at least 1.3)\n",
              "throughput of a stream, of the loop's that waits",
              median(LoopCopying) / median(StreamCopying));
  std::printf("%-52s %6.3f  (aim: below 1)\n",
              "microseconds above the loop for each of 100, replayed",
              (median(RuntimeTogether) - median(LoopTogether)) / together);
  std::printf("%-52s %6.3f  (aim: below 1)\n",
              "microseconds above the loop for each of 100, recorded",
              (median(RuntimeRecording) - median(LoopRecording)) / together);
}

} // namespace

int main(int argumentCount, char **arguments) {
  int rounds = argumentCount > 1 ? std::atoi(arguments[1]) : 101;
  if (rounds < 1)
    fail("expected a positive number of rounds");
  Benchmark benchmark;
  benchmark.run(rounds);
  benchmark.print(rounds);
  return 0;
}
