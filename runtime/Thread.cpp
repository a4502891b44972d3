// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Detached threads, on top of pthreads.

#include "runtime/Thread.h"

#include <cstdlib>
#include <new>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

namespace sparkle::runtime {
namespace {

struct Start {
  void (*run)(void *argument);
  void *argument;
};

/// Of a thread's stack at least: kernels keep temps there (docs/artifact.md),
/// whatever the process was limited to. `unlimited` is 2 MiB to glibc.
constexpr size_t leastStack = 8 << 20;

// Of the process, as its end is.
pthread_once_t once = PTHREAD_ONCE_INIT;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
unsigned callCount = 0;
bool isEnding = false;

/// Runs before what was loaded before ends: handlers go in reverse order.
void endCalls() {
  pthread_mutex_lock(&mutex);
  isEnding = true;
  while (callCount)
    pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
}

/// Of the threads of its parent a forked process has none.
void forgetCalls() {
  mutex = PTHREAD_MUTEX_INITIALIZER;
  changed = PTHREAD_COND_INITIALIZER;
  callCount = 0;
}

/// Waits for the calls under way as the main thread ends, which is before any
/// handler: a driver that compiles when work first runs, in its own thread,
/// registers handlers after ours, and they would go first.
struct MainThread {
  bool isMain = gettid() == getpid();

  ~MainThread() {
    if (!isMain)
      return;
    pthread_mutex_lock(&mutex);
    while (callCount)
      pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
  }
};

thread_local MainThread mainThread;

void *begin(void *given) {
  Start start = *static_cast<Start *>(given);
  delete static_cast<Start *>(given);
  start.run(start.argument);
  return nullptr;
}

} // namespace

void DriverCall::begin() {
  pthread_mutex_lock(&mutex);
  while (isEnding)
    pthread_cond_wait(&changed, &mutex);
  ++callCount;
  pthread_mutex_unlock(&mutex);
}

bool DriverCall::tryBegin() {
  pthread_mutex_lock(&mutex);
  bool isOpen = !isEnding;
  callCount += isOpen;
  pthread_mutex_unlock(&mutex);
  return isOpen;
}

void DriverCall::end() {
  pthread_mutex_lock(&mutex);
  --callCount;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

Status startThread(void (*run)(void *argument), void *argument) {
  pthread_once(&once, [] {
    std::atexit(endCalls);
    pthread_atfork(nullptr, nullptr, forgetCalls);
  });
  static_cast<void>(mainThread.isMain); // the use makes it
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  size_t stack = 0;
  pthread_attr_getstacksize(&attributes, &stack);
  if (stack < leastStack)
    pthread_attr_setstacksize(&attributes, leastStack);
  auto *start = new Start{run, argument};
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, begin, start);
  pthread_attr_destroy(&attributes);
  if (error == 0)
    return {};
  delete start;
  return Status::failure(SPARKLE_OUT_OF_RESOURCES,
                         "expected one more thread, but the system gave none");
}

uint64_t getNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u +
         static_cast<uint64_t>(time.tv_nsec);
}

} // namespace sparkle::runtime
