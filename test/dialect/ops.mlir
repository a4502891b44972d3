// RUN: sparkle-opt %s --verify-roundtrip | FileCheck %s

// The algorithm level: an equation with a sum, an epilogue and a pattern.
// CHECK-LABEL: sparkle.kernel @matmul sizes ["M"]
sparkle.kernel @matmul sizes ["M"] {
  // CHECK: %[[A:.*]] = sparkle.tensor input "a" extents ()[s0] -> (s0, 64) : <?x64xf32, (d0, d1) -> (d0, d1)>
  %a = sparkle.tensor input "a" extents ()[s0] -> (s0, 64) : !sparkle.tensor<?x64xf32, (d0, d1) -> (d0, d1)>
  // CHECK: %[[W:.*]] = sparkle.tensor weight "w"
  %w = sparkle.tensor weight "w" extents ()[s0] -> (32, 64) : !sparkle.tensor<32x64xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 32) : !sparkle.tensor<?x32xf32, (d0, d1) -> (d0, d1 floordiv 16, d1 mod 16)>
  // CHECK: sparkle.define %{{.*}} ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 32, 64)
  // CHECK-SAME: pattern <workers = [1, 0, 1], stage = ["w"], registers = [4, -1, 1], order = [0, 1, 2], prefetch = {w = 1 : i64}, overlap = []>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 32, 64)
      pattern <workers = [1, 0, 1], stage = ["w"], registers = [4, -1, 1], order = [0, 1, 2], prefetch = {w = 1}, overlap = []> {
    // CHECK: sparkle.sum {
    %0 = sparkle.sum {
      // CHECK: sparkle.read %[[A]] (d0, d1, d2) -> (d0, d2) :
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<?x64xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<32x64xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      // CHECK: sparkle.yield %{{.*}} : f32
      sparkle.yield %3 : f32
    } : f32
    // CHECK: sparkle.activate gelu %{{.*}} : f32
    %4 = sparkle.activate gelu %0 : f32
    sparkle.yield %4 : f32
  } : !sparkle.tensor<?x32xf32, (d0, d1) -> (d0, d1 floordiv 16, d1 mod 16)>
}

