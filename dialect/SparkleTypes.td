// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types: a tensor in memory, a box of it, a tile of sums in registers.

#ifndef SPARKLE_TYPES_TD
#define SPARKLE_TYPES_TD

include "dialect/SparkleDialect.td"
include "mlir/IR/AttrTypeBase.td"

class SparkleType<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Sparkle_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Sparkle_TensorType : SparkleType<"StoredTensor", "tensor"> {
  let summary = "a tensor in memory, with its layout";
  let description = [{
    A buffer that holds a tensor. `shape` gives the logical extents, `?` where
    only the call knows; `layout` maps logical coordinates to physical ones,
    outermost first. Each result of the layout is `d`, `d floordiv b`, `d mod b`
    or `(d floordiv a) mod b`; together the results that name one dimension
    cover it exactly once. A physical extent is rounded up; what lies beyond
    the logical extent is neither read nor written, and zero in what
    `sparkle.pack` gives.

    The element type says how elements are stored. Those of 16 bits are f32
    wherever something is computed of them: a read converts them, which is
    exact, and a store rounds to the nearest, ties to even.

    Example: NHWC, and channels blocked by 16.
    ```mlir
    !sparkle.tensor<?x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    !sparkle.tensor<1x64x56x56xf32,
      (d0, d1, d2, d3) -> (d0, d1 floordiv 16, d2, d3, d1 mod 16)>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        "::mlir::AffineMap":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// Physical extents, outermost first; kDynamic where a logical one is.
    ::llvm::SmallVector<int64_t> getPhysicalShape() const;
    /// Elements from one physical index to the next, in the order of the
    /// layout's results; kDynamic where an inner physical extent is.
    ::llvm::SmallVector<int64_t> getPhysicalStrides() const;
    /// The extents, all of them static, as a function of that many symbols.
    ::mlir::AffineMap getStaticExtents(unsigned symbols) const;
    /// How a box of it lies in near memory: the dimensions in the order of the
    /// layout, a blocked one where its finest factor stands, so that what is
    /// contiguous stays so.
    ::mlir::AffineMap getNearLayout() const;
  }];
}

def Sparkle_BoxType : SparkleType<"Box", "box"> {
  let summary = "a box of a tensor that a worker reads";
  let description = [{
    What `sparkle.stage` gives. A box is read with the coordinates of the
    tensor it was taken from; `shape` is its extent along each dimension of
    that tensor, and a read outside of the tensor is zero. A copy holds f32
    where the tensor's elements have 16 bits.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Sparkle_TileType : SparkleType<"Tile", "tile"> {
  let summary = "sums held in registers";
  let description = [{
    A box of the iteration space of the output, one sum for each point.
    `lanes` says how many SIMD lanes or invocations lie along each dimension; a
    lane holds a `lanes`-th of the points, rounded up. Which ones is the
    target's choice: neighbours in neighbouring lanes, so that a vector loads
    what lies in a row, or a few neighbours in one lane.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        ArrayRefParameter<"int64_t">:$lanes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

/// Where sums are written: a tensor, or a box of a temp that is computed near.
def Sparkle_TensorOrBox : AnyTypeOf<[Sparkle_TensorType, Sparkle_BoxType]>;

#endif // SPARKLE_TYPES_TD
