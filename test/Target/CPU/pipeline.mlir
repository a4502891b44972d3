// RUN: sparkle-opt %s --sparkle-cpu-lower-tiled --split-input-file | FileCheck %s

// The entry checks its arguments before anything else: a negative size and a
// null pointer are refused, an empty output is done.
// CHECK-LABEL: llvm.func @copy(
// CHECK-SAME: %[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr, %[[N:.*]]: i64) -> i32
// CHECK: llvm.icmp "sge" %[[N]]
// CHECK: llvm.intr.smul.with.overflow
// CHECK: llvm.return %[[R:.*]] : i32
// CHECK: llvm.return %{{.*}} : i32
// CHECK: llvm.icmp "ne" %[[X]], %{{.*}} : !llvm.ptr
// CHECK: llvm.icmp "ne" %[[Y]], %{{.*}} : !llvm.ptr
// A tile of 20 is a whole vector and four lanes of another.
// CHECK: %[[FULL:.*]] = llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.store %[[FULL]]
// CHECK: %[[REST:.*]] = llvm.intr.masked.load
// CHECK: llvm.store %{{.*}} : vector<4xf32>
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @copy sizes ["N"] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 20) : <?x20xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 20) : <?x20xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["n", "i"] (%n, %i) extents ()[s0] -> (s0, 20) steps [1, 20] {
      %0 = sparkle.init : <1x20xf32, 1x16>
      sparkle.store %0 to %y[%n, %i] (%x (d0, d1) -> (d0, d1) : !sparkle.tensor<?x20xf32, (d0, d1) -> (d0, d1)>) {
      ^bb0(%sum: f32, %e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<1x20xf32, 1x16> to !sparkle.tensor<?x20xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

// One row of a 3-tap convolution over four pixels: every pixel is broadcast
// once and used by all taps that touch it, the two weight vectors of a tap are
// loaded before. The tap that reads left of the tensor is dropped.
// CHECK-LABEL: llvm.func @taps(
// CHECK-COUNT-3: llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-NOT: vector<16xf32>{{$}}
// CHECK: %[[P0:.*]] = llvm.load %[[A0:.*]] {alignment = 4 : i64} : !llvm.ptr -> f32
// CHECK-COUNT-2: llvm.intr.fmuladd
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-COUNT-3: llvm.intr.fmuladd
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-COUNT-3: llvm.intr.fmuladd
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-COUNT-2: llvm.intr.fmuladd
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-COUNT-1: llvm.intr.fmuladd
// CHECK-NOT: llvm.intr.fmuladd
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @taps sizes [] {
    %c0 = arith.constant 0 : index
    %c-1 = arith.constant -1 : index
    %x = sparkle.tensor input "x" extents () -> (8) : <8xf32, (d0) -> (d0)>
    %w = sparkle.tensor input "w" extents () -> (16, 3) : <16x3xf32, (d0, d1) -> (d1, d0)>
    %y = sparkle.tensor output "y" extents () -> (16, 4) : <16x4xf32, (d0, d1) -> (d1, d0)>
    sparkle.workers ["k", "q"] (%k, %q) extents () -> (16, 4) steps [16, 4] {
      %xb = sparkle.stage in_place %x[%c-1] : <8xf32, (d0) -> (d0)> to <6xf32>
      %wb = sparkle.stage in_place %w[%c0, %c0] : <16x3xf32, (d0, d1) -> (d1, d0)> to <16x3xf32>
      %0 = sparkle.init : <16x4xf32, 16x1>
      %1 = sparkle.accumulate %0 at [%k, %q, %c0] slice [3] (%xb (d0, d1, d2) -> (d1 + d2 - 1) : !sparkle.box<6xf32>, %wb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<16x3xf32>) {
      ^bb0(%e: f32, %f: f32):
        %m = arith.mulf %e, %f : f32
        sparkle.yield %m : f32
      } : !sparkle.tile<16x4xf32, 16x1>
      sparkle.store %1 to %y[%k, %q] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16x4xf32, 16x1> to !sparkle.tensor<16x4xf32, (d0, d1) -> (d1, d0)>
    }
  }
}

// -----

// A read that may be outside takes its element from a constant zero then. What
// can be shown to be inside (here: the loop begins at max(0, 1 - p)) is read
// as it is.
// CHECK: llvm.mlir.global private constant @sparkle.zeros.4(dense<0> : vector<4xi8>)
// CHECK-LABEL: llvm.func @guard(
// CHECK: %[[LOWER:.*]] = llvm.icmp "sge"
// CHECK: %[[ZERO:.*]] = llvm.mlir.addressof @sparkle.zeros.4 :
// CHECK: llvm.select %[[LOWER]], %{{.*}}, %[[ZERO]] : i1, !llvm.ptr
// CHECK: llvm.intr.fmuladd
// CHECK-NOT: llvm.select
// CHECK: llvm.intr.fmuladd
#lower = affine_map<(d0) -> (0, -d0 + 1)>
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @guard sizes [] {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %x = sparkle.tensor input "x" extents () -> (40) : <40xf32, (d0) -> (d0)>
    %w = sparkle.tensor input "w" extents () -> (16, 2) : <16x2xf32, (d0, d1) -> (d1, d0)>
    %y = sparkle.tensor output "y" extents () -> (16, 39) : <16x39xf32, (d0, d1) -> (d1, d0)>
    sparkle.workers ["k", "p"] (%k, %p) extents () -> (16, 39) steps [16, 1] {
      %xb = sparkle.stage in_place %x[%c0] : <40xf32, (d0) -> (d0)> to <40xf32>
      %wb = sparkle.stage in_place %w[%c0, %c0] : <16x2xf32, (d0, d1) -> (d1, d0)> to <16x2xf32>
      %0 = sparkle.init : <16x1xf32, 16x1>
      %1 = sparkle.loop registers %r = %c0 to %c2 step 1 carry (%a = %0) : !sparkle.tile<16x1xf32, 16x1> {
        %2 = sparkle.accumulate %a at [%k, %p, %r] slice [1] (%xb (d0, d1, d2) -> (d1 + d2 - 1) : !sparkle.box<40xf32>, %wb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<16x2xf32>) {
        ^bb0(%e: f32, %f: f32):
          %m = arith.mulf %e, %f : f32
          sparkle.yield %m : f32
        } : !sparkle.tile<16x1xf32, 16x1>
        sparkle.yield %2 : !sparkle.tile<16x1xf32, 16x1>
      }
      %lower = affine.max #lower(%p)
      %3 = sparkle.loop registers %r = %lower to %c2 step 1 carry (%a = %1) : !sparkle.tile<16x1xf32, 16x1> {
        %4 = sparkle.accumulate %a at [%k, %p, %r] slice [1] (%xb (d0, d1, d2) -> (d1 + d2 - 1) : !sparkle.box<40xf32>, %wb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<16x2xf32>) {
        ^bb0(%e: f32, %f: f32):
          %m = arith.mulf %e, %f : f32
          sparkle.yield %m : f32
        } : !sparkle.tile<16x1xf32, 16x1>
        sparkle.yield %4 : !sparkle.tile<16x1xf32, 16x1>
      }
      sparkle.store %3 to %y[%k, %p] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16x1xf32, 16x1> to !sparkle.tensor<16x39xf32, (d0, d1) -> (d1, d0)>
    }
  }
}

// -----

// Tiles along the innermost dimension are dealt out last: threads have rows, not
// parts of the same ones.
// CHECK-LABEL: llvm.func @dealt(
// CHECK-COUNT-3: llvm.mlir.constant(500 : i64)
// CHECK: %[[M:.*]] = llvm.mlir.constant(500 : i64)
// CHECK: llvm.mlir.constant(32 : i64)
// CHECK: %[[K:.*]] = llvm.mlir.constant(32 : i64)
// CHECK: omp.loop_nest {{.*}} step (%[[M]], %[[K]]) collapse(2)
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @dealt sizes [] {
    %x = sparkle.tensor input "x" extents () -> (128, 10000000) : <128x10000000xf32, (d0, d1) -> (d1, d0)>
    %y = sparkle.tensor output "y" extents () -> (128, 10000000) : <128x10000000xf32, (d0, d1) -> (d1, d0)>
    sparkle.workers ["k", "m"] (%k, %m) extents () -> (128, 10000000) steps [32, 500] {
      %c500 = arith.constant 500 : index
      %end = arith.addi %m, %c500 : index
      sparkle.loop registers %i = %m to %end step 1 {
        %0 = sparkle.init : <32x1xf32, 16x1>
        sparkle.store %0 to %y[%k, %i] (%x (d0, d1) -> (d0, d1) : !sparkle.tensor<128x10000000xf32, (d0, d1) -> (d1, d0)>) {
        ^bb0(%sum: f32, %e: f32):
          sparkle.yield %e : f32
        } : !sparkle.tile<32x1xf32, 16x1> to !sparkle.tensor<128x10000000xf32, (d0, d1) -> (d1, d0)>
      }
    } {innermost = 0}
  }
}

