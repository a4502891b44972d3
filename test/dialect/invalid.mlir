// RUN: sparkle-opt %s --split-input-file --verify-diagnostics

// One case for each constraint of dialect/SparkleOps.td, then types and
// attributes. A kernel has the name of the constraint that it breaks.

// expected-error @below {{expected distinct names, but got 'N' twice}}
sparkle.kernel @kernel_c1 sizes ["N", "N"] {
  %y = sparkle.tensor output "y" extents ()[s0, s1] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @kernel_c1 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected distinct names, but got 'x' twice}}
  %y = sparkle.tensor output "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected an output, but got none}}
sparkle.kernel @kernel_c2 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @kernel_c3 sizes [] {
  // expected-error @below {{expected 'y' to be defined, but got no equation}}
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @kernel_c3 sizes [] {
  // expected-error @below {{expected 't' to be defined, but got no equation}}
  %t = sparkle.tensor temp "t" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @kernel_c3 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected 'y' to be defined once, but got a second equation}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @kernel_c3 sizes [] {
  // expected-note @below {{declared here}}
  %t = sparkle.tensor temp "t" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected 't' to be defined before it is read}}
    %0 = sparkle.read %t (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %t ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @tensor_c1 sizes ["N"] {
  // expected-error @below {{expected extents of the form ()[1 sizes] -> (1 extents), but got affine_map<() -> (4)>}}
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @tensor_c2 sizes [] {
  // expected-error @below {{expected a type with the extents affine_map<() -> (4)>, but got '!sparkle.tensor<5xf32, (d0) -> (d0)>'}}
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<5xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @tensor_c3 sizes ["N"] {
  // expected-error @below {{expected a weight of static extents}}
  %w = sparkle.tensor weight "w" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @tensor_c4 sizes ["N"] {
  // expected-error @below {{expected 'declared_extents' with 'declared_type', but got one of them}}
  %x = "sparkle.tensor"() <{role = 0 : i32, name = "x", extents = affine_map<()[s0] -> (6)>, declared_extents = affine_map<()[s0] -> (2, 3)>}> : () -> !sparkle.tensor<6xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @tensor_c4_c1 sizes ["N"] {
  // expected-error @below {{expected extents of the form ()[1 sizes] -> (2 extents), but got affine_map<() -> (2, 3)>}}
  %x = sparkle.tensor input "x" extents ()[s0] -> (6) declared () -> (2, 3) as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> : !sparkle.tensor<6xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c1 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected extents of the form ()[0 sizes] -> (1 extents)}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4, 4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c2 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected 1 indices on the left side, but got 2}}
  sparkle.define %y ["i", "j"] reductions 0 extents () -> (4, 4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c2 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4, 4) : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected distinct indices, but got 'i' twice}}
  sparkle.define %y ["i", "i"] reductions 0 extents () -> (4, 4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
}

// -----

sparkle.kernel @define_c3 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{of the target, but got}}
  sparkle.define %y ["i"] reductions 0 extents () -> (5) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c4 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected an output or a temp as target}}
  sparkle.define %x ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c5 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected one sum for 1 reductions, but got 0}}
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (4, 4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c9 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected a body that yields ('f32'), but got ('f64')}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f64
    sparkle.yield %0 : f64
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c9 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf16, (d0) -> (d0)>
  // expected-error @below {{expected a body that yields ('f32'), but got ('f16')}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f16
    sparkle.yield %0 : f16
  } : !sparkle.tensor<4xf16, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c6 sizes ["N"] {
  %y = sparkle.tensor output "y" extents ()[s0] -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected reductions of static, positive extents}}
  sparkle.define %y ["i", "j"] reductions 1 extents ()[s0] -> (4, s0) {
    %0 = sparkle.sum {
      %1 = arith.constant 0.0 : f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c7 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected 1 entries in 'workers', but got 2}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4) pattern <workers = [1, 1]> {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c7 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected sizes in 'lanes' that are positive, 0 (auto) or -1 (all), but got -2}}
  sparkle.define %y ["i"] reductions 0 extents () -> (4) pattern <lanes = [-2]> {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @define_c8 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4, 4) : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected 'order' to list every index once, those of the left side first, but got [0, 0]}}
  sparkle.define %y ["i", "j"] reductions 0 extents () -> (4, 4) pattern <order = [0, 0]> {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
}

// -----