// The tiled level: every op.
// CHECK-LABEL: sparkle.kernel @tiled sizes ["N"] reference {
sparkle.kernel @tiled sizes ["N"] reference {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 8) : !sparkle.tensor<?x8xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents ()[s0] -> (16, 8) : !sparkle.tensor<16x8xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 16) : !sparkle.tensor<?x16xf32, (d0, d1) -> (d0, d1)>
  // CHECK: sparkle.pack %{{.*}} : <16x8xf32, (d0, d1) -> (d0, d1)> to <16x8xf32, (d0, d1) -> (d1, d0)>
  %p = sparkle.pack %w : !sparkle.tensor<16x8xf32, (d0, d1) -> (d0, d1)> to !sparkle.tensor<16x8xf32, (d0, d1) -> (d1, d0)>
  // CHECK: sparkle.workers ["n", "k"] (%[[N:.*]], %[[K:.*]]) extents ()[s0] -> (s0, 16) steps [1, 16] {
  sparkle.workers ["n", "k"] (%n, %k) extents ()[s0] -> (s0, 16) steps [1, 16] {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    // CHECK: sparkle.extent ()[s0] -> (s0)
    %e = sparkle.extent ()[s0] -> (s0)
    // CHECK: sparkle.stage copy %{{.*}}[%[[N]], %{{.*}}] layout (d0, d1) -> (d0, d1) overlap inside : <?x8xf32, (d0, d1) -> (d0, d1)> to <1x8xf32>
    %a = sparkle.stage copy %x[%n, %c0] layout (d0, d1) -> (d0, d1) overlap inside : !sparkle.tensor<?x8xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<1x8xf32>
    // CHECK: sparkle.stage in_place
    %b = sparkle.stage in_place %p[%k, %c0] : !sparkle.tensor<16x8xf32, (d0, d1) -> (d1, d0)> to !sparkle.box<16x8xf32>
    // CHECK: sparkle.barrier
    sparkle.barrier
    // CHECK: %[[INIT:.*]] = sparkle.init : <1x16xf32, 1x16>
    %0 = sparkle.init : !sparkle.tile<1x16xf32, 1x16>
    // CHECK: %[[SUMS:.*]] = sparkle.loop registers %[[C:.*]] = %{{.*}} to %{{.*}} step 4 carry (%[[IN:.*]] = %[[INIT]]) : !sparkle.tile<1x16xf32, 1x16> {
    %1 = sparkle.loop registers %c = %c0 to %c8 step 4 carry (%s = %0) : !sparkle.tile<1x16xf32, 1x16> {
      // CHECK: sparkle.prefetch %{{.*}}[%[[N]], %[[K]], %[[C]]] shape [1, 16, 4] (d0, d1, d2) -> (d1, d2) : <16x8xf32>
      sparkle.prefetch %b[%n, %k, %c] shape [1, 16, 4] (d0, d1, d2) -> (d1, d2) : !sparkle.box<16x8xf32>
      // CHECK: sparkle.prefetch %{{.*}}[%[[N]], %[[K]], %[[C]]] shape [1, 16, 4] (d0, d1, d2) -> (d1, d2) part %[[N]] of 3 : <16x8xf32>
      sparkle.prefetch %b[%n, %k, %c] shape [1, 16, 4] (d0, d1, d2) -> (d1, d2) part %n of 3 : !sparkle.box<16x8xf32>
      // CHECK: sparkle.accumulate %[[IN]] at [%[[N]], %[[K]], %[[C]]] slice [4] (%{{.*}} (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<1x8xf32>, %{{.*}} (d0, d1, d2) -> (d1, d2) : !sparkle.box<16x8xf32>) {
      %2 = sparkle.accumulate %s at [%n, %k, %c] slice [4] (%a (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<1x8xf32>, %b (d0, d1, d2) -> (d1, d2) : !sparkle.box<16x8xf32>) {
      ^bb0(%u: f32, %v: f32):
        %3 = arith.mulf %u, %v : f32
        sparkle.yield %3 : f32
      } : !sparkle.tile<1x16xf32, 1x16>
      sparkle.yield %2 : !sparkle.tile<1x16xf32, 1x16>
    }
    // CHECK: sparkle.store %[[SUMS]] to %{{.*}}[%[[N]], %[[K]]] (%{{.*}} (d0, d1) -> (d0, 0) : !sparkle.tensor<?x8xf32, (d0, d1) -> (d0, d1)>) {
    sparkle.store %1 to %y[%n, %k] (%x (d0, d1) -> (d0, 0) : !sparkle.tensor<?x8xf32, (d0, d1) -> (d0, d1)>) {
    ^bb0(%u: f32, %v: f32):
      %4 = arith.addf %u, %v : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<1x16xf32, 1x16> to !sparkle.tensor<?x16xf32, (d0, d1) -> (d0, d1)>
  // CHECK: } {innermost = 0 : i64}
  } {innermost = 0}
}

// Partial sums pass through the output; a near loop carries nothing.
// CHECK-LABEL: func.func @partial
func.func @partial(%y: !sparkle.tensor<64xf32, (d0) -> (d0)>, %i: index, %first: i1, %last: i1) {
  // CHECK: sparkle.loop near %{{.*}} = %{{.*}} to %{{.*}} step 64 {
  sparkle.loop near %c = %i to %i step 64 {
    // CHECK: sparkle.init resume %{{.*}}[%{{.*}}] if %{{.*}} from !sparkle.tensor<64xf32, (d0) -> (d0)> : <16xf32, 16>
    %0 = sparkle.init resume %y[%c] if %first from !sparkle.tensor<64xf32, (d0) -> (d0)> : !sparkle.tile<16xf32, 16>
    // CHECK: sparkle.store %{{.*}} to %{{.*}}[%{{.*}}] last %{{.*}} () {
    sparkle.store %0 to %y[%c] last %last () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<16xf32, 16> to !sparkle.tensor<64xf32, (d0) -> (d0)>
  }
  return
}

// Elements of 16 bits are f32 between a read and a store; a copy holds f32.
// CHECK-LABEL: sparkle.kernel @halves
sparkle.kernel @halves sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8) : !sparkle.tensor<8xf16, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (8) : !sparkle.tensor<8xf16, (d0) -> (d0)>
  // CHECK: sparkle.define
  sparkle.define %y ["i"] reductions 0 extents () -> (8) {
    // CHECK: sparkle.read %{{.*}} (d0) -> (d0) : <8xf16, (d0) -> (d0)> -> f32
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<8xf16, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8xf16, (d0) -> (d0)>
}

