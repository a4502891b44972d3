// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers of an x86-64 processor, from its name. They never depend on the
// machine that compiles, so that the same --cpu gives the same code.

#include "lib/Target/CPU/CPU.h"

#include "sparkle/kernel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace sparkle::cpu {

static constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";

namespace {
struct Feature {
  llvm::StringLiteral spelling;
  uint64_t bit;
};
/// Many processors under one name, as LLVM names them.
struct Level {
  llvm::StringLiteral name, processor, tuning;
};
/// Bytes of the caches of one core.
struct Caches {
  llvm::StringLiteral processor;
  int64_t first, second;
};
} // namespace

static constexpr Feature kFeatures[] = {
#define SPARKLE_FEATURE(NAME, spelling, bit) {spelling, SPARKLE_CPU_##NAME},
    SPARKLE_CPU_FEATURES(SPARKLE_FEATURE)
#undef SPARKLE_FEATURE
};

// The instruction sets of one, and the tuning of the most common that has them.
static constexpr Level kLevels[] = {
    {"avx512", "x86-64-v4", "skylake-avx512"},
    {"avx2", "x86-64-v3", "x86-64-v3"},
    {"baseline", "x86-64", "x86-64"},
};

static constexpr int64_t KiB = 1024;

// From the vendors' optimisation manuals. Others are taken for the last line.
static constexpr Caches kCaches[] = {
    {"znver5", 48 * KiB, 1024 * KiB},
    {"znver4", 32 * KiB, 1024 * KiB},
    {"znver3", 32 * KiB, 512 * KiB},
    {"znver2", 32 * KiB, 512 * KiB},
    {"znver1", 32 * KiB, 512 * KiB},
    {"skylake-avx512", 32 * KiB, 1024 * KiB},
    {"cascadelake", 32 * KiB, 1024 * KiB},
    {"cooperlake", 32 * KiB, 1024 * KiB},
    {"icelake-client", 48 * KiB, 512 * KiB},
    {"icelake-server", 48 * KiB, 1280 * KiB},
    {"tigerlake", 48 * KiB, 1280 * KiB},
    {"rocketlake", 48 * KiB, 512 * KiB},
    {"sapphirerapids", 48 * KiB, 2048 * KiB},
    {"emeraldrapids", 48 * KiB, 2048 * KiB},
    {"graniterapids", 48 * KiB, 2048 * KiB},
    {"alderlake", 48 * KiB, 1280 * KiB},
    {"raptorlake", 48 * KiB, 2048 * KiB},
    {"haswell", 32 * KiB, 256 * KiB},
    {"broadwell", 32 * KiB, 256 * KiB},
    {"skylake", 32 * KiB, 256 * KiB},
    {"", 32 * KiB, 256 * KiB},
};

static const llvm::Target *getLLVMTarget() {
  // Once for the process; LLVM's tables do not allow more.
  static const llvm::Target *const target = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    std::string error;
    return llvm::TargetRegistry::lookupTarget(llvm::Triple(kTriple), error);
  }();
  return target;
}

std::optional<Processor> getProcessor(const TargetOptions &options) {
  bool native = options.processor == "native";
  Processor processor;
  processor.name =
      native ? llvm::sys::getHostCPUName().str() : options.processor;
  std::string instructions = processor.tuning = processor.name;
  for (const Level &level : kLevels)
    if (level.name == processor.name) {
      instructions = level.processor;
      processor.tuning = level.tuning;
    }
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      getLLVMTarget()->createMCSubtargetInfo(llvm::Triple(kTriple), "", ""));
  if (!known->isCPUStringValid(instructions))
    return std::nullopt;
  known.reset(getLLVMTarget()->createMCSubtargetInfo(llvm::Triple(kTriple),
                                                     instructions, ""));
  if (!known->checkFeatures("+64bit"))
    return std::nullopt;
  // A hypervisor may hide what the processor's name promises.
  llvm::StringMap<bool> host;
  if (native)
    host = llvm::sys::getHostCPUFeatures();
  for (const Feature &feature : kFeatures)
    if (known->checkFeatures(("+" + feature.spelling).str()) &&
        (!native || host.lookup(feature.spelling)))
      processor.features |= feature.bit;
  return processor;
}

FailureOr<TargetDescription> describe(MLIRContext *context,
                                      const TargetOptions &options) {
  std::optional<Processor> processor = getProcessor(options);
  if (!processor)
    return emitError(UnknownLoc::get(context))
           << "expected the name of an x86-64 processor, but got '"
           << options.processor << "'";
  constexpr uint64_t wide =
      SPARKLE_CPU_AVX512F | SPARKLE_CPU_AVX512VL | SPARKLE_CPU_AVX512DQ;
  bool hasWide = (processor->features & wide) == wide;
  bool hasAVX = processor->features & SPARKLE_CPU_AVX;
  const Caches *caches = std::begin(kCaches);
  while (!caches->processor.empty() && caches->processor != processor->tuning)
    ++caches;
  // Two multiply-adds a cycle, four cycles each.
  constexpr int64_t latency = 8;
  auto numbers = TargetAttr::get(context, "cpu",
                                 /*lanes=*/
                                 hasWide  ? 16
                                 : hasAVX ? 8
                                          : 4,
                                 /*vectors=*/hasWide ? 32 : 16, latency,
                                 /*near_bytes=*/caches->second,
                                 /*close_bytes=*/caches->first,
                                 /*copies=*/false, /*masked=*/false);
  return TargetDescription{numbers, processor->name, processor->features};
}

std::string spellFeatures(const Processor &processor) {
  std::string spelled;
  for (const Feature &feature : kFeatures)
    if (processor.features & feature.bit)
      spelled += (spelled.empty() ? "+" : ",+") + feature.spelling.str();
  return spelled;
}

std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const Processor &processor) {
  return std::unique_ptr<llvm::TargetMachine>(
      getLLVMTarget()->createTargetMachine(
          llvm::Triple(kTriple), "x86-64", spellFeatures(processor),
          llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
          llvm::CodeGenOptLevel::Aggressive));
}

} // namespace sparkle::cpu
