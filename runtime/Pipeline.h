// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel needs around it: buffers that both sides reach, weights brought
// over once, and queues on which copies run beside kernels. The same for every
// device, on top of buffers, recordings and queues.

#ifndef SPARKLE_RUNTIME_PIPELINE_H
#define SPARKLE_RUNTIME_PIPELINE_H

#include "runtime/Module.h"

namespace sparkle::runtime {

/// Memory of an argument: `device` is what the kernel uses; `host` what the
/// host sees, the same buffer where that is possible.
struct Place {
  Ref<Buffer> device, host;
  bool isShared() const { return device.get() == host.get(); }
};

/// memory: of the staging buffer, where one is needed.
Status createPlace(Device &device, uint64_t size, sparkle_memory_t memory,
                   Place &place);

/// Copies the whole of a buffer to another one, equally long.
Command makeCopy(const Ref<Buffer> &from, const Ref<Buffer> &to);

/// The three steps of one run; only `compute` where one queue does everything.
struct Steps {
  Ref<Recording> upload, compute, readback;
};

/// Copies have queues of their own where they run beside kernels; otherwise one
/// queue does everything.
class Pipeline {
public:
  Status create(Device &device);

  /// Records copies to the device, the kernel, and copies back.
  Status record(std::vector<Command> uploads, Command kernel,
                std::vector<Command> readbacks, Steps &steps) const;
  /// kernel: what the kernels' timeline reaches, last: what that of the last
  /// step does. flags: of the kernel's submission.
  Status submit(const Steps &steps, uint32_t flags, uint64_t &kernel,
                uint64_t &last) const;

  /// The queue that runs kernels, and the one whose timeline says that all
  /// steps are done.
  Queue &kernels() const { return *computing; }
  Queue &last() const { return *readingBack; }

private:
  Ref<Queue> uploading, computing, readingBack;
};

/// Packs weights for a variant and brings them to the device, over `queue`.
/// sources: a pointer for each argument, those of weights in their declared
/// layout. buffers: one for each argument; null unless it is a weight.
Status placeWeights(Module &module, uint32_t variant, const int64_t *sizes,
                    const void *const *sources, Queue &queue,
                    std::vector<Ref<Buffer>> &buffers);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_PIPELINE_H
