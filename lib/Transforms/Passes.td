// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared passes, in the order in which the pipeline runs them: algorithm
// level -> tiled level. They read the numbers of `sparkle.target` on the
// module, and never ask which target it is.

#ifndef SPARKLE_TRANSFORMS_PASSES_TD
#define SPARKLE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"sparkle-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Compute what follows element by element at once";
  let description = [{
    Where an equation without a sum and without a pattern reads a temp of f32 at
    its own element alone, and nothing else reads that, both are one: the temp
    stays declared, and has no place in the workspace. The equation that is left
    has the pattern of the temp's.

    Before:
    ```mlir
    sparkle.define %t ["n", "k", "c"] reductions 1 ... { ... sum(c: x[n, c] * w[k, c]) ... }
    sparkle.define %y ["n", "k"] reductions 0 ... { ... t[n, k] * sigmoid(t[n, k]) ... }
    ```
    After:
    ```mlir
    sparkle.define %y ["n", "k", "c"] reductions 1 ... { %0 = sum(c: x[n, c] * w[k, c]) ... %0 * sigmoid(%0) ... }
    ```
  }];
}

def ApplyWinograd : Pass<"sparkle-apply-winograd", "::mlir::ModuleOp"> {
  let summary = "Rewrite convolutions to do fewer multiplications";
  let description = [{
    Where the pattern asks for `winograd MxM`, a sum over 3x3 or 5x5 taps becomes
    three equations: tiles of the input in another basis, products there, which
    are as many as a tile and its taps have rows, and the way back. The weight
    is transformed as it is packed. Both temps are computed in near memory; on a
    target with masked lanes, in a launch each.

    Before:
    ```mlir
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 ...
      pattern <transform = "winograd 2x2"> { ... x[n, c, p + r, q + s] * w[k, c, r, s] ... }
    ```
    After:
    ```mlir
    %b = sparkle.constant dense<...> : tensor<4x4xf32> as ...
    sparkle.define %input ["n", "c", "p.tile", "q.tile", "p.row", "q.row", "r", "s"] reductions 2 ... {
      ... b[p.row, r] * b[q.row, s] * x[n, c, 2 p.tile + r, 2 q.tile + s] ... }
    %u = sparkle.transform %w along [2, 3] by dense<...> : ...
    sparkle.define %product ["n", "k", "p.tile", "q.tile", "p.row", "q.row", "c"] reductions 1 ... {
      ... input[n, c, ...] * u[k, c, p.row, q.row] ... }
    sparkle.define %y ["n", "k", "p", "q", "p.row", "q.row"] reductions 2 ... {
      ... a[p mod 2, p.row] * a[q mod 2, q.row] * product[n, k, p floordiv 2, q floordiv 2, ...] ... }
    ```
    Fails where it is asked for and the equation is no such sum, or near memory
    does not hold one tile.
  }];
}

def MergeIndices : Pass<"sparkle-merge-indices", "::mlir::ModuleOp"> {
  let summary = "Take neighbouring indices of an output as one";
  let description = [{
    Where two neighbouring indices of the left side are coordinates of the same
    two dimensions wherever they occur, and these lie one behind the other in
    memory, both are one index over all of their points: the tensors are declared
    with one dimension in place of two, the bytes stay where they are. Tiles then
    divide the points, and not each row for itself. What varies along the first
    index alone, as an input along its groups, is read at a quotient, and a
    weight, which stays as it is declared, at that and the remainder. Merged is
    what the pattern names; without a line about it and without any size of an
    index, groups whose channels leave lanes of a vector empty, or else all that
    varies along both alike, but for extents of 1 in front.

    Before:
    ```mlir
    %x = sparkle.tensor input "x" extents () -> (1, 64, 7, 7) : !sparkle.tensor<1x64x7x7xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "k", "p", "q", "c"] reductions 1 ... { ... x[n, c, p, q] * w[k, c] ... }
    ```
    After:
    ```mlir
    %x = sparkle.tensor input "x" extents () -> (1, 64, 49) : !sparkle.tensor<1x64x49xf32, (d0, d1, d2) -> (d0, d2, d1)>
    sparkle.define %y ["n", "k", "q", "c"] reductions 1 ... { ... x[n, c, q] * w[k, c] ... }
    ```
    Fails where the pattern asks for it and it cannot be.
  }];
}

