// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder of one entry point of a GPU's code: 32-bit index arithmetic,
// scalars and vectors of four f32, memory, structured control flow. A leaf says
// in what ops.

#ifndef SPARKLE_LIB_TARGET_GPU_CODE_H
#define SPARKLE_LIB_TARGET_GPU_CODE_H

#include "lib/Target/Linear.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace sparkle::gpu {

/// What devices move in one go: four f32, in buffers and workgroup memory.
constexpr int64_t kQuad = 4;

/// A buffer of the caller, or an array in workgroup memory.
struct Storage {
  /// The number of a buffer, where `array` is null.
  unsigned binding = 0;
  /// What the `ImageBuilder` made of it.
  mlir::Operation *array = nullptr;
  mlir::Type elementType;
  /// Four elements from a multiple of four on are there if one of them is. An
  /// array's items are such quads.
  bool inQuads = false;
};

enum class Integer {
  Add,
  Sub,
  Mul,
  And,
  Or,
  ShiftLeft,
  ShiftRight,
  ShiftRightSigned,
  Divide,
  DivideSigned,
  Remainder,
  Min, // Signed, as Max.
  Max
};
enum class Logic { And, Or, Xor };
enum class Float { Add, Sub, Mul };

/// Whether a device may take the liberty of another rounding or order.
enum class Rounding { Exact, Free };

class Code : public IndexCode {
public:
  using Values = llvm::SmallVector<Value>;

  Code(mlir::MLIRContext *context, mlir::Location loc)
      : IndexCode(context), loc(loc) {}

  /// The location of everything that is built.
  mlir::Location loc;

  template <typename Op, typename... Arguments>
  Value make(Arguments &&...arguments) {
    return Op::create(*this, loc, std::forward<Arguments>(arguments)...);
  }

  /// f32, or four of them.
  mlir::Type floatType(int64_t width);
  mlir::Type integerType(int64_t width);

  // Index arithmetic wraps at 2^32.
  Value number(int64_t value) override { return i32(value); }
  Value add(Value a, Value b) override;
  Value sub(Value a, Value b);
  Value mul(Value a, Value b) override;
  Value mul(Value a, int64_t b) override;
  Value min(Value a, Value b) override { return integer(Integer::Min, a, b); }
  Value max(Value a, Value b) override { return integer(Integer::Max, a, b); }
  Value floorDiv(Value a, int64_t b, Sign sign) override;
  Value mod(Value a, int64_t b, Sign sign) override;
  /// Of numbers that are not negative.
  Value divide(Value a, Value b);
  Value remainder(Value a, Value b);
  /// Whether `0 <= a < b`.
  Value isBelow(Value a, Value b);
  Value isLess(Value a, Value b);
  /// Of conditions. Null stands for one that holds.
  Value both(Value a, Value b);
  /// `condition` may be one for a vector; null stands for one that holds.
  Value select(Value condition, Value a, Value b);
  /// A scalar four times, or `value` if it is a vector or `width` is 1.
  Value broadcast(Value value, int64_t width);

  // What a leaf has. Constants: `value`, once or four times.
  virtual Value i32(int64_t value) = 0;
  virtual Value boolean(bool value) = 0;
  virtual Value splat(float value, int64_t width) = 0;
  virtual Value splatInteger(int32_t value, int64_t width) = 0;

  // Of scalars or vectors.
  virtual Value integer(Integer op, Value a, Value b) = 0;
  virtual Value logic(Logic op, Value a, Value b) = 0;
  virtual Value logicalNot(Value condition) = 0;
  /// `predicate` is eq, ne, slt, sle or ult.
  virtual Value compare(mlir::arith::CmpIPredicate predicate, Value a,
                        Value b) = 0;
  /// Null for a predicate that is neither ordered nor unordered, or asks for
  /// nothing else.
  virtual Value compare(mlir::arith::CmpFPredicate predicate, Value a,
                        Value b) = 0;
  virtual Value isNan(Value x) = 0;
  virtual Value floating(Float op, Value a, Value b, Rounding rounding) = 0;
  /// a * b + c, rounded once.
  virtual Value fma(Value a, Value b, Value c, Rounding rounding) = 0;
  /// Within 1 ulp.
  virtual Value divideFloat(Value a, Value b) = 0;
  virtual Value sqrt(Value x) = 0;
  virtual Value abs(Value x) = 0;
  virtual Value negate(Value x) = 0;
  /// The bits as floats or as integers.
  virtual Value bitcast(mlir::Type type, Value x) = 0;
  /// An f16 as f32, and back, to the nearest, ties to even.
  virtual Value widen(Value half) = 0;
  virtual Value narrow(Value value) = 0;

  virtual Value construct(mlir::ValueRange scalars) = 0;
  virtual Value extract(Value vector, int64_t lane) = 0;

  // What a call brings, and where in it this is.
  virtual Value runTimeSize(unsigned number) = 0;
  virtual Value invocation() = 0;
  /// The number of the workgroup along x or y.
  virtual Value workgroup(unsigned dimension) = 0;

  /// The element of `storage` that `path` leads to. For a width of four it is
  /// the number of a quad, for an array in quads that and a place within.
  virtual Value pointer(const Storage &storage, mlir::ValueRange path,
                        int64_t width) = 0;
  virtual Value load(const Storage &storage, Value pointer, int64_t width) = 0;
  virtual void store(Value value, Value pointer) = 0;
  /// Waits for the workgroup, and for its writes to workgroup memory.
  virtual void barrier() = 0;

  /// `for (i = lower; i < upper; i += step)`; gives what the last trip yields.
  virtual Values
  loop(Value lower, Value upper, int64_t step, mlir::ValueRange init,
       llvm::function_ref<Values(Value, mlir::ValueRange)> body) = 0;
  /// `condition ? yes() : no()`, where only one of the two runs.
  virtual Values either(Value condition, mlir::TypeRange types,
                        llvm::function_ref<Values()> yes,
                        llvm::function_ref<Values()> no) = 0;
  /// Runs `body` where `condition`, which may be null, holds.
  virtual void when(Value condition, llvm::function_ref<void()> body) = 0;

  unsigned depth() const override { return nest.size(); }
  void moveTo(unsigned depth) override { setInsertionPoint(nest[depth]); }

protected:
  /// The ops in front of which the loops and selections around begin, from the
  /// outermost.
  llvm::SmallVector<mlir::Operation *> nest;

private:
  virtual Value choose(Value condition, Value a, Value b) = 0;
};

} // namespace sparkle::gpu

#endif // SPARKLE_LIB_TARGET_GPU_CODE_H
