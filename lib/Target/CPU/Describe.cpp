// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers of a processor, from its name, and the architecture, which the
// name says too. They never depend on the machine that compiles, so that the
// same --cpu gives the same code; but for `native`, which is that machine.

#include "lib/Target/CPU/CPU.h"

#include "sparkle/kernel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace sparkle::cpu {

namespace {
struct Feature {
  llvm::StringLiteral spelling;
  uint64_t bit;
};
/// Many processors under one name, as LLVM names them.
struct Level {
  llvm::StringLiteral name, processor, tuning;
};
/// What the numbers of a target are made of.
struct Core {
  llvm::StringLiteral processor;
  /// Bytes of its caches; of one that cores share, its share.
  int64_t first, second;
  /// Multiply-adds that are under way at once: of most cores two begin in a
  /// cycle, and take four.
  int64_t sums = 2 * 4;
  /// Bytes that its first cache gets from the second one in a cycle. Where that
  /// is a line, two whole vectors are loaded in a cycle, too.
  int64_t width = 32;
  /// Lanes that a multiply-add unit computes at once.
  int64_t unit = 8;
};
} // namespace

struct Architecture {
  llvm::StringLiteral triple;
  /// What LLVM calls the processor that all others contain, and what --cpu
  /// does.
  llvm::StringLiteral least, baseline;
  /// What its processors have; LLVM's table holds some that do not.
  llvm::StringLiteral required;
  /// SPARKLE_CPU_*: of those of a processor, the ones that code may use.
  uint64_t features;
  ArrayRef<Level> levels;
};

static constexpr Feature kFeatures[] = {
#define SPARKLE_FEATURE(NAME, spelling, bit) {spelling, SPARKLE_CPU_##NAME},
    SPARKLE_CPU_FEATURES(SPARKLE_FEATURE)
#undef SPARKLE_FEATURE
};

// The instruction sets of one, and the tuning of the most common that has them.
static constexpr Level kX86Levels[] = {
    {"avx512", "x86-64-v4", "skylake-avx512"},
    {"avx2", "x86-64-v3", "x86-64-v3"},
    {"baseline", "x86-64", "x86-64"},
};
static constexpr Level kAArch64Levels[] = {{"neon", "generic", "generic"}};

// A name that two of them know is the first one's. Later instruction sets of
// AArch64 do nothing for f32 in vectors of 128 bits: its code runs everywhere.
static constexpr Architecture kArchitectures[] = {
    {"x86_64-unknown-linux-gnu", "x86-64", "x86-64", "+64bit",
     ~SPARKLE_CPU_NEON, kX86Levels},
    {"aarch64-unknown-linux-gnu", "generic", "neon", "+neon", SPARKLE_CPU_NEON,
     kAArch64Levels},
};

static constexpr int64_t KiB = 1024;

// From the vendors' optimisation manuals; a second cache of a size that the
// maker of the chip chooses, as in the most common one. Others are taken for
// the last line.
static constexpr Core kCores[] = {
    {"znver5", 48 * KiB, 1024 * KiB, 2 * 4, 64, 16},
    {"znver4", 32 * KiB, 1024 * KiB},
    {"znver3", 32 * KiB, 512 * KiB},
    {"znver2", 32 * KiB, 512 * KiB},
    {"znver1", 32 * KiB, 512 * KiB},
    {"skylake-avx512", 32 * KiB, 1024 * KiB, 2 * 4, 32, 16},
    {"cascadelake", 32 * KiB, 1024 * KiB, 2 * 4, 32, 16},
    {"cooperlake", 32 * KiB, 1024 * KiB, 2 * 4, 32, 16},
    {"icelake-client", 48 * KiB, 512 * KiB},
    {"icelake-server", 48 * KiB, 1280 * KiB, 2 * 4, 32, 16},
    {"tigerlake", 48 * KiB, 1280 * KiB},
    {"rocketlake", 48 * KiB, 512 * KiB},
    {"sapphirerapids", 48 * KiB, 2048 * KiB, 2 * 4, 32, 16},
    {"emeraldrapids", 48 * KiB, 2048 * KiB, 2 * 4, 32, 16},
    {"graniterapids", 48 * KiB, 2048 * KiB, 2 * 4, 32, 16},
    {"alderlake", 48 * KiB, 1280 * KiB},
    {"raptorlake", 48 * KiB, 2048 * KiB},
    {"haswell", 32 * KiB, 256 * KiB},
    {"broadwell", 32 * KiB, 256 * KiB},
    {"skylake", 32 * KiB, 256 * KiB},
    {"cortex-a53", 32 * KiB, 128 * KiB, 4},
    {"cortex-a55", 32 * KiB, 128 * KiB, 4},
    {"cortex-a57", 32 * KiB, 512 * KiB},
    {"cortex-a72", 32 * KiB, 256 * KiB},
    {"cortex-a73", 64 * KiB, 256 * KiB},
    {"cortex-a75", 64 * KiB, 256 * KiB},
    {"cortex-a76", 64 * KiB, 512 * KiB},
    {"cortex-a77", 64 * KiB, 512 * KiB},
    {"cortex-a78", 64 * KiB, 512 * KiB},
    {"cortex-a710", 64 * KiB, 512 * KiB},
    {"cortex-a715", 64 * KiB, 512 * KiB},
    {"cortex-a720", 64 * KiB, 512 * KiB},
    {"cortex-x1", 64 * KiB, 1024 * KiB, 16},
    {"cortex-x2", 64 * KiB, 1024 * KiB, 16},
    {"cortex-x3", 64 * KiB, 1024 * KiB, 16},
    {"cortex-x4", 64 * KiB, 2048 * KiB, 16},
    {"neoverse-n1", 64 * KiB, 1024 * KiB},
    {"neoverse-n2", 64 * KiB, 1024 * KiB},
    {"neoverse-v1", 64 * KiB, 1024 * KiB, 16},
    {"neoverse-v2", 64 * KiB, 2048 * KiB, 16},
    {"ampere1", 64 * KiB, 2048 * KiB},
    {"apple-m1", 128 * KiB, 3072 * KiB, 16},
    {"apple-m2", 128 * KiB, 4096 * KiB, 16},
    {"apple-m3", 128 * KiB, 4096 * KiB, 16},
    {"apple-m4", 128 * KiB, 4096 * KiB, 16},
    {"", 32 * KiB, 256 * KiB},
};

