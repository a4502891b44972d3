// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One call of a kernel: inputs, where its arguments lie, and what comes out by
// the reference. Outputs lie between guard bytes, and begin as poison.

#ifndef SPARKLE_TEST_RUNTIME_CONFORMANCE_PROBLEM_H
#define SPARKLE_TEST_RUNTIME_CONFORMANCE_PROBLEM_H

#include "test/runtime/Conformance/Device.h"

class Problem {
public:
  /// salt: other inputs with every number. guard: bytes on either side of each
  /// argument, a multiple of the device's alignment. variant: of the module.
  Problem(Conformance &test, const char *kernel, std::vector<int64_t> sizes,
          uint64_t salt = 0, uint64_t guard = 0, uint32_t variant = 0);

  /// Calls the kernel; points into this object.
  sparkle_command_t command() const { return call(module, views, sizes); }
  /// Compares every element with the reference, and looks at the guards.
  void check();

  Module module;
  std::vector<int64_t> sizes;
  std::vector<Buffer> buffers;       // one for each argument
  std::vector<sparkle_view_t> views; // the same
  /// Declared layout, one for each argument: inputs and weights as given, an
  /// output as the reference has it (NaN where no element is).
  std::vector<Floats> values;

private:
  void addArgument(uint32_t index, const sparkle_tensor_t &tensor);
  std::vector<unsigned char> pack(uint32_t index) const;
  void runReference();

  Conformance &test;
  const sparkle_kernel_t &kernel;
  const uint64_t guard;
  std::vector<const sparkle_tensor_t *> tensors;
};

#endif // SPARKLE_TEST_RUNTIME_CONFORMANCE_PROBLEM_H
