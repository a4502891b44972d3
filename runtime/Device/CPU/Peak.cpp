// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Independent multiply-adds in a loop of assembly, so that no compiler and no
// build type changes what is measured.

#include "runtime/Device/CPU/Peak.h"
#include "runtime/Device/CPU/Features.h"

#include <algorithm>
#include <atomic>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <utility>

namespace sparkle::runtime {
namespace {

constexpr uint32_t mostThreads = 1024;
/// Beyond those that are told, where others keep the processors busy.
constexpr int extraRounds = 100;
/// Of a round, what its threads run at least where no one disturbs them.
constexpr double leastShare = 0.95;

#if defined(__x86_64__)
// x = x * c + d with c = 0.75 and d = 0.25 tends to 1: no value is special, and
// none grows. Twelve chains hide the latency of two units of four to five
// cycles each.
#define SPARKLE_PEAK_REGISTERS ".irp r,0,1,2,3,4,5,6,7,8,9,10,11\n"
#define SPARKLE_PEAK_LOOP(begin, body)                                         \
  asm volatile(begin "1:\n" body "dec %0\n"                                    \
                     "jnz 1b\n"                                                \
               : "+r"(count)                                                   \
               : "x"(c), "x"(d)                                                \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
                 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11")

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));

__attribute__((target("avx512f"))) void runAvx512(uint64_t count) {
  Float16 c = Float16{} + 0.75f, d = Float16{} + 0.25f;
  SPARKLE_PEAK_LOOP(SPARKLE_PEAK_REGISTERS "vmovaps %2,%%zmm\\r\n.endr\n",
                    SPARKLE_PEAK_REGISTERS
                    "vfmadd213ps %2,%1,%%zmm\\r\n.endr\n");
}

__attribute__((target("avx2,fma"))) void runAvx2(uint64_t count) {
  Float8 c = Float8{} + 0.75f, d = Float8{} + 0.25f;
  SPARKLE_PEAK_LOOP(SPARKLE_PEAK_REGISTERS "vmovaps %2,%%ymm\\r\n.endr\n",
                    SPARKLE_PEAK_REGISTERS
                    "vfmadd213ps %2,%1,%%ymm\\r\n.endr\n");
}

/// Multiplications and additions run side by side, in chains of their own.
void runSse(uint64_t count) {
  Float4 c = Float4{} + 1, d = Float4{} + 0.25f;
  SPARKLE_PEAK_LOOP(SPARKLE_PEAK_REGISTERS "movaps %2,%%xmm\\r\n.endr\n",
                    ".irp r,0,1,2,3,4,5\n"
                    "mulps %1,%%xmm\\r\n"
                    ".endr\n"
                    ".irp r,6,7,8,9,10,11\n"
                    "addps %2,%%xmm\\r\n"
                    ".endr\n");
}
#undef SPARKLE_PEAK_REGISTERS
#undef SPARKLE_PEAK_LOOP
#elif defined(__aarch64__)
#define SPARKLE_PEAK_REGISTERS                                                 \
  ".irp r,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27\n"
typedef float Float4 __attribute__((vector_size(16)));

/// x = x + c * d with c * d far below the last digit of x stays what it is.
/// Twenty chains hide the latency of four units of four to five cycles each.
void runNeon(uint64_t count) {
  Float4 c = Float4{} + 0x1p-20f, d = Float4{} + 0x1p-20f;
  asm volatile(SPARKLE_PEAK_REGISTERS "fmov v\\r\\().4s,#1.0\n.endr\n"
                                      "1:\n" SPARKLE_PEAK_REGISTERS
                                      "fmla v\\r\\().4s,%1.4s,%2.4s\n.endr\n"
                                      "subs %0,%0,#1\n"
                                      "b.ne 1b\n"
               : "+r"(count)
               : "w"(c), "w"(d)
               : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16",
                 "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
                 "v26", "v27");
}
#undef SPARKLE_PEAK_REGISTERS
#endif

/// A loop, and what one pass of it computes.
struct Loop {
  void (*run)(uint64_t count);
  uint32_t vectorBits;
  double operations;
};

Status chooseLoop(Loop &loop) {
  uint64_t features = 0;
  if (Status status = queryFeatures(features); !status.isOk())
    return status;
#if defined(__x86_64__)
  if (features & SPARKLE_CPU_AVX512F)
    loop = {runAvx512, 512, 12 * 16 * 2};
  else if (features & SPARKLE_CPU_AVX2 && features & SPARKLE_CPU_FMA)
    loop = {runAvx2, 256, 12 * 8 * 2};
  else
    loop = {runSse, 128, 12 * 4};
#elif defined(__aarch64__)
  loop = {runNeon, 128, 20 * 4 * 2};
#endif
  return {};
}

double now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * time.tv_nsec;
}

/// Threads that run the loop together, round after round: as many rounds as are
/// told, and more, until in the fastest of them no thread had to wait for a
/// processor that others use.
class Crew {
public:
  Crew(Loop loop, uint32_t threads, uint64_t count, int rounds)
      : loop(loop), threads(threads), count(count), rounds(rounds) {}

