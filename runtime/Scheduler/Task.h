// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel at one set of sizes, with its weights: sparkle_task_t.

#ifndef SPARKLE_RUNTIME_SCHEDULER_TASK_H
#define SPARKLE_RUNTIME_SCHEDULER_TASK_H

#include "runtime/Bands.h"
#include "runtime/Device/CPU/Device.h"
#include "runtime/Pipeline.h"
#include "runtime/Scheduler/History.h"
#include "runtime/Scheduler/Model.h"
#include "runtime/Scheduler/Scheduler.h"

namespace sparkle::runtime {

class Task final : public Counted {
public:
  static Status create(Scheduler &scheduler, const sparkle_kernel_t &kernel,
                       const int64_t *sizes, uint32_t sizeCount,
                       const void *const *weights, uint32_t argumentCount,
                       Ref<Task> &task);

  Engine &engine() const { return owner->engine(); }
  const sparkle_kernel_t &kernel() const { return description; }
  const std::vector<int64_t> &sizes() const { return callSizes; }
  /// The tensors without temps.
  const std::vector<const sparkle_tensor_t *> &arguments() const {
    return tensors;
  }
  /// Of an argument in its declared layout.
  uint64_t bytes(uint32_t argument) const { return argumentBytes[argument]; }
  /// How its runs are divided. Null: into bands, if into anything.
  const sparkle_split_t *split() const { return division; }
  const Bands &bands() const { return bandsOfOutput; }
  Status predict(size_t device, sparkle_prediction_t &prediction);

  /// What a lane made of it; of the thread that sends there only.
  struct Prepared {
    uint64_t generation = 0; // of the lane
    Ref<Module> module;
    uint32_t variant = 0;
    std::vector<Ref<Buffer>> weights; // for each argument; null: none
  };
  bool isPrepared(uint32_t device, uint64_t generation) const {
    return prepared[device].module && prepared[device].generation == generation;
  }
  /// Makes it ready on a device, unless it is.
  Status prepare(Device &device, Queue &queue, uint64_t generation,
                 Prepared &prepared) const;

  std::vector<Prepared> prepared; // one for each device
  TaskModel model;                // under the engine's mutex
  std::vector<HistoryKey> keys;   // of whole runs, for each device

private:
  Task(Scheduler &scheduler, const sparkle_kernel_t &kernel);
  Status measureArguments();
  Status copyWeights(const void *const *weights, uint32_t count);
  void chooseDivision(const std::vector<const sparkle_code_t *> &codes);
  Status describeDevices();
  void describeDevice(uint32_t index,
                      const std::vector<const sparkle_code_t *> &codes);

  const Ref<Scheduler> owner;
  const sparkle_kernel_t &description;
  const Mapping mapping;
  std::vector<const sparkle_tensor_t *> tensors;
  std::vector<int64_t> callSizes;
  const sparkle_split_t *division = nullptr;
  Bands bandsOfOutput;
  std::vector<uint64_t> argumentBytes;
  std::vector<Ref<CpuMemory>> weightBytes; // for each argument, or null
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_SCHEDULER_TASK_H
