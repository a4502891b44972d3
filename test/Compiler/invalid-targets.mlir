// RUN: sparkle-opt %s --target=cpu,vulkan --gpu=small --emit=llvm --split-input-file --verify-diagnostics

// What one of several targets cannot do, with a note that says which.

// expected-error @below {{expected at most 32 run-time sizes of a kernel for vulkan, but got 33}}
// expected-note @below {{in the code for vulkan small}}
sparkle.kernel @many sizes ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17", "A18", "A19", "A20", "A21", "A22", "A23", "A24", "A25", "A26", "A27", "A28", "A29", "A30", "A31", "A32"] {
  %x = sparkle.tensor input "x" extents ()[s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32] -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32] -> (4) : !sparkle.tensor<4xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32] -> (4) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<4xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<4xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected the grid to have the form (a + b * size) / c, but got affine_map<()[s0] -> ((s0 ceildiv 4611686018427387904)}}
// expected-note @below {{in the code for vulkan small}}
sparkle.kernel @wide sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0 ceildiv 4611686018427387904) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0 ceildiv 4611686018427387904) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0 ceildiv 4611686018427387904) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}

// -----

// What all of them cannot do has no such note.

// expected-error @below {{expected a kernel name that is free in C, but 'int' is a keyword - choose another name}}
sparkle.kernel @int sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0 ceildiv 4611686018427387904) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0 ceildiv 4611686018427387904) : !sparkle.tensor<?xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents ()[s0] -> (s0 ceildiv 4611686018427387904) {
    %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<?xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?xf32, (d0) -> (d0)>
}
