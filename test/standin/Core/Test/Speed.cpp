// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints how many wave-instructions a second one core runs: of a product of
// matrices through local memory, as the compiler's kernels are.

#include "test/standin/Core/Test/Bench.h"
#include "test/standin/Core/Test/Kernels.h"

#include <cstdio>
#include <ctime>

using namespace sparkle::standin;

int main() {
  for (Generation generation : {Generation::Gfx1030, Generation::Gfx1100}) {
    Kernel kernel = compile(generation, kTiledProduct);
    Bench bench(generation);
    constexpr uint32_t kSize = 512;
    std::vector<float> values(kSize * kSize, 1.5f);
    std::vector<uint8_t> arguments;
    append(arguments, bench.memory.place(values));
    append(arguments, bench.memory.place(values));
    append(arguments, bench.memory.allocate(kSize * kSize * 4));
    append(arguments, kSize);
    std::clock_t start = std::clock();
    Outcome outcome =
        bench.run(kernel, kSize / 64 * (kSize / 64), 256, arguments);
    double took = double(std::clock() - start) / CLOCKS_PER_SEC;
    if (outcome.kind != Outcome::Kind::Done) {
      std::fprintf(stderr, "%s\n", outcome.message.c_str());
      return 1;
    }
    std::printf("%s: %.1f million wave-instructions in %.2f s of processor "
                "time, %.1f million a "
                "second\n",
                nameOf(generation), double(outcome.instructions) / 1e6, took,
                double(outcome.instructions) / took / 1e6);
  }
  return 0;
}
