// RUN: sparkle-opt %s --sparkle-expand-activations | FileCheck %s

// relu is one compare and select, with the operands ordered so that a value
// that is not a number stays.
// CHECK-LABEL: func.func @relu(%arg0: f32)
func.func @relu(%x: f32) -> f32 {
  // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK: %[[WINS:.*]] = arith.cmpf ogt, %[[ZERO]], %[[X:.*]] : f32
  // CHECK: arith.select %[[WINS]], %[[ZERO]], %[[X]] : f32
  %0 = sparkle.activate relu %x : f32
  return %0 : f32
}

// relu6 clamps from both sides.
// CHECK-LABEL: func.func @relu6
func.func @relu6(%x: f32) -> f32 {
  // CHECK: arith.cmpf ogt
  // CHECK: %[[LOW:.*]] = arith.select
  // CHECK: %[[SIX:.*]] = arith.constant 6.000000e+00 : f32
  // CHECK: %[[WINS:.*]] = arith.cmpf olt, %[[SIX]], %[[LOW]] : f32
  // CHECK: arith.select %[[WINS]], %[[SIX]], %[[LOW]] : f32
  %0 = sparkle.activate relu6 %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @sigmoid
func.func @sigmoid(%x: f32) -> f32 {
  // CHECK: %[[NEG:.*]] = arith.negf
  // CHECK: %[[EXP:.*]] = math.exp %[[NEG]] : f32
  // CHECK: %[[DEN:.*]] = arith.addf %{{.*}}, %[[EXP]] : f32
  // CHECK: arith.divf %{{.*}}, %[[DEN]] : f32
  %0 = sparkle.activate sigmoid %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @tanh
func.func @tanh(%x: f32) -> f32 {
  // CHECK: math.tanh
  %0 = sparkle.activate tanh %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @silu
func.func @silu(%x: f32) -> f32 {
  // CHECK: math.exp
  // CHECK: arith.divf %[[X:.*]], %{{.*}} : f32
  %0 = sparkle.activate silu %x : f32
  return %0 : f32
}

// The exact form of gelu.
// CHECK-LABEL: func.func @gelu
func.func @gelu(%x: f32) -> f32 {
  // CHECK: arith.constant 0.707106769 : f32
  // CHECK: math.erf
  %0 = sparkle.activate gelu %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @hswish
func.func @hswish(%x: f32) -> f32 {
  // CHECK: arith.constant 3.000000e+00 : f32
  // CHECK: arith.select
  // CHECK: arith.select
  // CHECK: arith.constant 0.166666672 : f32
  %0 = sparkle.activate hswish %x : f32
  return %0 : f32
}
