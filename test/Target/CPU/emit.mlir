// RUN: sparkle-opt %s --cpu=znver4 --emit=asm | FileCheck %s
// RUN: sparkle-opt %s --cpu=znver4 -o %t.o
// RUN: llvm-readelf --syms %t.o | FileCheck %s --check-prefix=SYMBOLS

// Only the functions that the header names can be seen from outside.
// SYMBOLS-DAG: FUNC GLOBAL DEFAULT {{.*}} share{{$}}
// SYMBOLS-DAG: FUNC GLOBAL DEFAULT {{.*}} share_pack_w{{$}}
// SYMBOLS-DAG: FUNC GLOBAL DEFAULT {{.*}} share_packed_w_size{{$}}
// SYMBOLS-DAG: FUNC LOCAL DEFAULT {{.*}} share.band..omp_par{{$}}
// SYMBOLS-NOT: {{expf|erff|memset|memcpy}}

// The hot loops: every broadcast serves its taps, vectors of 16, no spill.
// CHECK-LABEL: share.band..omp_par:
// CHECK-NOT: zmm{{.*}}(%rsp)
// CHECK: vbroadcastss {{.*}}, %zmm
// CHECK-NOT: zmm{{.*}}(%rsp)
// CHECK-COUNT-80: vfmadd231ps {{.*}}%zmm
// relu is one instruction.
// CHECK-NOT: zmm{{.*}}(%rsp)
// CHECK: vmaxps
// CHECK-NEXT: vmovups %zmm
// CHECK-NEXT: vaddps {{.*}}(%r
// CHECK-NEXT: vmaxps
// CHECK-NOT: vcmp
// CHECK: .Lfunc_end

// 28 sums and 6 weights are more than 32 registers: the taps come one by one.
// CHECK-LABEL: split.band..omp_par:
// CHECK-NOT: zmm{{.*}}(%rsp)
// CHECK: .Lfunc_end

// Functions without an instruction are polynomials.
// CHECK-LABEL: smooth.band..omp_par:
// CHECK-NOT: call{{.*}}exp
// CHECK: vdivps
// CHECK-NOT: call{{.*}}exp
// CHECK: .Lfunc_end

module {
  sparkle.kernel @share sizes [] {
    %x = sparkle.tensor input "x" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    %w = sparkle.tensor weight "w" extents () -> (64, 64, 3, 3) : <64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %b = sparkle.tensor input "b" extents () -> (64) : <64xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (1, 64, 56, 56, 64, 3, 3) pattern #sparkle.pattern<registers = [1, 32, 1, 8, 1, 1, 1], lanes = [1, 16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 1, 4, 1, 3]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : !sparkle.tensor<64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      %4 = sparkle.read %b (d0, d1, d2, d3, d4, d5, d6) -> (d1) : !sparkle.tensor<64xf32, (d0) -> (d0)> -> f32
      %5 = arith.addf %0, %4 : f32
      %6 = sparkle.activate relu %5 : f32
      sparkle.yield %6 : f32
    } : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  }
  sparkle.kernel @split sizes [] {
    %x = sparkle.tensor input "x" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    %w = sparkle.tensor weight "w" extents () -> (64, 64, 3, 3) : <64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %b = sparkle.tensor input "b" extents () -> (64) : <64xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1, 64, 56, 56) : <1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (1, 64, 56, 56, 64, 3, 3) pattern #sparkle.pattern<registers = [1, 32, 1, 14, 1, 1, 1], lanes = [1, 16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 1, 4, 1, 3]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : !sparkle.tensor<64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      %4 = sparkle.read %b (d0, d1, d2, d3, d4, d5, d6) -> (d1) : !sparkle.tensor<64xf32, (d0) -> (d0)> -> f32
      %5 = arith.addf %0, %4 : f32
      %6 = sparkle.activate relu %5 : f32
      sparkle.yield %6 : f32
    } : !sparkle.tensor<1x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  }
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
