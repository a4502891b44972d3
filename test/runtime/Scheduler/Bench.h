// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three devices of even numbers, and a dispatcher that is told what they do.

#ifndef SPARKLE_TEST_RUNTIME_SCHEDULER_BENCH_H
#define SPARKLE_TEST_RUNTIME_SCHEDULER_BENCH_H

#include "runtime/Scheduler/Dispatcher.h"

#include <gtest/gtest.h>

#include <string>

namespace sparkle::runtime {

enum : uint32_t { host, card, other };

constexpr uint64_t millisecond = 1'000'000;

struct TestRequest : Request {
  double getUpload(uint32_t device) const override { return uploads[device]; }
  double getReused() const override { return reused; }
  double uploads[3] = {0, 0, 0};
  double reused = 0;
};

/// The host's processor: 100 GFLOPS, launched in 2 us. A card: 1000 GFLOPS, 10
/// GB/s to it, launched in 20 us; and another, half as fast, if there are
/// three.
inline std::vector<DeviceModel> makeModels(size_t count) {
  std::vector<DeviceModel> models(count);
  models[host].performance = {100, 50, 10, 2e3, 100};
  models[host].sharesMemory = true;
  if (count > card)
    models[card].performance = {1000, 500, 10, 2e4, 1000};
  if (count > other)
    models[other].performance = {500, 250, 10, 2e4, 500};
  for (size_t i = 0; i < count; ++i)
    models[i].resource = static_cast<uint32_t>(i);
  return models;
}

struct Bench {
  explicit Bench(size_t devices = 2, Dispatcher::Options options = {})
      : dispatcher(options, makeModels(devices)) {}

  /// known: the devices that have run it, at half of their peaks.
  /// slow: by how much the host is slower than that.
  TaskModel makeTask(double operations, uint64_t known = ~uint64_t(0),
                     double slow = 1) {
    TaskModel task;
    task.devices.resize(dispatcher.devices().size());
    for (size_t i = 0; i < task.devices.size(); ++i) {
      Behaviour &behaviour = task.devices[i];
      behaviour.isPossible = true;
      behaviour.demand.operations = operations;
      const auto &model = dispatcher.devices()[i].model;
      behaviour.bound = getBound(behaviour.demand, model.performance);
      for (int run = 0; run < 3 && known >> i & 1; ++run)
        behaviour.whole.add(behaviour.bound * (i == host ? 2 * slow : 2));
    }
    return task;
  }

  /// Starts what can be started; the pieces in order.
  std::vector<Piece> start() {
    std::vector<Piece> pieces;
    for (Piece piece; dispatcher.next(now, piece);)
      pieces.push_back(piece);
    return pieces;
  }
  std::vector<Piece> submit(TestRequest &request, TaskModel &task) {
    request.task = &task;
    EXPECT_TRUE(dispatcher.add(request));
    return start();
  }
  /// As predicted, times `factor`.
  bool finish(const Piece &piece, double factor = 1) {
    now += static_cast<uint64_t>(piece.getTime() * factor);
    double kernel = piece.kernel * factor;
    return dispatcher.finish(piece, now, kernel);
  }
  bool fail(const Piece &piece, bool isDevice) {
    return dispatcher.fail(piece, now,
                           Status::failure(SPARKLE_DEVICE_LOST, "no answer"),
                           isDevice);
  }

  Dispatcher dispatcher;
  uint64_t now = millisecond;
};

inline std::string say(const Request &request) {
  const char *const names[] = {"host", "card", "other"};
  char text[192];
  describe(request, names, text, sizeof(text));
  return text;
}

} // namespace sparkle::runtime

#endif // SPARKLE_TEST_RUNTIME_SCHEDULER_BENCH_H