// -----

// Enough work is shared out: the scratch of a copied box belongs to the thread,
// and the loop does not wait, as the team meets at the end of the region. A row
// outside of the tensor is not touched, not even with a mask: its page may not
// be mapped, which can be slow.
// CHECK-LABEL: llvm.func @team(
// CHECK: omp.parallel {
// Two rows of 256 elements, and a line after each: rows a KiB apart would meet
// in few sets of the first cache.
// CHECK: %[[ELEMENTS:.*]] = llvm.mlir.constant(544 : i64)
// CHECK-NEXT: llvm.alloca %[[ELEMENTS]] x f32 {alignment = 64 : i64}
// CHECK: omp.wsloop nowait schedule(static) {
// The first of the team, who get one more, begin at the end, where a tile may be cut.
// CHECK: omp.loop_nest (%[[TURN:.*]]) : i64
// CHECK: %[[BACK:.*]] = llvm.mul %[[TURN]], %{{.*}}
// CHECK: llvm.add %{{.*}}, %[[BACK]]
// CHECK: %[[ZEROS:.*]] = llvm.mlir.addressof @sparkle.zeros.64 :
// CHECK: %[[ROW:.*]] = llvm.select %{{.*}}, %{{.*}}, %[[ZEROS]] : i1, !llvm.ptr
// CHECK: llvm.load %[[ROW]] {{.*}} -> vector<16xf32>
// CHECK-NOT: llvm.intr.masked.load
// A line of 64 bytes is asked for once: those that the tile will be written to,
// and what the text prefetches.
// CHECK-COUNT-2: llvm.intr.prefetch{{.*}}rw = 1
// CHECK-COUNT-2: llvm.intr.prefetch{{.*}}rw = 0
// CHECK-NOT: llvm.intr.prefetch
// CHECK: llvm.intr.fmuladd
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @team sizes [] {
    %c0 = arith.constant 0 : index
    %c256 = arith.constant 256 : index
    %x = sparkle.tensor input "x" extents () -> (1000, 256) : <1000x256xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor input "w" extents () -> (256, 32) : <256x32xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (1000, 32) : <1000x32xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["m", "k"] (%m, %k) extents () -> (1000, 32) steps [1, 32] {
      %xb = sparkle.stage copy %x[%m, %c0] layout (d0, d1) -> (d0, d1) : <1000x256xf32, (d0, d1) -> (d0, d1)> to <2x256xf32>
      sparkle.barrier
      %wb = sparkle.stage in_place %w[%c0, %c0] : <256x32xf32, (d0, d1) -> (d0, d1)> to <256x32xf32>
      %0 = sparkle.init : <1x32xf32, 1x16>
      %1 = sparkle.loop registers %c = %c0 to %c256 step 1 carry (%a = %0) : !sparkle.tile<1x32xf32, 1x16> {
        sparkle.prefetch %wb[%m, %k, %c] shape [1, 32, 1] (d0, d1, d2) -> (d2, d1) : !sparkle.box<256x32xf32>
        %2 = sparkle.accumulate %a at [%m, %k, %c] slice [1] (%xb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<2x256xf32>, %wb (d0, d1, d2) -> (d2, d1) inside [0, 1] : !sparkle.box<256x32xf32>) {
        ^bb0(%e: f32, %f: f32):
          %p = arith.mulf %e, %f : f32
          sparkle.yield %p : f32
        } : !sparkle.tile<1x32xf32, 1x16>
        sparkle.yield %2 : !sparkle.tile<1x32xf32, 1x16>
      }
      sparkle.store %1 to %y[%m, %k] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<1x32xf32, 1x16> to !sparkle.tensor<1000x32xf32, (d0, d1) -> (d0, d1)>
      sparkle.barrier
    }
  }
}

