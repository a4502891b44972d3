// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-resolve-pattern | FileCheck %s

// Everything is chosen: lanes along the contiguous output index, which the
// packed weight can follow too; a register tile that leaves room for the
// operands; a few steps of the sum unrolled.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @automatic
sparkle.kernel @automatic sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // CHECK: pattern <workers = [{{[0-9]+}}, {{[0-9]+}}, 1], near = [1, 1, 128], stage = [],
  // CHECK-SAME: registers = [{{[0-9]+}}, {{16|32|48|64}}, 1], lanes = [1, 16, 1], unroll = [1, 1, 4],
  // CHECK-SAME: order = [{{[01], [01]}}, 2], prefetch = {}, overlap = []>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// What the pattern gives stays; -1 is the whole extent, and nothing is larger
// than its extent.
// CHECK-LABEL: sparkle.kernel @given
sparkle.kernel @given sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // CHECK: pattern <workers = [20, 64, 1], near = [1, 1, 128], stage = [], registers = [5, 16, 1], lanes = [1, 16, 1],
  // CHECK-SAME: unroll = [1, 1, 128], order = [{{.*}}], prefetch = {w = 2 : i64}, overlap = []>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [20, -1, 1], near = [1, 1, 0], registers = [5, 16, 1], lanes = [1, 0, 1], unroll = [1, 1, 1000], prefetch = {w = 2}> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// What is chosen suits what is given further out: whole register tiles in a
// worker's tile, whole slices in a near step.
// CHECK-LABEL: sparkle.kernel @suits
sparkle.kernel @suits sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // CHECK: pattern <workers = [5, 40, 1], near = [1, 1, 7], stage = [], registers = [{{1|5}}, 40, 1],
  // CHECK-SAME: unroll = [1, 1, 1]
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [5, 40, 1], near = [1, 1, 7]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @registers sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a register tile of at most 32 vectors, but got 80 or more - use smaller sizes in 'registers'}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <registers = [20, 64, 1]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @lanes sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected at most 16 lanes, but got 32}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <lanes = [2, 16, 1]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @workers sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a size of 'm' in 'workers' that is a multiple of its 3 in 'registers', but got 20}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [20, 0, 1], registers = [3, 0, 1]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @near sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a size of 'k' in 'near' that is a multiple of its 4 in 'unroll', but got 6}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <near = [1, 1, 6], unroll = [1, 1, 4]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @stage sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a tensor that the sum reads in 'stage', but got 'b'}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <stage = ["b"]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @prefetch sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a tensor that the sum reads in 'prefetch', but got 'y'}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <prefetch = {y = 1}> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @overlap sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a staged tensor in 'overlap', but got 'w'}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <stage = ["a"], overlap = ["w"]> {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
sparkle.kernel @whole sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected all of 'k' in 'workers', as target 'cpu' does not divide a sum, but got 64}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [0, 0, 64]> {
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

module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
sparkle.kernel @parts sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a part of 'k' in 'workers' that divides 128, but got 48 - use 32}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [0, 0, 48]> {
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

module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
sparkle.kernel @part_near sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a part of 'k' in 'workers' that is a multiple of its 12 in 'near', but got 64}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [0, 0, 64], near = [1, 1, 12]> {
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

// expected-error @below {{expected the attribute 'sparkle.target' on the module}}
module {
}
