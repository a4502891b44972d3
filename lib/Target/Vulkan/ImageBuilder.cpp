// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The SPIR-V module around the entry points of a kernel: buffers, sizes,
// built-ins.

#include "lib/Target/Vulkan/Code.h"
#include "lib/Target/Vulkan/Vulkan.h"

#include "sparkle/kernel.h"

using namespace mlir;

namespace sparkle::vulkan {

ImageBuilder::ImageBuilder(KernelOp kernel) : gpu::ImageBuilder(kernel) {
  module = spirv::ModuleOp::create(
      builder, loc, spirv::AddressingModel::Logical,
      spirv::MemoryModel::GLSL450, std::nullopt, kernel.getSymName());
  builder.setInsertionPointToEnd(module.getBody());
}

spirv::GlobalVariableOp ImageBuilder::addVariable(const Twine &name, Type type,
                                                  spirv::StorageClass storage) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  for (auto last : module.getOps<spirv::GlobalVariableOp>())
    builder.setInsertionPointAfter(last);
  return spirv::GlobalVariableOp::create(
      builder, loc, spirv::PointerType::get(type, storage), name.str());
}

spirv::GlobalVariableOp ImageBuilder::getBuffer(unsigned binding, Type element,
                                                int64_t width) {
  unsigned bits = element.getIntOrFloatBitWidth();
  auto &variable = buffers[{binding, bits, width}];
  if (variable)
    return variable;
  int64_t stride = bits / 8 * width;
  Type item = width == 1 ? element : VectorType::get(width, element);
  Type items = spirv::RuntimeArrayType::get(item, stride);
  Type block = spirv::StructType::get(items, 0);
  std::string name = ("buffer_" + Twine(binding) + "_f" + Twine(bits) +
                      (width == 1 ? "" : "x4"))
                         .str();
  variable = addVariable(name, block, spirv::StorageClass::StorageBuffer);
  variable.setDescriptorSet(0);
  variable.setBinding(binding);
  if (bits == 16)
    features |= SPARKLE_GPU_STORAGE_16BIT;
  return variable;
}

spirv::GlobalVariableOp ImageBuilder::getBuiltIn(spirv::BuiltIn builtIn,
                                                 Type type) {
  auto &variable = builtIns[builtIn];
  if (!variable) {
    StringRef name = spirv::stringifyBuiltIn(builtIn);
    variable = addVariable(name, type, spirv::StorageClass::Input);
    variable.setBuiltIn(name);
  }
  return variable;
}

spirv::GlobalVariableOp ImageBuilder::getSizes() {
  if (!sizes) {
    SmallVector<Type> members(kernel.getSizes().size(), builder.getI32Type());
    SmallVector<spirv::StructType::OffsetInfo> offsets;
    for (size_t i = 0; i < members.size(); ++i)
      offsets.push_back(i * sizeof(int32_t));
    sizes = addVariable("sizes", spirv::StructType::get(members, offsets),
                        spirv::StorageClass::PushConstant);
  }
  return sizes;
}

Operation *ImageBuilder::addArray(int64_t width, int64_t count) {
  Type element = builder.getF32Type();
  if (width != 1)
    element = VectorType::get(width, element);
  return addVariable("near_" + Twine(arrayCount++),
                     spirv::ArrayType::get(element, count / width),
                     spirv::StorageClass::Workgroup);
}

std::unique_ptr<gpu::Code> ImageBuilder::addEntryPoint(StringRef name,
                                                       Location loc) {
  auto function = spirv::FuncOp::create(builder, kernel.getLoc(), name,
                                        builder.getFunctionType({}, {}));
  return std::make_unique<Code>(*this, function, loc);
}

void ImageBuilder::endEntryPoint(gpu::Code &code, const Launch &launch) {
  spirv::ReturnOp::create(code, code.loc);
  auto function = module.lookupSymbol<spirv::FuncOp>(launch.entry);
  SmallVector<Attribute> interface;
  for (auto &[builtIn, variable] : builtIns)
    interface.push_back(SymbolRefAttr::get(variable));
  spirv::EntryPointOp::create(builder, loc, spirv::ExecutionModel::GLCompute,
                              function, interface);
  spirv::ExecutionModeOp::create(
      builder, loc, function, spirv::ExecutionMode::LocalSize,
      {static_cast<int32_t>(launch.invocations), 1, 1});
  addLaunch(launch);
}

void ImageBuilder::finish() {
  llvm::SmallDenseMap<unsigned, unsigned> views;
  for (auto &[key, variable] : buffers)
    ++views[std::get<0>(key)];
  for (auto &[key, variable] : buffers) {
    unsigned binding = std::get<0>(key);
    bool isWritten = written.contains(binding);
    bool isShared = shared.contains(binding);
    if (!isWritten && !isShared)
      variable->setAttr("non_writable", builder.getUnitAttr());
    if (isShared || (isWritten && views[binding] > 1))
      variable->setAttr("aliased", builder.getUnitAttr());
    else if (views[binding] == 1)
      variable->setAttr("restrict", builder.getUnitAttr());
  }
  SmallVector<spirv::Capability> capabilities{spirv::Capability::Shader};
  SmallVector<spirv::Extension> extensions{
      spirv::Extension::SPV_KHR_storage_buffer_storage_class};
  if (features & SPARKLE_GPU_STORAGE_16BIT) {
    capabilities.push_back(spirv::Capability::StorageBuffer16BitAccess);
    extensions.push_back(spirv::Extension::SPV_KHR_16bit_storage);
  }
  module.setVceTripleAttr(spirv::VerCapExtAttr::get(
      spirv::Version::V_1_3, capabilities, extensions, builder.getContext()));
  module->setAttr(gpu::kLaunches, getLaunches());
  module->setAttr(kFeatures, builder.getI64IntegerAttr(features));
}

} // namespace sparkle::vulkan
