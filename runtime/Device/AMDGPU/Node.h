// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A render node of the kernel's driver, what it says about its GPU, and whether
// that is one that the runtime knows.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_NODE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_NODE_H

#include "runtime/Device/AMDGPU/Drm.h"
#include "runtime/Device/AMDGPU/Packet.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sparkle::runtime {

/// An opened render node. Its objects own it.
class Node : public Counted {
public:
  /// Appends the nodes that are usable in the order of their numbers, and why
  /// others are not, those of other drivers last. SPARKLE_UNAVAILABLE if there
  /// is none of either kind.
  static Status findAll(const Ref<DrmLibrary> &library,
                        std::vector<Ref<Node>> &nodes,
                        std::vector<Status> &reasons);
  ~Node() override;

  const DrmFunctions &functions() const { return library->functions(); }
  amdgpu_device_handle handle() const { return device; }

  /// What --gpu calls the processor whose code it runs.
  const char *processor() const { return chip; }
  GpuGeneration generation() const { return packets; }
  /// Host and device share one memory.
  bool isUnified() const { return info.ids_flags & AMDGPU_IDS_FLAGS_FUSION; }
  /// Compute rings that there are.
  const std::vector<uint32_t> &rings() const { return available; }
  /// Indirect buffers begin at multiples of this, in bytes. As in Mesa; the
  /// driver asks for 32.
  static constexpr uint32_t ibAlignment() { return 256; }
  /// Of timestamps, in kHz; 0: there are none.
  uint32_t clock() const { return info.gpu_counter_freq; }
  /// Float operations that the whole device does in a second at most.
  double peak() const;
  uint32_t computeUnits() const { return info.cu_active_number; }
  const drm_amdgpu_memory_info &memory() const { return heaps; }
  /// "; page fault at 0x1234500000": where the GPU last failed to translate an
  /// address, if the driver says so, which it does from interface 3.55 on; and
  /// behind which object, if there is one close by. Else empty.
  std::string describePageFault();
  /// Objects that are mapped, for that.
  void addRange(uint64_t address, uint64_t size);
  void removeRange(uint64_t address);

  void describe(uint32_t index, sparkle_device_properties_t &out) const;

private:
  explicit Node(Ref<DrmLibrary> library, std::string path)
      : library(std::move(library)), path(std::move(path)) {}

  Status checkDriver(int file);
  Status open(int file);
  Status inspect();
  Status identify();
  Status findRings();

  const Ref<DrmLibrary> library;
  const std::string path;
  amdgpu_device_handle device = nullptr;
  amdgpu_gpu_info info = {};
  drm_amdgpu_memory_info heaps = {};
  std::string product;
  int major = 0, minor = 0, patch = 0; // of the driver's interface
  const char *chip = nullptr;
  GpuGeneration packets = GpuGeneration::Gfx11;
  std::vector<uint32_t> available;
  std::mutex mutex; // of what follows
  std::map<uint64_t, uint64_t> ranges;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_NODE_H
