// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The builders of lib/Target/GPU in ops of the LLVM dialect, with the
// intrinsics of AMD's back end by their names.

#ifndef SPARKLE_LIB_TARGET_AMDGPU_CODE_H
#define SPARKLE_LIB_TARGET_AMDGPU_CODE_H

#include "lib/Target/GPU/ImageBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace sparkle::amdgpu {

/// Address spaces.
constexpr unsigned kGlobal = 1, kNear = 3;

/// The module of one kernel: a function for each entry point. Its arguments are
/// the addresses of the bindings, then the run-time sizes.
class ImageBuilder : public gpu::ImageBuilder {
public:
  ImageBuilder(KernelOp kernel);

  unsigned getBindingCount() const { return bindings; }

  std::unique_ptr<gpu::Code> addEntryPoint(llvm::StringRef name,
                                           mlir::Location loc) override;
  void endEntryPoint(gpu::Code &code, const Launch &launch) override;
  mlir::Operation *addArray(int64_t width, int64_t count) override;
  void finish() override;

private:
  mlir::ModuleOp module;
  unsigned bindings = 0;
  unsigned arrayCount = 0;
};

class Code : public gpu::Code {
public:
  using CmpI = mlir::arith::CmpIPredicate;
  using CmpF = mlir::arith::CmpFPredicate;

  /// Of `function`, which is empty.
  Code(mlir::LLVM::LLVMFuncOp function, unsigned bindings, mlir::Location loc);

  Value i32(int64_t value) override;
  Value boolean(bool value) override;
  Value splat(float value, int64_t width) override;
  Value splatInteger(int32_t value, int64_t width) override;

  Value integer(gpu::Integer op, Value a, Value b) override;
  Value logic(gpu::Logic op, Value a, Value b) override;
  Value logicalNot(Value condition) override;
  Value compare(CmpI predicate, Value a, Value b) override;
  Value compare(CmpF predicate, Value a, Value b) override;
  Value isNan(Value x) override;
  Value floating(gpu::Float op, Value a, Value b,
                 gpu::Rounding rounding) override;
  Value fma(Value a, Value b, Value c, gpu::Rounding rounding) override;
  Value divideFloat(Value a, Value b) override;
  Value sqrt(Value x) override;
  Value abs(Value x) override;
  Value negate(Value x) override;
  Value bitcast(mlir::Type type, Value x) override;
  Value widen(Value half) override;
  Value narrow(Value value) override;

  Value construct(mlir::ValueRange scalars) override;
  Value extract(Value vector, int64_t lane) override;

  Value runTimeSize(unsigned number) override;
  Value invocation() override;
  Value workgroup(unsigned dimension) override;

  Value pointer(const gpu::Storage &storage, mlir::ValueRange path,
                int64_t width) override;
  Value load(const gpu::Storage &storage, Value pointer,
             int64_t width) override;
  void store(Value value, Value pointer) override;
  void barrier() override;

  Values
  loop(Value lower, Value upper, int64_t step, mlir::ValueRange init,
       llvm::function_ref<Values(Value, mlir::ValueRange)> body) override;
  Values either(Value condition, mlir::TypeRange types,
                llvm::function_ref<Values()> yes,
                llvm::function_ref<Values()> no) override;
  void when(Value condition, llvm::function_ref<void()> body) override;

private:
  Value choose(Value condition, Value a, Value b) override;
  Value callIntrinsic(llvm::StringRef name);
  Value constant(mlir::TypedAttr value);
  Value hide(Value uniform);

  mlir::LLVM::LLVMFuncOp function;
  unsigned bindings;
};

} // namespace sparkle::amdgpu

#endif // SPARKLE_LIB_TARGET_AMDGPU_CODE_H