// -----

// A part is a line of each row of lines, further on in each pass; none of them is
// kept as close as what is read next.
// CHECK-LABEL: llvm.func @ahead(
// CHECK-COUNT-4: llvm.intr.prefetch{{.*}}hint = 3 : i32, rw = 1
// CHECK: llvm.intr.prefetch{{.*}}hint = 2 : i32, rw = 0
// CHECK-NOT: llvm.intr.prefetch
// CHECK: llvm.intr.fmuladd
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @ahead sizes [] {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c64 = arith.constant 64 : index
    %x = sparkle.tensor input "x" extents () -> (4, 64) : <4x64xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor input "w" extents () -> (64, 64) : <64x64xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (4, 64) : <4x64xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["m", "k"] (%m, %k) extents () -> (4, 64) steps [4, 64] {
      %xb = sparkle.stage in_place %x[%c0, %c0] : <4x64xf32, (d0, d1) -> (d0, d1)> to <4x64xf32>
      %wb = sparkle.stage in_place %w[%c0, %c0] : <64x64xf32, (d0, d1) -> (d0, d1)> to <64x64xf32>
      sparkle.loop registers %n = %c0 to %c64 step 64 {
        sparkle.loop registers %p = %c0 to %c4 step 1 {
          %0 = sparkle.init : <1x64xf32, 1x16>
          %1 = sparkle.loop registers %c = %c0 to %c64 step 1 carry (%a = %0) : !sparkle.tile<1x64xf32, 1x16> {
            %next = affine.apply affine_map<(d0) -> (d0 + 1)>(%c)
            sparkle.prefetch %wb[%p, %n, %next] shape [1, 64, 1] (d0, d1, d2) -> (d2, d1) part %p of 4 : !sparkle.box<64x64xf32>
            %2 = sparkle.accumulate %a at [%p, %n, %c] slice [1] (%xb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<4x64xf32>, %wb (d0, d1, d2) -> (d2, d1) inside [0, 1] : !sparkle.box<64x64xf32>) {
            ^bb0(%e: f32, %f: f32):
              %p0 = arith.mulf %e, %f : f32
              sparkle.yield %p0 : f32
            } : !sparkle.tile<1x64xf32, 1x16>
            sparkle.yield %2 : !sparkle.tile<1x64xf32, 1x16>
          }
          sparkle.store %1 to %y[%p, %n] () {
          ^bb0(%sum: f32):
            sparkle.yield %sum : f32
          } : !sparkle.tile<1x64xf32, 1x16> to !sparkle.tensor<4x64xf32, (d0, d1) -> (d0, d1)>
        }
      }
    }
  }
}

