// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kernel whose inputs keep coming: sparkle_stream_t. The same for every
// device, on top of buffers, recordings and queues.

#ifndef SPARKLE_RUNTIME_STREAM_H
#define SPARKLE_RUNTIME_STREAM_H

#include "runtime/Pipeline.h"

#include <mutex>

namespace sparkle::runtime {

class Stream final : public Counted {
public:
  /// weights: a pointer for each argument, those of weights in their declared
  /// layout.
  static Status create(Module &module, const int64_t *sizes, uint32_t sizeCount,
                       const void *const *weights, uint32_t argumentCount,
                       Ref<Stream> &stream);

  Status submit(void *const *arguments, uint32_t argumentCount,
                uint64_t &ticket);
  Status wait(uint64_t ticket, uint64_t timeout);

private:
  static constexpr uint64_t slotCount = 3;

  struct Slot {
    std::vector<Place> places; // one for each argument that is no weight
    Steps steps;
    uint64_t value = 0; // of the last queue, when the slot's ticket is done
    std::vector<void *> outputs; // the caller's, for each argument
  };

  explicit Stream(Module &module)
      : module(Ref<Module>::share(&module)), variant(module.current()) {}

  Status measureArguments(const int64_t *sizes, uint32_t sizeCount);
  Status createSlot(Slot &slot);
  Status record(Slot &slot);
  Status checkPointers(const void *const *pointers, uint32_t count,
                       bool areWeights) const;
  void drain(uint64_t ticket);
  bool isWeight(uint32_t argument) const {
    return module->argument(argument).role == SPARKLE_ROLE_WEIGHT;
  }
  bool isOutput(uint32_t argument) const {
    return module->argument(argument).role == SPARKLE_ROLE_OUTPUT;
  }

  const Ref<Module> module;
  const uint32_t variant;
  std::vector<int64_t> sizes;
  std::vector<uint64_t> bytes;      // of each argument
  uint64_t workspace = 0;           // bytes
  std::vector<Ref<Buffer>> weights; // for each argument; null unless a weight
  Pipeline pipeline;
  Slot slots[slotCount]; // ticket n uses slot n % slotCount

  std::mutex submitting; // held while a ticket is given
  std::mutex mutex;
  uint64_t given = 0;   // tickets; under the mutex, as is `drained`
  uint64_t drained = 0; // tickets whose outputs are in the caller's memory
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_STREAM_H
