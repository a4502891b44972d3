// RUN: sparkle-opt %s --sparkle-vulkan-lower-tiled --cse --split-input-file | FileCheck %s

// A run-time size comes as a push constant. The workgroups may be more than fit
// along x; one behind the last does nothing. Four points of a lane are one
// quad, and rows of 20 begin at multiples of four.
// CHECK-LABEL: spirv.module @copy Logical GLSL450 requires #spirv.vce<v1.3, [Shader], [SPV_KHR_storage_buffer_storage_class]>
// CHECK-SAME: sparkle.features = 0
// CHECK-SAME: entry = "copy_0", grid = #map, invocations = 8 : i64, local_bytes = 0 : i64
// CHECK: spirv.GlobalVariable @sizes : !spirv.ptr<!spirv.struct<(i32 [0])>, PushConstant>
// CHECK: spirv.GlobalVariable @buffer_0_f32x4 bind(0, 0) {non_writable, restrict}
// CHECK: spirv.GlobalVariable @buffer_1_f32x4 bind(0, 1) {restrict}
// CHECK: spirv.func @copy_0() "None"
// CHECK: %[[N:.*]] = spirv.Load "PushConstant"
// CHECK: %[[LANE:.*]] = spirv.Load "Input"
// CHECK: spirv.CompositeExtract %[[GROUP:.*]][0 : i32]
// CHECK: spirv.CompositeExtract %[[GROUP]][1 : i32]
// CHECK: %[[WIDTH:.*]] = spirv.Constant 65535 : i32
// CHECK: spirv.IMul %{{.*}}, %[[WIDTH]]
// CHECK: %[[ISWANTED:.*]] = spirv.ULessThan %{{.*}}, %[[N]]
// CHECK: spirv.mlir.selection
// CHECK: spirv.BranchConditional %[[ISWANTED]]
// The last lanes reach beyond the tile.
// CHECK: spirv.mlir.selection
// CHECK: %[[QUAD:.*]] = spirv.Load "StorageBuffer" %{{.*}} : vector<4xf32>
// CHECK: spirv.Store "StorageBuffer" %{{.*}}, %[[QUAD]] : vector<4xf32>
// CHECK: spirv.EntryPoint "GLCompute" @copy_0, @WorkgroupId, @LocalInvocationIndex
// CHECK: spirv.ExecutionMode @copy_0 "LocalSize", 8, 1, 1
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
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

// -----

// An element that may lie outside is loaded without a branch: the index becomes
// 0, and then the value. What cannot lie outside is not checked.
// CHECK-LABEL: spirv.func @taps_0
// CHECK-NOT: spirv.mlir.selection
// CHECK: %[[INSIDE:.*]] = spirv.ULessThan
// CHECK: %[[INDEX:.*]] = spirv.Select %[[INSIDE]], %{{.*}}, %{{.*}} : i1, i32
// CHECK: spirv.AccessChain %{{.*}}[%{{.*}}, %[[INDEX]]]
// CHECK: %[[VALUE:.*]] = spirv.Load "StorageBuffer"
// CHECK: %[[TAP:.*]] = spirv.Select %[[INSIDE]], %[[VALUE]], %{{.*}} : i1, f32
// CHECK: %[[WEIGHT:.*]] = spirv.Load "StorageBuffer"
// CHECK: spirv.GL.Fma %[[TAP]], %[[WEIGHT]], %{{.*}} : f32
// CHECK: spirv.Load "StorageBuffer"
// CHECK-NOT: spirv.Select
// CHECK: spirv.GL.Fma
// CHECK-NOT: spirv.GL.Fma
// CHECK: spirv.Store "StorageBuffer"
// CHECK: spirv.Return
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @taps sizes [] {
    %c0 = arith.constant 0 : index
    %c-1 = arith.constant -1 : index
    %x = sparkle.tensor input "x" extents () -> (64) : <64xf32, (d0) -> (d0)>
    %w = sparkle.tensor input "w" extents () -> (2) : <2xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (64) : <64xf32, (d0) -> (d0)>
    sparkle.workers ["q"] (%q) extents () -> (64) steps [64] {
      %xb = sparkle.stage in_place %x[%c-1] : <64xf32, (d0) -> (d0)> to <65xf32>
      %wb = sparkle.stage in_place %w[%c0] : <2xf32, (d0) -> (d0)> to <2xf32>
      %0 = sparkle.init : <64xf32, 64>
      %1 = sparkle.accumulate %0 at [%q, %c0] slice [2] (%xb (d0, d1) -> (d0 + d1 - 1) : !sparkle.box<65xf32>, %wb (d0, d1) -> (d1) inside [0] : !sparkle.box<2xf32>) {
      ^bb0(%a: f32, %b: f32):
        %2 = arith.mulf %a, %b : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<64xf32, 64>
      sparkle.store %1 to %y[%q] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<64xf32, 64> to !sparkle.tensor<64xf32, (d0) -> (d0)>
    }
  }
}

// -----

// A copy that does not overlap: one array, and the two barriers of the op.
// CHECK-LABEL: spirv.module @staged
// CHECK: spirv.GlobalVariable @near_0 : !spirv.ptr<!spirv.array<16 x vector<4xf32>>, Workgroup>
// CHECK: spirv.mlir.loop
// CHECK: spirv.Load "StorageBuffer" %{{.*}} : vector<4xf32>
// CHECK: spirv.Store "Workgroup" %{{.*}} : vector<4xf32>
// CHECK: spirv.ControlBarrier <Workgroup>, <Workgroup>, <AcquireRelease|WorkgroupMemory>
// CHECK-COUNT-4: spirv.FAdd
// CHECK-NOT: spirv.FAdd
// CHECK: spirv.ControlBarrier
// CHECK-NOT: spirv.ControlBarrier
// CHECK: spirv.mlir.merge
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @staged sizes [] {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %x = sparkle.tensor input "x" extents () -> (16, 64) : <16x64xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (16) : <16xf32, (d0) -> (d0)>
    sparkle.workers ["m"] (%m) extents () -> (16) steps [16] {
      %0 = sparkle.init : <16xf32, 16>
      %1 = sparkle.loop near %k = %c0 to %c64 step 4 carry (%s = %0) : !sparkle.tile<16xf32, 16> {
        %b = sparkle.stage copy %x[%m, %k] layout (d0, d1) -> (d0, d1) : <16x64xf32, (d0, d1) -> (d0, d1)> to <16x4xf32>
        sparkle.barrier
        %2 = sparkle.accumulate %s at [%m, %k] slice [4] (%b (d0, d1) -> (d0, d1) inside [0, 1] : !sparkle.box<16x4xf32>) {
        ^bb0(%e: f32):
          sparkle.yield %e : f32
        } : !sparkle.tile<16xf32, 16>
        sparkle.barrier
        sparkle.yield %2 : !sparkle.tile<16xf32, 16>
      }
      sparkle.store %1 to %y[%m] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16xf32, 16> to !sparkle.tensor<16xf32, (d0) -> (d0)>
    }
  }
}
