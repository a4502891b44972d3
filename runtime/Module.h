// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel made ready on a device: sparkle_module_t.

#ifndef SPARKLE_RUNTIME_MODULE_H
#define SPARKLE_RUNTIME_MODULE_H

#include "runtime/Device/Device.h"
#include "runtime/Mapping.h"

#include <mutex>

namespace sparkle::runtime {

/// A code that the device can run.
struct Variant {
  const sparkle_code_t *code;
  Ref<Program> program; ///< Null until it is prepared.
};

class Module final : public Counted {
public:
  static Status create(Device &device, const sparkle_kernel_t &kernel,
                       Ref<Module> &module);

  /// The codes of a valid kernel that a device can run, in their order.
  /// SPARKLE_NO_IMAGE and what each one lacks if there are none.
  static Status findCodes(Device &device, const sparkle_kernel_t &kernel,
                          std::vector<const sparkle_code_t *> &codes);

  Device &device() const { return *owner; }
  const sparkle_kernel_t &kernel() const { return description; }
  /// Tensors without temps.
  uint32_t argumentCount() const {
    return static_cast<uint32_t>(arguments.size());
  }
  const sparkle_tensor_t &argument(uint32_t index) const {
    return *arguments[index];
  }
  sparkle_module_properties_t properties() const;

  /// Has the device compile a variant, where it has not yet.
  Status prepare(uint32_t variant);
  /// Prepares it and makes it current.
  Status select(uint32_t variant);
  /// What `select` made current.
  uint32_t current() const { return chosen.load(); }
  uint32_t variantCount() const {
    return static_cast<uint32_t>(variants.size());
  }
  /// Its program is there if it is, or was, current or else prepared by the
  /// caller.
  const Variant &variant(uint32_t index) const { return variants[index]; }

  /// Its packing by a variant; null if it is no weight.
  const sparkle_packing_t *getPacking(uint32_t argument,
                                      uint32_t variant) const;
  /// Bytes of an argument as a variant takes it, at sizes that were checked.
  Status getArgumentSize(uint32_t argument, uint32_t variant,
                         const int64_t *sizes, uint64_t &bytes) const;
  /// The workspace of a variant.
  Status getWorkspaceSize(uint32_t variant, const int64_t *sizes,
                          uint64_t &bytes) const;
  /// SPARKLE_INVALID_ARGUMENT if there is no such argument.
  Status checkArgument(uint32_t index) const;
  /// Packs an argument, which is a weight, for a variant.
  Status pack(uint32_t argument, uint32_t variant, const void *source,
              void *packed) const;

private:
  Module(Device &device, const sparkle_kernel_t &kernel);

  const Ref<Device> owner;
  const sparkle_kernel_t &description;
  const Mapping mapping;
  std::vector<const sparkle_tensor_t *> arguments;
  std::mutex preparing; // held while a program is made
  std::vector<Variant> variants;
  std::atomic<uint32_t> chosen{0};
  uint64_t creationTime = 0; // nanoseconds
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_MODULE_H
