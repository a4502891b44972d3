// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder of LLVM dialect code: index arithmetic, vectors, memory, and
// structured control flow out of blocks.

#ifndef SPARKLE_LIB_TARGET_CPU_CODE_H
#define SPARKLE_LIB_TARGET_CPU_CODE_H

#include "lib/Target/Linear.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/SmallBitVector.h"

namespace sparkle::cpu {

class Code : public IndexCode {
public:
  Code(mlir::MLIRContext *context, mlir::Location loc)
      : IndexCode(context), loc(loc) {}

  /// The location of everything that is built.
  mlir::Location loc;

  mlir::Type pointerType() {
    return mlir::LLVM::LLVMPointerType::get(getContext());
  }
  mlir::VectorType vectorType(int64_t lanes) {
    return mlir::VectorType::get(lanes, getF32Type());
  }
  /// A zero of any type.
  Value zero(mlir::Type type);

  Value i64(int64_t value);
  Value i32(int64_t value);
  Value i1(bool value);
  /// `value` in every lane of an f32 vector.
  Value splat(float value, int64_t lanes);
  /// `value` in every lane of an i32 vector.
  Value splatInteger(int32_t value, int64_t lanes);

  // Index arithmetic does not wrap: the entry point has checked the sizes.
  Value number(int64_t value) override { return i64(value); }
  Value add(Value a, Value b) override;
  Value mul(Value a, Value b) override;
  Value mul(Value a, int64_t b) override;
  Value min(Value a, Value b) override;
  Value max(Value a, Value b) override;
  Value compare(mlir::LLVM::ICmpPredicate predicate, Value a, Value b);
  Value floorDiv(Value a, int64_t b, Sign sign) override;
  Value mod(Value a, int64_t b, Sign sign) override;
  /// Of conditions. Null stands for one that holds.
  Value both(Value a, Value b);
  Value any(Value a, Value b);
  Value differ(Value a, Value b);
  Value select(Value condition, Value a, Value b);

  /// `count` elements behind `pointer`.
  Value offset(mlir::Type element, Value pointer, Value count);
  Value offset(mlir::Type element, Value pointer, int64_t count);
  Value load(mlir::Type type, Value pointer);
  void store(Value value, Value pointer);
  /// Only the lanes in `mask` are touched; others are 0.
  Value loadMasked(mlir::VectorType type, Value pointer, Value mask);
  void storeMasked(Value value, Value pointer, Value mask);
  Value mask(const llvm::SmallBitVector &lanes);
  /// The same where LLVM does not see which lanes.
  Value hiddenMask(const llvm::SmallBitVector &lanes);
  /// Between vectors of f32 and the bits of f16, which are i16.
  Value widen(Value halves);
  Value narrow(Value floats);

  Value broadcast(Value scalar, int64_t lanes);
  Value insert(Value vector, Value scalar, int64_t lane);
  Value extract(Value vector, int64_t lane);
  /// The first lanes; those that there are not are undefined.
  Value resize(Value vector, int64_t lanes);
  /// Vectors one behind the other; as many as a power of two.
  Value concatenate(llvm::ArrayRef<Value> vectors);

  void branch(mlir::Block *block, mlir::ValueRange arguments = {});
  void branch(Value condition, mlir::Block *yes, mlir::Block *no);
  /// A block at the end of the region that code is built in.
  mlir::Block *addBlock(mlir::TypeRange arguments = {});

  using Values = llvm::SmallVector<Value>;
  /// `for (i = lower; i < upper; i += step)`; gives what the last trip yields.
  Values loop(Value lower, Value upper, int64_t step, mlir::ValueRange init,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  /// `condition ? yes() : no()`, where only one of the two runs.
  Values either(Value condition, llvm::function_ref<Values()> yes,
                llvm::function_ref<Values()> no);
};

} // namespace sparkle::cpu

#endif // SPARKLE_LIB_TARGET_CPU_CODE_H
