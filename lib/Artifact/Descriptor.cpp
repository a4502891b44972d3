// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the structs of sparkle/kernel.h as LLVM constants, field by field in
// the order of the header. x86-64 lays both out alike.

#include "lib/Artifact/Descriptor.h"

#include "llvm/ADT/Twine.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace sparkle {
namespace {

/// FNV-1a, 64 bits.
uint64_t hashImage(ArrayRef<char> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char byte : bytes)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

/// Turns the parts of a description into constants of one module.
class Writer {
public:
  explicit Writer(Module &module)
      : module(module), pointer(PointerType::getUnqual(module.getContext())) {}

  Constant *kernel(const KernelDescription &kernel);

private:
  Constant *u32(uint64_t value) {
    return ConstantInt::get(Type::getInt32Ty(module.getContext()), value);
  }
  Constant *i64(int64_t value) {
    return ConstantInt::get(Type::getInt64Ty(module.getContext()), value);
  }
  Constant *null() { return ConstantPointerNull::get(pointer); }
  Constant *record(ArrayRef<Constant *> fields) {
    return ConstantStruct::getAnon(module.getContext(), fields);
  }
  Constant *string(StringRef text) {
    return hold(ConstantDataArray::getString(module.getContext(), text));
  }
  Constant *array(ArrayRef<Constant *> elements);
  GlobalVariable *hold(Constant *value);

  Constant *extent(const Extent &extent);
  Constant *extents(ArrayRef<Extent> extents);
  Constant *factors(ArrayRef<Factor> factors);
  Constant *tensor(const TensorDescription &tensor);
  Constant *packing(const KernelDescription &kernel,
                    const CodeDescription &code, const Packing &packing);
  Constant *launch(const LaunchDescription &launch);
  Constant *image(const Twine &name, ArrayRef<char> bytes);
  Constant *code(const KernelDescription &kernel, const CodeDescription &code);
  Constant *split(const SplitDescription &split);
  Constant *forward(const Twine &callee, ArrayRef<Type *> parameters);

