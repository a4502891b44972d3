// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processors that code objects are compiled for, and their numbers.

#include "lib/Target/AMDGPU/AMDGPU.h"

#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;

namespace sparkle::amdgpu {

static constexpr int64_t KiB = 1024;

// From AMD's instruction set manuals of RDNA 2 and 3. A compute unit has two
// SIMDs and 64 KiB of workgroup memory for the workgroups that run on it: half
// of that for each is what eight waves on a SIMD leave to a workgroup of eight.
static constexpr llvm::StringLiteral kProcessors[] = {"gfx1100", "gfx1030",
                                                      "gfx1036"};
static constexpr Processor kTable[] = {
    {kProcessors[0], 128, 64, 16 * KiB, 1536, 24},
    {kProcessors[1], 128, 64, 16 * KiB, 1024, 16},
    {kProcessors[2], 128, 64, 16 * KiB, 1024, 16},
};
// Compute units that the choice of sizes fills: fewer than large cards have
// (docs/rationale.md). A unit's workgroup memory gives 128 bytes a cycle: a
// wave that reads 16 bytes for each lane has it for four, in which the unit
// multiplies and adds 64 times in each.
static constexpr int64_t kCores = 64, kNearRead = 4 * 64 / kWave;

unsigned Processor::countWaves(unsigned vectorRegisters, unsigned nearBytes,
                               unsigned invocations) const {
  constexpr unsigned kMost = 16, kUnitBytes = 64 * KiB, kSimds = 2;
  unsigned used = llvm::alignTo(std::max(vectorRegisters, 1u), grain);
  unsigned waves = std::min(kMost, registers / used);
  if (!nearBytes)
    return waves;
  unsigned each = llvm::divideCeil(invocations, kWave);
  return std::min(waves, kUnitBytes / nearBytes * each / kSimds);
}

ArrayRef<llvm::StringLiteral> getProcessors() { return kProcessors; }

const Processor *findProcessor(StringRef name) {
  for (const Processor &processor : kTable)
    if (processor.name == name)
      return &processor;
  return nullptr;
}

FailureOr<TargetDescription> describe(MLIRContext *context,
                                      const TargetOptions &options) {
  const Processor *processor = findProcessor(options.processor);
  if (!processor)
    return emitError(UnknownLoc::get(context))
           << "expected the name of a processor, 'gfx1100', 'gfx1030' or "
              "'gfx1036', but got '"
           << options.processor << "'";
  auto numbers = TargetAttr::get(
      context, "amdgpu", processor->invocations, processor->sums,
      /*fma_latency=*/4, processor->nearBytes, /*close_bytes=*/0,
      /*copies=*/true, /*masked=*/true, kCores, kNearRead, /*near_width=*/32,
      /*unit_lanes=*/1);
  return TargetDescription{numbers, options.processor, 0};
}

const llvm::Target &getLLVMTarget() {
  // Once for the process; LLVM's tables do not allow more.
  static const llvm::Target *target = [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
    LLVMInitializeAMDGPUDisassembler();
    std::string error;
    return llvm::TargetRegistry::lookupTarget(llvm::Triple("amdgcn-amd-amdhsa"),
                                              error);
  }();
  return *target;
}

/// A workgroup runs on one compute unit, so that barriers invalidate no cache;
/// 16-bit values have registers of their own.
std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const Processor &processor) {
  return std::unique_ptr<llvm::TargetMachine>(
      getLLVMTarget().createTargetMachine(
          llvm::Triple("amdgcn-amd-amdhsa"), processor.name,
          "+cumode,-real-true16", llvm::TargetOptions(), llvm::Reloc::PIC_,
          std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

} // namespace sparkle::amdgpu
