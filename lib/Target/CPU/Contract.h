// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products with constants, such as the transforms of Winograd's
// convolution, as straight-line additions of vectors.

#ifndef SPARKLE_LIB_TARGET_CPU_CONTRACT_H
#define SPARKLE_LIB_TARGET_CPU_CONTRACT_H

#include "lib/Target/CPU/LowerTiled.h"
#include "lib/Target/Contraction.h"

namespace sparkle::cpu {

/// A sum of products with constants, on vectors.
class VectorContraction : public Contraction {
public:
  VectorContraction(KernelLowering &lowering, AccumulateOp op,
                    std::optional<unsigned> changed = std::nullopt)
      : Contraction(op, changed), lowering(lowering), code(lowering.code),
        op(op), tile(op.getSums().getType()),
        at(lowering.indices.getPoint(op.getAt())),
        maps(llvm::to_vector(
            op.getMaps().getAsValueRange<mlir::AffineMapAttr>())) {}

  /// Whether all elements of constants are numbers.
  bool isKnown();
  void run();
  /// The product of `factors` added to `sum`.
  mlir::Value addProduct(mlir::Value sum, llvm::ArrayRef<mlir::Value> factors);

private:
  mlir::Value emitProduct(llvm::ArrayRef<unsigned> operands,
                          const Offset &offset) override;
  float getNumber(unsigned operand, const Offset &offset) override;
  mlir::Value emitTerm(mlir::Value sum, float factor,
                       mlir::Value value) override;
  Point getPoint(const Offset &offset);
  Access getElement(unsigned operand, const Offset &offset, int64_t filled,
                    int64_t width);
  Access getVector(unsigned operand, const Offset &offset);
  mlir::Value load(unsigned operand, const Offset &offset);
  mlir::Value loadAmongNeighbours(unsigned operand, Offset offset);

  KernelLowering &lowering;
  Code &code;
  AccumulateOp op;
  TileVectors tile;
  Point at;
  llvm::SmallVector<mlir::AffineMap> maps;
  /// The elements that neighbours brought along.
  std::map<std::pair<unsigned, Offset>, mlir::Value> loaded;
};

} // namespace sparkle::cpu

#endif // SPARKLE_LIB_TARGET_CPU_CONTRACT_H
