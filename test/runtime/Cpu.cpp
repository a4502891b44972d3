// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Features, the choice of code, and the measured peak. The figures themselves
// are not tested, only what must hold of them.

#include "runtime/Device/CPU/Device.h"
#include "runtime/Device/CPU/Features.h"
#include "test/runtime/Descriptor.h"

#include <cinttypes>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>

using namespace sparkle;

namespace {

/// Whether large pages are wished for at an address, as proc(5) tells by `hg`.
bool wantsLargePages(const void *pointer) {
  std::ifstream maps("/proc/self/smaps");
  auto address = reinterpret_cast<uintptr_t>(pointer);
  bool isInside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) ==
        2)
      isInside = begin <= address && address < end;
    if (isInside && line.rfind("VmFlags:", 0) == 0)
      return line.find(" hg") != std::string::npos;
  }
  ADD_FAILURE() << "no map has the address";
  return false;
}

TEST(Cpu, largeBuffersAreInLargePages) {
  runtime::Ref<runtime::CpuMemory> small, large;
  ASSERT_TRUE(runtime::CpuMemory::allocate(1 << 20, 64, small).isOk());
  ASSERT_TRUE(runtime::CpuMemory::allocate(5 << 20, 64, large).isOk());
  auto *bytes = static_cast<char *>(large->bytes);
  bool hasThem =
      std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").is_open();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % (2 << 20), 0u);
  EXPECT_FALSE(wantsLargePages(small->bytes));
  EXPECT_EQ(wantsLargePages(bytes), hasThem);
  EXPECT_EQ(wantsLargePages(bytes + (4 << 20) - 1), hasThem);
  EXPECT_FALSE(wantsLargePages(bytes + (4 << 20)));
}

#ifdef __x86_64__
// By the compiler's own library, which asks the processor, too. The flags in
// /proc/cpuinfo are no witness: a kernel may withhold what CPUID tells, as one
// did with LZCNT on a virtual machine.
TEST(Cpu, featuresAreThoseOfTheCompiler) {
  uint64_t features = 0;
  ASSERT_EQ(sparkle_cpu_query_features(&features, nullptr), SPARKLE_OK);
  uint64_t expected = 0;
#define EXPECT_OF_COMPILER(NAME, spelling)                                     \
  expected |= __builtin_cpu_supports(spelling) ? SPARKLE_CPU_##NAME : 0
  EXPECT_OF_COMPILER(SSE3, "sse3");
  EXPECT_OF_COMPILER(SSSE3, "ssse3");
  EXPECT_OF_COMPILER(SSE4_1, "sse4.1");
  EXPECT_OF_COMPILER(SSE4_2, "sse4.2");
  EXPECT_OF_COMPILER(POPCNT, "popcnt");
  EXPECT_OF_COMPILER(AVX, "avx");
  EXPECT_OF_COMPILER(F16C, "f16c");
  EXPECT_OF_COMPILER(FMA, "fma");
  EXPECT_OF_COMPILER(AVX2, "avx2");
  EXPECT_OF_COMPILER(BMI, "bmi");
  EXPECT_OF_COMPILER(BMI2, "bmi2");
  EXPECT_OF_COMPILER(LZCNT, "lzcnt");
  EXPECT_OF_COMPILER(MOVBE, "movbe");
  EXPECT_OF_COMPILER(AVX512F, "avx512f");
  EXPECT_OF_COMPILER(AVX512CD, "avx512cd");
  EXPECT_OF_COMPILER(AVX512BW, "avx512bw");
  EXPECT_OF_COMPILER(AVX512DQ, "avx512dq");
  EXPECT_OF_COMPILER(AVX512VL, "avx512vl");
  EXPECT_OF_COMPILER(AVX512VNNI, "avx512vnni");
  EXPECT_OF_COMPILER(AVX512BF16, "avx512bf16");
#undef EXPECT_OF_COMPILER
  EXPECT_EQ(features, expected);
}
#endif

TEST(Cpu, findCodeTakesWhatUsesMost) {
  Descriptor good;
  sparkle_code_t codes[3] = {good.code, good.code, good.code};
  uint64_t machine = 0;
  ASSERT_EQ(sparkle_cpu_query_features(&machine, nullptr), SPARKLE_OK);
  codes[1].features = machine;
  codes[2].features = machine & ~SPARKLE_CPU_SSE3;
  good.kernel.codes = codes;
  good.kernel.code_count = 3;
  const sparkle_code_t *code = nullptr;
  EXPECT_EQ(sparkle_cpu_find_code(&good.kernel, &code, nullptr), SPARKLE_OK);
  EXPECT_EQ(code, &codes[1]);
}