// CHECK-LABEL: sparkle.kernel @tiled_halves
sparkle.kernel @tiled_halves sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8) : !sparkle.tensor<8xf16, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (8) : !sparkle.tensor<8xf16, (d0) -> (d0)>
  sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
    // CHECK: sparkle.stage in_place {{.*}} to <8xf16>
    %a = sparkle.stage in_place %x[%i] : !sparkle.tensor<8xf16, (d0) -> (d0)> to !sparkle.box<8xf16>
    // CHECK: sparkle.stage copy {{.*}} to <8xf32>
    %b = sparkle.stage copy %x[%i] layout (d0) -> (d0) : !sparkle.tensor<8xf16, (d0) -> (d0)> to !sparkle.box<8xf32>
    %0 = sparkle.init : !sparkle.tile<8xf32, 8>
    // CHECK: sparkle.accumulate {{.*}} !sparkle.box<8xf16>, {{.*}} !sparkle.box<8xf32>) {
    %1 = sparkle.accumulate %0 at [%i] slice [] (%a (d0) -> (d0) : !sparkle.box<8xf16>, %b (d0) -> (d0) : !sparkle.box<8xf32>) {
    // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
    ^bb0(%u: f32, %v: f32):
      %2 = arith.mulf %u, %v : f32
      sparkle.yield %2 : f32
    } : !sparkle.tile<8xf32, 8>
    sparkle.store %1 to %y[%i] (%x (d0) -> (d0) : !sparkle.tensor<8xf16, (d0) -> (d0)>) {
    ^bb0(%s: f32, %e: f32):
      %3 = arith.addf %s, %e : f32
      sparkle.yield %3 : f32
    } : !sparkle.tile<8xf32, 8> to !sparkle.tensor<8xf16, (d0) -> (d0)>
  }
}

// Temps computed near the worker, constants, and a weight in another basis.
// CHECK-LABEL: sparkle.kernel @near
sparkle.kernel @near sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  %w = sparkle.tensor weight "w" extents () -> (5, 3) : !sparkle.tensor<5x3xf32, (d0, d1) -> (d0, d1)>
  %t = sparkle.tensor temp "t" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  // CHECK: sparkle.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> as <2xf32, (d0) -> (d0)>
  %c = sparkle.constant dense<[1.0, 2.0]> : tensor<2xf32> as !sparkle.tensor<2xf32, (d0) -> (d0)>
  // CHECK: %[[U:.*]] = sparkle.transform %{{.*}} along [1] by dense<1.000000e+00> : tensor<4x3xf64> : <5x3xf32, (d0, d1) -> (d0, d1)> to <5x4xf32, (d0, d1) -> (d0, d1)>
  %u = sparkle.transform %w along [1] by dense<1.0> : tensor<4x3xf64> : !sparkle.tensor<5x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.tensor<5x4xf32, (d0, d1) -> (d0, d1)>
  // CHECK: sparkle.pack %[[U]]
  %p = sparkle.pack %u : !sparkle.tensor<5x4xf32, (d0, d1) -> (d0, d1)> to !sparkle.tensor<5x4xf32, (d0, d1) -> (d1, d0)>
  sparkle.workers ["i"] (%i) extents () -> (8) steps [4] {
    %true = arith.constant true
    // CHECK: %[[BOX:.*]] = sparkle.stage compute %{{.*}}[%{{.*}}] layout (d0) -> (d0) : <8xf32, (d0) -> (d0)> to <4xf32>
    %a = sparkle.stage compute %t[%i] layout (d0) -> (d0) : !sparkle.tensor<8xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
    // CHECK: sparkle.init resume %[[BOX]][%{{.*}}] if %{{.*}} from !sparkle.box<4xf32>
    %0 = sparkle.init resume %a[%i] if %true from !sparkle.box<4xf32> : !sparkle.tile<4xf32, 4>
    // CHECK: sparkle.store %{{.*}} to %[[BOX]][%{{.*}}] last %{{.*}} ()
    sparkle.store %0 to %a[%i] last %true () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4xf32, 4> to !sparkle.box<4xf32>
  }
}
