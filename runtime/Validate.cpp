// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks, in the order of the fields in sparkle/kernel.h. Counts are
// checked before what they count is read.

#include "runtime/Validate.h"
#include "runtime/Device/Device.h"
#include "runtime/Hash.h"

#include <cinttypes>
#include <cstring>

namespace sparkle::runtime {
namespace {

bool isIdentifier(const char *name) {
  auto isWord = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (!isWord(*name))
    return false;
  while (isWord(*name) || (*name >= '0' && *name <= '9'))
    ++name;
  return *name == 0;
}

Status checkName(const char *what, const char *name) {
  if (!name)
    return Status::invalidArtifact(
        "expected a name of the %s, but got a null pointer", what);
  if (!isIdentifier(name))
    return Status::invalidArtifact(
        "expected an identifier as name of the %s, but got '%.64s'", what,
        name);
  return {};
}

/// product *= factor; false on overflow.
bool multiply(int64_t &product, int64_t factor) {
  return !__builtin_mul_overflow(product, factor, &product);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The factors of one dimension, taken from the finest on, tile it without gap:
/// the finest has divisor 1, each next divides by all below, and only the last
/// takes no remainder. In any order in memory.
Status checkCover(const char *tensor, const char *layout,
                  const sparkle_factor_t *factors, uint32_t count,
                  uint32_t dimension) {
  int64_t below = 1;
  for (uint32_t step = 0; step < count; ++step) {
    const sparkle_factor_t *next = nullptr;
    for (uint32_t i = 0; i < count; ++i)
      if (factors[i].dimension == dimension && factors[i].divisor == below)
        next = &factors[i];
    if (!next)
      break;
    if (next->modulus == 0) {
      uint32_t used = 0;
      for (uint32_t i = 0; i < count; ++i)
        used += factors[i].dimension == dimension;
      if (used == step + 1)
        return {};
      break;
    }
    if (next->modulus == 1 || !multiply(below, next->modulus))
      break;
  }
  return Status::invalidArtifact(
      "tensor '%s': expected its %s to cover dimension %u exactly "
      "once",
      tensor, layout, dimension);
}

Status checkLayout(const sparkle_tensor_t &tensor, const char *layout,
                   const sparkle_factor_t *factors, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const sparkle_factor_t &factor = factors[i];
    if (factor.dimension >= tensor.rank)
      return Status::invalidArtifact(
          "tensor '%s': expected factor %u of its %s to be of a "
          "dimension below %u, but got %u",
          tensor.name, i, layout, tensor.rank, factor.dimension);
    if (factor.divisor < 1 || factor.modulus < 0 || factor.reserved != 0)
      return Status::invalidArtifact(
          "tensor '%s': expected factor %u of its %s to have a "
          "positive divisor and no negative modulus, but got "
          "%" PRId64 " and %" PRId64,
          tensor.name, i, layout, factor.divisor, factor.modulus);
  }
  for (uint32_t dimension = 0; dimension < tensor.rank; ++dimension)
    if (Status status =
            checkCover(tensor.name, layout, factors, count, dimension);
        !status.isOk())
      return status;
  return {};
}

Status checkExtents(const sparkle_tensor_t &tensor, uint32_t sizeCount) {
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    const sparkle_extent_t &extent = tensor.extents[i];
    if (extent.divisor < 1)
      return Status::invalidArtifact(
          "tensor '%s': expected a positive divisor in extent %u, "
          "but got %" PRId64,
          tensor.name, i, extent.divisor);
    if (extent.coefficients && sizeCount == 0)
      return Status::invalidArtifact(
          "tensor '%s': expected extent %u without coefficients, "
          "since the kernel has no sizes",
          tensor.name, i);
    bool isStatic = !extent.coefficients;
    if (tensor.role == SPARKLE_ROLE_WEIGHT && !isStatic)
      return Status::invalidArtifact(
          "tensor '%s': expected a weight of fixed extents, but "
          "extent %u depends on a size",
          tensor.name, i);
    if (isStatic && extent.constant < 0)
      return Status::invalidArtifact(
          "tensor '%s': expected extent %u of 0 or more, but got "
          "%" PRId64,
          tensor.name, i, extent.constant / extent.divisor);
  }
  return {};
}

Status checkTensor(const sparkle_tensor_t &tensor, uint32_t sizeCount) {
  if (Status status = checkName("tensor", tensor.name); !status.isOk())
    return status;
  if (tensor.role > SPARKLE_ROLE_TEMP)
    return Status::invalidArtifact(
        "tensor '%s': expected a role from 0 to 3, but got %u", tensor.name,
        tensor.role);
  if (tensor.element != SPARKLE_ELEMENT_F32 &&
      tensor.element != SPARKLE_ELEMENT_F16)
    return Status::invalidArtifact(
        "tensor '%s': expected element type 1 (f32) or 2 (f16), but got %u",
        tensor.name, tensor.element);
  if (Status status = checkList("extents of a tensor", tensor.extents,
                                tensor.rank, SPARKLE_MAX_RANK);
      !status.isOk())
    return status;
  if (Status status = checkList("factors of a layout", tensor.layout,
                                tensor.layout_count, SPARKLE_MAX_RANK);
      !status.isOk())
    return status;
  if (Status status = checkExtents(tensor, sizeCount); !status.isOk())
    return status;
  return checkLayout(tensor, "layout", tensor.layout, tensor.layout_count);
}

Status checkTensors(const sparkle_kernel_t &kernel) {
  bool hasOutput = false;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i) {
    const sparkle_tensor_t &tensor = kernel.tensors[i];
    if (Status status = checkTensor(tensor, kernel.size_count); !status.isOk())
      return status;
    for (uint32_t j = 0; j < i; ++j)
      if (!std::strcmp(tensor.name, kernel.tensors[j].name))
        return Status::invalidArtifact(
            "expected distinct tensors, but got '%s' twice", tensor.name);
    hasOutput |= tensor.role == SPARKLE_ROLE_OUTPUT;
  }
  if (!hasOutput)
    return Status::invalidArtifact(
        "kernel '%s': expected an output, but got none", kernel.name);
  return validateInPlace(kernel);
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

const char *getTargetWord(uint32_t target) {
  switch (target) {
#define SPARKLE_TARGET(folder, word, number)                                   \
  case number:                                                                 \
    return #word;
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  }
  return nullptr;
}

constexpr uint64_t knownCpuFeatures = 0
#define SPARKLE_KNOWN(NAME, spelling, bit) | UINT64_C(1) << (bit)
    SPARKLE_CPU_FEATURES(SPARKLE_KNOWN)
#undef SPARKLE_KNOWN
    ;

constexpr uint64_t knownGpuFeatures = 0
#define SPARKLE_KNOWN(NAME, meaning, bit) | UINT64_C(1) << (bit)
    SPARKLE_GPU_FEATURES(SPARKLE_KNOWN)
#undef SPARKLE_KNOWN
    ;

/// Checks one code of a kernel whose tensors are right.
class CodeCheck {
public:
  CodeCheck(const sparkle_kernel_t &kernel, const sparkle_code_t &code)
      : kernel(kernel), code(code), word(getTargetWord(code.target)) {}