// -----

// Lanes that are apart in the output are transposed: 16 channels of 8 pixels
// are 16 stores of 8 floats.
// CHECK-LABEL: llvm.func @transposed(
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29]
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31]
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29]
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
// CHECK-NOT: llvm.extractelement
// CHECK-COUNT-16: llvm.store %{{.*}} : vector<8xf32>
// CHECK-NOT: llvm.store
// CHECK-LABEL: llvm.func @overhang(
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @transposed sizes [] {
    %x = sparkle.tensor input "x" extents () -> (16, 8) : <16x8xf32, (d0, d1) -> (d1, d0)>
    %y = sparkle.tensor output "y" extents () -> (16, 8) : <16x8xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["k", "q"] (%k, %q) extents () -> (16, 8) steps [16, 8] {
      %0 = sparkle.init : <16x8xf32, 16x1>
      sparkle.store %0 to %y[%k, %q] (%x (d0, d1) -> (d0, d1) : !sparkle.tensor<16x8xf32, (d0, d1) -> (d1, d0)>) {
      ^bb0(%sum: f32, %e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<16x8xf32, 16x1> to !sparkle.tensor<16x8xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

// Of a tile that overhangs, only the points inside of the output are written:
// two lanes at the end of a row of 18, no row beyond the third, and, one lane
// after the other, those that run time finds inside.
// CHECK: llvm.store %{{.*}} : vector<2xf32>
// CHECK: llvm.store %{{.*}} : vector<2xf32>
// CHECK: llvm.store %{{.*}} : vector<2xf32>
// CHECK-NOT: llvm.store %{{.*}} : vector<2xf32>
// CHECK-LABEL: llvm.func @overhang_run_time(
// CHECK: llvm.icmp "sge"
// CHECK-COUNT-32: llvm.intr.masked.store %{{.*}} : vector<1xf32>, vector<1xi1>
// CHECK-NOT: llvm.intr.masked.store
// CHECK-NOT: llvm.store %{{.*}} : f32
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @overhang sizes [] {
    %y = sparkle.tensor output "y" extents () -> (3, 18) : <3x18xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["n", "i"] (%n, %i) extents () -> (3, 18) steps [4, 32] {
      %0 = sparkle.init : <4x32xf32, 1x16>
      sparkle.store %0 to %y[%n, %i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<4x32xf32, 1x16> to !sparkle.tensor<3x18xf32, (d0, d1) -> (d0, d1)>
    }
  }
  sparkle.kernel @overhang_run_time sizes ["N"] {
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 5) : <?x5xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["n", "i"] (%n, %i) extents ()[s0] -> (s0, 5) steps [16, 5] {
      %0 = sparkle.init : <16x2xf32, 16x1>
      sparkle.store %0 to %y[%n, %i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16x2xf32, 16x1> to !sparkle.tensor<?x5xf32, (d0, d1) -> (d0, d1)>
    }
  }
}
