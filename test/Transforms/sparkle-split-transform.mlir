// RUN: sparkle-opt %s --split-input-file --sparkle-split-transform --canonicalize | FileCheck %s

// Four vectors, twice as many as there are registers. The right matrix is applied
// to one row of values after the other; the left one to columns of what that gives,
// a box that is laid out as the result's. Tiles of both sizes share the temp.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 4, vectors = 2, fma_latency = 4, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @split
// CHECK: sparkle.tensor temp "v" extents
// CHECK-NEXT: %[[T:.*]] = sparkle.tensor temp "v.half" extents () -> (6, 3, 2) : <6x3x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
// CHECK-NEXT: sparkle.tensor output
// CHECK-NOT: sparkle.tensor
// CHECK: %[[V:.*]] = sparkle.stage compute
// CHECK: %[[LEFT:.*]] = sparkle.stage in_place %{{.*}} to <2x3xf32>
// CHECK: %[[RIGHT:.*]] = sparkle.stage in_place %{{.*}} to <2x3xf32>
// CHECK: %[[X:.*]] = sparkle.stage in_place
// CHECK: %[[HALF:.*]] = sparkle.stage compute %[[T]][%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : {{.*}} to <4x3x2xf32>
// CHECK: sparkle.loop registers %[[R:.*]] = %c0 to %c3 step 1 {
// CHECK:   %[[I:.*]] = sparkle.init : <4x1x2xf32, 4x1x1>
// CHECK:   %[[SUM:.*]] = sparkle.accumulate %[[I]] at [%c0, %[[R]], %c0, %c0] slice [3]
// CHECK-SAME: (%[[RIGHT]] (d0, d1, d2, d3) -> (d2, d3) : !sparkle.box<2x3xf32>, %[[X]] (d0, d1, d2, d3) -> (d0, d1, d3) : !sparkle.box<6x3x3xf32>)
// CHECK:   arith.mulf
// CHECK-NOT: arith.mulf
// CHECK:   sparkle.store %[[SUM]] to %[[HALF]][%c0, %[[R]], %c0]
// CHECK: sparkle.loop registers %[[J:.*]] = %c0 to %c2 step 1 {
// CHECK:   %[[I:.*]] = sparkle.init : <4x2x1xf32, 4x1x1>
// CHECK:   %[[SUM:.*]] = sparkle.accumulate %[[I]] at [%c0, %c0, %[[J]], %c0] slice [3]
// CHECK-SAME: (%[[LEFT]] (d0, d1, d2, d3) -> (d1, d3) : !sparkle.box<2x3xf32>, %[[HALF]] (d0, d1, d2, d3) -> (d0, d3, d2) : !sparkle.box<4x3x2xf32>)
// CHECK:   sparkle.store %[[SUM]] to %[[V]][%c0, %c0, %[[J]]]
// CHECK: sparkle.stage compute %[[T]][%c4, %c0, %c0] layout {{.*}} to <2x3x2xf32>
// CHECK: sparkle.loop registers
// CHECK: sparkle.loop registers
// CHECK-NOT: slice [3, 3]
sparkle.kernel @split sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
    %20 = sparkle.init : !sparkle.tile<2x2x2xf32, 4x1x1>
    %21 = sparkle.accumulate %20 at [%c4, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<2x2x2xf32, 4x1x1>
    sparkle.store %21 to %near[%c4, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<2x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}

// What is no product has no half.
// CHECK-LABEL: sparkle.kernel @other
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @other sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.addf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}

// Nor have both matrices one index.
// CHECK-LABEL: sparkle.kernel @diagonal
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @diagonal sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d2, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}

// A result in place has no layout that its half could have.
// CHECK-LABEL: sparkle.kernel @placed
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @placed sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage in_place %v[%c0, %c0, %c0] : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}

// Lanes along a row of the matrix stay in their vector.
// CHECK-LABEL: sparkle.kernel @lanes
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @lanes sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 1x2x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 1x2x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 1x2x1> to !sparkle.box<6x2x2xf32>
  }
}
}

// -----

// Registers for most of it.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 4, vectors = 3, fma_latency = 4, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @small
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @small sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}
}

// -----

// Lanes that do not lie side by side are transposed, whatever their number.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 4, vectors = 3, fma_latency = 4, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @transposed
// CHECK: sparkle.loop
// CHECK: sparkle.loop
// CHECK-NOT: slice [3, 3]
sparkle.kernel @transposed sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d0, d1, d2)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}
}

// -----

// Lanes of a grid have the tile to themselves.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 4, vectors = 2, fma_latency = 4, near_bytes = 1048576, close_bytes = 32768, copies = false, masked = true>} {
// CHECK-LABEL: sparkle.kernel @grid
// CHECK-NOT: sparkle.loop
// CHECK: slice [3, 3]
sparkle.kernel @grid sizes [] {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %x = sparkle.tensor input "x" extents () -> (6, 3, 3) : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %v = sparkle.tensor temp "v" extents () -> (6, 2, 2) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (6) : !sparkle.tensor<6xf32, (d0) -> (d0)>
  %a = sparkle.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.constant dense<[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.workers ["c"] (%worker) extents () -> (6) steps [6] {
    %near = sparkle.stage compute %v[%c0, %c0, %c0] layout (d0, d1, d2) -> (d1, d2, d0) : !sparkle.tensor<6x2x2xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x2x2xf32>
    %left = sparkle.stage in_place %a[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %right = sparkle.stage in_place %b[%c0, %c0] : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<2x3xf32>
    %values = sparkle.stage in_place %x[%c0, %c0, %c0] : !sparkle.tensor<6x3x3xf32, (d0, d1, d2) -> (d1, d2, d0)> to !sparkle.box<6x3x3xf32>
    %40 = sparkle.init : !sparkle.tile<4x2x2xf32, 4x1x1>
    %41 = sparkle.accumulate %40 at [%c0, %c0, %c0, %c0, %c0] slice [3, 3] (%left (d0, d1, d2, d3, d4) -> (d1, d3) : !sparkle.box<2x3xf32>, %right (d0, d1, d2, d3, d4) -> (d2, d4) : !sparkle.box<2x3xf32>, %values (d0, d1, d2, d3, d4) -> (d0, d3, d4) : !sparkle.box<6x3x3xf32>) {
    ^bb0(%p: f32, %q: f32, %e: f32):
      %3 = arith.mulf %p, %q : f32
      %4 = arith.mulf %3, %e : f32
      sparkle.yield %4 : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1>
    sparkle.store %41 to %near[%c0, %c0, %c0] () {
    ^bb0(%s: f32):
      sparkle.yield %s : f32
    } : !sparkle.tile<4x2x2xf32, 4x1x1> to !sparkle.box<6x2x2xf32>
  }
}
}
