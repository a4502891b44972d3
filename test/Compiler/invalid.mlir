// RUN: sparkle-opt %s --emit=tiled --split-input-file --verify-diagnostics

// What the descriptor and the C header cannot say.

// expected-error @below {{expected a kernel name that is free in C, but 'int' is a keyword - choose another name}}
sparkle.kernel @int sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected a kernel name that is free in C, but 'a.b' is no identifier - choose another name}}
sparkle.kernel @a.b sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected a kernel name that is free in C, but 'main' is where a program starts - choose another name}}
sparkle.kernel @main sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-note @below {{the other one comes from here}}
sparkle.kernel @conv sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// expected-error @below {{expected distinct C functions, but got 'conv_reference' twice - rename the kernel}}
sparkle.kernel @conv_reference sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// An extent that is no quotient of an affine function.
sparkle.kernel @odd sizes ["N"] {
  // expected-error @below {{expected the extents of 'x' to have the form (a + b * size) / c, but got affine_map<()[s0] -> (s0 mod 3)>}}
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0 mod 3) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected a kernel, but got none}}
module {}

// -----

sparkle.kernel @large sizes [] {
  // expected-error @below {{expected the bytes of 'w' to fit in 64 bits, but got}}
  %w = sparkle.tensor weight "w" extents () -> (2147483647, 2147483647, 2) : !sparkle.tensor<2147483647x2147483647x2xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %w (d0) -> (d0, d0, 0) : !sparkle.tensor<2147483647x2147483647x2xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

sparkle.kernel @deep sizes [] {
  // expected-error @below {{expected 'x' to have at most 16 dimensions, logical and physical}}
  %x = sparkle.tensor input "x" extents () -> (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) : !sparkle.tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32, (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = arith.constant 0.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}