  /// Runs all rounds; gives the seconds of the fastest.
  Status run(double &seconds);

private:
  static void *start(void *crew) {
    static_cast<Crew *>(crew)->work();
    return nullptr;
  }
  void work();
  void runRounds();
  double meet(double spent = 0);

  Loop loop;
  uint32_t threads;
  uint64_t count;
  int rounds;
  std::atomic<uint32_t> placed{0}, arrived{0}, meetings{0};
  std::atomic<bool> cancelled{false};
  std::atomic<uint64_t> together{0};
  double moment = 0; // of the last meeting; the same for all threads
  double share = 0;  // of the time until then that the threads ran
  double best = 0;
  pthread_t home = pthread_self();
};

/// Waits for all threads; gives the moment at which the last one came. As there
/// may be fewer processors than threads, whoever waits gives way. `spent` are
/// the seconds that the thread ran since the last meeting.
double Crew::meet(double spent) {
  uint32_t meeting = meetings.load();
  together += static_cast<uint64_t>(spent * 1e9);
  if (arrived.fetch_add(1) + 1 == threads) {
    arrived = 0;
    double last = std::exchange(moment, now());
    share = 1e-9 * static_cast<double>(together.exchange(0)) /
            (threads * (moment - last));
    ++meetings;
  }
  while (meetings.load() == meeting && !cancelled)
    sched_yield();
  return moment;
}

/// The number-th of the processors in `from` alone.
cpu_set_t choose(const cpu_set_t &from, uint32_t number) {
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int processor = 0; processor < CPU_SETSIZE; ++processor)
    if (CPU_ISSET(processor, &from) && number-- == 0)
      CPU_SET(processor, &one);
  return one;
}

/// Each thread stays on a processor of its own meanwhile, if there are as many:
/// one that is new shares that of its creator for a while, although another one
/// is idle, which may be as long as all rounds.
void Crew::work() {
  cpu_set_t before;
  bool isKnown = sched_getaffinity(0, sizeof(before), &before) == 0 &&
                 threads <= static_cast<uint32_t>(CPU_COUNT(&before));
  if (isKnown) {
    cpu_set_t one = choose(before, placed.fetch_add(1));
    sched_setaffinity(0, sizeof(one), &one);
  }
  runRounds();
  if (isKnown)
    sched_setaffinity(0, sizeof(before), &before);
}

/// A round lasts from one meeting to the next: no thread computes outside.
/// Everyone has the same numbers, and stops after the same round; the one at
/// home keeps the best.
void Crew::runRounds() {
  double fastest = 1e300;
  bool isUndisturbed = false;
  for (int round = 0; !cancelled && round < rounds + extraRounds &&
                      (round < rounds || !isUndisturbed);
       ++round) {
    double begin = meet();
    double spent = -now(CLOCK_THREAD_CPUTIME_ID);
    loop.run(count);
    spent += now(CLOCK_THREAD_CPUTIME_ID);
    double seconds = meet(spent) - begin;
    if (seconds < fastest) {
      fastest = seconds;
      isUndisturbed = share > leastShare;
    }
  }
  if (pthread_equal(pthread_self(), home))
    best = fastest;
}

Status Crew::run(double &seconds) {
  pthread_t others[mostThreads];
  uint32_t started = 0;
  Status status;
  for (; started + 1 < threads; ++started)
    if (pthread_create(&others[started], nullptr, start, this) != 0) {
      status = Status::failure(SPARKLE_OUT_OF_RESOURCES,
                               "expected %u threads, but the system gave %u",
                               threads, started + 1);
      cancelled = true;
      break;
    }
  if (status.isOk())
    work();
  while (started > 0)
    pthread_join(others[--started], nullptr);
  seconds = best;
  return status;
}

/// Passes of the loop that take about a millisecond: short enough that some
/// round meets no interrupt.
uint64_t calibrate(const Loop &loop) {
  constexpr uint64_t trial = 100000;
  loop.run(trial);
  double begin = now(CLOCK_THREAD_CPUTIME_ID);
  loop.run(trial);
  double seconds = now(CLOCK_THREAD_CPUTIME_ID) - begin;
  return static_cast<uint64_t>(trial * 0.001 / seconds) + 1;
}

} // namespace

uint32_t countProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    return 1;
  return std::max(1, CPU_COUNT(&set));
}

Status measurePeak(uint32_t threads, int rounds, sparkle_cpu_peak_t &peak) {
  if (threads > mostThreads)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected at most %u threads, but got %u",
                           mostThreads, threads);
  Loop loop{};
  if (Status status = chooseLoop(loop); !status.isOk())
    return status;
  if (threads == 0)
    threads = std::min(countProcessors(), mostThreads);

  uint64_t count = calibrate(loop);
  double seconds = 0;
  if (Status status = Crew(loop, threads, count, rounds).run(seconds);
      !status.isOk())
    return status;
  double operations = loop.operations * static_cast<double>(count) * threads;
  peak = {operations / seconds * 1e-9, threads, loop.vectorBits};
  return {};
}

} // namespace sparkle::runtime
