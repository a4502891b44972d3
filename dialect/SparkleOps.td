// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops. First the algorithm level (what a kernel computes), then the tiled
// level (how it moves through memory): the contract of all targets.

#ifndef SPARKLE_OPS_TD
#define SPARKLE_OPS_TD

include "dialect/SparkleDialect.td"
include "dialect/SparkleAttrs.td"
include "dialect/SparkleTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class SparkleOp<string mnemonic, list<Trait> traits = []>
    : Op<Sparkle_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Algorithm level
//===----------------------------------------------------------------------===//

def KernelOp : SparkleOp<"kernel", [IsolatedFromAbove, Symbol, SingleBlock,
                                    NoTerminator]> {
  let summary = "Name a kernel: its run-time sizes, tensors and equations";
  let description = [{
    The tensors are the kernel's arguments, in the order in which they stand.
    `sizes` names the sizes that only the call knows, in the order in which the
    compiled function takes them after the tensors. At the algorithm level the
    body holds one `sparkle.define` per equation, in the order in which they
    are computed; at the tiled level each of these is a `sparkle.workers`.
    `reference` asks for the algorithm alone beside the kernel.

    Example:
    ```mlir
    sparkle.kernel @copy sizes ["N"] {
      %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
      %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : !sparkle.tensor<?xf32, (d0) -> (d0)>
      sparkle.define %y ["i"] over ["i"] extents ()[s0] -> (s0) { ... } : ...
    }
    ```
    Constraints:
    * (C1) The names of tensors and sizes are distinct.
    * (C2) There is at least one output.
    * (C3) Every output and every temp is defined exactly once, and a temp
      before it is read; one with `sparkle.fused` has no equation and no reader.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$sizes,
                       UnitAttr:$reference);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `sizes` $sizes (`reference` $reference^)? attr-dict-with-keyword
    $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The tensors of the kernel in order.
    ::llvm::SmallVector<TensorOp, 8> getTensors();
  }];
}

def TensorOp : SparkleOp<"tensor", [HasParent<"KernelOp">,
      DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "Declare a tensor of the kernel";
  let description = [{
    `extents` gives the extents as functions of the kernel's run-time sizes
    (symbol `i` is `sizes[i]`). A `weight` keeps its values over many calls; a
    `temp` is defined by one equation and read by later ones. The op is not
    `Pure`: a tensor that nothing reads is still an argument of the kernel.

    Where dimensions were taken as one, `declared_extents` and `declared_type`
    say what the caller knows the same memory as.

    Constraints:
    * (C1) `extents` has one result for each dimension, no dimensions, and one
      symbol for each of the kernel's sizes.
    * (C2) An extent is static in the type exactly if it is constant in
      `extents`, and then they are equal.
    * (C3) A weight has no run-time extent.
    * (C4) `declared_extents` and `declared_type` come together, and (C1) and
      (C2) hold for them.
  }];
  let arguments = (ins Sparkle_Role:$role, StrAttr:$name,
                       AffineMapAttr:$extents,
                       OptionalAttr<AffineMapAttr>:$declared_extents,
                       OptionalAttr<TypeAttrOf<Sparkle_TensorType>>:$declared_type);
  let results = (outs Sparkle_TensorType:$result);
  let builders = [
    OpBuilder<(ins "StoredTensorType":$type, "Role":$role,
                   "::llvm::StringRef":$name, "::mlir::AffineMap":$extents), [{
      build($_builder, $_state, type, role, name, extents, {}, {});
    }]>
  ];
  let assemblyFormat = [{
    $role $name `extents` custom<BareMap>($extents)
    (`declared` custom<BareMap>($declared_extents)^ `as` $declared_type)?
    attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether it is a temp that lies in the workspace, and not box by box in
    /// near memory.
    bool isInWorkspace();
  }];
}

def ConstantOp : SparkleOp<"constant", [Pure, HasParent<"KernelOp">]> {
  let summary = "A tensor of numbers that are known when compiling";
  let description = [{
    Read like any other tensor. No element of it is in memory: a target reads it
    at coordinates that it knows, and so knows the number.

    Example:
    ```mlir
    %a = sparkle.constant dense<[[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32>
      as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
    ```
    Constraints:
    * (C1) The result has the shape and the element type of the values, which
      are f32.
  }];
  let arguments = (ins ElementsAttr:$values);
  let results = (outs Sparkle_TensorType:$result);
  let assemblyFormat = "$values attr-dict `as` type($result)";
  let hasVerifier = 1;
}