sparkle.kernel @read_c1 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected a map of 1 dimensions and no symbols to 1 coordinates, but got affine_map<(d0, d1) -> (d0)>}}
    %0 = sparkle.read %x (d0, d1) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// A divisor is a positive number, on which all that bounds quotients relies.
sparkle.kernel @read_c1 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected positive numbers as divisors, but got affine_map<(d0) -> (d0 floordiv 0)>}}
    %0 = sparkle.read %x (d0) -> (d0 floordiv 0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @read_c2 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf64, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected a result of type 'f32', but got 'f64'}}
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f64
    sparkle.yield %0 : f64
  } : !sparkle.tensor<4xf64, (d0) -> (d0)>
}

// -----

sparkle.kernel @read_c2 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf16, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf16, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected a result of type 'f32', but got 'f16'}}
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf16, (d0) -> (d0)> -> f16
    sparkle.yield %0 : f16
  } : !sparkle.tensor<4xf16, (d0) -> (d0)>
}

// -----

sparkle.kernel @read_c3 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (4, 4) {
    // expected-error @below {{expected no reduction index outside of the sum}}
    %0 = sparkle.read %x (d0, d1) -> (d1) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    %1 = sparkle.sum {
      sparkle.yield %0 : f32
    } : f32
    sparkle.yield %1 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @read_c4 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    // expected-error @below {{expected an input, a weight or a temp, but got the output 'y'}}
    %0 = sparkle.read %y (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @sum_c1 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i", "j"] reductions 1 extents () -> (4, 4) {
    // expected-error @below {{expected a body that yields ('f32'), but got ('f64')}}
    %0 = sparkle.sum {
      %1 = arith.constant 0.0 : f64
      sparkle.yield %1 : f64
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @pack_c1 sizes [] {
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected a weight as source, or a transform of one}}
  %0 = sparkle.pack %y : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @constant_c1 sizes [] {
  // expected-error @below {{expected a result of f32 with the shape of 'tensor<2xf32>', but got '!sparkle.tensor<3xf32}}
  %0 = sparkle.constant dense<[1.0, 2.0]> : tensor<2xf32> as !sparkle.tensor<3xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @transform_c1 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (3) : !sparkle.tensor<3xf32, (d0) -> (d0)>
  // expected-error @below {{expected a weight as source}}
  %0 = sparkle.transform %x along [0] by dense<1.0> : tensor<4x3xf64> : !sparkle.tensor<3xf32, (d0) -> (d0)> to !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @transform_c2 sizes [] {
  %w = sparkle.tensor weight "w" extents () -> (3) : !sparkle.tensor<3xf32, (d0) -> (d0)>
  // expected-error @below {{expected a matrix of f64, but got 'tensor<4x3xf32>'}}
  %0 = sparkle.transform %w along [0] by dense<1.0> : tensor<4x3xf32> : !sparkle.tensor<3xf32, (d0) -> (d0)> to !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @transform_c3 sizes [] {
  %w = sparkle.tensor weight "w" extents () -> (3, 3) : !sparkle.tensor<3x3xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected ascending dimensions of '!sparkle.tensor<3x3xf32, (d0, d1) -> (d0, d1)>', but got [1, 0]}}
  %0 = sparkle.transform %w along [1, 0] by dense<1.0> : tensor<4x3xf64> : !sparkle.tensor<3x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
}

// -----

sparkle.kernel @transform_c4 sizes [] {
  %w = sparkle.tensor weight "w" extents () -> (5, 3) : !sparkle.tensor<5x3xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a matrix of 'tensor<4x3xf64>' to take '!sparkle.tensor<5x3xf32, (d0, d1) -> (d0, d1)>' to the result, but got '!sparkle.tensor<4x4xf32}}
  %0 = sparkle.transform %w along [1] by dense<1.0> : tensor<4x3xf64> : !sparkle.tensor<5x3xf32, (d0, d1) -> (d0, d1)> to !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>
}

// -----

sparkle.kernel @pack_c2 sizes [] {
  %w = sparkle.tensor weight "w" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected a result with the shape of}}
  %0 = sparkle.pack %w : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.tensor<5xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @workers_c1 sizes [] {
  // expected-error @below {{expected extents of the form ()[0 sizes] -> (1 extents)}}
  sparkle.workers ["i"] (%i) extents () -> (4, 4) steps [4] {
  }
}

// -----

sparkle.kernel @workers_c2 sizes [] {
  // expected-error @below {{expected positive steps, but got 0}}
  sparkle.workers ["i"] (%i) extents () -> (4) steps [0] {
  }
}

// -----

sparkle.kernel @workers_c3 sizes [] {
  // expected-error @below {{expected 1 names, but got 2}}
  sparkle.workers ["i", "j"] (%i) extents () -> (4) steps [4] {
  }
}

// -----

sparkle.kernel @workers_c4 sizes [] {
  // expected-error @below {{expected an 'innermost' below 1, but got -1}}
  sparkle.workers ["i"] (%i) extents () -> (4) steps [4] {
  } {innermost = -1}
}

// -----

sparkle.kernel @workers_c3 sizes [] {
  // expected-error @below {{expected a body with arguments ('index'), but got ('index', 'index')}}
  sparkle.workers ["i"] (%i, %j) extents () -> (4) steps [4] {
  }
}

// -----

sparkle.kernel @extent_c1 sizes [] {
  // expected-error @below {{expected extents of the form ()[0 sizes] -> (1 extents)}}
  %0 = sparkle.extent ()[s0] -> (s0)
}

// -----

// expected-error @below {{expected to be inside of a 'sparkle.kernel'}}
%0 = sparkle.extent () -> (4)

// -----

func.func @loop_c1(%a: index) {
  // expected-error @below {{expected a positive step, but got 0}}
  sparkle.loop near %i = %a to %a step 0 {
  }
  return
}

// -----

func.func @loop_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %u: !sparkle.tile<5xf32, 1>) {
  // expected-error @below {{expected a body that yields}}
  %0 = sparkle.loop near %i = %a to %a step 1 carry (%s = %t) : !sparkle.tile<4xf32, 1> {
    sparkle.yield %u : !sparkle.tile<5xf32, 1>
  }
  return
}

