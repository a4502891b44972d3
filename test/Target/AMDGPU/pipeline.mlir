// RUN: sparkle-opt %s --sparkle-amdgpu-lower-tiled --cse --split-input-file | FileCheck %s

// Bindings come as addresses, then the run-time sizes. The workgroups may be
// more than fit along x; one behind the last does nothing. Four points of a
// lane are one quad, and rows of 20 begin at multiples of four. The output may
// be written over the input.
// CHECK-LABEL: module @copy
// CHECK-SAME: sparkle.arguments = array<i64: 2, 1>
// CHECK-SAME: entry = "copy_0", grid = #map, invocations = 8 : i64, local_bytes = 0 : i64
// CHECK: llvm.func protected amdgpu_kernelcc @copy_0(%[[X:.*]]: !llvm.ptr<1> {llvm.readonly}, %[[Y:.*]]: !llvm.ptr<1>, %[[N:.*]]: i32)
// CHECK: llvm.call_intrinsic "llvm.amdgcn.workitem.id.x"()
// CHECK: llvm.call_intrinsic "llvm.amdgcn.workgroup.id.x"()
// CHECK: %[[ROW:.*]] = llvm.call_intrinsic "llvm.amdgcn.workgroup.id.y"()
// CHECK: %[[WIDTH:.*]] = llvm.mlir.constant(65535 : i32)
// CHECK: llvm.mul %[[ROW]], %[[WIDTH]]
// CHECK: %[[ISWANTED:.*]] = llvm.icmp "ult" %{{.*}}, %[[N]]
// CHECK: llvm.cond_br %[[ISWANTED]]
// The last lanes reach beyond the tile.
// CHECK: llvm.cond_br
// Offsets are bytes in 32 bits.
// CHECK: %[[OFFSET:.*]] = llvm.zext %{{.*}} : i32 to i64
// CHECK: %[[FROM:.*]] = llvm.getelementptr %[[X]][%[[OFFSET]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
// CHECK: %[[QUAD:.*]] = llvm.load %[[FROM]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: llvm.store %[[QUAD]], %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
module attributes {sparkle.target = #sparkle.target<word = "amdgpu", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @copy sizes ["N"] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 20) : <?x20xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 20) : <?x20xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["n", "i"] (%n, %i) extents ()[s0] -> (s0, 20) steps [1, 20] {
      %0 = sparkle.init : <1x32xf32, 1x8>
      sparkle.store %0 to %y[%n, %c0] (%x (d0, d1) -> (d0, d1) : !sparkle.tensor<?x20xf32, (d0, d1) -> (d0, d1)>) {
      ^bb0(%sum: f32, %e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<1x32xf32, 1x8> to !sparkle.tensor<?x20xf32, (d0, d1) -> (d0, d1)>
    }
  }
}
