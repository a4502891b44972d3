// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-tile | FileCheck %s

// The last tile of 'm' has the size that is left over: 100 = 12 * 8 + 4. It
// stands at a constant coordinate, and no tile reaches outside.
// CHECK-LABEL: sparkle.kernel @tails
// CHECK: sparkle.workers ["m", "n"] (%[[M:.*]], %{{.*}}) extents () -> (100, 64) steps [16, 64]
// CHECK: %[[END:.*]] = affine.min
// CHECK: sparkle.stage in_place %{{.*}}[%[[M]], %{{.*}}] : <100x128xf32, (d0, d1) -> (d0, d1)> to <16x128xf32>
// CHECK: sparkle.stage in_place %{{.*}} to <64x128xf32>
// CHECK: %[[WHOLE:.*]] = affine.min
// CHECK: sparkle.loop registers %[[I:.*]] = %[[M]] to %[[WHOLE]] step 8 {
// CHECK:   sparkle.loop registers %[[J:.*]] = %{{.*}} to %{{.*}} step 32 {
// CHECK:     %[[INIT:.*]] = sparkle.init : <8x32xf32, 1x16>
// CHECK:     %[[SUMS:.*]] = sparkle.loop registers %[[K:.*]] = %{{.*}} to %{{.*}} step 4 carry (%[[IN:.*]] = %[[INIT]])
// CHECK:       sparkle.accumulate %[[IN]] at [%[[I]], %[[J]], %[[K]]] slice [4]
// CHECK:     sparkle.store %[[SUMS]] to %{{.*}}[%[[I]], %[[J]]]
// CHECK: %[[REST:.*]] = affine.max
// CHECK: sparkle.loop registers %{{.*}} = %[[REST]] to %[[END]] step 4 {
// CHECK:   sparkle.init : <4x32xf32, 1x16>
// CHECK:   sparkle.store %{{.*}} to %{{.*}}[%c96{{.*}}, %{{.*}}]
sparkle.kernel @tails sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [16, 64, 1], near = [1, 1, 128], stage = [], registers = [8, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// -----

// Many register tiles under a near loop: sums pass through the output.
// CHECK-LABEL: sparkle.kernel @partial
// CHECK: sparkle.loop near %[[K:.*]] = %{{.*}} to %{{.*}} step 64 {
// CHECK:   %[[NEXT:.*]] = arith.cmpi ne, %[[K]]
// CHECK:   %[[NOT:.*]] = arith.cmpi slt
// CHECK:   %[[LAST:.*]] = arith.xori %[[NOT]]
// CHECK:   sparkle.init resume %{{.*}} if %[[NEXT]]
// CHECK:   sparkle.store %{{.*}} last %[[LAST]]
sparkle.kernel @partial sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [100, 64, 1], near = [1, 1, 64], stage = [], registers = [10, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// -----

// One register tile for a worker: its sums live across the near steps.
// CHECK-LABEL: sparkle.kernel @one_tile
// CHECK: %[[INIT:.*]] = sparkle.init : <10x32xf32, 1x16>
// CHECK: %[[SUMS:.*]] = sparkle.loop near %{{.*}} step 64 carry (%{{.*}} = %[[INIT]])
// CHECK:   sparkle.stage in_place
// CHECK:   sparkle.loop registers
// CHECK-NOT: last
// CHECK: sparkle.store %[[SUMS]]
sparkle.kernel @one_tile sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [10, 32, 1], near = [1, 1, 64], stage = [], registers = [10, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// -----

// Workers know which loop over the output is the inner one, if it is not the last.
// CHECK-LABEL: sparkle.kernel @rows_inside
// CHECK: sparkle.workers ["m", "n"]
// CHECK: } {innermost = 0 : i64
sparkle.kernel @rows_inside sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [20, 32, 1], near = [1, 1, 64], stage = [], registers = [10, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [1, 0, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// -----

// An extent that only the call knows ends in a vector that overhangs.
// CHECK-LABEL: sparkle.kernel @run_time
// CHECK: sparkle.workers ["i"] (%{{.*}}) extents ()[s0] -> (s0) steps [64]
// CHECK: sparkle.extent ()[s0] -> (s0)
// CHECK: sparkle.loop registers %{{.*}} step 16 {
// CHECK:   sparkle.init : <16xf32, 16>
// CHECK: sparkle.loop registers %{{.*}} step 16 {
// CHECK:   sparkle.init : <16xf32, 16>
// CHECK-NOT: sparkle.loop
sparkle.kernel @run_time sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0)
      pattern <workers = [64], near = [1], stage = [], registers = [16], lanes = [16], unroll = [1], order = [0]> {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}

// -----

// Four lanes are not masked: it ends in tiles of one element.
// CHECK-LABEL: sparkle.kernel @few_lanes
// CHECK: sparkle.workers ["i"] (%{{.*}}) extents ()[s0] -> (s0) steps [64]
// CHECK: sparkle.extent ()[s0] -> (s0)
// CHECK: sparkle.loop registers %{{.*}} step 4 {
// CHECK:   sparkle.init : <4xf32, 4>
// CHECK: sparkle.loop registers %{{.*}} step 1 {
// CHECK:   sparkle.init : <1xf32, 4>
sparkle.kernel @few_lanes sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0)
      pattern <workers = [64], near = [1], stage = [], registers = [4], lanes = [4], unroll = [1], order = [0]> {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}

// -----

// A target that masks its lanes has one tile for each worker, which overhangs:
// at the end of a static extent, beyond an extent that is smaller than the tile,
// and where only the call knows. Sums live across near steps.
// CHECK-LABEL: sparkle.kernel @masked
// CHECK: sparkle.workers ["n", "m", "k"] (%[[N:.*]], %[[M:.*]], %[[K:.*]]) extents ()[s0] -> (s0, 100, 6) steps [4, 16, 8]
// CHECK-NOT: sparkle.loop
// CHECK: %[[INIT:.*]] = sparkle.init : <4x16x8xf32, 2x4x4>
// CHECK: sparkle.loop near %[[C:.*]] = %{{.*}} to %{{.*}} step 8 carry (%{{.*}} = %[[INIT]])
// CHECK:   sparkle.stage in_place %{{.*}}[%[[N]], %[[M]], %[[C]]] : <?x100x30xf32, {{.*}}> to <4x16x8xf32>
// CHECK:   sparkle.stage in_place %{{.*}}[%c0{{.*}}, %[[C]]] : <6x30xf32, {{.*}}> to <8x8xf32>
// CHECK:   %[[WHOLE:.*]] = sparkle.loop registers %{{.*}} step 4 carry
// CHECK:     sparkle.accumulate %{{.*}} at [%[[N]], %[[M]], %c0{{.*}}, %{{.*}}] slice [4]
// CHECK:   sparkle.loop registers %{{.*}} step 2 carry (%{{.*}} = %[[WHOLE]])
// CHECK:     sparkle.accumulate %{{.*}} slice [2]
// CHECK: sparkle.store %{{.*}} to %{{.*}}[%[[N]], %[[M]], %c0{{.*}}]
module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 32, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
sparkle.kernel @masked sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 100, 30) : !sparkle.tensor<?x100x30xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %w = sparkle.tensor weight "w" extents ()[s0] -> (6, 30) : !sparkle.tensor<6x30xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 100, 6) : !sparkle.tensor<?x100x6xf32, (d0, d1, d2) -> (d0, d1, d2)>
  sparkle.define %y ["n", "m", "k", "c"] reductions 1 extents ()[s0] -> (s0, 100, 6, 30)
      pattern <workers = [4, 16, 8, 1], near = [1, 1, 1, 8], stage = [], registers = [4, 16, 8, 1], lanes = [2, 4, 4, 1], unroll = [1, 1, 1, 4], order = [0, 1, 2, 3]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2, d3) -> (d0, d1, d3) : !sparkle.tensor<?x100x30xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d2, d3) : !sparkle.tensor<6x30xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?x100x6xf32, (d0, d1, d2) -> (d0, d1, d2)>
}

