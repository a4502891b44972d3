// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime costs: the same small kernel through it and through the
// least that Vulkan needs, in turns, on the same queue of the same device.
// Usage: runtime-overhead [ROUNDS]

#include "test/runtime/Overhead/Minimal.h"
#include "test/runtime/Overhead/Scheduled.h"
#include "test/runtime/Vulkan/Kernels.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <string>

namespace {

constexpr uint32_t count = 64;     // elements: one workgroup
constexpr uint32_t together = 100; // dispatches of one recording

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "runtime-overhead: %s\n", what);
  std::exit(1);
}

/// The same work through the runtime.
class Runtime {
public:
  Runtime();

  const sparkle_kernel_t &getKernel() const { return affine.kernel; }
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
/// round. Rounds are short: two that are neighbours see the same machine.
struct Way {
  uint32_t submissions; ///< Of a round.
  std::function<void(uint32_t submissions)> run;
  std::vector<double> times;
};

double getMedian(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

/// In pairs of loop and runtime, two of them of stream and scheduler.
enum {
  LoopInFlight,
  RuntimeInFlight,
  LoopWaiting,
  RuntimeWaiting,
  LoopWorking,
  RuntimeWorking,
  LoopCopying,
  StreamCopying,
  StreamInFlight,
  SchedulerInFlight,
  StreamWaiting,
  SchedulerWaiting,
  LoopTogether,
  RuntimeTogether,
  LoopRecording,
  RuntimeRecording,
  ways
};

class Benchmark {
public:
  Benchmark()
      : loop(findWitness(), count),
        scheduled(&runtime.getKernel(), runtime.input) {
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
  static const VulkanWitness &findWitness();
  void run(int rounds, int begin, int end);
  void describe();
  void describeScheduler();
  void describeTogether();
  void calibrate();
  double measure(const Way &way);
  /// `submit(i)` returns a value; three are in flight.
  template <typename Submit> void fly(uint32_t submissions, Submit submit) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < submissions; ++i) {
      if (i > 2)
        loop.wait(value - 2);
      value = submit(i);
    }
    loop.wait(value);
  }
  /// The runtime itself keeps three in flight.
  template <typename Submit>
  void flyThrough(uint32_t submissions, Submit submit) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < submissions; ++i)
      value = submit();
    runtime.wait(value);
  }
  void copyByLoop(uint32_t submissions);
  void copyByStream(uint32_t submissions);
  void workByLoop(uint32_t submissions);
  void workByRuntime(uint32_t submissions);
  void work();
  double getRatio(int above, int below) const;
  double getExcess(int ours, int theirs) const;
  void compare(const char *what, int theirs) const;
  void printHead(int rounds) const;

  Runtime runtime; // makes the device
  Minimal loop;
  Scheduled scheduled;
  VkCommandBuffer one, many, again[3];
  sparkle_recording_t *recordedOne, *recordedMany;
  uint32_t steps = 1; ///< Of the host's work.
  volatile float result = 0;
  Way all[ways];
};

const VulkanWitness &Benchmark::findWitness() {
  // The runtime has opened it.
  void *library = dlopen(SPARKLE_TEST_WITNESS, RTLD_NOW | RTLD_NOLOAD);
  auto *witness = static_cast<const VulkanWitness *>(
      library ? dlsym(library, "vulkanWitness") : nullptr);
  if (!witness || !witness->queue)
    fail("expected the runtime to have made a device, but saw none");
  return *witness;
}

void Benchmark::describe() {
  all[LoopInFlight] = {
      20,
      [&](uint32_t n) { fly(n, [&](uint32_t) { return loop.submit(one); }); },
      {}};
  all[RuntimeInFlight] = {20,
                          [&](uint32_t n) {
                            flyThrough(
                                n, [&] { return runtime.submit(recordedOne); });
                          },
                          {}};
  all[LoopWaiting] = {20,
                      [&](uint32_t n) {
                        for (uint32_t i = 0; i < n; ++i)
                          loop.wait(loop.submit(one));
                      },
                      {}};
  all[RuntimeWaiting] = {20,
                         [&](uint32_t n) {
                           for (uint32_t i = 0; i < n; ++i)
                             runtime.wait(runtime.submit(recordedOne));
                         },
                         {}};
  all[LoopWorking] = {20, [&](uint32_t n) { workByLoop(n); }, {}};
  all[RuntimeWorking] = {20, [&](uint32_t n) { workByRuntime(n); }, {}};
  all[LoopCopying] = {20, [&](uint32_t n) { copyByLoop(n); }, {}};
  all[StreamCopying] = {20, [&](uint32_t n) { copyByStream(n); }, {}};
  describeScheduler();
  describeTogether();
}

