// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `sparkle` dialect itself.

#ifndef SPARKLE_DIALECT_TD
#define SPARKLE_DIALECT_TD

include "mlir/IR/OpBase.td"

def Sparkle_Dialect : Dialect {
  let name = "sparkle";
  let cppNamespace = "::sparkle";
  let summary = "Tensor comprehensions and the memory pattern that tiles them";
  let description = [{
    Two levels of one dialect. The *algorithm level* is the text of a kernel:
    its tensors and one `sparkle.define` per equation. The *tiled level* is
    the same kernel as loops bound to memory levels around a small set of ops
    that every target lowers. `lib/Transforms` goes from the first to the
    second; no target sees an algorithm-level op.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::affine::AffineDialect"];
  let hasConstantMaterializer = 1;
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

#endif // SPARKLE_DIALECT_TD
