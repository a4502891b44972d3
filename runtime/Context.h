// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine's devices: sparkle_context_t.

#ifndef SPARKLE_RUNTIME_CONTEXT_H
#define SPARKLE_RUNTIME_CONTEXT_H

#include "runtime/Device/Device.h"

namespace sparkle::runtime {

class Context final : public Counted {
public:
  static Status create(Ref<Context> &context);
  /// Of given devices, the CPU first: for tests.
  static Ref<Context> make(std::vector<Ref<Device>> devices);

  const std::vector<Ref<Device>> &devices() const { return found; }
  /// By name, as sparkle_context_find_device takes it.
  Status find(const char *name, Device *&device) const;

private:
  Context() = default;

  std::vector<Ref<Device>> found;
  /// Of each kind, what looking for its devices came to.
  std::vector<Status> results;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_CONTEXT_H
