// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sparkle dialect: the only header of this room that others include.

#ifndef SPARKLE_DIALECT_SPARKLEDIALECT_H
#define SPARKLE_DIALECT_SPARKLEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/SparkleDialect.h.inc"
#include "dialect/SparkleEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/SparkleAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/SparkleTypes.h.inc"

namespace sparkle {
class SumOp;
class TensorOp;

/// Values of a size in `#sparkle.pattern` that are not sizes.
constexpr int64_t kAuto = 0;
constexpr int64_t kAll = -1;

/// The most bytes that a buffer may have: what 48 bits address. Sizes beyond it
/// are refused, so that offsets, which no one checks any more, cannot wrap.
constexpr int64_t kMaxBufferBytes = int64_t(1) << 48;

/// On a `sparkle.define`: what its pattern makes of the target, line by line,
/// for
/// `--emit=pattern` to say.
inline constexpr llvm::StringLiteral kNotesAttr = "sparkle.notes";

/// On an equation that computes what follows it, too: the temp that it was of,
/// by which a pattern names it.
inline constexpr llvm::StringLiteral kEquationAttr = "sparkle.equation";

/// On such a temp: nothing defines it any more, and nothing reads it.
inline constexpr llvm::StringLiteral kFusedAttr = "sparkle.fused";

/// The extents that `map` gives; kDynamic where only the call knows.
llvm::SmallVector<int64_t> staticExtents(mlir::AffineMap map);

/// What a read of an element gives, and arithmetic is done in: f32 where 16
/// bits are stored, else the element itself.
mlir::Type getScalarType(mlir::Type element);

/// Rank and elements of a tensor or a box.
int64_t getRank(mlir::Type tensorOrBox);
mlir::Type getElementType(mlir::Type tensorOrBox);

/// Whether `value` is zero where those that `isZero` names are, and the rest of
/// what it is computed from is finite where all that is read is.
bool vanishes(mlir::Value value, llvm::function_ref<bool(mlir::Value)> isZero);
} // namespace sparkle

#define GET_OP_CLASSES
#include "dialect/SparkleOps.h.inc"

#endif // SPARKLE_DIALECT_SPARKLEDIALECT_H