// Register tiles smaller than the worker's tile overhang as well.
// CHECK-LABEL: sparkle.kernel @masked_tiles
// CHECK: sparkle.workers ["i"] (%[[I:.*]]) extents ()[s0] -> (s0) steps [64]
// CHECK: %[[END:.*]] = affine.min
// CHECK: sparkle.loop registers %{{.*}} = %[[I]] to %[[END]] step 32 {
// CHECK:   sparkle.init : <32xf32, 32>
// CHECK-NOT: sparkle.loop
sparkle.kernel @masked_tiles sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0)
      pattern <workers = [64], near = [1], stage = [], registers = [32], lanes = [32], unroll = [1], order = [0]> {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}
}

// -----

// An output of 16 bits holds no partial sums: every register tile has near steps
// of its own, and boxes of its size.
// CHECK-LABEL: sparkle.kernel @half
// CHECK: sparkle.loop registers %[[M:.*]] = %{{.*}} to %{{.*}} step 10 {
// CHECK:   sparkle.loop registers %[[N:.*]] = %{{.*}} to %{{.*}} step 16 {
// CHECK:     sparkle.init : <10x16xf32, 1x16>
// CHECK:     sparkle.loop near %[[K:.*]] = %{{.*}} step 64 carry
// CHECK:       sparkle.stage in_place %{{.*}}[%[[M]], %[[K]]] : <100x128xf16, (d0, d1) -> (d0, d1)> to <10x64xf16>
// CHECK:       sparkle.loop registers
// CHECK:         sparkle.accumulate
// CHECK:         ^bb0(%{{.*}}: f32, %{{.*}}: f32):
// CHECK:     sparkle.store
// CHECK-NOT: last
// CHECK:     ^bb0(%{{.*}}: f32):
sparkle.kernel @half sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf16, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf16, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128)
      pattern <workers = [20, 32, 1], near = [1, 1, 64], stage = [], registers = [10, 16, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf16, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf16, (d0, d1) -> (d0, d1)>
}

// -----

