// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts workgroups and looks for what is too large.

#include "runtime/Device/GpuProgram.h"

namespace sparkle::runtime {

GpuProgram::GpuProgram(const sparkle_kernel_t &kernel,
                       const sparkle_code_t &code)
    : source(kernel), code(code) {
  for (uint32_t i = 0; i < kernel.tensor_count; ++i) {
    const sparkle_tensor_t &tensor = kernel.tensors[i];
    if (tensor.role != SPARKLE_ROLE_TEMP)
      arguments.push_back({tensor.name,
                           tensor.element == SPARKLE_ELEMENT_F16 ? 2u : 4u,
                           tensor.role == SPARKLE_ROLE_OUTPUT});
  }
  if (code.workspace_size)
    arguments.push_back({"the workspace", 4, true});
}

/// floor((constant + sum of coefficients * sizes) / divisor), at least 0.
static uint64_t evaluate(const sparkle_extent_t &extent,
                         const std::vector<int64_t> &sizes) {
  __int128 sum = extent.constant;
  if (extent.coefficients)
    for (size_t i = 0; i < sizes.size(); ++i)
      sum += static_cast<__int128>(extent.coefficients[i]) * sizes[i];
  __int128 value = sum <= 0 ? 0 : sum / extent.divisor;
  return value > INT64_MAX ? INT64_MAX : static_cast<uint64_t>(value);
}

Status GpuProgram::findWorkgroups(uint32_t launch, const Command &command,
                                  Workgroups &groups) const {
  constexpr uint64_t most = uint64_t(SPARKLE_GRID_WIDTH) * SPARKLE_GRID_WIDTH;
  const sparkle_launch_t &description = code.launches[launch];
  __int128 product = 1;
  bool isEmpty = false;
  for (uint32_t i = 0; i < description.grid_count; ++i) {
    uint64_t extent = evaluate(description.grid[i], command.sizes);
    isEmpty |= extent == 0;
    if (product <= most)
      product *= extent;
  }
  if (!isEmpty && product > most)
    return Status::failure(
        SPARKLE_WRONG_SHAPE,
        "kernel '%s': expected at most %llu workgroups, but got more",
        source.name, static_cast<unsigned long long>(most));
  groups.all = isEmpty ? 0 : static_cast<uint64_t>(product);
  groups.first = 0;
  groups.count = groups.all;
  if (const Band &band = command.band; !isEmpty && !band.isEmpty()) {
    const sparkle_cut_t &cut = *findCut(code, band.dimension);
    uint64_t along = evaluate(description.grid[cut.index], command.sizes);
    uint64_t behind = groups.count / along; // of each number along it
    auto tile = static_cast<uint64_t>(cut.tile);
    groups.first = static_cast<uint64_t>(band.begin) / tile * behind;
    groups.count =
        (static_cast<uint64_t>(band.end) + tile - 1) / tile * behind -
        groups.first;
  }
  return {};
}

Status GpuProgram::checkCommand(const Device &device, size_t index,
                                const Command &command) const {
  // Arguments were checked before; this is bound like one.
  const sparkle_device_properties_t &properties = device.properties();
  if (command.workspace > properties.max_buffer)
    return Status::failure(
        SPARKLE_MISSING_FEATURE,
        "command %zu: expected a workspace of at most %llu bytes, which %s "
        "takes, but got %llu",
        index, static_cast<unsigned long long>(properties.max_buffer),
        properties.name, static_cast<unsigned long long>(command.workspace));
  for (size_t i = 0; i < command.sizes.size(); ++i)
    if (command.sizes[i] > INT32_MAX || command.sizes[i] < INT32_MIN)
      return Status::failure(
          SPARKLE_WRONG_SHAPE,
          "command %zu, size '%s': expected at most %d, but got %lld", index,
          source.size_names[i], INT32_MAX,
          static_cast<long long>(command.sizes[i]));
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Binding &binding = arguments[i];
    uint64_t size = i < command.arguments.size() ? command.arguments[i].size
                                                 : command.workspace;
    if (size / binding.elementSize > INT32_MAX)
      return Status::failure(
          SPARKLE_WRONG_SHAPE,
          "command %zu, argument '%s': expected at most %d elements, but got "
          "%llu",
          index, binding.name, INT32_MAX,
          static_cast<unsigned long long>(size / binding.elementSize));
  }
  return {};
}

} // namespace sparkle::runtime