/// Both copy in and out. The stream's results are in the caller's memory when
/// it is waited for, the scheduler's always.
void Benchmark::describeScheduler() {
  all[StreamInFlight] = {20, [&](uint32_t n) { copyByStream(n); }, {}};
  all[SchedulerInFlight] = {20,
                            [&](uint32_t n) {
                              uint64_t ticket = 0;
                              for (uint32_t i = 0; i < n; ++i) {
                                ticket = scheduled.submit(i % 3);
                                if (i >= 2)
                                  scheduled.wait(ticket - 2);
                              }
                              scheduled.wait(ticket);
                            },
                            {}};
  all[StreamWaiting] = {20,
                        [&](uint32_t n) {
                          for (uint32_t i = 0; i < n; ++i)
                            runtime.waitForStream(
                                runtime.submitToStream(i % 3));
                        },
                        {}};
  all[SchedulerWaiting] = {20,
                           [&](uint32_t n) {
                             for (uint32_t i = 0; i < n; ++i)
                               scheduled.wait(scheduled.submit(i % 3));
                           },
                           {}};
}

void Benchmark::describeTogether() {
  all[LoopTogether] = {
      4,
      [&](uint32_t n) { fly(n, [&](uint32_t) { return loop.submit(many); }); },
      {}};
  all[RuntimeTogether] = {
      4,
      [&](uint32_t n) {
        flyThrough(n, [&] { return runtime.submit(recordedMany); });
      },
      {}};
  all[LoopRecording] = {4,
                        [&](uint32_t n) {
                          fly(n, [&](uint32_t i) {
                            loop.record(again[i % 3], together);
                            return loop.submit(again[i % 3]);
                          });
                        },
                        {}};
  all[RuntimeRecording] = {
      4,
      [&](uint32_t n) {
        flyThrough(n, [&] { return runtime.submitCommands(together); });
      },
      {}};
}

void Benchmark::copyByLoop(uint32_t submissions) {
  for (uint32_t i = 0; i < submissions; ++i) {
    std::copy(runtime.input.begin(), runtime.input.end(), loop.getInput());
    loop.wait(loop.submit(one));
    std::copy(loop.getOutput(), loop.getOutput() + count,
              runtime.output[i % 3].begin());
  }
}

/// Two results behind, as a program that reads them does.
void Benchmark::copyByStream(uint32_t submissions) {
  uint64_t ticket = 0;
  for (uint32_t i = 0; i < submissions; ++i) {
    ticket = runtime.submitToStream(i % 3);
    if (i >= 2)
      runtime.waitForStream(ticket - 2);
  }
  runtime.waitForStream(ticket);
}

/// What a program does with a result, or for the next one.
void Benchmark::work() {
  float sum = result;
  for (uint32_t i = 0; i < steps; ++i)
    sum = sum * 0.5f + 1; // each waits for the one before
  result = sum;
}

void Benchmark::workByLoop(uint32_t submissions) {
  for (uint32_t i = 0; i < submissions; ++i) {
    loop.wait(loop.submit(one));
    work();
  }
}

void Benchmark::workByRuntime(uint32_t submissions) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < submissions; ++i) {
    value = runtime.submit(recordedOne);
    if (i < 2)
      continue;
    runtime.wait(value - 2);
    work();
  }
  work(); // for the last two
  work();
  runtime.wait(value);
}

/// As much work for the host as a submission is for the device.
void Benchmark::calibrate() {
  std::vector<double> submission, step;
  for (int i = 0; i < 21; ++i) {
    submission.push_back(measure(all[LoopInFlight]));
    steps = 10000;
    step.push_back(measure({1, [&](uint32_t) { work(); }, {}}) / steps);
  }
  steps = uint32_t(getMedian(submission) / getMedian(step));
}

/// Microseconds of a submission.
double Benchmark::measure(const Way &way) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  way.run(way.submissions);
  std::chrono::duration<double, std::micro> spent = Clock::now() - begin;
  return spent.count() / way.submissions;
}