// A temp that is staged is computed within the worker, near step by near step:
// the loop of its equation runs over the box, whose result is read there.
// CHECK-LABEL: sparkle.kernel @fused
// CHECK: sparkle.workers ["n", "k"] (%[[N:.*]], %[[K:.*]])
// CHECK: sparkle.loop near %[[C:.*]] = %{{.*}} to %{{.*}} step 16
// CHECK:   %[[BOX:.*]] = sparkle.stage compute %{{.*}}[%[[N]], %[[C]]] layout (d0, d1) -> (d0, d1) : {{.*}} to <4x16xf32>
// CHECK:   %[[X:.*]] = sparkle.stage in_place %{{.*}}[%[[N]], %{{.*}}] {sparkle.pattern = {{.*}}} : {{.*}} to <4x32xf32>
// CHECK:   sparkle.loop registers %[[I:.*]] = %[[N]] to %{{.*}} step 2
// CHECK:     sparkle.loop registers %[[D:.*]] = %[[C]] to %{{.*}} step 8
// CHECK:       sparkle.accumulate %{{.*}} at [%[[I]], %[[D]], %{{.*}}] {{.*}} (%[[X]]
// CHECK:       sparkle.store %{{.*}} to %[[BOX]][%[[I]], %[[D]]]
// CHECK:   sparkle.barrier
// CHECK:   sparkle.accumulate {{.*}} (%[[BOX]]
sparkle.kernel @fused sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 32) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)>
  %v = sparkle.tensor weight "v" extents () -> (32, 32) : !sparkle.tensor<32x32xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (8, 32) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)>
  %t = sparkle.tensor temp "t" extents () -> (8, 32) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (8, 8) : !sparkle.tensor<8x8xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %t ["n", "c", "d"] reductions 1 extents () -> (8, 32, 32)
      pattern <workers = [4, 16, 1], near = [1, 1, 32], stage = [], registers = [2, 8, 1], lanes = [1, 8, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %v (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<32x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["n", "k", "c"] reductions 1 extents () -> (8, 8, 32)
      pattern <workers = [4, 8, 1], near = [1, 1, 16], stage = [], registers = [2, 8, 1], lanes = [1, 8, 1], unroll = [1, 1, 4], order = [0, 1, 2], fuse = ["t"]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %t (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<8x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8x8xf32, (d0, d1) -> (d0, d1)>
}

// -----

// The box of a halo is cut to the temp. Quotients and remainders have boxes as
// large as the values that they may take: 6 coordinates from anywhere on have at
// most 3 quotients by 4.
// CHECK-LABEL: sparkle.kernel @cut
// CHECK: sparkle.stage compute %{{.*}}[%{{.*}}] {{.*}} to <6xf32>
// CHECK: %[[FIRST:.*]] = affine.max
// CHECK: %[[END:.*]] = affine.min
// CHECK: sparkle.stage in_place {{.*}} to <3x4xf32>
// CHECK: sparkle.loop registers %{{.*}} = %[[FIRST]] to %[[END]] step 1
sparkle.kernel @cut sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4, 4) : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
  %t = sparkle.tensor temp "t" extents () -> (16) : !sparkle.tensor<16xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (16) : !sparkle.tensor<16xf32, (d0) -> (d0)>
  sparkle.define %t ["p", "r"] reductions 1 extents () -> (16, 1)
      pattern <workers = [6, 1], near = [1, 1], stage = [], registers = [1, 1], lanes = [1, 1], unroll = [1, 1], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0 floordiv 4, d0 mod 4) : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16xf32, (d0) -> (d0)>
  sparkle.define %y ["p", "r"] reductions 1 extents () -> (16, 3)
      pattern <workers = [4, 1], near = [1, 3], stage = [], registers = [4, 1], lanes = [1, 1], unroll = [1, 1], order = [0, 1], fuse = ["t"]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %t (d0, d1) -> (d0 + d1 - 1) : !sparkle.tensor<16xf32, (d0) -> (d0)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @unresolved sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a resolved pattern - run 'sparkle-resolve-pattern' first}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <registers = [0, 32, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}


// -----

// What is left over of an extent that only the call knows are tiles of half the
// size, and so on.
// CHECK-LABEL: sparkle.kernel @left_over
// CHECK: sparkle.workers ["i"] (%[[I:.*]]) extents ()[s0] -> (s0) steps [60]
// CHECK: %[[END:.*]] = affine.min
// CHECK: %[[SIX:.*]] = affine.apply {{.*}}(%[[END]])
// CHECK: sparkle.loop registers %{{.*}} = %[[I]] to %[[SIX]] step 6 {
// CHECK:   sparkle.init : <6xf32, 1>
// CHECK: %[[REST:.*]] = affine.max {{.*}}(%[[I]], %[[END]])
// CHECK: sparkle.loop registers %{{.*}} = %[[REST]] to %{{.*}} step 3 {
// CHECK:   sparkle.init : <3xf32, 1>
// CHECK: sparkle.loop registers %{{.*}} = %{{.*}} to %[[END]] step 1 {
// CHECK:   sparkle.init : <1xf32, 1>
// CHECK-NOT: sparkle.loop
sparkle.kernel @left_over sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0)
      pattern <workers = [60], near = [1], stage = [], registers = [6], lanes = [1], unroll = [1], order = [0]> {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}
