// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forms and checks that ops of both levels share.

#ifndef SPARKLE_DIALECT_OPFORMS_H
#define SPARKLE_DIALECT_OPFORMS_H

#include "dialect/SparkleDialect.h"

namespace sparkle {

/// An affine map without the `affine_map<>` around it.
mlir::ParseResult parseBareMap(mlir::OpAsmParser &parser,
                               mlir::AffineMapAttr &attr);
void printBareMap(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                  mlir::AffineMapAttr attr);

/// A map from the kernel's sizes to `results` extents.
mlir::LogicalResult verifyExtents(mlir::Operation *op, mlir::AffineMap map,
                                  size_t results);

/// A map from `dims` coordinates to an element of a tensor of rank `rank`.
mlir::LogicalResult verifyAccess(mlir::Operation *op, mlir::AffineMap map,
                                 size_t dims, size_t rank);

/// The entry block of `region` has arguments of `types`.
mlir::LogicalResult verifyArguments(mlir::Operation *op, mlir::Region &region,
                                    mlir::TypeRange types);

/// What ends `region` gives values of `types`.
mlir::LogicalResult verifyYield(mlir::Operation *op, mlir::Region &region,
                                mlir::TypeRange types);

/// Whether a tensor of the kernel is a weight.
bool isWeight(mlir::Value value);

/// The types that elements of `operandTypes` are computed in.
template <typename Types>
llvm::SmallVector<mlir::Type> scalarTypes(Types operandTypes) {
  return llvm::map_to_vector(operandTypes, [](auto type) {
    return getScalarType(type.getElementType());
  });
}

} // namespace sparkle

#endif // SPARKLE_DIALECT_OPFORMS_H