static const llvm::Target *getLLVMTarget(const llvm::Triple &triple) {
  // Once for the process; LLVM's tables do not allow more.
  static const bool done = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    return true;
  }();
  (void)done;
  std::string error;
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

/// The processor if it is one of `architecture`.
static std::optional<Processor> getProcessor(const Architecture &architecture,
                                             std::string name, bool native) {
  Processor processor;
  processor.architecture = &architecture;
  processor.name = std::move(name);
  std::string instructions = processor.tuning = processor.name;
  for (const Level &level : architecture.levels)
    if (level.name == processor.name) {
      instructions = level.processor;
      processor.tuning = level.tuning;
    }
  llvm::Triple triple(architecture.triple);
  const llvm::Target *target = getLLVMTarget(triple);
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!known->isCPUStringValid(instructions))
    return std::nullopt;
  known.reset(target->createMCSubtargetInfo(triple, instructions, ""));
  if (!known->checkFeatures(architecture.required))
    return std::nullopt;
  // A hypervisor may hide what the processor's name promises.
  llvm::StringMap<bool> host;
  if (native)
    host = llvm::sys::getHostCPUFeatures();
  for (const Feature &feature : kFeatures)
    if (architecture.features & feature.bit &&
        known->checkFeatures(("+" + feature.spelling).str()) &&
        (!native || host.lookup(feature.spelling)))
      processor.features |= feature.bit;
  return processor;
}

std::optional<Processor> getProcessor(const TargetOptions &options) {
  bool native = options.processor == "native";
  std::string name =
      native ? llvm::sys::getHostCPUName().str() : options.processor;
  for (const Architecture &architecture : kArchitectures)
    if (auto processor = getProcessor(architecture, name, native))
      return processor;
  return std::nullopt;
}

/// Of machines of which no more is known than what their cores are.
static constexpr int64_t kUsualCores = 8;

/// This one for `native`, if it tells.
static Machine getMachine(const TargetOptions &options, const Core &core) {
  std::optional<Machine> own;
  if (options.processor == "native")
    own = detectMachine();
  Machine machine = own.value_or(Machine{kUsualCores, core.first, core.second});
  if (options.cores)
    machine.cores = options.cores;
  return machine;
}

FailureOr<TargetDescription> describe(MLIRContext *context,
                                      const TargetOptions &options) {
  std::optional<Processor> processor = getProcessor(options);
  if (!processor)
    return emitError(UnknownLoc::get(context))
           << "expected the name of an x86-64 or AArch64 processor, but got '"
           << options.processor << "'";
  constexpr uint64_t wide =
      SPARKLE_CPU_AVX512F | SPARKLE_CPU_AVX512VL | SPARKLE_CPU_AVX512DQ;
  bool hasWide = (processor->features & wide) == wide;
  bool hasAVX = processor->features & SPARKLE_CPU_AVX;
  bool hasMany = hasWide || processor->features & SPARKLE_CPU_NEON;
  const Core *core = std::begin(kCores);
  while (!core->processor.empty() && core->processor != processor->tuning)
    ++core;
  Machine machine = getMachine(options, *core);
  auto numbers = TargetAttr::get(context, "cpu",
                                 /*lanes=*/
                                 hasWide  ? 16
                                 : hasAVX ? 8
                                          : 4,
                                 /*vectors=*/hasMany ? 32 : 16,
                                 /*fma_latency=*/core->sums,
                                 /*near_bytes=*/machine.second,
                                 /*close_bytes=*/machine.first,
                                 /*copies=*/false, /*masked=*/false,
                                 /*cores=*/machine.cores,
                                 /*near_read=*/1, /*near_width=*/core->width,
                                 /*unit_lanes=*/core->unit);
  return TargetDescription{numbers, processor->name, processor->features,
                           processor->architecture->baseline.str()};
}

std::string spellFeatures(const Processor &processor) {
  std::string spelled;
  for (const Feature &feature : kFeatures)
    if (processor.features & feature.bit)
      spelled += (spelled.empty() ? "+" : ",+") + feature.spelling.str();
  return spelled;
}

llvm::StringRef getLeast(const Processor &processor) {
  return processor.architecture->least;
}

std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const Processor &processor) {
  llvm::Triple triple(processor.architecture->triple);
  return std::unique_ptr<llvm::TargetMachine>(
      getLLVMTarget(triple)->createTargetMachine(
          triple, getLeast(processor), spellFeatures(processor),
          llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
          llvm::CodeGenOptLevel::Aggressive));
}

} // namespace sparkle::cpu