  Status run() const;

private:
  bool isCpu() const { return code.target == SPARKLE_TARGET_CPU; }
  Status checkPackings() const;
  Status checkPacking(const sparkle_packing_t &packing, uint32_t weight) const;
  Status checkWorkspace() const;
  Status checkFeatures(uint64_t known) const;
  Status checkEntry() const;
  Status checkImage() const;
  Status checkLaunch(uint32_t index) const;
  Status checkCuts() const;

  const sparkle_kernel_t &kernel;
  const sparkle_code_t &code;
  const char *word;
};

Status CodeCheck::run() const {
  if (!word)
    return Status::invalidArtifact("expected a known target, but got number %u",
                                   code.target);
  if (!code.processor || !code.pattern)
    return Status::invalidArtifact(
        "code for %s: expected the names of processor and pattern, "
        "but got a null pointer",
        word);
  if (code.operation_count && !kernel.operation_count)
    return Status::invalidArtifact(
        "code for %s %s: expected no operation_count, since the kernel has "
        "none",
        word, code.processor);
  if (Status status = checkPackings(); !status.isOk())
    return status;
  if (Status status = checkWorkspace(); !status.isOk())
    return status;
  if (Status status = isCpu() ? checkEntry() : checkImage(); !status.isOk())
    return status;
  return checkCuts();
}

/// The bytes of a packed weight; -1 if they do not fit in 64 bits.
int64_t getPackedSize(const sparkle_tensor_t &tensor,
                      const sparkle_packing_t &packing) {
  int64_t size = tensor.element == SPARKLE_ELEMENT_F16 ? 2 : 4;
  for (uint32_t i = 0; i < packing.layout_count; ++i) {
    const sparkle_factor_t &factor = packing.layout[i];
    const sparkle_extent_t &logical = tensor.extents[factor.dimension];
    int64_t extent = packing.shape ? packing.shape[factor.dimension]
                                   : logical.constant / logical.divisor;
    // Rounded up to whole blocks.
    extent = extent / factor.divisor + (extent % factor.divisor != 0);
    if (!multiply(size, factor.modulus ? factor.modulus : extent))
      return -1;
  }
  return size;
}

/// One packing for each weight, in the same order.
Status CodeCheck::checkPackings() const {
  if (Status status = checkList("packings", code.packings, code.packing_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  uint32_t count = 0;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i) {
    if (kernel.tensors[i].role != SPARKLE_ROLE_WEIGHT)
      continue;
    if (count == code.packing_count)
      return Status::invalidArtifact(
          "code for %s %s: expected a packing of weight '%s', but got none",
          word, code.processor, kernel.tensors[i].name);
    if (Status status = checkPacking(code.packings[count++], i); !status.isOk())
      return status;
  }
  if (count != code.packing_count)
    return Status::invalidArtifact(
        "code for %s %s: expected %u packings, but got %u", word,
        code.processor, count, code.packing_count);
  return {};
}

Status CodeCheck::checkPacking(const sparkle_packing_t &packing,
                               uint32_t weight) const {
  const sparkle_tensor_t &tensor = kernel.tensors[weight];
  if (packing.tensor != weight)
    return Status::invalidArtifact(
        "code for %s %s: expected the packing of tensor %u, but got that of %u",
        word, code.processor, weight, packing.tensor);
  bool packs = isCpu() || packing.shape;
  if (packs != (packing.pack != nullptr))
    return Status::invalidArtifact(
        "code for %s %s: expected %s packing function of weight '%s'", word,
        code.processor, packs ? "a" : "no", tensor.name);
  for (uint32_t i = 0; packing.shape && i < tensor.rank; ++i)
    if (packing.shape[i] < 1 || packing.shape[i] > INT32_MAX)
      return Status::invalidArtifact(
          "tensor '%s': expected extents of its transform from 1 to %d, but "
          "got %" PRId64,
          tensor.name, INT32_MAX, packing.shape[i]);
  if (Status status = checkList("factors of a packed layout", packing.layout,
                                packing.layout_count, SPARKLE_MAX_RANK);
      !status.isOk())
    return status;
  if (Status status = checkLayout(tensor, "packed layout", packing.layout,
                                  packing.layout_count);
      !status.isOk())
    return status;
  int64_t size = getPackedSize(tensor, packing);
  if (size != packing.size || size < 0)
    return Status::invalidArtifact(
        "tensor '%s': expected a packed size of %" PRId64
        " bytes, but got %" PRId64,
        tensor.name, size, packing.size);
  return {};
}

/// Temps lie in the workspace; a GPU's code may have more of its own there.
Status CodeCheck::checkWorkspace() const {
  bool hasTemp = false;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    hasTemp |= kernel.tensors[i].role == SPARKLE_ROLE_TEMP;
  if (hasTemp ? code.workspace_size != nullptr
              : !code.workspace_size || !isCpu())
    return {};
  return Status::invalidArtifact(
      "code for %s %s: expected %s workspace_size, since the kernel has %s",
      word, code.processor, hasTemp ? "a" : "no",
      hasTemp ? "temps" : "no temps");
}

Status CodeCheck::checkFeatures(uint64_t known) const {
  if (uint64_t unknown = code.features & ~known)
    return Status::invalidArtifact(
        "code for %s %s: expected known features, but got bits 0x%" PRIx64,
        word, code.processor, unknown);
  return {};
}

Status CodeCheck::checkEntry() const {
  if (!code.invoke)
    return Status::invalidArtifact(
        "code for %s %s: expected an entry, but got a null pointer", word,
        code.processor);
  if (code.image || code.image_size || code.image_hash || code.launch_count ||
      code.launches)
    return Status::invalidArtifact(
        "code for %s %s: expected neither image nor launches", word,
        code.processor);
  return checkFeatures(knownCpuFeatures);
}

Status CodeCheck::checkImage() const {
  if (code.invoke)
    return Status::invalidArtifact("code for %s %s: expected no entry", word,
                                   code.processor);
  if (kernel.size_count > SPARKLE_MAX_GPU_SIZES)
    return Status::invalidArtifact(
        "code for %s %s: expected at most %u sizes, but got %u", word,
        code.processor, SPARKLE_MAX_GPU_SIZES, kernel.size_count);
  if (!code.image || !code.image_size)
    return Status::invalidArtifact(
        "code for %s %s: expected an image, but got none", word,
        code.processor);
  if (reinterpret_cast<uintptr_t>(code.image) % 16)
    return Status::invalidArtifact(
        "code for %s %s: expected its image at a multiple of 16 bytes", word,
        code.processor);
  uint64_t hash = hashBytes(code.image, code.image_size);
  if (hash != code.image_hash)
    return Status::invalidArtifact(
        "code for %s %s: expected an image with hash %016" PRIx64
        ", but got %016" PRIx64,
        word, code.processor, code.image_hash, hash);
  if (Status status = checkList("launches", code.launches, code.launch_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  if (code.launch_count == 0)
    return Status::invalidArtifact(
        "code for %s %s: expected a launch, but got none", word,
        code.processor);
  for (uint32_t i = 0; i < code.launch_count; ++i)
    if (Status status = checkLaunch(i); !status.isOk())
      return status;
  return checkFeatures(knownGpuFeatures);
}

Status CodeCheck::checkLaunch(uint32_t index) const {
  const sparkle_launch_t &launch = code.launches[index];
  if (!launch.entry)
    return Status::invalidArtifact(
        "code for %s %s: expected an entry of launch %u, but got a null "
        "pointer",
        word, code.processor, index);
  if (Status status = checkList("extents of a grid", launch.grid,
                                launch.grid_count, SPARKLE_MAX_RANK);
      !status.isOk())
    return status;
  if (launch.grid_count < 1 || launch.invocations < 1 || launch.reserved != 0)
    return Status::invalidArtifact(
        "code for %s %s: expected a grid and invocations of launch %u, but got "
        "%u and %u",
        word, code.processor, index, launch.grid_count, launch.invocations);
  for (uint32_t i = 0; i < launch.grid_count; ++i) {
    if (launch.grid[i].divisor < 1)
      return Status::invalidArtifact(
          "code for %s %s: expected a positive divisor in the grid of launch "
          "%u, but got %" PRId64,
          word, code.processor, index, launch.grid[i].divisor);
    if (launch.grid[i].coefficients && kernel.size_count == 0)
      return Status::invalidArtifact(
          "code for %s %s: expected the grid of launch %u without "
          "coefficients, since the kernel has no sizes",
          word, code.processor, index);
  }
  return {};
}

/// What a band is cut from: one output, and one launch.
Status CodeCheck::checkCuts() const {
  if ((code.invoke_band != nullptr) != (isCpu() && code.cuts))
    return Status::invalidArtifact(
        "code for %s %s: expected %s function for bands", word, code.processor,
        code.invoke_band ? "no" : "a");
  if (Status status =
          checkList("cuts", code.cuts, code.cut_count, SPARKLE_MAX_RANK);
      !status.isOk() || !code.cuts)
    return status;
  uint32_t outputs = 0, rank = 0;
  for (uint32_t i = 0; i < kernel.tensor_count; ++i)
    if (kernel.tensors[i].role == SPARKLE_ROLE_OUTPUT) {
      rank = kernel.tensors[i].rank;
      ++outputs;
    }
  if (outputs != 1 || (!isCpu() && code.launch_count != 1))
    return Status::invalidArtifact(
        "code for %s %s: expected one output and one launch of what has cuts, "
        "but got %u and %u",
        word, code.processor, outputs, code.launch_count);
  uint32_t indices = isCpu() ? rank : code.launches[0].grid_count;
  for (uint32_t i = 0; i < code.cut_count; ++i) {
    const sparkle_cut_t &cut = code.cuts[i];
    if (cut.dimension >= rank || cut.index >= indices || cut.tile < 1 ||
        findCut(code, cut.dimension) != &cut)
      return Status::invalidArtifact(
          "code for %s %s: expected cuts of dimensions below %u and indices "
          "below %u, once each, and positive tiles, but got %u, %u and "
          "%" PRId64,
          word, code.processor, rank, indices, cut.dimension, cut.index,
          cut.tile);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

Status checkVersion(const sparkle_kernel_t &kernel) {
  if (kernel.magic != SPARKLE_KERNEL_MAGIC)
    return Status::invalidArtifact(
        "expected a kernel descriptor, but got magic 0x%08" PRIx32,
        kernel.magic);
  if (kernel.version != SPARKLE_KERNEL_VERSION)
    return Status::invalidArtifact(
        "expected kernel descriptor version %u, but got %u",
        SPARKLE_KERNEL_VERSION, kernel.version);
  if (kernel.struct_size != sizeof(sparkle_kernel_t))
    return Status::invalidArtifact(
        "expected a kernel descriptor of %zu bytes, but got %u",
        sizeof(sparkle_kernel_t), kernel.struct_size);
  return {};
}

Status checkLists(const sparkle_kernel_t &kernel) {
  if (Status status = checkList("sizes", kernel.size_names, kernel.size_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  if (Status status = checkList("tensors", kernel.tensors, kernel.tensor_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  if (Status status = checkList("codes", kernel.codes, kernel.code_count,
                                SPARKLE_MAX_COUNT);
      !status.isOk())
    return status;
  if (kernel.code_count == 0)
    return Status::invalidArtifact(
        "kernel '%s': expected code for a target, but got none", kernel.name);
  return {};
}

} // namespace

Status checkList(const char *what, const void *list, uint64_t count,
                 uint64_t most) {
  if (count > most)
    return Status::invalidArtifact(
        "expected at most %" PRIu64 " %s, but got %" PRIu64, most, what, count);
  if (!list != !count)
    return Status::invalidArtifact("expected %" PRIu64
                                   " %s, but got %s pointer",
                                   count, what, list ? "a" : "a null");
  return {};
}

Status validate(const sparkle_kernel_t &kernel) {
  if (Status status = checkVersion(kernel); !status.isOk())
    return status;
  if (Status status = checkName("kernel", kernel.name); !status.isOk())
    return status;
  if (!kernel.compiler)
    return Status::invalidArtifact(
        "kernel '%s': expected the name of a compiler, but got a "
        "null pointer",
        kernel.name);
  if (Status status = checkLists(kernel); !status.isOk())
    return status;
  for (uint32_t i = 0; i < kernel.size_count; ++i)
    if (Status status = checkName("size", kernel.size_names[i]); !status.isOk())
      return status;
  if (Status status = checkTensors(kernel); !status.isOk())
    return status;
  if (Status status = validateSplits(kernel); !status.isOk())
    return status;
  for (uint32_t i = 0; i < kernel.code_count; ++i)
    if (Status status = CodeCheck(kernel, kernel.codes[i]).run();
        !status.isOk())
      return status;
  return {};
}

} // namespace sparkle::runtime
