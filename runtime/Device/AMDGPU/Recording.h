// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Commands as indirect buffers, written once.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDING_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDING_H

#include "runtime/Device/AMDGPU/Check.h"
#include "runtime/Device/AMDGPU/Program.h"

namespace sparkle::runtime {

/// Owns its buffers, programs and workspace. It may be in flight several times
/// on one queue, which runs it in order, so that one workspace is enough.
class AMDGPURecording : public Recording {
public:
  static Status create(AMDGPUDevice &device, std::vector<Command> commands,
                       Ref<Recording> &recording);

  /// An indirect buffer, which is a submission of its own.
  struct Part {
    uint64_t offset; // in the memory, bytes
    Words words;
    std::vector<uint32_t> launches; // of its dispatches, of `launches()`
  };

  const std::vector<Part> &parts() const { return buffers; }
  /// A part as it is submitted.
  CheckedBuffer describe(size_t part) const;
  const std::vector<CheckedLaunch> &launches() const { return checked; }
  /// With the arguments of kernels, then the parts. Null if there are none.
  const Ref<BufferObject> &memory() const { return object; }
  /// All that the commands use, each once, in order of their addresses.
  const std::vector<Ref<BufferObject>> &objects() const { return used; }
  /// Code is there, whatever the device's memory has lost.
  void restorePrograms() const;

  /// The kernel's list of all that a submission on a queue uses: those objects
  /// and the queue's page. The queue has this number, which no other has.
  Status getList(uint64_t queue, const BufferObject &page,
                 amdgpu_bo_list_handle &list);

private:
  friend class AMDGPURecorder;

  struct List {
    uint64_t queue;
    amdgpu_bo_list_handle handle;
  };

  AMDGPURecording(AMDGPUDevice &device, std::vector<Command> commands)
      : Recording(device), amdgpu(device), commands(std::move(commands)) {}
  ~AMDGPURecording() override;

  Status check() const;
  Status createWorkspace();
  Status write();
  void collectObjects();

  AMDGPUDevice &amdgpu;
  std::vector<Command> commands;
  Ref<BufferObject> workspace; // null if no command wants one
  Ref<BufferObject> object;
  std::vector<Part> buffers;
  std::vector<CheckedLaunch> checked;
  std::vector<Ref<BufferObject>> used;
  std::mutex mutex;
  std::vector<List> lists; // under the mutex
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDING_H
