// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-tile --sparkle-stage --canonicalize | FileCheck %s

// The staged boxes of a near step are copied, with a barrier behind the copies
// and one at the end of the step; the others stay in place.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @copies
// CHECK: sparkle.loop near
// CHECK:   sparkle.stage copy %{{.*}} layout (d0, d1) -> (d0, d1) overlap : <100x128xf32, {{.*}}> to <10x64xf32>
// CHECK:   sparkle.barrier
// CHECK:   sparkle.stage in_place
// CHECK:   sparkle.accumulate
// CHECK:   sparkle.barrier
// CHECK:   sparkle.yield
sparkle.kernel @copies sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [10, 32, 1], near = [1, 1, 64], stage = ["a"], registers = [10, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2], overlap = ["a"]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// Prefetches touch what the accumulate reads two steps of its loop later.
// CHECK-LABEL: sparkle.kernel @prefetches
// CHECK: sparkle.loop registers %[[K:.*]] = %{{.*}} step 4 carry
// CHECK-DAG:   %[[AHEAD:.*]] = affine.apply #{{.*}}(%[[K]])
// CHECK-DAG:   sparkle.prefetch %{{.*}}, %[[AHEAD]]] shape [10, 32, 4] (d0, d1, d2) -> (d1, d2)
// CHECK-NOT: sparkle.pattern
sparkle.kernel @prefetches sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [10, 32, 1], near = [1, 1, 128], stage = [], registers = [10, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2], prefetch = {w = 2}> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}
}

// -----

// What the next step of the loop over n reads comes in two parts of five, while
// the loop over m goes over what this step reads; a loop that has no such other
// one around it prefetches nothing.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 16384, close_bytes = 32768, copies = false>} {
// CHECK-DAG: #[[NEXT:.*]] = affine_map<(d0) -> (d0 + 16)>
// CHECK-DAG: #[[PASS:.*]] = affine_map<(d0, d1) -> ((d0 - d1) floordiv 4)>
// CHECK-LABEL: sparkle.kernel @next
// CHECK: sparkle.workers {{.*}} (%[[WORKER:.*]], %{{.*}}) extents
// CHECK: sparkle.loop registers %[[N:.*]] = %{{.*}} step 16 {
// CHECK: sparkle.loop registers %[[M:.*]] = %{{.*}} step 4 {
// CHECK: sparkle.loop registers %[[K:.*]] = %{{.*}} step 4 carry
// CHECK-NEXT: %[[AHEAD:.*]] = affine.apply #[[NEXT]](%[[N]])
// CHECK-NEXT: %[[PART:.*]] = affine.apply #[[PASS]](%[[M]], %[[WORKER]])
// CHECK-NEXT: sparkle.prefetch %{{.*}}[%[[M]], %[[AHEAD]], %[[K]]] shape [4, 16, 4] (d0, d1, d2) -> (d1, d2) part %[[PART]] of 5
// CHECK-NEXT: sparkle.accumulate
// CHECK-LABEL: sparkle.kernel @nothing_outside
// CHECK-NOT: sparkle.prefetch
sparkle.kernel @next sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [20, 64, 1], near = [1, 1, 128], stage = [], registers = [4, 16, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [1, 0, 2], prefetch = {w = -1}> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

sparkle.kernel @nothing_outside sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [20, 64, 1], near = [1, 1, 128], stage = [], registers = [4, 16, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2], prefetch = {w = -1}> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 16384, close_bytes = 32768, copies = false>} {
sparkle.kernel @too_large sizes [] {
  %x = sparkle.tensor input "x" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (64) : !sparkle.tensor<64xf32, (d0) -> (d0)>
  // expected-error @below {{expected staged boxes of at most 16384 bytes of near memory, but got 32768 bytes - use smaller 'workers' or 'near' sizes}}
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (64, 128)
      pattern <workers = [64, 1], near = [1, 128], stage = ["x"], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0, d1) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<64xf32, (d0) -> (d0)>
}
}

// -----

// A copy holds f32 where the tensor's elements have 16 bits, and counts so.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 16384, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @half
// CHECK: sparkle.stage copy {{.*}} : <64x64xf16, (d0, d1) -> (d0, d1)> to <64x64xf32>
// CHECK: sparkle.accumulate {{.*}} !sparkle.box<64x64xf32>
sparkle.kernel @half sizes [] {
  %x = sparkle.tensor input "x" extents () -> (64, 64) : !sparkle.tensor<64x64xf16, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (64) : !sparkle.tensor<64xf16, (d0) -> (d0)>
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (64, 64)
      pattern <workers = [64, 1], near = [1, 64], stage = ["x"], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0, d1) : !sparkle.tensor<64x64xf16, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<64xf16, (d0) -> (d0)>
}
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 16384, close_bytes = 32768, copies = false>} {
sparkle.kernel @half_too_large sizes [] {
  %x = sparkle.tensor input "x" extents () -> (64, 128) : !sparkle.tensor<64x128xf16, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (64) : !sparkle.tensor<64xf32, (d0) -> (d0)>
  // expected-error @below {{expected staged boxes of at most 16384 bytes of near memory, but got 32768 bytes - use smaller 'workers' or 'near' sizes}}
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (64, 128)
      pattern <workers = [64, 1], near = [1, 128], stage = ["x"], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0, d1) : !sparkle.tensor<64x128xf16, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<64xf32, (d0) -> (d0)>
}
}