  Module &module;
  PointerType *pointer;
};

/// A constant of the module that nothing outside of it can name.
GlobalVariable *Writer::hold(Constant *value) {
  auto *global = new GlobalVariable(module, value->getType(), true,
                                    GlobalValue::PrivateLinkage, value);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return global;
}

Constant *Writer::array(ArrayRef<Constant *> elements) {
  if (elements.empty())
    return null();
  auto *type = ArrayType::get(elements.front()->getType(), elements.size());
  return hold(ConstantArray::get(type, elements));
}

Constant *Writer::extent(const Extent &extent) {
  SmallVector<Constant *> coefficients;
  if (any_of(extent.coefficients, [](int64_t c) { return c != 0; }))
    for (int64_t coefficient : extent.coefficients)
      coefficients.push_back(i64(coefficient));
  return record(
      {i64(extent.constant), i64(extent.divisor), array(coefficients)});
}

Constant *Writer::extents(ArrayRef<Extent> extents) {
  SmallVector<Constant *> entries;
  for (const Extent &each : extents)
    entries.push_back(extent(each));
  return array(entries);
}

Constant *Writer::factors(ArrayRef<Factor> factors) {
  SmallVector<Constant *> entries;
  for (const Factor &factor : factors)
    entries.push_back(record({u32(factor.dimension), u32(0),
                              i64(factor.divisor), i64(factor.modulus)}));
  return array(entries);
}

Constant *Writer::tensor(const TensorDescription &tensor) {
  return record({string(tensor.name), u32(tensor.role), u32(tensor.element),
                 u32(tensor.extents.size()), u32(tensor.layout.size()),
                 extents(tensor.extents), factors(tensor.layout),
                 u32(tensor.inPlace), u32(0)});
}

Constant *Writer::packing(const KernelDescription &kernel,
                          const CodeDescription &code, const Packing &packing) {
  Constant *pack = null();
  StringRef weight = kernel.tensors[packing.tensor].name;
  if (code.target == SPARKLE_TARGET_CPU)
    pack = module.getFunction(
        (kernel.name + code.suffix + "_pack_" + weight).str());
  else if (!packing.shape.empty())
    pack = module.getFunction(
        (getCodeName(kernel.name, code.target, code.processor) + ".pack_" +
         weight)
            .str());
  assert(pack && "every packing function was emitted");
  SmallVector<Constant *> shape;
  for (int64_t extent : packing.shape)
    shape.push_back(i64(extent));
  return record({u32(packing.tensor), u32(packing.layout.size()),
                 factors(packing.layout), array(shape), i64(packing.size),
                 pack});
}

Constant *Writer::launch(const LaunchDescription &launch) {
  return record({string(launch.entry), extents(launch.grid),
                 u32(launch.grid.size()), u32(launch.invocations),
                 u32(launch.localSize), u32(0)});
}

/// In a section of its own, so that any tool takes it out again.
Constant *Writer::image(const Twine &name, ArrayRef<char> bytes) {
  if (bytes.empty())
    return null();
  GlobalVariable *image = hold(ConstantDataArray::getRaw(
      StringRef(bytes.data(), bytes.size()), bytes.size(),
      Type::getInt8Ty(module.getContext())));
  image->setSection((".rodata." + name).str());
  image->setAlignment(Align(16));
  return image;
}

Constant *Writer::code(const KernelDescription &kernel,
                       const CodeDescription &code) {
  bool isCpu = code.target == SPARKLE_TARGET_CPU;
  SmallVector<Constant *> packings, launches, cuts;
  for (const Packing &each : code.packings)
    packings.push_back(packing(kernel, code, each));
  for (const LaunchDescription &each : code.launches)
    launches.push_back(launch(each));
  for (const CutDescription &cut : code.cuts)
    cuts.push_back(record({u32(cut.dimension), u32(cut.index), i64(cut.tile)}));
  std::string name = getCodeName(kernel.name, code.target, code.processor);
  std::string function = kernel.name + code.suffix;
  return record(
      {u32(code.target),
       u32(packings.size()),
       string(code.processor),
       i64(code.features),
       string(code.pattern),
       i64(code.patternHash),
       array(packings),
       forward((isCpu ? function + "_" : name + ".") + "workspace_size",
               pointer),
       forward(name + ".far_bytes", pointer),
       forward(name + ".near_bytes", pointer),
       forward(name + ".operation_count", pointer),
       isCpu ? forward(function, {pointer, pointer}) : null(),
       image(name, code.image),
       i64(code.image.size()),
       i64(isCpu ? 0 : hashImage(code.image)),
       array(launches),
       u32(launches.size()),
       u32(cuts.size()),
       array(cuts),
       isCpu ? forward(function + ".band", {pointer, pointer}) : null()});
}

/// A function that takes the arguments of `callee` from arrays: the last
/// parameter points to its integers, the one before, if any, to its pointers.
/// Null if the module has no such function.
Constant *Writer::forward(const Twine &callee, ArrayRef<Type *> parameters) {
  Function *target = module.getFunction(callee.str());
  if (!target)
    return null();
  auto *type = FunctionType::get(target->getReturnType(), parameters, false);
  Function *function = Function::Create(type, GlobalValue::InternalLinkage,
                                        target->getName() + ".forward", module);
  // Equal to the callee's, or it could not be inlined.
  for (StringRef name : {"target-cpu", "target-features", "tune-cpu"})
    if (target->hasFnAttribute(name))
      function->addFnAttr(target->getFnAttribute(name));

  IRBuilder<> builder(BasicBlock::Create(module.getContext(), "", function));
  unsigned pointers = 0, integers = 0;
  SmallVector<Value *> operands;
  for (Type *parameter : target->getFunctionType()->params()) {
    bool isPointer = parameter->isPointerTy();
    Value *source = function->getArg(isPointer ? 0 : function->arg_size() - 1);
    unsigned index = isPointer ? pointers++ : integers++;
    Value *place = builder.CreateConstInBoundsGEP1_64(parameter, source, index);
    operands.push_back(builder.CreateLoad(parameter, place));
  }
  builder.CreateRet(builder.CreateCall(target, operands));
  return function;
}

Constant *Writer::split(const SplitDescription &split) {
  SmallVector<Constant *> slices;
  for (const SliceDescription &slice : split.slices)
    slices.push_back(
        record({u32(slice.tensor), u32(slice.dimension), i64(slice.stride),
                i64(slice.low), i64(slice.high)}));
  return record(
      {u32(split.size), u32(slices.size()), i64(split.step), array(slices)});
}

Constant *Writer::kernel(const KernelDescription &kernel) {
  SmallVector<Constant *> sizes, tensors, codes, splits;
  for (StringRef size : kernel.sizes)
    sizes.push_back(string(size));
  for (const TensorDescription &each : kernel.tensors)
    tensors.push_back(tensor(each));
  for (const CodeDescription &each : kernel.codes)
    codes.push_back(code(kernel, each));
  for (const SplitDescription &each : kernel.splits)
    splits.push_back(split(each));
  return record({u32(SPARKLE_KERNEL_MAGIC), u32(SPARKLE_KERNEL_VERSION),
                 u32(sizeof(sparkle_kernel_t)), u32(sizes.size()),
                 u32(tensors.size()), u32(codes.size()), u32(splits.size()),
                 u32(0), string(kernel.name), string(getCompilerVersion()),
                 i64(kernel.algorithmHash), array(sizes), array(tensors),
                 array(codes), array(splits),
                 forward(kernel.name + ".operation_count", pointer),
                 forward(kernel.name + "_reference", {pointer, pointer})});
}

} // namespace

std::string getCompilerVersion() {
  return "sparkle " SPARKLE_VERSION ", LLVM " LLVM_VERSION_STRING;
}

StringRef getTargetWord(sparkle_target_t target) {
  switch (target) {
#define SPARKLE_TARGET(folder, word, number)                                   \
  case SPARKLE_TARGET_##folder:                                                \
    return #word;
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
  case SPARKLE_TARGET_MAX:
    break;
  }
  llvm_unreachable("targets.def lists every target");
}

std::string getCodeName(StringRef kernel, sparkle_target_t target,
                        StringRef processor) {
  return (kernel + "." + getTargetWord(target) + "." + processor).str();
}

void addDescriptor(Module &module, const KernelDescription &kernel) {
  Constant *value = Writer(module).kernel(kernel);
  assert(module.getDataLayout().getTypeAllocSize(value->getType()) ==
             sizeof(sparkle_kernel_t) &&
         "the fields of sparkle_kernel_t in order");
  new GlobalVariable(module, value->getType(), true,
                     GlobalValue::ExternalLinkage, value,
                     kernel.name + "_kernel");
}

void addKernelTable(Module &module, ArrayRef<KernelDescription> kernels) {
  auto *pointer = PointerType::getUnqual(module.getContext());
  SmallVector<Constant *> entries;
  for (const KernelDescription &kernel : kernels)
    entries.push_back(module.getNamedGlobal(kernel.name + "_kernel"));
  entries.push_back(ConstantPointerNull::get(pointer));
  auto *type = ArrayType::get(pointer, entries.size());
  new GlobalVariable(module, type, true, GlobalValue::ExternalLinkage,
                     ConstantArray::get(type, entries), "sparkle_kernels");
}

} // namespace sparkle
