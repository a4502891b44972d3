// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module around the entry points of a kernel: a function for each, and
// workgroup memory.

#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/AMDGPU/Code.h"

using namespace mlir;

namespace sparkle::amdgpu {

ImageBuilder::ImageBuilder(KernelOp kernel) : gpu::ImageBuilder(kernel) {
  module = ModuleOp::create(builder, loc, kernel.getSymName());
  builder.setInsertionPointToEnd(module.getBody());
  // The workspace comes last, where there are temps: the runtime binds one
  // then, be it empty.
  bool hasTemps = false;
  for (TensorOp tensor : kernel.getTensors())
    if (tensor.getRole() == Role::Temp)
      hasTemps = true;
    else
      ++bindings;
  bindings += hasTemps;
}

std::unique_ptr<gpu::Code> ImageBuilder::addEntryPoint(StringRef name,
                                                       Location loc) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext(), kGlobal);
  SmallVector<Type> types(bindings, pointer);
  types.append(kernel.getSizes().size(), builder.getI32Type());
  Type nothing = LLVM::LLVMVoidType::get(builder.getContext());
  auto function = LLVM::LLVMFuncOp::create(
      builder, kernel.getLoc(), name,
      LLVM::LLVMFunctionType::get(nothing, types), LLVM::Linkage::External,
      /*dsoLocal=*/false, LLVM::CConv::AMDGPU_KERNEL);
  function.setVisibility_(LLVM::Visibility::Protected);
  return std::make_unique<Code>(function, bindings, loc);
}

void ImageBuilder::endEntryPoint(gpu::Code &code, const Launch &launch) {
  LLVM::ReturnOp::create(code, code.loc, ValueRange());
  addLaunch(launch);
}

Operation *ImageBuilder::addArray(int64_t width, int64_t count) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  Type element = builder.getF32Type();
  if (width != 1)
    element = VectorType::get(width, element);
  auto array = LLVM::GlobalOp::create(
      builder, loc, LLVM::LLVMArrayType::get(element, count / width),
      /*isConstant=*/false, LLVM::Linkage::Internal,
      ("near_" + Twine(arrayCount++)).str(), Attribute(),
      /*alignment=*/gpu::kQuad * sizeof(float), kNear);
  // Nothing is in there before a kernel writes it.
  builder.createBlock(&array.getInitializerRegion());
  Value poison = LLVM::PoisonOp::create(builder, loc, array.getType());
  LLVM::ReturnOp::create(builder, loc, poison);
  return array;
}

void ImageBuilder::finish() {
  UnitAttr yes = builder.getUnitAttr();
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    for (unsigned i = 0; i < bindings; ++i) {
      if (!shared.contains(i))
        function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), yes);
      if (!written.contains(i))
        function.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(), yes);
    }
  module->setAttr(gpu::kLaunches, getLaunches());
  module->setAttr(
      kArguments,
      builder.getDenseI64ArrayAttr(
          {bindings, static_cast<int64_t>(kernel.getSizes().size())}));
}

} // namespace sparkle::amdgpu