def ResolvePattern : Pass<"sparkle-resolve-pattern", "::mlir::ModuleOp"> {
  let summary = "Choose every size of the pattern that is auto";
  let description = [{
    Afterwards each `sparkle.define` has a pattern without an `auto`. A size
    that the pattern gives stays as it is; the model behind the others is in
    docs/rationale.md.

    Before:
    ```mlir
    sparkle.define %y ["m", "n", "k"] reductions 1 ... pattern <registers = array<i64: 0, 32, 1>>
    ```
    After:
    ```mlir
    sparkle.define %y ["m", "n", "k"] reductions 1 ...
      pattern <workers = array<i64: 8, 64, 1>, near = array<i64: 1, 1, 512>, ...>
    ```
    Fails when a given size does not suit: register tiles that need more
    registers than the target has, a worker tile that register tiles do not
    divide, lanes along a sum index.
  }];
}

def PackWeights : Pass<"sparkle-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Give each weight the layout in which the tiled loops read it";
  let description = [{
    A weight that one equation reads, with a plain index along each dimension,
    is packed in the order of the loops: the register tile innermost.

    Before:
    ```mlir
    %w = sparkle.tensor weight "w" ... : !sparkle.tensor<64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    ```
    After:
    ```mlir
    %0 = sparkle.pack %w : ... to !sparkle.tensor<64x64x3x3xf32,
      (d0, d1, d2, d3) -> (d0 floordiv 32, d2, d1, d3, d0 mod 32)>
    ```
    Never fails; a weight that it leaves alone keeps its layout.
  }];
}

def SplitSum : Pass<"sparkle-split-sum", "::mlir::ModuleOp"> {
  let summary = "Divide a sum that the pattern divides among workers or lanes";
  let description = [{
    Where `workers` of a resolved pattern has a part of an index of the sum, the
    equation becomes two: a temp of partial sums, one for each part, and the
    sum of those, in their order, with what the equation does besides. The
    temp has the name of the result and `.parts`, which no temp of the user
    has, and lies in the workspace.

    Before:
    ```mlir
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (8, 64, 512)
      pattern <workers = [8, 64, 128], ...> { ... }
    ```
    After:
    ```mlir
    %t = sparkle.tensor temp "y.parts" extents () -> (4, 8, 64) : ...
    sparkle.define %t ["k.part", "m", "n", "k"] reductions 1 extents () -> (4, 8, 64, 128)
      pattern <workers = [1, 8, 64, 1], ...> { ... }
    sparkle.define %y ["m", "n", "k.part"] reductions 1 extents () -> (8, 64, 4)
      pattern <...> { ... }
    ```
    Lanes of an index of the sum become the innermost dimension of such a temp,
    which the sum of them computes in near memory:
    ```mlir
    sparkle.define %t ["k.lane", "m", "n", "k"] reductions 1 extents () -> (16, 8, 64, 32)
      pattern <workers = [16, 8, 64, 1], lanes = [16, 1, 1, 1], ...> { ... }
    sparkle.define %y ["m", "n", "k.lane"] reductions 1 extents () -> (8, 64, 16)
      pattern <workers = [8, 64, 1], fuse = ["y.parts"], ...> { ... }
    ```
    Weights are packed before, so that all parts read the same one. Fails when
    a part does not divide the sum.
  }];
}

