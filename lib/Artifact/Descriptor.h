// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of a compiled kernel, and how it becomes the constant
// `sparkle_kernel_t NAME_kernel` (sparkle/kernel.h) of the object.

#ifndef SPARKLE_LIB_ARTIFACT_DESCRIPTOR_H
#define SPARKLE_LIB_ARTIFACT_DESCRIPTOR_H

#include "sparkle/kernel.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace sparkle {

/// sparkle_extent_t; `coefficients` has one entry for each size of the kernel.
struct Extent {
  int64_t constant = 0;
  int64_t divisor = 1;
  llvm::SmallVector<int64_t> coefficients;
};

/// sparkle_factor_t.
struct Factor {
  uint32_t dimension = 0;
  int64_t divisor = 1;
  int64_t modulus = 0;
};

/// sparkle_tensor_t.
struct TensorDescription {
  std::string name;
  sparkle_role_t role = SPARKLE_ROLE_INPUT;
  sparkle_element_t element = SPARKLE_ELEMENT_F32;
  llvm::SmallVector<Extent> extents;
  llvm::SmallVector<Factor> layout;
  /// 1 + the number of the output that may be written over it; 0: none.
  uint32_t inPlace = 0;
};

/// sparkle_packing_t. `tensor` counts the kernel's tensors.
struct Packing {
  uint32_t tensor = 0;
  llvm::SmallVector<Factor> layout;
  int64_t size = 0;
  /// The extents of its transform; empty if it has none.
  llvm::SmallVector<int64_t> shape;
};

/// sparkle_launch_t.
struct LaunchDescription {
  std::string entry;
  llvm::SmallVector<Extent> grid;
  uint32_t invocations = 0;
  uint32_t localSize = 0;
};

/// sparkle_cut_t.
struct CutDescription {
  uint32_t dimension = 0;
  uint32_t index = 0;
  int64_t tile = 0;
};

/// sparkle_code_t. The functions of a CPU's code are NAME, NAME_pack_W,
/// NAME_workspace_size and NAME.band, where NAME is the kernel's with the
/// code's suffix. Those that every code may have are called by its own name:
/// NAME.TARGET.PROCESSOR.far_bytes, .near_bytes and, of a GPU, .workspace_size
/// and .pack_W for each weight W with a transform.
/// Where the module has none, the field is null.
struct CodeDescription {
  sparkle_target_t target = SPARKLE_TARGET_CPU;
  std::string processor;
  /// "_avx2" where several codes are for the CPU, else empty.
  std::string suffix;
  uint64_t features = 0;
  std::string pattern;
  uint64_t patternHash = 0;
  /// One for each weight, in the order of the tensors.
  std::vector<Packing> packings;
  /// Of a GPU.
  llvm::SmallVector<char, 0> image;
  std::vector<LaunchDescription> launches;
  /// Empty where workers only run all together.
  std::vector<CutDescription> cuts;
};

/// sparkle_slice_t. `tensor` counts the kernel's tensors.
struct SliceDescription {
  uint32_t tensor = 0;
  uint32_t dimension = 0;
  int64_t stride = 1;
  int64_t low = 0;
  int64_t high = 0;
};

/// sparkle_split_t.
struct SplitDescription {
  uint32_t size = 0;
  int64_t step = 1;
  std::vector<SliceDescription> slices;
};

/// sparkle_kernel_t. The functions are found in the module by their names:
/// NAME.operation_count and NAME_reference, where they are there.
struct KernelDescription {
  std::string name;
  uint64_t algorithmHash = 0;
  llvm::SmallVector<std::string> sizes;
  std::vector<TensorDescription> tensors;
  std::vector<CodeDescription> codes;
  /// Best first.
  std::vector<SplitDescription> splits;
  /// Whether NAME_reference is there.
  bool hasReference = false;
};

/// "sparkle 0.1.0, LLVM 22.1.0": what the descriptor says of the compiler.
std::string getCompilerVersion();

/// "cpu"
llvm::StringRef getTargetWord(sparkle_target_t target);

/// "conv.cpu.znver4": what the functions of one code begin with.
std::string getCodeName(llvm::StringRef kernel, sparkle_target_t target,
                        llvm::StringRef processor);

/// Adds NAME_kernel to `module`, which holds the kernel's functions.
void addDescriptor(llvm::Module &module, const KernelDescription &kernel);

/// Adds `sparkle_kernels`, the null-terminated table of all descriptors that a
/// runtime looks up in a shared object.
void addKernelTable(llvm::Module &module,
                    llvm::ArrayRef<KernelDescription> kernels);

} // namespace sparkle

#endif // SPARKLE_LIB_ARTIFACT_DESCRIPTOR_H