def TransformOp : SparkleOp<"transform", [Pure, HasParent<"KernelOp">]> {
  let summary = "A weight in another basis";
  let description = [{
    Multiplies the weight by `matrix` along each of `dims`:
    `result[..., i, j] = sum(r, s: matrix[i, r] * matrix[j, s] * source[..., r, s])`.
    It is computed in double precision where the weight is packed, and costs the
    kernel nothing.

    Constraints:
    * (C1) The source is a `sparkle.tensor` with the role weight.
    * (C2) The matrix has two dimensions, and elements of f64.
    * (C3) `dims` are distinct dimensions of the source, in ascending order.
    * (C4) Along `dims` the source has as many elements as the matrix has columns
      and the result as many as it has rows; everything else is equal.
  }];
  let arguments = (ins Sparkle_TensorType:$source, DenseI64ArrayAttr:$dims,
                       ElementsAttr:$matrix);
  let results = (outs Sparkle_TensorType:$result);
  let assemblyFormat = [{
    $source `along` $dims `by` $matrix attr-dict `:` type($source) `to`
    type($result)
  }];
  let hasVerifier = 1;
}

def DefineOp : SparkleOp<"define", [HasParent<"KernelOp">, SingleBlock,
      SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Define every element of a tensor by one equation";
  let description = [{
    `indices` names the indices of the left side, then those of the `sum`;
    `reductions` counts the latter. The body computes one element: its reads
    are functions of the indices. It fixes no order and no tiling; `pattern`
    says what the user wants of those.

    Example: `y[n, k] = relu(sum(c: x[n, c] * w[k, c]))`
    ```mlir
    sparkle.define %y ["n", "k", "c"] reductions 1 extents ()[s0] -> (s0, 64, 32) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<...>
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<...>
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      %4 = sparkle.activate relu %0 : f32
      sparkle.yield %4 : f32
    } : !sparkle.tensor<?x64xf32, (d0, d1) -> (d0, d1)>
    ```
    Constraints:
    * (C1) `extents` has one result for each index, no dimensions, and one
      symbol for each of the kernel's sizes.
    * (C2) There are as many indices of the left side as the target has
      dimensions, and the names are distinct.
    * (C3) The extents of the left side are those of the target.
    * (C4) The target is an output or a temp.
    * (C5) The body holds at most one `sparkle.sum`, and exactly one if there
      are reductions.
    * (C6) The extents of the reductions are static and positive.
    * (C7) Each list of sizes in `pattern` has one entry for each index.
    * (C8) `order` of `pattern` is a permutation in which the indices of the
      left side come first.
    * (C9) The body yields the element type of the target, or f32 where
      elements have 16 bits.
  }];
  let arguments = (ins Sparkle_TensorType:$target, StrArrayAttr:$indices,
                       I64Attr:$reductions, AffineMapAttr:$extents,
                       OptionalAttr<Sparkle_PatternAttr>:$pattern);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $target $indices `reductions` $reductions `extents` custom<BareMap>($extents)
    (`pattern` $pattern^)? $body attr-dict `:` type($target)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Rank of the left side.
    unsigned getNumOutputs() { return getIndices().size() - getReductions(); }
    /// Extents of all indices; kDynamic where only the call knows.
    ::llvm::SmallVector<int64_t> getStaticExtents();
    /// The sum of the equation, or null.
    SumOp getSum();
    /// The equations of the temps that the pattern computes in near memory.
    ::std::vector<DefineOp> getProducers();
    /// Where the line `keyword` of the pattern ("registers", "stage" ...) stands
    /// in the source, for a diagnostic about it: the front end fuses it, under
    /// that name, with the location of the equation. The latter if there is none.
    ::mlir::Location getPatternLoc(::llvm::StringRef keyword);
  }];
}

