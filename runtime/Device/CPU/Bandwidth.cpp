// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three arrays far larger than the caches; the best of a few rounds counts.

#include "runtime/Device/CPU/Bandwidth.h"
#include "runtime/Device/CPU/Device.h"
#include "runtime/Thread.h"

#include <algorithm>
#include <cstring>
#include <pthread.h>

namespace sparkle::runtime {
namespace {

constexpr uint64_t arrayBytes = UINT64_C(64) << 20;
constexpr int rounds = 5;

double getSeconds(uint64_t begin) {
  return 1e-9 * static_cast<double>(getNanoseconds() - begin);
}

/// One thread's part of a = b + 0.5 c.
struct Part {
  float *a;
  const float *b, *c;
  uint64_t count;
  pthread_t thread;

  static void *run(void *part) {
    static_cast<Part *>(part)->add();
    return nullptr;
  }
  void add() const {
    for (uint64_t i = 0; i < count; ++i)
      a[i] = b[i] + 0.5f * c[i];
  }
};

/// One round, threads started and joined: some 20 us of 10 ms and more. A
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
  constexpr uint64_t total = arrayBytes / sizeof(float);
  std::vector<Part> parts;
  for (uint64_t i = 0; i < threads; ++i) {
    uint64_t from = total * i / threads, to = total * (i + 1) / threads;
    parts.push_back(
        {start[0] + from, start[1] + from, start[2] + from, to - from, {}});
  }
  double bestKernel = 1e300, bestCopy = 1e300;
  for (int round = 0; round < rounds; ++round) {
    bestKernel = std::min(bestKernel, runRound(parts));
    uint64_t begin = getNanoseconds();
    std::memcpy(start[0], start[1], arrayBytes);
    bestCopy = std::min(bestCopy, getSeconds(begin));
  }
  kernel = 3 * arrayBytes / bestKernel * 1e-9;
  copy = arrayBytes / bestCopy * 1e-9;
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
