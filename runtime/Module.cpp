// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Picks the codes that a device can run, and knows what they want.

#include "runtime/Module.h"
#include "runtime/Handle.h"
#include "runtime/Pack.h"
#include "runtime/Shape.h"
#include "runtime/Thread.h"
#include "runtime/Validate.h"

#include <cinttypes>
#include <string>

namespace sparkle::runtime {

Module::Module(Device &device, const sparkle_kernel_t &kernel)
    : owner(Ref<Device>::share(&device)), description(kernel),
      mapping(&kernel) {
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (kernel.tensors[i].role != SPARKLE_ROLE_TEMP)
      arguments.push_back(&kernel.tensors[i]);
}

Status Module::create(Device &device, const sparkle_kernel_t &kernel,
                      Ref<Module> &module) {
  uint64_t begin = getNanoseconds();
  if (Status status = validate(kernel); !status.isOk())
    return status;
  auto made = Ref<Module>::adopt(new Module(device, kernel));
  std::vector<const sparkle_code_t *> codes;
  if (Status status = findCodes(device, kernel, codes); !status.isOk())
    return status;
  for (const sparkle_code_t *code : codes)
    made->variants.push_back({code, {}});
  if (Status status = made->prepare(0); !status.isOk())
    return status;
  made->creationTime = getNanoseconds() - begin;
  device.settings().log(2, "%s: module '%s' ready in %" PRIu64 " ns",
                        device.properties().name, kernel.name,
                        made->creationTime);
  module = std::move(made);
  return {};
}

Status Module::findCodes(Device &device, const sparkle_kernel_t &kernel,
                         std::vector<const sparkle_code_t *> &codes) {
  const sparkle_device_properties_t &properties = device.properties();
  std::string lacks;
  for (uint32_t i = 0; i < kernel.code_count; ++i) {
    const sparkle_code_t &code = kernel.codes[i];
    if (code.target != properties.target)
      continue;
    Status status = device.checkCode(code);
    if (status.code() == SPARKLE_NO_IMAGE) {
      lacks += lacks.empty() ? "" : ", and ";
      lacks += code.processor;
      lacks += " ";
      lacks += status.message();
      continue;
    }
    if (!status.isOk())
      return status;
    codes.push_back(&code);
  }
  if (!codes.empty())
    return {};
  if (lacks.empty())
    return Status::failure(SPARKLE_NO_IMAGE,
                           "kernel '%s': expected code for %s, but got none",
                           kernel.name, properties.name);
  return Status::failure(SPARKLE_NO_IMAGE,
                         "kernel '%s': expected code that %s runs, but %s",
                         kernel.name, properties.name, lacks.c_str());
}

sparkle_module_properties_t Module::properties() const {
  sparkle_module_properties_t properties = {};
  properties.kernel = &description;
  properties.device = wrap(owner.get());
  properties.variant_count = variantCount();
  properties.variant = current();
  properties.code = variants[properties.variant].code;
  properties.argument_count = argumentCount();
  properties.creation_ns = creationTime;
  return properties;
}

/// A driver may take long for a program: variants that nobody selects cost
/// nothing.
Status Module::prepare(uint32_t variant) {
  std::lock_guard<std::mutex> lock(preparing);
  Variant &wanted = variants[variant];
  if (wanted.program)
    return {};
  return owner->createProgram(description, *wanted.code, wanted.program);
}

Status Module::select(uint32_t variant) {
  if (variant >= variants.size())
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected a variant below %u, but got %u",
                           variantCount(), variant);
  if (Status status = prepare(variant); !status.isOk())
    return status;
  chosen = variant;
  return {};
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

Status Module::checkArgument(uint32_t index) const {
  if (index < arguments.size())
    return {};
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected an argument of kernel '%s' below %u, but "
                         "got %u",
                         description.name, argumentCount(), index);
}

const sparkle_packing_t *Module::getPacking(uint32_t argument,
                                            uint32_t variant) const {
  const sparkle_code_t &code = *variants[variant].code;
  for (uint32_t i = 0; i < code.packing_count; ++i)
    if (&description.tensors[code.packings[i].tensor] == arguments[argument])
      return &code.packings[i];
  return nullptr;
}

Status Module::getArgumentSize(uint32_t argument, uint32_t variant,
                               const int64_t *sizes, uint64_t &bytes) const {
  const sparkle_tensor_t &tensor = *arguments[argument];
  if (const sparkle_packing_t *packing = getPacking(argument, variant)) {
    bytes = static_cast<uint64_t>(packing->size);
  } else {
    Extents extents;
    Status status = getExtents(description, tensor, sizes, extents);
    if (status.isOk())
      status =
          getBytes(tensor, tensor.layout, tensor.layout_count, extents, bytes);
    if (!status.isOk())
      return status;
  }
  const sparkle_device_properties_t &properties = owner->properties();
  if (bytes <= properties.max_buffer)
    return {};
  return Status::failure(SPARKLE_MISSING_FEATURE,
                         "argument '%s': expected at most %" PRIu64
                         " bytes, which %s takes, but got %" PRIu64,
                         tensor.name, properties.max_buffer, properties.name,
                         bytes);
}

Status Module::getWorkspaceSize(uint32_t variant, const int64_t *sizes,
                                uint64_t &bytes) const {
  const sparkle_code_t &code = *variants[variant].code;
  int64_t size = code.workspace_size ? code.workspace_size(sizes) : 0;
  if (size < 0)
    return Status::failure(
        SPARKLE_WRONG_SHAPE,
        "expected sizes that the workspace of kernel '%s' can have",
        description.name);
  bytes = static_cast<uint64_t>(size);
  return {};
}

Status Module::pack(uint32_t argument, uint32_t variant, const void *source,
                    void *packed) const {
  const sparkle_tensor_t &tensor = *arguments[argument];
  const sparkle_packing_t *packing = getPacking(argument, variant);
  if (!packing)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected a weight of kernel '%s', but got '%s'",
                           description.name, tensor.name);
  if (!packing->pack)
    return packByLayout(description, tensor, *packing, source, packed);
  if (int result = packing->pack(source, packed))
    return Status::failure(SPARKLE_KERNEL,
                           "kernel '%s': expected 0 from packing '%s', but "
                           "got %d",
                           description.name, tensor.name, result);
  return {};
}

} // namespace sparkle::runtime