def ReadOp : SparkleOp<"read", [Pure]> {
  let summary = "Read one element of a tensor; zero outside of its bounds";
  let description = [{
    `map` takes the indices of the enclosing `sparkle.define` to coordinates.

    Constraints:
    * (C1) `map` has one dimension for each index of the define, no symbols,
      and one result for each dimension of the tensor.
    * (C2) The result has the element type of the tensor, or is f32 where
      elements have 16 bits.
    * (C3) Outside of a `sparkle.sum`, `map` uses the indices of the left side
      only.
    * (C4) The tensor is not an output.
  }];
  let arguments = (ins Sparkle_TensorType:$tensor, AffineMapAttr:$map);
  let results = (outs AnyFloat:$result);
  let assemblyFormat = [{
    $tensor custom<BareMap>($map) attr-dict `:` type($tensor) `->` type($result)
  }];
  let hasVerifier = 1;
}

def SumOp : SparkleOp<"sum", [Pure, SingleBlock, HasParent<"DefineOp">,
      SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Sum the body over all reduction indices";
  let description = [{
    The order of the additions is not specified.

    Constraints:
    * (C1) The body yields one value of the result's type.
  }];
  let regions = (region SizedRegion<1>:$body);
  let results = (outs AnyFloat:$result);
  let assemblyFormat = "$body attr-dict `:` type($result)";
  let hasRegionVerifier = 1;
}

def ActivateOp : SparkleOp<"activate", [Pure, SameOperandsAndResultType]> {
  let summary = "Apply an activation function to one element";
  let description = [{
    `relu` max(x, 0); `relu6` min(max(x, 0), 6); `sigmoid` 1 / (1 + exp(-x));
    `tanh`; `silu` x sigmoid(x); `gelu` x (1 + erf(x / sqrt 2)) / 2 (the exact
    form); `hswish` x min(max(x + 3, 0), 6) / 6; `exp`; `log`, the natural one;
    `sqrt`; `round` to the nearest integer, ties to even; `softplus`
    log(1 + exp(x)). Not a number stays so.
  }];
  let arguments = (ins Sparkle_Function:$function, AnyFloat:$value);
  let results = (outs AnyFloat:$result);
  let assemblyFormat = "$function $value attr-dict `:` type($result)";
  let hasFolder = 1;
}

def YieldOp : SparkleOp<"yield", [Pure, Terminator,
      ParentOneOf<["DefineOp", "SumOp", "LoopOp", "AccumulateOp", "StoreOp",
                   "WorkersOp"]>]> {
  let summary = "End a region and give its results";
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), "build($_builder, $_state, ::mlir::ValueRange());">];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Tiled level: the contract of all targets
//===----------------------------------------------------------------------===//

def PackOp : SparkleOp<"pack", [Pure, HasParent<"KernelOp">]> {
  let summary = "A weight in the layout that the kernel wants";
  let description = [{
    States that the caller passes the weight repacked: the kernel's argument is
    the result, and the compiler emits a function that makes it from the
    source. It costs the kernel nothing. What lies beyond the logical extents
    in the result is zero.

    Constraints:
    * (C1) The source is a `sparkle.tensor` with the role weight, or a
      `sparkle.transform` of one.
    * (C2) Shapes and element types are equal.
  }];
  let arguments = (ins Sparkle_TensorType:$source);
  let results = (outs Sparkle_TensorType:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What the caller packs.
    TensorOp getWeight();
  }];
}

