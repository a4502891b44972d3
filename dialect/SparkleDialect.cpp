// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the sparkle dialect's ops, types and attributes.

#include "dialect/SparkleDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialect/SparkleDialect.cpp.inc"
#include "dialect/SparkleEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/SparkleAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/SparkleTypes.cpp.inc"

using namespace mlir;
using namespace sparkle;

void SparkleDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/SparkleAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/SparkleTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/SparkleOps.cpp.inc"
      >();
}

Operation *SparkleDialect::materializeConstant(OpBuilder &builder,
                                               Attribute value, Type type,
                                               Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
