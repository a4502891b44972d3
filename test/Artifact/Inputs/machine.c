/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a kernel chooses on machines that a table describes. Only functions that
 * every machine runs are called: those that count bytes, which differ from
 * variant to variant. */

#include <stdint.h>
#include <stdio.h>

extern int32_t sparkle_chosen;
int64_t product_packed_w_size(void);
int64_t product_workspace_size(int64_t N);
int product_pack_w(const float *w, float *packed);
int product(const float *x, const float *w, float *y, void *workspace,
            int64_t N);

/* Registers as CPUID gives them; `last` and `extended` are the last leaves. */
typedef struct {
  const char *name;
  uint32_t last, ecx1, ebx7, extended, ecx8, xcr0;
} machine_t;

/* Leaf 1, ECX: SSE3 SSSE3 FMA SSE4.1 SSE4.2 MOVBE POPCNT OSXSAVE AVX F16C. Leaf
 * 7, EBX: BMI AVX2 BMI2, and AVX-512 F DQ CD BW VL. 0x80000001, ECX: LZCNT. */
#define ECX1 0x38d81201u
#define AVX2 0x00000128u
#define AVX512 0xd0030000u
#define EXTENDED 0x80000001u

static const machine_t machines[] = {
    {"all", 7, ECX1, AVX2 | AVX512, EXTENDED, 0x20, 0xe7},
    {"no AVX-512", 7, ECX1, AVX2, EXTENDED, 0x20, 0xe7},
    {"no AVX512VL", 7, ECX1, AVX2 | (AVX512 & ~0x80000000u), EXTENDED, 0x20,
     0xe7},
    {"no FMA", 7, ECX1 & ~0x1000u, AVX2 | AVX512, EXTENDED, 0x20, 0xe7},
    {"no LZCNT", 7, ECX1, AVX2 | AVX512, EXTENDED, 0, 0xe7},
    {"ZMM not saved", 7, ECX1, AVX2 | AVX512, EXTENDED, 0x20, 0x07},
    {"YMM not saved", 7, ECX1, AVX2 | AVX512, EXTENDED, 0x20, 0x03},
    {"no XGETBV", 7, ECX1 & ~0x08000000u, AVX2 | AVX512, EXTENDED, 0x20, 0xe7},
    {"few leaves", 6, ECX1, AVX2 | AVX512, EXTENDED, 0x20, 0xe7},
    {"few extended leaves", 7, ECX1, AVX2 | AVX512, 0x80000000u, 0x20, 0xe7},
};

static const machine_t *machine;

void ask_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]) {
  registers[0] = leaf == 0 ? machine->last : leaf >> 31 ? machine->extended : 0;
  registers[1] = leaf == 7 && subleaf == 0 ? machine->ebx7 : 0;
  registers[2] = leaf == 1 ? machine->ecx1 : leaf >> 31 ? machine->ecx8 : 0;
  registers[3] = 0;
}

uint32_t ask_xgetbv(void) { return machine->xcr0; }

int main(void) {
  for (unsigned i = 0; i < sizeof(machines) / sizeof(*machines); ++i) {
    machine = &machines[i];
    sparkle_chosen = 0;
    /* 20 channels of 5 floats, rounded up to 16, 8 and 4. */
    int64_t size = product_packed_w_size();
    const char *choice = size == 640   ? "avx512"
                         : size == 480 ? "avx2"
                         : size == 400 ? "baseline"
                         : size == -1  ? "none"
                                       : "wrong";
    int status = 0;
    if (size == -1) {
      status = product(0, 0, 0, 0, 0);
      if (product_pack_w(0, 0) != status || product_workspace_size(1) != -1)
        return 1;
    }
    printf("%s: %s, %d\n", machine->name, choice, status);
  }
  return 0;
}