// -----

func.func @loop_level(%a: index) {
  // expected-error @below {{expected 'near' or 'registers', but got 'far'}}
  sparkle.loop far %i = %a to %a step 1 {
  }
  return
}

// -----

func.func @loop_types(%a: index, %t: !sparkle.tile<4xf32, 1>) {
  // expected-error @below {{expected 1 types, but got 2}}
  %0:2 = sparkle.loop near %i = %a to %a step 1 carry (%s = %t) : !sparkle.tile<4xf32, 1>, !sparkle.tile<4xf32, 1> {
    sparkle.yield %s : !sparkle.tile<4xf32, 1>
  }
  return
}

// -----

func.func @stage_c1(%a: index, %x: !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)>) {
  // expected-error @below {{expected an origin and a box of the rank and element type of}}
  %0 = sparkle.stage in_place %x[%a] : !sparkle.tensor<4x4xf32, (d0, d1) -> (d0, d1)> to !sparkle.box<4x4xf32>
  return
}

// -----

func.func @stage_c1(%a: index, %x: !sparkle.tensor<4xf16, (d0) -> (d0)>) {
  // expected-error @below {{expected an origin and a box of the rank and element type of}}
  %0 = sparkle.stage copy %x[%a] layout (d0) -> (d0) : !sparkle.tensor<4xf16, (d0) -> (d0)> to !sparkle.box<4xf16>
  return
}

// -----

func.func @stage_c2(%a: index, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected no overlap of a box that is no copy}}
  %0 = sparkle.stage in_place %x[%a] overlap : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  return
}

// -----

func.func @stage_c2(%a: index, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected no 'inside' of a box that is no copy}}
  %0 = sparkle.stage in_place %x[%a] inside : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  return
}

// -----

func.func @stage_c2(%a: index, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected a layout that is a permutation of 1 dimensions}}
  %0 = sparkle.stage copy %x[%a] : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  return
}

// -----

func.func @stage_c3(%a: index, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected a box of static extents, but got '!sparkle.box<?xf32>'}}
  %0 = sparkle.stage in_place %x[%a] : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<?xf32>
  return
}

// -----

func.func @stage_c2(%a: index, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected no layout of a box in place}}
  %0 = sparkle.stage in_place %x[%a] layout (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  return
}

// -----

sparkle.kernel @stage_c4 sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.workers ["i"] (%i) extents () -> (4) steps [4] {
    // expected-error @below {{expected a temp of 32-bit elements, but got '!sparkle.tensor<4xf32}}
    %0 = sparkle.stage compute %x[%i] layout (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  }
}

// -----

