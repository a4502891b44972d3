// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a GPU's code says of its launches and bindings, whichever driver runs
// it, and what of a command is too large for it.

#ifndef SPARKLE_RUNTIME_DEVICE_GPUPROGRAM_H
#define SPARKLE_RUNTIME_DEVICE_GPUPROGRAM_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

class GpuProgram : public Program {
public:
  /// One for each argument, and the workspace.
  struct Binding {
    const char *name;
    uint32_t elementSize; // bytes
    bool isWritten;
  };

  const sparkle_kernel_t &kernel() const { return source; }
  const std::vector<Binding> &bindings() const { return arguments; }
  uint32_t launchCount() const { return code.launch_count; }

  /// How many workgroups a launch has at these sizes.
  Status countWorkgroups(uint32_t launch, const std::vector<int64_t> &sizes,
                         uint64_t &count) const;
  /// Whether sizes and elements are numbers of 32 bits, and the workspace no
  /// larger than `device` takes. `index`: of the command, for the message.
  Status checkCommand(const Device &device, size_t index,
                      const Command &command) const;

protected:
  GpuProgram(const sparkle_kernel_t &kernel, const sparkle_code_t &code);

  const sparkle_kernel_t &source;
  const sparkle_code_t &code;

private:
  std::vector<Binding> arguments;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_GPUPROGRAM_H