def WorkersOp : SparkleOp<"workers", [HasParent<"KernelOp">, SingleBlock,
      SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Run the body for every worker tile of an output, in parallel";
  let description = [{
    The body runs once for every point of the grid 0, step, 2 step, ... below
    `extents`; its arguments are the first coordinates of the tile. Tiles are
    independent and run in any order, or at once. All of them are complete
    before the next op of the kernel starts. `indices` names the coordinates.
    A target that deals tiles out to threads does so along `innermost` last, if
    it is there, else along the last dimension: neighbours share most.

    Constraints:
    * (C1) `extents` has one result for each step, no dimensions, and one
      symbol for each of the kernel's sizes.
    * (C2) Steps are positive.
    * (C3) The body has one index argument for each step, and yields nothing.
    * (C4) `innermost` is one of the dimensions.
  }];
  let arguments = (ins StrArrayAttr:$indices, AffineMapAttr:$extents,
                       DenseI64ArrayAttr:$steps,
                       OptionalAttr<I64Attr>:$innermost);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def ExtentOp : SparkleOp<"extent", [Pure]> {
  let summary = "An extent that only the call knows";
  let description = [{
    The value of `map` at the kernel's run-time sizes.

    Constraints:
    * (C1) `map` has one result, no dimensions, and one symbol for each of the
      kernel's sizes.
  }];
  let arguments = (ins AffineMapAttr:$map);
  let results = (outs Index:$result);
  let assemblyFormat = "custom<BareMap>($map) attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def LoopOp : SparkleOp<"loop", [SingleBlock, RecursiveMemoryEffects,
      SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "A loop bound to a memory level";
  let description = [{
    Runs the body for `lower`, `lower + step`, ... below `upper`, in order, not
    at all where `upper <= lower`. `init` and the results carry register tiles.
    `near` loops step through blocks of the sum, `registers` loops through
    register tiles of the output or slices of the sum.

    Example:
    ```mlir
    %2 = sparkle.loop registers %c = %c0 to %c64 step 4 carry (%a = %1) : !sparkle.tile<32x8xf32, 16x1> {
      ...
      sparkle.yield %3 : !sparkle.tile<32x8xf32, 16x1>
    }
    ```
    Constraints:
    * (C1) `step` is positive.
    * (C2) The body's arguments are the index and the carried values; what it
      yields has their types.
  }];
  let arguments = (ins Sparkle_Level:$level, Index:$lower, Index:$upper,
                       I64Attr:$step, Variadic<Sparkle_TileType>:$init);
  let results = (outs Variadic<Sparkle_TileType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::Value getInductionVar() { return getBody().front().getArgument(0); }
    ::mlir::Block::BlockArgListType getCarried() {
      return getBody().front().getArguments().drop_front();
    }
  }];
}

def StageOp : SparkleOp<"stage", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Bring a box of a tensor near to the worker";
  let description = [{
    The box starts at `origin` and has the shape of the result's type; it may
    reach outside of the tensor, where it is zero. `copy` moves it into near
    memory, laid out as `layout` says (over the box's own coordinates), all
    lanes of the worker together; `in_place` only names it. With `overlap` the
    copy may run one step of the enclosing near loop ahead; a target without
    asynchronous copies may ignore that. With `inside` nothing that is read of
    the box lies outside of the tensor: a copy may leave those zeros out.

    `compute` makes room for a box of a temp, laid out like a copy, that the
    `sparkle.store`s into it fill. The temp is then nowhere else; elements of the
    box that are in the temp are read only after they are stored.

    Constraints:
    * (C1) There is one origin for each dimension, and the box has the rank and
      the element type of the tensor; that of a copy is f32 where elements have
      16 bits.
    * (C2) A copy has a layout of the box's rank that is a permutation of its
      dimensions, and so has a computed box; a box in place has none. Only
      copies overlap or are `inside`.
    * (C3) The extents of the box are static and positive.
    * (C4) A computed box is of a temp, of 32-bit elements.
  }];
  let arguments = (ins Sparkle_Realisation:$realisation,
                       Sparkle_TensorType:$tensor, Variadic<Index>:$origin,
                       OptionalAttr<AffineMapAttr>:$layout, UnitAttr:$overlap,
                       UnitAttr:$inside);
  let results = (outs Sparkle_BoxType:$result);
  let assemblyFormat = [{
    $realisation $tensor `[` $origin `]` (`layout` custom<BareMap>($layout)^)?
    (`overlap` $overlap^)? (`inside` $inside^)? attr-dict
    `:` type($tensor) `to` type($result)
  }];
  let hasVerifier = 1;
}

def BarrierOp : SparkleOp<"barrier"> {
  let summary = "Wait for all lanes of the worker";
  let description = [{
    Stands after the copies of a near step (they are visible to every lane
    behind it) and at the end of the step (no lane still reads them). Nothing
    on a target whose worker is one thread.
  }];
  let assemblyFormat = "attr-dict";
}

def InitOp : SparkleOp<"init", [AttrSizedOperandSegments]> {
  let summary = "Begin the sums of a register tile";
  let description = [{
    Zero; or, with `resume`, what a partial `sparkle.store` left at the same
    place where the condition holds, and zero where it does not. Points outside
    of the tensor are zero.

    Constraints:
    * (C1) `resume` has one coordinate for each dimension of the tensor and of
      the tile, and the element types are equal: what has 16 bits holds no
      partial sums.
  }];
  let arguments = (ins Optional<Sparkle_TensorOrBox>:$tensor,
                       Variadic<Index>:$at, Optional<I1>:$resume);
  let results = (outs Sparkle_TileType:$result);
  let assemblyFormat = [{
    (`resume` $tensor^ `[` $at `]` `if` $resume `from` type($tensor))? attr-dict
    `:` type($result)
  }];
  let hasVerifier = 1;
}

