// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A shared object with kernels: sparkle_library_t.

#ifndef SPARKLE_RUNTIME_LIBRARY_H
#define SPARKLE_RUNTIME_LIBRARY_H

#include "runtime/Reference.h"
#include "runtime/Status.h"

#include <vector>

namespace sparkle::runtime {

class Library final : public Counted {
public:
  static Status open(const char *path, Ref<Library> &library);

  /// All valid.
  const std::vector<const sparkle_kernel_t *> &kernels() const { return table; }

private:
  explicit Library(void *object) : object(object) {}
  ~Library() override;
  Status readTable(const char *path);

  void *const object;
  std::vector<const sparkle_kernel_t *> table;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_LIBRARY_H
