// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three arrays, larger than the caches or small enough for the L2 of each
// thread; the best of a few rounds counts.

#include "runtime/Device/CPU/Bandwidth.h"
#include "runtime/Device/CPU/Device.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cstring>
#include <pthread.h>
#include <unistd.h>

namespace sparkle::runtime {
namespace {

/// Of each far array, for each thread: three of them are more than the share
/// of one processor in the last cache. New pages are what takes the time.
constexpr uint64_t threadBytes = UINT64_C(2) << 20;
constexpr uint64_t minArrayBytes = UINT64_C(32) << 20;
constexpr uint64_t maxArrayBytes = UINT64_C(128) << 20;
constexpr int rounds = 3;
/// Seconds that a round in near memory takes.
constexpr double nearSeconds = 0.001;
constexpr int nearRounds = 5;

double getSeconds(uint64_t begin) {
  return 1e-9 * static_cast<double>(getNanoseconds() - begin);
}

/// One thread's part of a = b + 0.5 c, done some times over.
struct Part {
  float *a;
  const float *b, *c;
  uint64_t count;
  uint64_t repetitions;
  pthread_t thread;

  static void *run(void *part) {
    static_cast<Part *>(part)->add();
    return nullptr;
  }
  void add() const {
    for (uint64_t repetition = 0; repetition < repetitions; ++repetition) {
      for (uint64_t i = 0; i < count; ++i)
        a[i] = b[i] + 0.5f * c[i];
      // The same again: no compiler may leave it out.
      asm volatile("" ::: "memory");
    }
  }
};

/// One round, threads started and joined: some 20 us of 1 ms and more. A
/// thread that the system does not give is done without.
double runRound(std::vector<Part> &parts) {
  uint64_t begin = getNanoseconds();
  std::vector<bool> isStarted(parts.size());
  for (size_t i = 1; i < parts.size(); ++i)
    isStarted[i] =
        pthread_create(&parts[i].thread, nullptr, Part::run, &parts[i]) == 0;
  for (size_t i = 0; i < parts.size(); ++i)
    if (!isStarted[i])
      parts[i].add();
  for (size_t i = 0; i < parts.size(); ++i)
    if (isStarted[i])
      pthread_join(parts[i].thread, nullptr);
  return getSeconds(begin);
}

} // namespace

Status measureBandwidth(uint32_t threads, double &kernel, double &copy) {
  const uint64_t arrayBytes =
      std::clamp(threads * threadBytes, minArrayBytes, maxArrayBytes);
  Ref<CpuMemory> arrays[3];
  for (Ref<CpuMemory> &array : arrays) {
    if (Status status = CpuMemory::allocate(arrayBytes, 64, array);
        !status.isOk())
      return status;
    std::memset(array->bytes, 0, arrayBytes);
  }
  float *start[3];
  for (int i = 0; i < 3; ++i)
    start[i] = static_cast<float *>(arrays[i]->bytes);
  const uint64_t total = arrayBytes / sizeof(float);
  std::vector<Part> parts;
  for (uint64_t i = 0; i < threads; ++i) {
    uint64_t from = total * i / threads, to = total * (i + 1) / threads;
    parts.push_back(
        {start[0] + from, start[1] + from, start[2] + from, to - from, 1, {}});
  }
  double bestKernel = 1e300, bestCopy = 1e300;
  for (int round = 0; round < rounds; ++round) {
    bestKernel = std::min(bestKernel, runRound(parts));
    uint64_t begin = getNanoseconds();
    std::memcpy(start[0], start[1], arrayBytes);
    bestCopy = std::min(bestCopy, getSeconds(begin));
  }
  kernel = static_cast<double>(3 * arrayBytes) / bestKernel * 1e-9;
  copy = static_cast<double>(arrayBytes) / bestCopy * 1e-9;
  return {};
}

/// Half of what one processor has, as the other half may be another's.
static uint64_t getNearBytes() {
  long size = -1;
#ifdef _SC_LEVEL2_CACHE_SIZE
  size = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  // Where the system does not say, it gives 0 or -1.
  return size > 0 ? std::clamp<uint64_t>(size / 2, 64 << 10, 1 << 20)
                  : 256 << 10;
}

Status measureNearBandwidth(uint32_t threads, double &near) {
  const uint64_t count = getNearBytes() / 3 / 64 * 16; // of each array
  const uint64_t bytes = 3 * count * sizeof(float);
  std::vector<Ref<CpuMemory>> memory(threads);
  std::vector<Part> parts;
  for (Ref<CpuMemory> &own : memory) {
    if (Status status = CpuMemory::allocate(bytes, 4096, own); !status.isOk())
      return status;
    std::memset(own->bytes, 0, bytes);
    float *start = static_cast<float *>(own->bytes);
    parts.push_back({start, start + count, start + 2 * count, count, 10, {}});
  }
  parts[0].add();
  uint64_t begin = getNanoseconds();
  parts[0].add();
  uint64_t repetitions =
      static_cast<uint64_t>(10 * nearSeconds /
                            std::max(getSeconds(begin), 1e-6)) +
      1;
  for (Part &part : parts)
    part.repetitions = repetitions;
  double best = 1e300;
  for (int round = 0; round < nearRounds; ++round)
    best = std::min(best, runRound(parts));
  near = static_cast<double>(bytes * repetitions * threads) / best * 1e-9;
  return {};
}

Status measureLaunch(Device &device, double &nanoseconds) {
  constexpr int launches = 200;
  Ref<Queue> queue;
  if (Status status = device.createQueue(queue); !status.isOk())
    return status;
  Ref<Recording> recording;
  if (Status status = device.createRecording({}, recording); !status.isOk())
    return status;
  double best = 1e300;
  for (int i = 0; i < launches; ++i) {
    uint64_t value = 0, begin = getNanoseconds();
    if (Status status =
            queue->submit({*recording, nullptr, nullptr, 0, 0, 0}, value);
        !status.isOk())
      return status;
    if (Status status = queue->timeline().wait(value, SPARKLE_FOREVER);
        !status.isOk())
      return status;
    best = std::min(best, 1e9 * getSeconds(begin));
  }
  nanoseconds = best;
  return {};
}

} // namespace sparkle::runtime