def AccumulateOp : SparkleOp<"accumulate", [AttrSizedOperandSegments,
      SingleBlock, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Add one slice of the sum to a register tile";
  let description = [{
    For every point of the tile and every point of the slice, the body takes
    one element of each operand and yields the term to add. `at` gives the
    first coordinate along every index (those of the left side, then those of
    the sum); `slice` the static extents along the sum's. Operand `i` is read
    at `maps[i]` of the coordinates; a read outside of the tensor is zero.
    `inside` states for each operand along which dimensions no read falls
    outside (a bit mask; the text lists the dimensions).

    It says *what* is added, not in which order, nor how operands are kept: a
    target picks that.

    Constraints:
    * (C1) There is one coordinate for each dimension of the tile and of the
      slice.
    * (C2) There is one map and one `inside` for each operand; a map has one
      dimension for each coordinate, no symbols, and the rank of its operand;
      `inside` names dimensions of the operand.
    * (C3) The body takes one scalar of each operand's element type, or f32
      where elements have 16 bits, and yields one of the tile's.
    * (C4) The extents of the slice are positive.
    * (C5) The result has the type of the tile that comes in.
  }];
  let arguments = (ins Sparkle_TileType:$sums, Variadic<Index>:$at,
                       DenseI64ArrayAttr:$slice, Variadic<Sparkle_BoxType>:$boxes,
                       AffineMapArrayAttr:$maps, DenseI64ArrayAttr:$inside);
  let results = (outs Sparkle_TileType:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether no read of `operand` falls outside along `dimension`.
    bool isInside(unsigned operand, unsigned dimension) {
      return getInside()[operand] >> dimension & 1;
    }
    /// Whether no read of `operand` falls outside at all.
    bool isInside(unsigned operand);
  }];
}

def PrefetchOp : SparkleOp<"prefetch", [AttrSizedOperandSegments]> {
  let summary = "Touch what an accumulate will read";
  let description = [{
    Asks for the elements that operand `box` of an accumulate with this `at`,
    `shape` (the tile's, then the slice's extents) and `map` would read; with
    `part`, for about one of so many parts of them in their order in memory, the
    first of which is 0. It has no effect on any value. Coordinates beyond the
    box are what follows in the tensor; nothing is read beyond that.

    Constraints:
    * (C1) There is one extent and one dimension of the map for each coordinate,
      and the map has the rank of the box.
    * (C2) A part is one of a positive number of parts.
  }];
  let arguments = (ins Sparkle_BoxType:$box, Variadic<Index>:$at,
                       DenseI64ArrayAttr:$shape, AffineMapAttr:$map,
                       Optional<Index>:$part, OptionalAttr<I64Attr>:$parts);
  let assemblyFormat = [{
    $box `[` $at `]` `shape` $shape custom<BareMap>($map)
    (`part` $part^ `of` $parts)? attr-dict `:` type($box)
  }];
  let hasVerifier = 1;
}

def StoreOp : SparkleOp<"store", [AttrSizedOperandSegments, SingleBlock,
      SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Finish a register tile and write it";
  let description = [{
    The body takes one sum and one element of each operand, and yields the
    element to write; operand `i` is read at `maps[i]` of the coordinates.
    Points of the tile that lie outside of the tensor, or of the box, are not
    written. Where `last` is given and false, the sums are written as they are,
    for `sparkle.init` to resume.

    Constraints:
    * (C1) There is one coordinate for each dimension of the tile and of the
      tensor.
    * (C2) There is one map for each operand; a map has one dimension for each
      coordinate, no symbols, and the rank of its operand.
    * (C3) The body takes the sum and one scalar of each operand's element type
      and yields one of the tensor's; f32 stands for elements of 16 bits.
    * (C4) With `last`, the tensor has the element type of the tile.
  }];
  let arguments = (ins Sparkle_TileType:$sums, Sparkle_TensorOrBox:$tensor,
                       Variadic<Index>:$at, Variadic<Sparkle_TensorType>:$reads,
                       AffineMapArrayAttr:$maps, Optional<I1>:$last);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // SPARKLE_OPS_TD
