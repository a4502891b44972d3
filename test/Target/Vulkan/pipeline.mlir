// RUN: sparkle-opt %s --sparkle-vulkan-lower-tiled --cse --split-input-file | FileCheck %s

// A run-time size comes as a push constant. The workgroups may be more than fit
// along x; one behind the last does nothing. Four points of a lane are one
// quad, and rows of 20 begin at multiples of four.
// CHECK-LABEL: spirv.module @copy Logical GLSL450 requires #spirv.vce<v1.3, [Shader], [SPV_KHR_storage_buffer_storage_class]>
// CHECK-SAME: sparkle.features = 0
// CHECK-SAME: entry = "copy_0", grid = #map, invocations = 8 : i64, local_bytes = 0 : i64
// CHECK: spirv.GlobalVariable @sizes : !spirv.ptr<!spirv.struct<(i32 [0])>, PushConstant>
// CHECK: spirv.GlobalVariable @buffer_0_f32x4 bind(0, 0) {aliased}
// CHECK: spirv.GlobalVariable @buffer_1_f32x4 bind(0, 1) {aliased}
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

// -----

// Each tile has lanes of its own. A workgroup has as many invocations as the
// tile with the most; of another one, what is surplus repeats what its lanes
// compute, and stores nothing.
// CHECK-LABEL: spirv.module @two_grids
// CHECK-SAME: invocations = 16 : i64
// CHECK: %[[INVOCATION:.*]] = spirv.Load "Input"
// CHECK: spirv.Store "StorageBuffer"
// CHECK: %[[HASPOINT:.*]] = spirv.ULessThan %[[INVOCATION]], %{{.*}} : i32
// CHECK: spirv.BranchConditional %[[HASPOINT]]
// CHECK: spirv.Store "StorageBuffer"
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @two_grids sizes [] {
    %y = sparkle.tensor output "y" extents () -> (16) : <16xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (16) steps [16] {
      %0 = sparkle.init : <16xf32, 16>
      sparkle.store %0 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16xf32, 16> to !sparkle.tensor<16xf32, (d0) -> (d0)>
      %1 = sparkle.init : <16xf32, 8>
      sparkle.store %1 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16xf32, 8> to !sparkle.tensor<16xf32, (d0) -> (d0)>
    }
  }
}

// -----