TEST(Cpu, findCodeSaysWhatIsMissing) {
  Descriptor good;
  good.code.features = SPARKLE_CPU_AVX2 | SPARKLE_CPU_AVX512F;
  const sparkle_code_t *code = &good.code;
  EXPECT_STREQ(
      runtime::findCode(good.kernel, SPARKLE_CPU_AVX2, code).message(),
      "kernel 'product': expected a processor with avx512f, which the code for "
      "x86-64 needs");
  EXPECT_EQ(code, nullptr);
}

/// Code of another architecture is none, whatever it needs besides.
TEST(Cpu, findCodeTellsArchitecturesApart) {
  Descriptor good;
  good.code.processor = "cortex-a76";
  good.code.features = SPARKLE_CPU_NEON;
  const sparkle_code_t *code = &good.code;
  EXPECT_STREQ(
      runtime::findCode(good.kernel, SPARKLE_CPU_AVX2, code).message(),
      "kernel 'product': expected an AArch64 processor, which the code for "
      "cortex-a76 needs");
  EXPECT_EQ(code, nullptr);
  EXPECT_TRUE(runtime::findCode(good.kernel, SPARKLE_CPU_NEON, code).isOk());
  EXPECT_EQ(code, &good.code);

  for (uint64_t features : {uint64_t(0), SPARKLE_CPU_AVX2}) {
    good.code.processor = "x86-64";
    good.code.features = features;
    runtime::Status status =
        runtime::findCode(good.kernel, SPARKLE_CPU_NEON, code);
    EXPECT_EQ(status.code(), SPARKLE_NO_IMAGE);
    EXPECT_STREQ(status.message(),
                 "kernel 'product': expected an x86-64 processor, which the "
                 "code for x86-64 needs");
  }
}

TEST(Cpu, findCodeValidates) {
  Descriptor good;
  good.kernel.version = 0;
  const sparkle_code_t *code = &good.code;
  EXPECT_EQ(sparkle_cpu_find_code(&good.kernel, &code, nullptr),
            SPARKLE_INVALID_ARTIFACT);
  EXPECT_EQ(code, nullptr);
}

TEST(Cpu, peak) {
  sparkle_cpu_peak_t peak;
  sparkle_error_t error;
  ASSERT_EQ(sparkle_cpu_measure_peak(1, &peak, &error), SPARKLE_OK)
      << error.message;
  EXPECT_EQ(peak.threads, 1u);
  EXPECT_TRUE(peak.vector_bits == 128 || peak.vector_bits == 256 ||
              peak.vector_bits == 512);
  EXPECT_GT(peak.gflops, 0.1);
}

/// Each thread stays on a processor of its own meanwhile, and the caller may go
/// where it might before.
TEST(Cpu, peakLeavesAffinity) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  sparkle_cpu_peak_t peak;
  ASSERT_EQ(sparkle_cpu_measure_peak(0, &peak, nullptr), SPARKLE_OK);
  EXPECT_EQ(peak.threads, static_cast<uint32_t>(CPU_COUNT(&before)));
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

/// More threads than processors: it ends, and counts all of them.
TEST(Cpu, peakOfManyThreads) {
  sparkle_cpu_peak_t peak;
  ASSERT_EQ(sparkle_cpu_measure_peak(8, &peak, nullptr), SPARKLE_OK);
  EXPECT_EQ(peak.threads, 8u);
  EXPECT_GT(peak.gflops, 0.1);
}

TEST(Cpu, arguments) {
  sparkle_error_t error;
  EXPECT_EQ(sparkle_cpu_measure_peak(1, nullptr, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected out_peak, but got a null pointer");
  sparkle_cpu_peak_t peak{1, 1, 1};
  EXPECT_EQ(sparkle_cpu_measure_peak(1025, &peak, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected at most 1024 threads, but got 1025");
  EXPECT_EQ(peak.gflops, 0);
  EXPECT_EQ(sparkle_cpu_query_features(nullptr, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected out_features, but got a null pointer");
  EXPECT_EQ(sparkle_cpu_find_code(nullptr, nullptr, &error),
            SPARKLE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "expected out_code, but got a null pointer");
}

} // namespace
