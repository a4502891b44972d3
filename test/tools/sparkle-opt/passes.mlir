// Single passes, alone and by a pipeline, and the helpers of tests.

// RUN: sparkle-opt %s --canonicalize --split-input-file | FileCheck %s
// RUN: sparkle-opt %s --pass-pipeline='builtin.module(canonicalize)' --split-input-file | FileCheck %s
// RUN: sparkle-opt %s --verify-roundtrip --split-input-file | FileCheck %s --check-prefix=SAME
// RUN: sparkle-opt %s --split-input-file --verify-diagnostics
// RUN: sparkle-opt --canonicalize --split-input-file < %s | FileCheck %s

// CHECK-LABEL: sparkle.kernel @first
// CHECK: sparkle.activate relu
// SAME-LABEL: sparkle.kernel @first
sparkle.kernel @first sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    %1 = sparkle.activate relu %0 : f32
    sparkle.yield %1 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// CHECK-LABEL: sparkle.kernel @second
// SAME-LABEL: sparkle.kernel @second
sparkle.kernel @second sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}