func.func @init_c1(%a: index, %c: i1, %y: !sparkle.tensor<4xf16, (d0) -> (d0)>) {
  // expected-error @below {{expected coordinates and a tile of the rank and element type of '!sparkle.tensor<4xf16}}
  %0 = sparkle.init resume %y[%a] if %c from !sparkle.tensor<4xf16, (d0) -> (d0)> : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @init_c1(%a: index, %c: i1, %y: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected coordinates and a tile of the rank and element type of}}
  %0 = sparkle.init resume %y[%a] if %c from !sparkle.tensor<4xf32, (d0) -> (d0)> : !sparkle.tile<4x4xf32, 1x1>
  return
}

// -----

func.func @accumulate_c1(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected 2 coordinates, but got 1}}
  %0 = sparkle.accumulate %t at [%a] slice [4] (%x (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a map of 2 dimensions and no symbols to 1 coordinates}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [4] (%x (d0) -> (d0) : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected 'inside' to name dimensions of '!sparkle.box<4xf32>'}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [4] (%x (d0, d1) -> (d1) inside [1] : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected one map and one 'inside' for each of 1 operands}}
  %0 = "sparkle.accumulate"(%t, %a, %a, %x) <{slice = array<i64: 4>, maps = [], inside = array<i64>, operandSegmentSizes = array<i32: 1, 2, 1>}> ({
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  }) : (!sparkle.tile<4xf32, 1>, index, index, !sparkle.box<4xf32>) -> !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c3(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a body with arguments ('f32'), but got ('f64')}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [4] (%x (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
  ^bb0(%e: f64):
    sparkle.yield %e : f64
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c3(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf16>) {
  // expected-error @below {{expected a body with arguments ('f32'), but got ('f16')}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [4] (%x (d0, d1) -> (d1) : !sparkle.box<4xf16>) {
  ^bb0(%e: f16):
    %f = arith.extf %e : f16 to f32
    sparkle.yield %f : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c4(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a slice of positive extents, but got 0}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [0] (%x (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @accumulate_c5(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a result of type '!sparkle.tile<4xf32, 1>', but got '!sparkle.tile<5xf32, 1>'}}
  %0 = "sparkle.accumulate"(%t, %a, %a, %x) <{slice = array<i64: 4>, maps = [affine_map<(d0, d1) -> (d1)>], inside = array<i64: 0>, operandSegmentSizes = array<i32: 1, 2, 1>}> ({
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  }) : (!sparkle.tile<4xf32, 1>, index, index, !sparkle.box<4xf32>) -> !sparkle.tile<5xf32, 1>
  return
}

// -----

func.func @accumulate_dimension(%a: index, %t: !sparkle.tile<4xf32, 1>, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a dimension, but got 63}}
  %0 = sparkle.accumulate %t at [%a, %a] slice [4] (%x (d0, d1) -> (d1) inside [63] : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return
}

// -----

func.func @prefetch_c1(%a: index, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected 1 extents, but got 2}}
  sparkle.prefetch %x[%a] shape [4, 4] (d0) -> (d0) : !sparkle.box<4xf32>
  return
}

// -----

func.func @prefetch_c2(%a: index, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a part of a positive number of parts}}
  sparkle.prefetch %x[%a] shape [4] (d0) -> (d0) part %a of 0 : !sparkle.box<4xf32>
  return
}

// -----

func.func @prefetch_c2(%a: index, %x: !sparkle.box<4xf32>) {
  // expected-error @below {{expected a part of a positive number of parts}}
  "sparkle.prefetch"(%x, %a, %a) <{map = affine_map<(d0) -> (d0)>, operandSegmentSizes = array<i32: 1, 1, 1>, shape = array<i64: 4>}> : (!sparkle.box<4xf32>, index, index) -> ()
  return
}

// -----

func.func @store_c1(%a: index, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected 1 coordinates and a tensor of that rank, but got 2}}
  sparkle.store %t to %y[%a, %a] () {
  ^bb0(%s: f32):
    sparkle.yield %s : f32
  } : !sparkle.tile<4xf32, 1> to !sparkle.tensor<4xf32, (d0) -> (d0)>
  return
}

// -----

func.func @store_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected a map of 1 dimensions and no symbols to 1 coordinates}}
  sparkle.store %t to %y[%a] (%y (d0) -> (d0, d0) : !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  ^bb0(%s: f32, %e: f32):
    sparkle.yield %s : f32
  } : !sparkle.tile<4xf32, 1> to !sparkle.tensor<4xf32, (d0) -> (d0)>
  return
}

// -----

