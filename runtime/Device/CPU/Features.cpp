// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUID says what the processor has, XCR0 which registers the operating system
// saves; an instruction set counts only with both. Of AArch64 all that code may
// need is what every Linux program there may use.

#include "runtime/Device/CPU/Features.h"

#include <cinttypes>
#include <cstdio>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sparkle::runtime {

#if defined(__x86_64__)
namespace {

enum Register { EAX, EBX, ECX, EDX };

/// One bit of CPUID.
struct Place {
  uint64_t feature;
  uint32_t leaf, subleaf;
  Register reg;
  unsigned bit;
  uint32_t state; // of XCR0, which the operating system has to save
};

const Place places[] = {
#define SPARKLE_CPUID(NAME, leaf, subleaf, reg, bit, state)                    \
  {SPARKLE_CPU_##NAME, leaf, subleaf, reg, bit, state},
#include "sparkle/cpuid.def"
#undef SPARKLE_CPUID
};

constexpr Place xgetbv = {0, 1, 0, ECX, 27, 0}; // "OSXSAVE"

bool hasBit(const Place &place) {
  uint32_t registers[4] = {};
  // False where the processor knows no such leaf.
  return __get_cpuid_count(place.leaf, place.subleaf, &registers[EAX],
                           &registers[EBX], &registers[ECX], &registers[EDX]) &&
         (registers[place.reg] >> place.bit & 1);
}

uint64_t readXcr0() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

} // namespace

Status queryFeatures(uint64_t &features) {
  features = 0;
  uint64_t saved = hasBit(xgetbv) ? readXcr0() : 0;
  for (const Place &place : places)
    if (hasBit(place) && (saved & place.state) == place.state)
      features |= place.feature;
  return {};
}

void queryProductName(char *name, size_t size) {
  // Three leaves of 16 characters each; the last one ends in a zero byte.
  uint32_t text[13] = {};
  if (__get_cpuid_max(0x80000000, nullptr) >= 0x80000004)
    for (uint32_t i = 0; i < 3; ++i)
      __get_cpuid(0x80000002 + i, &text[4 * i], &text[4 * i + 1],
                  &text[4 * i + 2], &text[4 * i + 3]);
  const char *begin = reinterpret_cast<const char *>(text);
  while (*begin == ' ')
    ++begin;
  std::snprintf(name, size, "%s", begin);
}
#elif defined(__aarch64__)
Status queryFeatures(uint64_t &features) {
  features = SPARKLE_CPU_NEON;
  return {};
}

// The system gives numbers only.
void queryProductName(char *name, size_t) { *name = 0; }
#else
Status queryFeatures(uint64_t &features) {
  features = 0;
  return Status::failure(
      SPARKLE_UNAVAILABLE,
      "expected an x86-64 or AArch64 processor, but got another");
}

void queryProductName(char *name, size_t) { *name = 0; }
#endif

const char *getOtherArchitecture(uint64_t needed, uint64_t features) {
  if (!((needed ^ features) & SPARKLE_CPU_NEON))
    return nullptr;
  return needed & SPARKLE_CPU_NEON ? "an AArch64 processor"
                                   : "an x86-64 processor";
}

const char *getFeatureName(uint64_t features) {
#define SPARKLE_NAME(NAME, spelling, bit)                                      \
  if (features & SPARKLE_CPU_##NAME)                                           \
    return spelling;
  SPARKLE_CPU_FEATURES(SPARKLE_NAME)
#undef SPARKLE_NAME
  return "an unknown one";
}

Status findCode(const sparkle_kernel_t &kernel, uint64_t features,
                const sparkle_code_t *&code) {
  code = nullptr;
  const sparkle_code_t *last = nullptr;
  for (uint32_t i = 0; i < kernel.code_count; ++i) {
    const sparkle_code_t &next = kernel.codes[i];
    if (next.target != SPARKLE_TARGET_CPU)
      continue;
    last = &next;
    if (!getOtherArchitecture(next.features, features) &&
        (next.features & ~features) == 0 &&
        (!code || __builtin_popcountll(next.features) >
                      __builtin_popcountll(code->features)))
      code = &next;
  }
  if (code)
    return {};
  if (!last)
    return Status::failure(SPARKLE_NO_IMAGE,
                           "kernel '%s': expected code for cpu, but got none",
                           kernel.name);
  if (const char *other = getOtherArchitecture(last->features, features))
    return Status::failure(
        SPARKLE_NO_IMAGE,
        "kernel '%s': expected %s, which the code for %s needs", kernel.name,
        other, last->processor);
  return Status::failure(
      SPARKLE_NO_IMAGE,
      "kernel '%s': expected a processor with %s, which the code for %s needs",
      kernel.name, getFeatureName(last->features & ~features), last->processor);
}

} // namespace sparkle::runtime