// A product with a constant is an addition, or nothing: of 2 by 8 sums of three
// terms each, a lane has two sums, which have three elements in common.
// CHECK-LABEL: spirv.func @constants_0
// CHECK-NOT: spirv.FMul
// CHECK-NOT: spirv.GL.Fma
// CHECK: %[[A:.*]] = spirv.Load "StorageBuffer" %{{.*}} : f32
// CHECK: %[[B:.*]] = spirv.Load "StorageBuffer" %{{.*}} : f32
// CHECK: %[[AB:.*]] = spirv.FAdd %[[A]], %[[B]] : f32
// CHECK: %[[C:.*]] = spirv.Load "StorageBuffer" %{{.*}} : f32
// CHECK: %[[ABC:.*]] = spirv.FAdd %[[AB]], %[[C]] : f32
// CHECK-NOT: spirv.Load
// CHECK: %[[BC:.*]] = spirv.FSub %[[B]], %[[C]] : f32
// CHECK: spirv.Store "StorageBuffer" %{{.*}}, %[[ABC]] : f32
// CHECK: spirv.Store "StorageBuffer" %{{.*}}, %[[BC]] : f32
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @constants sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<[[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
    %x = sparkle.tensor input "x" extents () -> (3, 8) : <3x8xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (2, 8) : <2x8xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["i", "j"] (%i, %j) extents () -> (2, 8) steps [2, 8] {
      %ab = sparkle.stage in_place %a[%c0, %c0] : <2x3xf32, (d0, d1) -> (d0, d1)> to <2x3xf32>
      %xb = sparkle.stage in_place %x[%c0, %c0] : <3x8xf32, (d0, d1) -> (d0, d1)> to <3x8xf32>
      %0 = sparkle.init : <2x8xf32, 1x8>
      %1 = sparkle.accumulate %0 at [%c0, %c0, %c0] slice [3] (%ab (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<2x3xf32>, %xb (d0, d1, d2) -> (d2, d1) inside [0, 1] : !sparkle.box<3x8xf32>) {
      ^bb0(%e: f32, %f: f32):
        %2 = arith.mulf %e, %f : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<2x8xf32, 1x8>
      sparkle.store %1 to %y[%c0, %c0] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<2x8xf32, 1x8> to !sparkle.tensor<2x8xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

// The numbers differ among the four points of a vector: each is a sum of its
// own, with as much in common as any.
// CHECK-LABEL: spirv.func @constants_in_vector_0
// CHECK-COUNT-2: spirv.Load "StorageBuffer" %{{.*}} : f32
// CHECK: %[[S:.*]] = spirv.FAdd
// CHECK: %[[D:.*]] = spirv.FSub
// CHECK: %[[N:.*]] = spirv.FNegate
// CHECK: %[[H:.*]] = spirv.FMul
// CHECK: %[[Q:.*]] = spirv.CompositeConstruct %[[S]], %[[D]], %[[N]], %[[H]]
// CHECK: spirv.Store "StorageBuffer" %{{.*}}, %[[Q]] : vector<4xf32>
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @constants_in_vector sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<[[1.0, 1.0], [1.0, -1.0], [0.0, -1.0], [0.5, 0.0]]> : tensor<4x2xf32> as !sparkle.tensor<4x2xf32, (d0, d1) -> (d0, d1)>
    %x = sparkle.tensor input "x" extents () -> (3, 2) : <3x2xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (3, 4) : <3x4xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["i", "j"] (%i, %j) extents () -> (3, 4) steps [3, 4] {
      %ab = sparkle.stage in_place %a[%c0, %c0] : <4x2xf32, (d0, d1) -> (d0, d1)> to <4x2xf32>
      %xb = sparkle.stage in_place %x[%c0, %c0] : <3x2xf32, (d0, d1) -> (d0, d1)> to <3x2xf32>
      %0 = sparkle.init : <3x4xf32, 3x1>
      %1 = sparkle.accumulate %0 at [%c0, %c0, %c0] slice [2] (%ab (d0, d1, d2) -> (d1, d2) inside [0, 1] : !sparkle.box<4x2xf32>, %xb (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<3x2xf32>) {
      ^bb0(%e: f32, %f: f32):
        %2 = arith.mulf %e, %f : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<3x4xf32, 3x1>
      sparkle.store %1 to %y[%c0, %c0] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<3x4xf32, 3x1> to !sparkle.tensor<3x4xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

// A temp that is computed in workgroup memory: lanes of its own write it, those
// in the halo outside of the tensor do not, and where it is read that is zero.
// CHECK-LABEL: spirv.module @computed
// CHECK-SAME: invocations = 8 : i64
// CHECK: spirv.GlobalVariable @near_0 : !spirv.ptr<!spirv.array<{{.*}}>, Workgroup>
// CHECK: spirv.func @computed_0
// CHECK: spirv.mlir.selection
// CHECK: spirv.Store "Workgroup"
// CHECK: spirv.ControlBarrier
// CHECK: %[[INSIDE:.*]] = spirv.ULessThan %{{.*}}, %{{.*}} : i32
// CHECK: spirv.Select %[[INSIDE]], {{.*}} : i1, i32
// CHECK: spirv.Load "Workgroup"
// CHECK: spirv.Select %[[INSIDE]], {{.*}} : i1, f32
// CHECK: spirv.Store "StorageBuffer"
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @computed sizes [] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents () -> (24) : <24xf32, (d0) -> (d0)>
    %t = sparkle.tensor temp "t" extents () -> (24) : <24xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (24) : <24xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (24) steps [8] {
      %first = affine.apply affine_map<(d0) -> (d0 - 1)>(%i)
      %begin = affine.max affine_map<(d0) -> (d0 - 1, 0)>(%i)
      %b = sparkle.stage compute %t[%first] layout (d0) -> (d0) : <24xf32, (d0) -> (d0)> to <10xf32>
      %0 = sparkle.init : <10xf32, 5>
      sparkle.store %0 to %b[%begin] (%x (d0) -> (d0) : !sparkle.tensor<24xf32, (d0) -> (d0)>) {
      ^bb0(%sum: f32, %e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<10xf32, 5> to !sparkle.box<10xf32>
      sparkle.barrier
      %1 = sparkle.init : <8xf32, 8>
      %2 = sparkle.accumulate %1 at [%i, %c0] slice [3] (%b (d0, d1) -> (d0 + d1 - 1) : !sparkle.box<10xf32>) {
      ^bb0(%e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<8xf32, 8>
      sparkle.store %2 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<8xf32, 8> to !sparkle.tensor<24xf32, (d0) -> (d0)>
    }
  }
}

// -----

// Four lanes for a tile of 7 read an eighth point; a remainder of it is within
// the box, or has room there.
// CHECK-LABEL: spirv.module @remainder
// CHECK-SAME: local_bytes = 48 : i64
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @remainder sizes [] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents () -> (4) : <4xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (7) : <7xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (7) steps [7] {
      %b = sparkle.stage copy %x[%c0] layout (d0) -> (d0) : <4xf32, (d0) -> (d0)> to <4xf32>
      sparkle.barrier
      %0 = sparkle.init : <7xf32, 4>
      %1 = sparkle.accumulate %0 at [%i, %c0] slice [1] (%b (d0, d1) -> (d0 mod 4) inside [0] : !sparkle.box<4xf32>) {
      ^bb0(%e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<7xf32, 4>
      sparkle.store %1 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<7xf32, 4> to !sparkle.tensor<7xf32, (d0) -> (d0)>
    }
  }
}
