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

  /// Workgroups of a launch: `count`, from number `first` on. Where that is not
  /// 0, all of them have numbers below SPARKLE_GRID_WIDTH.
  struct Workgroups {
    uint64_t first = 0, count = 0;
    uint64_t all = 0; // of a whole run
  };
  /// Those that a command needs.
  Status findWorkgroups(uint32_t launch, const Command &command,
                        Workgroups &groups) const;
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
