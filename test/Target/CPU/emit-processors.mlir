// RUN: sparkle-opt %s --cpu=haswell --emit=asm | FileCheck %s --check-prefix=AVX2
// RUN: sparkle-opt %s --cpu=x86-64 --emit=asm | FileCheck %s --check-prefix=SSE
// RUN: sparkle-opt %s --cpu=znver4 --emit=tiled | FileCheck %s --check-prefix=ZEN4
// RUN: sparkle-opt %s --cpu=sapphirerapids --emit=tiled | FileCheck %s --check-prefix=SPR
// RUN: sparkle-opt %s --cpu=haswell --emit=tiled | FileCheck %s --check-prefix=HASWELL
// RUN: sparkle-opt %s --cpu=x86-64 --emit=tiled | FileCheck %s --check-prefix=BASELINE

// The numbers of a processor come from its name alone.
// ZEN4: lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false
// SPR: lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 2097152, close_bytes = 49152, copies = false
// HASWELL: lanes = 8, vectors = 16, fma_latency = 8, near_bytes = 262144, close_bytes = 32768, copies = false
// BASELINE: lanes = 4, vectors = 16, fma_latency = 8, near_bytes = 262144, close_bytes = 32768, copies = false

// No wider registers than the processor has, no call of fmaf without FMA, and
// no call of expf.
// AVX2-NOT: zmm
// AVX2: vfmadd231ps {{.*}}%ymm
// AVX2-NOT: {{zmm|expf}}
// SSE-NOT: {{ymm|fmaf}}
// SSE: mulps
// SSE-NOT: {{ymm|fmaf|expf}}
module {
  sparkle.kernel @smooth sizes [] {
    %x = sparkle.tensor input "x" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    %w = sparkle.tensor weight "w" extents () -> (64, 64, 3, 3) : <64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %b = sparkle.tensor input "b" extents () -> (64) : <64xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (1, 64, 56, 56, 64, 3, 3) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : !sparkle.tensor<64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      %4 = sparkle.read %b (d0, d1, d2, d3, d4, d5, d6) -> (d1) : !sparkle.tensor<64xf32, (d0) -> (d0)> -> f32
      %5 = arith.addf %0, %4 : f32
      %6 = sparkle.activate silu %5 : f32
      sparkle.yield %6 : f32
    } : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  }
}