/// Each round in an order of its own: what runs before leaves the driver's
/// threads on one processor or another.
void Benchmark::run(int rounds, int begin, int end) {
  std::minstd_rand random(1);
  std::vector<int> order(end - begin);
  std::iota(order.begin(), order.end(), begin);
  for (int round = -1; round < rounds; ++round) { // the first one warms up
    std::shuffle(order.begin(), order.end(), random);
    for (int way : order) {
      double time = measure(all[way]);
      if (round >= 0)
        all[way].times.push_back(time);
    }
  }
}

void Benchmark::run(int rounds) {
  calibrate();
  run(rounds, 0, LoopTogether);
  run((rounds + 3) / 4, LoopTogether, ways);
  bool isRight = runtime.isRight() && isAffine(loop.getOutput());
  for (uint32_t slot = 0; slot < 3; ++slot)
    isRight &= isAffine(scheduled.getOutput(slot));
  if (!isRight)
    fail("expected y = 2 x + 1, but the kernel wrote something else");
}

/// The median of the rounds' ratios.
double Benchmark::getRatio(int above, int below) const {
  std::vector<double> ratios;
  for (size_t i = 0; i < all[above].times.size(); ++i)
    ratios.push_back(all[above].times[i] / all[below].times[i]);
  return getMedian(ratios);
}

/// The median of the rounds' differences, for each dispatch.
double Benchmark::getExcess(int ours, int theirs) const {
  std::vector<double> differences;
  for (size_t i = 0; i < all[ours].times.size(); ++i)
    differences.push_back((all[ours].times[i] - all[theirs].times[i]) /
                          together);
  return getMedian(differences);
}

void Benchmark::compare(const char *what, int theirs) const {
  std::printf("%-44s %9.2f %9.2f %8.2f\n", what, getMedian(all[theirs].times),
              getMedian(all[theirs + 1].times), getRatio(theirs + 1, theirs));
}

void Benchmark::printHead(int rounds) const {
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
  std::printf("medians of %d rounds in random order, and of their ratios\n\n",
              rounds);
  std::printf("%-44s %9s %9s %8s\n", "microseconds for each submission",
              "minimal", "runtime", "ratio");
}

void Benchmark::print(int rounds) const {
  printHead(rounds);
  compare("recorded once, three in flight", LoopInFlight);
  compare("recorded once, waited for one by one", LoopWaiting);
  compare("as much work for the host: waiting, in flight", LoopWorking);
  compare("with copies: loop waiting, stream", LoopCopying);
  compare("100 dispatches recorded once, in flight", LoopTogether);
  compare("100 dispatches recorded each time, in flight", LoopRecording);
  std::printf("\n%-44s %9s %9s %8s\n", "microseconds for each submission",
              "stream", "scheduler", "ratio");
  compare("with copies, three in flight", StreamInFlight);
  compare("with copies, waited for one by one", StreamWaiting);
  auto say = [](const char *what, double value, const char *aim) {
    std::printf("%-54s %6.2f  (%s)\n", what, value, aim);
  };
  std::printf("\n");
  say("cost of a submission in flight, of the loop's",
      getRatio(RuntimeInFlight, LoopInFlight), "aim: at most 1.15");
  say("throughput in flight, of the loop's that waits",
      getRatio(LoopWaiting, RuntimeInFlight), "aim: at least 1.3");
  say("what the driver gives the loop itself in flight",
      getRatio(LoopWaiting, LoopInFlight), "the driver's bound of it");
  say("throughput beside as much work of the host",
      getRatio(LoopWorking, RuntimeWorking), "aim: at least 1.3");
  say("throughput of a stream, of the loop's that waits",
      getRatio(LoopCopying, StreamCopying), "aim: at least 1.3");
  say("microseconds above the loop for each of 100, replayed",
      getExcess(RuntimeTogether, LoopTogether), "aim: below 1");
  say("microseconds above the loop for each of 100, recorded",
      getExcess(RuntimeRecording, LoopRecording), "aim: below 1");
}

} // namespace

int main(int argumentCount, char **arguments) {
  int rounds = argumentCount > 1 ? std::atoi(arguments[1]) : 301;
  if (rounds < 1)
    fail("expected a positive number of rounds");
  setenv("SPARKLE_VULKAN_LIBRARY", SPARKLE_TEST_WITNESS, 1);
  Benchmark benchmark;
  benchmark.run(rounds);
  benchmark.print(rounds);
  return 0;
}