def Tile : Pass<"sparkle-tile", "::mlir::ModuleOp"> {
  let summary = "Turn equations into loops bound to memory levels";
  let description = [{
    Each `sparkle.define` becomes workers, near steps, register tiles and
    accumulates, with the sizes of its resolved pattern. Boxes are named in
    place. What a tile size leaves over at the end of an extent becomes a tile
    of its own size, so that no tile reaches outside of the output. Where the
    target is `masked` it is a tile like the others that does reach outside.

    Before:
    ```mlir
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (8, 64, 512) pattern <...> { ... }
    ```
    After:
    ```mlir
    sparkle.workers ["m", "n"] (%m, %n) extents () -> (8, 64) steps [8, 64] {
      %a = sparkle.stage in_place ...
      sparkle.loop registers %n1 = ... {
        %0 = sparkle.init : !sparkle.tile<8x32xf32, 1x16>
        %1 = sparkle.loop registers %k = ... carry (%s = %0) { sparkle.accumulate ... }
        sparkle.store %1 to %y[%m, %n1] ...
      }
    }
    ```
    Fails when an equation has no resolved pattern, or reads an operand of its
    sum at an index that is not linear.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

def Stage : Pass<"sparkle-stage", "::mlir::ModuleOp"> {
  let summary = "Copy the boxes that the pattern stages, and prefetch";
  let description = [{
    Before:
    ```mlir
    %a = sparkle.stage in_place %x[%m, %k] : !sparkle.tensor<...> to !sparkle.box<8x64xf32>
    ```
    After, with `near k: 64, stage x`:
    ```mlir
    %a = sparkle.stage copy %x[%m, %k] layout (d0, d1) -> (d0, d1) : ...
    sparkle.barrier
    ...
    sparkle.barrier
    ```
    A second barrier stands at the end of a step, also where a box is computed in
    it: the next step writes it again.

    Fails when the staged boxes are larger than near memory.
  }];
}

def SplitTransform : Pass<"sparkle-split-transform", "::mlir::ModuleOp"> {
  let summary = "Apply the two matrices of a large tile one after the other";
  let description = [{
    What two constants make of a slice, as Winograd's transform of a tile does,
    has as many sums as the tile has rows and columns. Where that is twice as many
    vectors as the target has registers, or vectors are transposed from memory, one
    matrix is applied to one row after the other, into a box of a temp, and the
    second to one column after the other: two short loops in place of a long body.

    Before:
    ```mlir
    %1 = sparkle.accumulate %0 at [..., %c0, %c0] slice [8, 8] (%a, %b, %x)
    sparkle.store %1 to %v
    ```
    After:
    ```mlir
    %t = sparkle.stage compute %v.half[...]
    sparkle.loop registers %r = %c0 to %c8 step 1 {
      %1 = sparkle.accumulate %0 at [..., %c0] slice [8] (%b, %x)
      sparkle.store %1 to %t
    }
    sparkle.loop registers %j = %c0 to %c8 step 1 {
      %2 = sparkle.accumulate %0 at [..., %c0] slice [8] (%a, %t)
      sparkle.store %2 to %v
    }
    ```
    Never fails; tiles of a target with masked lanes stay.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def SplitBorder : Pass<"sparkle-split-border", "::mlir::ModuleOp"> {
  let summary = "Part the tiles that read outside of a tensor from the others";
  let description = [{
    A loop over an index of the sum is clamped to where the read is inside,
    where a register tile is one element thick along the output's index; a read by
    a quotient where its dividend is inside of so many times the extent:

    Before:
    ```mlir
    %1 = sparkle.loop registers %r = %c0 to %c3 step 1 carry ...
    ```
    After:
    ```mlir
    %lo = affine.max (d0) -> (0, -d0 + 1)(%p)
    %hi = affine.min (d0) -> (3, -d0 + 57)(%p)
    %1 = sparkle.loop registers %r = %lo to %hi step 1 carry ...
    ```
    Elsewhere the loop over register tiles is cut into a loop over the
    interior, and one tile after the other at constant coordinates before and
    behind it. There a loop over the sum whose index decides what is inside
    becomes part of the slice, so that it is known of each term:

    Before:
    ```mlir
    %1 = sparkle.loop registers %s = %c0 to %c3 step 1 carry (%a = %0) : ... {
      %2 = sparkle.accumulate %a at [..., %s] slice [4, 1] ...
    ```
    After:
    ```mlir
    %1 = sparkle.accumulate %0 at [..., %c0] slice [4, 3] ...
    ```
    So are accesses to a copy, unless the lanes of a grid make it or it is filled
    anew for each block of a sum: such a copy holds the zeros. A loop over tiles
    one element thick, whose place depends on loops around it, is clamped as well,
    and what its other tiles begin with is stored in a loop in front of it and one
    behind. Never fails; where the border has more than eight tiles at one end, the
    loop stays whole and its reads are checked.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect"];
}

def InferInside : Pass<"sparkle-infer-inside", "::mlir::ModuleOp"> {
  let summary = "Mark the operands that are never read outside of their tensor";
  let description = [{
    Proves from the bounds of the loops that no read of an operand of
    `sparkle.accumulate` falls outside. Of a copy whose readers are all cut where
    they would, or stand where it is known of each term, it says so too: such a
    `sparkle.stage` is `inside`.

    Before:
    ```mlir
    sparkle.accumulate %s at [...] slice [4] (%a (d0, d1, d2) -> (d0, d2) : !sparkle.box<8x64xf32>, ...)
    ```
    After:
    ```mlir
    sparkle.accumulate %s at [...] slice [4] (%a (d0, d1, d2) -> (d0, d2) inside : !sparkle.box<8x64xf32>, ...)
    ```
    Never fails; what it cannot prove stays unmarked.
  }];
}

def ExpandActivations : Pass<"sparkle-expand-activations", "::mlir::ModuleOp"> {
  let summary = "Write activations as arithmetic";
  let description = [{
    Before:
    ```mlir
    %1 = sparkle.activate relu %0 : f32
    ```
    After:
    ```mlir
    %c = arith.cmpf ogt, %zero, %0 : f32
    %1 = arith.select %c, %zero, %0 : f32
    ```
    What is a polynomial, an exponential or both becomes f32 arithmetic with
    `math.fma`, `math.absf` and `math.copysign`, and additions, shifts, masks and
    `arith.bitcast` of i32: all that a target has to lower. Never fails.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

#endif // SPARKLE_TRANSFORMS_PASSES_TD
