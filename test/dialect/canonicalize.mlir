// RUN: sparkle-opt %s --canonicalize | FileCheck %s

// relu and relu6 are idempotent, and relu6 never gives a negative number.
// CHECK-LABEL: sparkle.kernel @activate
sparkle.kernel @activate sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // CHECK: %[[READ:.*]] = sparkle.read
  // CHECK-NEXT: %[[RELU6:.*]] = sparkle.activate relu6 %[[READ]]
  // CHECK-NEXT: sparkle.yield %[[RELU6]]
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    %1 = sparkle.activate relu6 %0 : f32
    %2 = sparkle.activate relu6 %1 : f32
    %3 = sparkle.activate relu %2 : f32
    %4 = sparkle.activate relu %3 : f32
    sparkle.yield %4 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// sigmoid is not idempotent.
// CHECK-LABEL: sparkle.kernel @sigmoid
sparkle.kernel @sigmoid sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // CHECK-COUNT-2: sparkle.activate sigmoid
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    %1 = sparkle.activate sigmoid %0 : f32
    %2 = sparkle.activate sigmoid %1 : f32
    sparkle.yield %2 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// A loop that runs once is its body; one that never runs is what it carries.
// CHECK-LABEL: func.func @short_loops
// CHECK-SAME: (%[[TILE:.*]]: !sparkle.tile<4xf32, 1>, %[[BOX:.*]]: !sparkle.box<4xf32>)
func.func @short_loops(%tile: !sparkle.tile<4xf32, 1>, %box: !sparkle.box<4xf32>)
    -> (!sparkle.tile<4xf32, 1>, !sparkle.tile<4xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  // CHECK-NOT: sparkle.loop
  // CHECK: %[[SUMS:.*]] = sparkle.accumulate %[[TILE]] at [%[[C0:.*]], %[[C0]]]
  %once = sparkle.loop registers %i = %c0 to %c4 step 4 carry (%s = %tile) : !sparkle.tile<4xf32, 1> {
    %1 = sparkle.accumulate %s at [%c0, %i] slice [4] (%box (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
    ^bb0(%e: f32):
      sparkle.yield %e : f32
    } : !sparkle.tile<4xf32, 1>
    sparkle.yield %1 : !sparkle.tile<4xf32, 1>
  }
  %never = sparkle.loop registers %i = %c4 to %c4 step 1 carry (%s = %tile) : !sparkle.tile<4xf32, 1> {
    sparkle.yield %s : !sparkle.tile<4xf32, 1>
  }
  // CHECK: return %[[SUMS]], %[[TILE]]
  return %once, %never : !sparkle.tile<4xf32, 1>, !sparkle.tile<4xf32, 1>
}

// So is a loop over one step from wherever it begins; one that may be longer
// stays.
// CHECK-LABEL: func.func @one_step
// CHECK-SAME: (%[[FROM:.*]]: index, %[[TILE:.*]]: !sparkle.tile<4xf32, 1>,
func.func @one_step(%from: index, %tile: !sparkle.tile<4xf32, 1>, %box: !sparkle.box<4xf32>)
    -> (!sparkle.tile<4xf32, 1>, !sparkle.tile<4xf32, 1>) {
  %end = affine.apply affine_map<(d0) -> (d0 + 4)>(%from)
  // CHECK: %[[SUMS:.*]] = sparkle.accumulate %[[TILE]] at [%{{.*}}, %[[FROM]]]
  %once = sparkle.loop registers %i = %from to %end step 4 carry (%s = %tile) : !sparkle.tile<4xf32, 1> {
    %c0 = arith.constant 0 : index
    %1 = sparkle.accumulate %s at [%c0, %i] slice [4] (%box (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
    ^bb0(%e: f32):
      sparkle.yield %e : f32
    } : !sparkle.tile<4xf32, 1>
    sparkle.yield %1 : !sparkle.tile<4xf32, 1>
  }
  // CHECK: sparkle.loop registers %{{.*}} = %[[FROM]] to %{{.*}} step 2
  %twice = sparkle.loop registers %i = %from to %end step 2 carry (%s = %tile) : !sparkle.tile<4xf32, 1> {
    sparkle.yield %s : !sparkle.tile<4xf32, 1>
  }
  return %once, %twice : !sparkle.tile<4xf32, 1>, !sparkle.tile<4xf32, 1>
}

// A loop of two trips stays.
// CHECK-LABEL: func.func @long_loop
func.func @long_loop(%tile: !sparkle.tile<4xf32, 1>) -> !sparkle.tile<4xf32, 1> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  // CHECK: sparkle.loop near
  %0 = sparkle.loop near %i = %c0 to %c4 step 3 carry (%s = %tile) : !sparkle.tile<4xf32, 1> {
    sparkle.yield %s : !sparkle.tile<4xf32, 1>
  }
  return %0 : !sparkle.tile<4xf32, 1>
}

// An extent that does not depend on a size is a constant.
// CHECK-LABEL: sparkle.kernel @extent
sparkle.kernel @extent sizes ["N"] {
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.workers ["i"] (%i) extents ()[s0] -> (s0) steps [4] {
    // CHECK: %[[C8:.*]] = arith.constant 8
    %0 = sparkle.extent ()[s0] -> (8)
    // CHECK: %[[N:.*]] = sparkle.extent ()[s0] -> (s0)
    %1 = sparkle.extent ()[s0] -> (s0)
    // CHECK: sparkle.loop near %{{.*}} = %[[C8]] to %[[N]]
    sparkle.loop near %j = %0 to %1 step 1 {
      sparkle.barrier
    }
  }
}
