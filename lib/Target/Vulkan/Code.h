// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder of SPIR-V dialect code: 32-bit index arithmetic, scalars and
// vectors of four f32, structured control flow.

#ifndef SPARKLE_LIB_TARGET_VULKAN_CODE_H
#define SPARKLE_LIB_TARGET_VULKAN_CODE_H

#include "lib/Target/Linear.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"

namespace sparkle::vulkan {

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
  Value i32(int64_t value);
  Value boolean(bool value);
  /// `value`, once or four times.
  Value splat(float value, int64_t width);
  Value splatInteger(int32_t value, int64_t width);

  // Index arithmetic wraps at 2^32.
  Value number(int64_t value) override { return i32(value); }
  Value add(Value a, Value b) override;
  Value sub(Value a, Value b);
  Value mul(Value a, Value b) override;
  Value mul(Value a, int64_t b) override;
  Value min(Value a, Value b) override;
  Value max(Value a, Value b) override;
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
  Value construct(mlir::ValueRange scalars);
  Value extract(Value vector, int64_t lane);

  /// The element of a variable that `path` leads to.
  Value pointer(mlir::spirv::GlobalVariableOp variable, mlir::ValueRange path);
  Value load(Value pointer);
  void store(Value value, Value pointer);
  /// Waits for the workgroup, and for its writes to workgroup memory.
  void barrier();

  /// `for (i = lower; i < upper; i += step)`; gives what the last trip yields.
  Values loop(Value lower, Value upper, int64_t step, mlir::ValueRange init,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  /// `condition ? yes() : no()`, where only one of the two runs.
  Values either(Value condition, mlir::TypeRange types,
                llvm::function_ref<Values()> yes,
                llvm::function_ref<Values()> no);
  /// Runs `body` where `condition`, which may be null, holds.
  void when(Value condition, llvm::function_ref<void()> body);

  unsigned depth() const override { return nest.size(); }
  void moveTo(unsigned depth) override { setInsertionPoint(nest[depth]); }

private:
  /// The loops and selections around, from the outermost.
  llvm::SmallVector<mlir::Operation *> nest;
};

} // namespace sparkle::vulkan

#endif // SPARKLE_LIB_TARGET_VULKAN_CODE_H
