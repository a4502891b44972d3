// RUN: sparkle-opt %s --emit=llvm --with-reference --split-input-file --verify-diagnostics

// An op that no equation of the language has.
sparkle.kernel @root sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    // expected-error @below {{expected an op that has a reference, but got 'math.sqrt'}}
    %1 = math.sqrt %0 : f32
    sparkle.yield %1 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// No equation is left.
sparkle.kernel @tiled sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  // expected-error @below {{expected the equations of the kernel for a reference, but got tiles}}
  sparkle.workers ["i"] (%i) extents () -> (4) steps [4] {
  }
}