func.func @store_c2(%a: index, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected one map for each of 1 operands}}
  "sparkle.store"(%t, %y, %a, %y) <{maps = [], operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> ({
  ^bb0(%s: f32, %e: f32):
    sparkle.yield %s : f32
  }) : (!sparkle.tile<4xf32, 1>, !sparkle.tensor<4xf32, (d0) -> (d0)>, index, !sparkle.tensor<4xf32, (d0) -> (d0)>) -> ()
  return
}

// -----

func.func @store_c3(%a: index, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf32, (d0) -> (d0)>) {
  // expected-error @below {{expected a body with arguments ('f32'), but got ('f32', 'f32')}}
  sparkle.store %t to %y[%a] () {
  ^bb0(%s: f32, %e: f32):
    sparkle.yield %s : f32
  } : !sparkle.tile<4xf32, 1> to !sparkle.tensor<4xf32, (d0) -> (d0)>
  return
}

// -----

func.func @store_c3(%a: index, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf16, (d0) -> (d0)>) {
  // expected-error @below {{expected a body that yields ('f32'), but got ('f16')}}
  sparkle.store %t to %y[%a] () {
  ^bb0(%s: f32):
    %h = arith.truncf %s : f32 to f16
    sparkle.yield %h : f16
  } : !sparkle.tile<4xf32, 1> to !sparkle.tensor<4xf16, (d0) -> (d0)>
  return
}

// -----

func.func @store_c4(%a: index, %c: i1, %t: !sparkle.tile<4xf32, 1>, %y: !sparkle.tensor<4xf16, (d0) -> (d0)>) {
  // expected-error @below {{expected a tensor of 'f32' to hold partial sums, but got '!sparkle.tensor<4xf16, (d0) -> (d0)>'}}
  sparkle.store %t to %y[%a] last %c () {
  ^bb0(%s: f32):
    sparkle.yield %s : f32
  } : !sparkle.tile<4xf32, 1> to !sparkle.tensor<4xf16, (d0) -> (d0)>
  return
}

// -----

// expected-error @below {{expected a layout of 1 dimensions and no symbols, but got affine_map<(d0, d1) -> (d0, d1)>}}
func.func private @tensor_layout_rank(!sparkle.tensor<4xf32, (d0, d1) -> (d0, d1)>)

// -----

// expected-error @below {{expected each result of the layout to be 'd', 'd floordiv b', 'd mod b' or '(d floordiv a) mod b', but got affine_map<(d0) -> (d0 + 1)>}}
func.func private @tensor_layout_form(!sparkle.tensor<4xf32, (d0) -> (d0 + 1)>)

// -----

// expected-error @below {{expected the layout to cover dimension d0 exactly once, but got affine_map<(d0) -> (d0 floordiv 4)>}}
func.func private @tensor_layout_cover(!sparkle.tensor<4xf32, (d0) -> (d0 floordiv 4)>)

// -----

// expected-error @below {{expected a float element type, but got 'i32'}}
func.func private @tensor_element(!sparkle.tensor<4xi32, (d0) -> (d0)>)

// -----

// expected-error @below {{expected positive extents, but got 0}}
func.func private @box_extent(!sparkle.box<0xf32>)

// -----

// expected-error @below {{expected at least one dimension, but got none}}
func.func private @box_rank(!sparkle.box<f32>)

// -----

// expected-error @below {{expected lanes for 2 dimensions, but got 1}}
func.func private @tile_lanes(!sparkle.tile<4x4xf32, 1>)

// -----

// expected-error @below {{expected positive lanes, but got 0}}
func.func private @tile_lanes_positive(!sparkle.tile<4xf32, 0>)

// -----

// expected-error @below {{expected a positive 'lanes', but got 0}}
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 0, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {}

// -----

// expected-error @below {{expected a positive 'cores', but got 0}}
module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, cores = 0>} {}

// -----

// expected-error @below {{expected a positive 'near_read', but got 0}}
module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, near_read = 0>} {}

// -----

// expected-error @below {{expected a positive 'near_width', but got 0}}
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 49152, copies = false, near_width = 0>} {}

// -----

// expected-error @below {{expected a positive 'unit_lanes', but got 0}}
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 49152, copies = false, unit_lanes = 0>} {}

// -----

// expected-error @below {{expected the word of a target, but got ''}}
module attributes {sparkle.target = #sparkle.target<word = "", lanes = 1, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {}

// -----

// expected-error @below {{expected 'close_bytes' of 0 or more, but got -1}}
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 1, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = -1, copies = false>} {}
