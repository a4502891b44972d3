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

// exp as fraction and two powers of two, of what is not above zero: no infinity
// comes up on the way.
// CHECK-LABEL: func.func @sigmoid
func.func @sigmoid(%x: f32) -> f32 {
  // CHECK: %[[ABS:.*]] = math.absf %[[X:.*]] : f32
  // CHECK: %[[NEG:.*]] = arith.negf %[[ABS]] : f32
  // CHECK: arith.constant -1.040000e+02 : f32
  // CHECK: math.fma
  // CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
  // CHECK: %[[N:.*]] = arith.addi %[[BITS]], %{{.*}} : i32
  // CHECK: %[[HALF:.*]] = arith.shrsi %[[N]], %{{.*}} : i32
  // CHECK: arith.subi %[[N]], %[[HALF]] : i32
  // CHECK: %[[SHIFTED:.*]] = arith.shli
  // CHECK: arith.bitcast %[[SHIFTED]] : i32 to f32
  // CHECK: %[[IS_NEGATIVE:.*]] = arith.cmpf olt, %[[X]], %{{.*}} : f32
  // CHECK: arith.select %[[IS_NEGATIVE]]
  // CHECK: arith.divf
  // CHECK-NOT: math.exp
  %0 = sparkle.activate sigmoid %x : f32
  return %0 : f32
}

// One power of two will do: exp is not called beyond 20.
// CHECK-LABEL: func.func @tanh
func.func @tanh(%x: f32) -> f32 {
  // CHECK: arith.constant 1.000000e+01 : f32
  // CHECK: arith.shli
  // CHECK-NOT: arith.shli
  // CHECK: arith.divf
  // CHECK: math.copysign %{{.*}}, %{{.*}} : f32
  // CHECK-NOT: math.tanh
  %0 = sparkle.activate tanh %x : f32
  return %0 : f32
}

// The second power of two comes last.
// CHECK-LABEL: func.func @silu
func.func @silu(%x: f32) -> f32 {
  // CHECK: arith.constant -1.100000e+02 : f32
  // CHECK: %[[IS_NEGATIVE:.*]] = arith.cmpf olt
  // CHECK: %[[QUOTIENT:.*]] = arith.divf
  // CHECK: %[[REST:.*]] = arith.select %[[IS_NEGATIVE]]
  // CHECK: arith.mulf %[[QUOTIENT]], %[[REST]] : f32
  %0 = sparkle.activate silu %x : f32
  return %0 : f32
}

// The square is exact by halves; what is taken from max(x, 0) has no sign.
// CHECK-LABEL: func.func @gelu
func.func @gelu(%x: f32) -> f32 {
  // CHECK: arith.constant 1.450000e+01 : f32
  // CHECK: %[[MASK:.*]] = arith.constant -4096 : i32
  // CHECK: arith.andi %{{.*}}, %[[MASK]] : i32
  // CHECK: arith.divf
  // CHECK: arith.subf
  // CHECK-NOT: math.erf
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

// Clamped to what a float holds: infinity comes from the last product.
// CHECK-LABEL: func.func @exp
func.func @exp(%x: f32) -> f32 {
  // CHECK: arith.constant -1.040000e+02 : f32
  // CHECK: arith.constant 8.900000e+01 : f32
  // CHECK: arith.shli
  // CHECK: arith.shli
  // CHECK: %[[LARGE:.*]] = arith.mulf
  // CHECK: arith.mulf %[[LARGE]], %{{.*}} : f32
  // CHECK-NOT: math.exp
  %0 = sparkle.activate exp %x : f32
  return %0 : f32
}

// The exponent is a float without a conversion; zero, what is negative and
// infinity are selected behind.
// CHECK-LABEL: func.func @log
func.func @log(%x: f32) -> f32 {
  // CHECK: arith.cmpf olt, %{{.*}}, %{{.*}} : f32
  // CHECK: %[[N:.*]] = arith.shrsi
  // CHECK: %[[MAGIC:.*]] = arith.addi %[[N]], %{{.*}} : i32
  // CHECK: arith.bitcast %[[MAGIC]] : i32 to f32
  // CHECK: arith.constant 0xFF800000 : f32
  // CHECK: arith.constant 0x7FC00000 : f32
  // CHECK: arith.select
  // CHECK-NOT: math.log
  %0 = sparkle.activate log %x : f32
  return %0 : f32
}

// Every target has it.
// CHECK-LABEL: func.func @sqrt
func.func @sqrt(%x: f32) -> f32 {
  // CHECK: math.sqrt
  %0 = sparkle.activate sqrt %x : f32
  return %0 : f32
}

// 2^23 shifts out what lies behind the point.
// CHECK-LABEL: func.func @round
func.func @round(%x: f32) -> f32 {
  // CHECK: %[[ABS:.*]] = math.absf %[[X:.*]] : f32
  // CHECK: %[[MAGIC:.*]] = arith.constant 0x4B000000 : f32
  // CHECK: %[[UP:.*]] = arith.addf %[[ABS]], %[[MAGIC]] : f32
  // CHECK: arith.subf %[[UP]], %[[MAGIC]] : f32
  // CHECK: math.copysign %{{.*}}, %[[X]] : f32
  // CHECK-NOT: math.round
  %0 = sparkle.activate round %x : f32
  return %0 : f32
}

// exp of what is not above zero, and no division.
// CHECK-LABEL: func.func @softplus
func.func @softplus(%x: f32) -> f32 {
  // CHECK: arith.constant 0.414213568 : f32
  // CHECK-NOT: arith.divf
  // CHECK: math.fma
  // CHECK: arith.addf
  %0 = sparkle.activate softplus %x : f32
  return %0 : f32
}
