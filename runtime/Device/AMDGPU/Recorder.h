// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the packets of one recording.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDER_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDER_H

#include "runtime/Device/AMDGPU/Recording.h"
#include "runtime/Device/AMDGPU/Split.h"

namespace sparkle::runtime {

/// There is a barrier before each command that depends on one since the last
/// barrier, and between the launches of a program. Independent commands may run
/// side by side. What would take too long goes into the next part: another
/// submission, which begins when the one before is done.
class AMDGPURecorder {
public:
  /// address, host: of the memory, where the arguments of kernels come first.
  /// Without `host` nothing is written, and only `size` counts.
  AMDGPURecorder(AMDGPURecording &recording, uint64_t address, char *host);

  Status record();

  /// Of the memory, bytes.
  uint64_t size() const;
  std::vector<AMDGPURecording::Part> takeParts() { return std::move(parts); }
  std::vector<CheckedLaunch> takeLaunches() { return std::move(launches); }

private:
  /// Bytes that a command since the last barrier uses.
  struct Access {
    const BufferObject *object;
    uint64_t begin, end;
    bool isWrite;

    bool conflicts(const Access &other) const {
      return (isWrite || other.isWrite) && object == other.object &&
             begin < other.end && other.begin < end;
    }
  };

  void copy(const View &from, const View &to);
  void fill(const View &to, uint32_t value);
  Status dispatch(const Command &command);
  uint64_t writeArguments(const Command &command);
  uint32_t addLaunch(const Command &command, uint32_t index, uint64_t kernarg);
  void writeLaunch(const Command &command, uint32_t index, uint64_t kernarg,
                   const GroupBox &box);

  void use(const View &view, bool isWrite);
  void use(const BufferObject &object, uint64_t offset, uint64_t size,
           bool isWrite);
  void order();
  void finishCommand();
  void barrier();

  Words &makeRoom(double seconds);
  void endPart();
  double secondsOf(double operations) const;

  AMDGPURecording &recording;
  const uint64_t address;
  char *const host;
  uint64_t argumentEnd = 0; // of those written
  std::vector<AMDGPURecording::Part> parts;
  std::vector<CheckedLaunch> launches;
  bool isOpen = false; // the last part may grow
  double spent = 0;    // seconds of the last part
  std::vector<Access> pending, next;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_RECORDER_H
