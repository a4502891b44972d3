// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The choice by CPUID and XCR0, in line: no library is asked, no constructor
// runs.

#include "lib/Artifact/Dispatch.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Module.h"
#include <map>

using namespace llvm;

namespace sparkle {
namespace {

enum Register : unsigned { EAX, EBX, ECX, EDX };

/// One bit of CPUID.
struct Place {
  uint64_t feature;
  uint32_t leaf, subleaf;
  Register reg;
  unsigned bit;
  uint32_t state; // of XCR0, which the operating system has to save
};

constexpr Place kPlaces[] = {
#define SPARKLE_CPUID(NAME, leaf, subleaf, reg, bit, state)                    \
  {SPARKLE_CPU_##NAME, leaf, subleaf, reg, bit, state},
#include "sparkle/cpuid.def"
#undef SPARKLE_CPUID
};

constexpr uint64_t getKnown() {
  uint64_t known = 0;
  for (const Place &place : kPlaces)
    known |= place.feature;
  return known;
}
#define SPARKLE_BIT(NAME, spelling, bit) | SPARKLE_CPU_##NAME
static_assert((getKnown() | SPARKLE_CPU_NEON) ==
                  (0 SPARKLE_CPU_FEATURES(SPARKLE_BIT)),
              "every instruction set has a place in CPUID, or a machine that "
              "loads the object has it");
#undef SPARKLE_BIT

constexpr Place kXgetbv = {0, 1, 0, ECX, 27, 0}; // "OSXSAVE"

/// The registers that the operating system has to save, as bits of XCR0.
uint32_t getState(uint64_t features) {
  uint32_t state = 0;
  for (const Place &place : kPlaces)
    if (features & place.feature)
      state |= place.state;
  return state;
}

/// What the kernel and its packing functions return where no variant runs, and
/// what those do that count bytes.
constexpr int64_t kNoStatus = 3, kNoSize = -1;

/// Code that runs on every machine that loads the object.
Function *addFunction(Module &module, FunctionType *type, const Twine &name,
                      GlobalValue::LinkageTypes linkage) {
  Function *function = Function::Create(type, linkage, name, module);
  StringRef least = module.getTargetTriple().isX86() ? "x86-64" : "generic";
  function->addFnAttr("target-cpu", least);
  function->addFnAttr("target-features", "");
  function->addFnAttr("tune-cpu", least);
  function->addFnAttr(Attribute::NoUnwind);
  return function;
}

//===----------------------------------------------------------------------===//
// The question
//===----------------------------------------------------------------------===//

/// Builds the body of a function that looks at the machine.
class Detection {
public:
  Detection(Function *function, ArrayRef<const CodeDescription *> codes);

  /// i1
  Value *has(uint64_t features);
  IRBuilder<> &getBuilder() { return builder; }

private:
  Value *test(Value *value, uint32_t mask) {
    return builder.CreateICmpEQ(builder.CreateAnd(value, mask),
                                builder.getInt32(mask));
  }
  Value *callCpuid(uint32_t leaf, uint32_t subleaf);
  Value *read(const Place &place);
  Value *readXcr0();

  Function *function;
  IRBuilder<> builder;
  /// By leaf and subleaf: EAX to EDX, and whether there is such a leaf.
  std::map<std::pair<uint32_t, uint32_t>, std::pair<Value *, Value *>> leaves;
  Value *xcr0 = nullptr;
};

/// What the codes look at is read first, in the blocks that all pass.
Detection::Detection(Function *function,
                     ArrayRef<const CodeDescription *> codes)
    : function(function),
      builder(BasicBlock::Create(function->getContext(), "", function)) {
  if (any_of(codes, [](const CodeDescription *code) {
        return getState(code->features);
      }))
    xcr0 = readXcr0();
}

/// EAX to EDX.
Value *Detection::callCpuid(uint32_t leaf, uint32_t subleaf) {
  Type *word = builder.getInt32Ty();
  auto *four = StructType::get(word, word, word, word);
  auto *cpuid = InlineAsm::get(
      FunctionType::get(four, {word, word}, false), "cpuid",
      "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}",
      /*hasSideEffects=*/true);
  return builder.CreateCall(
      cpuid, {builder.getInt32(leaf), builder.getInt32(subleaf)});
}

/// Zero where the processor knows no such leaf.
Value *Detection::read(const Place &place) {
  auto [entry, isNew] = leaves.try_emplace({place.leaf, place.subleaf});
  if (isNew) {
    // The first leaf of a range gives the last.
    Value *last =
        builder.CreateExtractValue(callCpuid(place.leaf & 0x80000000, 0), EAX);
    entry->second = {callCpuid(place.leaf, place.subleaf),
                     builder.CreateICmpUGE(last, builder.getInt32(place.leaf))};
  }
  auto [registers, isThere] = entry->second;
  return builder.CreateSelect(isThere,
                              builder.CreateExtractValue(registers, place.reg),
                              builder.getInt32(0));
}

/// Its lower half; zero where the system does not let it be read.
Value *Detection::readXcr0() {
  LLVMContext &context = function->getContext();
  auto *ask = BasicBlock::Create(context, "", function);
  auto *rest = BasicBlock::Create(context, "", function);
  Value *mayAsk = test(read(kXgetbv), 1u << kXgetbv.bit);
  BasicBlock *before = builder.GetInsertBlock();
  builder.CreateCondBr(mayAsk, ask, rest);

  builder.SetInsertPoint(ask);
  Type *word = builder.getInt32Ty();
  auto *both = StructType::get(word, word);
  auto *xgetbv =
      InlineAsm::get(FunctionType::get(both, {word}, false), "xgetbv",
                     "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}",
                     /*hasSideEffects=*/true);
  Value *lower = builder.CreateExtractValue(
      builder.CreateCall(xgetbv, {builder.getInt32(0)}), 0);
  builder.CreateBr(rest);

  builder.SetInsertPoint(rest);
  PHINode *result = builder.CreatePHI(word, 2);
  result->addIncoming(builder.getInt32(0), before);
  result->addIncoming(lower, ask);
  return result;
}

Value *Detection::has(uint64_t features) {
  using Key = std::tuple<uint32_t, uint32_t, Register>;
  std::map<Key, std::pair<const Place *, uint32_t>> wanted;
  for (const Place &place : kPlaces)
    if (features & place.feature) {
      auto &[first, mask] = wanted[{place.leaf, place.subleaf, place.reg}];
      first = &place;
      mask |= 1u << place.bit;
    }
  Value *all = builder.getTrue();
  for (auto &[key, bits] : wanted)
    all = builder.CreateAnd(all, test(read(*bits.first), bits.second));
  if (uint32_t state = getState(features))
    all = builder.CreateAnd(all, test(xcr0, state));
  return all;
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

using Codes = ArrayRef<const CodeDescription *>;

/// i32 sparkle.detect(): 1 for the first code, and so on; one more than there
/// are if none runs. Whoever calls it stores the same, so that threads need no
/// order.
Function *addDetection(Module &module, Codes codes, GlobalVariable *chosen) {
  auto *type = FunctionType::get(Type::getInt32Ty(module.getContext()), false);
  Function *function =
      addFunction(module, type, "sparkle.detect", GlobalValue::InternalLinkage);
  function->addFnAttr(Attribute::NoInline);
  function->addFnAttr(Attribute::Cold);
  Detection detection(function, codes);
  IRBuilder<> &builder = detection.getBuilder();
  Value *choice = builder.getInt32(codes.size() + 1);
  for (size_t index = codes.size(); index-- > 0;)
    choice = builder.CreateSelect(detection.has(codes[index]->features),
                                  builder.getInt32(index + 1), choice);
  StoreInst *store = builder.CreateStore(choice, chosen);
  store->setAtomic(AtomicOrdering::Monotonic);
  builder.CreateRet(choice);
  return function;
}

/// i32 sparkle.choose(): what sparkle.detect() says, asked until it is known.
Function *getChoice(Module &module, Codes codes) {
  constexpr StringLiteral name = "sparkle.choose";
  if (Function *known = module.getFunction(name))
    return known;
  LLVMContext &context = module.getContext();
  Type *word = Type::getInt32Ty(context);
  auto *chosen = new GlobalVariable(
      module, word, /*isConstant=*/false, GlobalValue::InternalLinkage,
      ConstantInt::get(word, 0), "sparkle.chosen");
  chosen->setAlignment(Align(4));
  Function *detect = addDetection(module, codes, chosen);
  Function *function = addFunction(module, FunctionType::get(word, false), name,
                                   GlobalValue::InternalLinkage);
  IRBuilder<> builder(BasicBlock::Create(context, "", function));
  auto *ask = BasicBlock::Create(context, "", function);
  auto *done = BasicBlock::Create(context, "", function);
  LoadInst *known = builder.CreateLoad(word, chosen);
  known->setAtomic(AtomicOrdering::Monotonic);
  builder.CreateCondBr(builder.CreateIsNull(known), ask, done);
  builder.SetInsertPoint(ask);
  builder.CreateRet(builder.CreateCall(detect));
  builder.SetInsertPoint(done);
  builder.CreateRet(known);
  return function;
}

/// Adds `kernel` + `tail`, which calls the same of the variant that was chosen,
/// or returns `otherwise`.
void addCall(Module &module, StringRef kernel, StringRef tail, Codes codes,
             int64_t otherwise) {
  auto callee = [&](const CodeDescription *code) {
    return module.getFunction((kernel + code->suffix + tail).str());
  };
  FunctionType *type = callee(codes.front())->getFunctionType();
  Function *function =
      addFunction(module, type, kernel + tail, GlobalValue::ExternalLinkage);
  LLVMContext &context = module.getContext();
  IRBuilder<> builder(BasicBlock::Create(context, "", function));
  Value *choice = builder.CreateCall(getChoice(module, codes));
  auto *none = BasicBlock::Create(context, "", function);
  SwitchInst *cases = builder.CreateSwitch(choice, none, codes.size());
  for (auto [index, code] : enumerate(codes)) {
    auto *block = BasicBlock::Create(context, "", function);
    cases->addCase(builder.getInt32(index + 1), block);
    builder.SetInsertPoint(block);
    SmallVector<Value *> arguments(make_pointer_range(function->args()));
    CallInst *call = builder.CreateCall(callee(code), arguments);
    call->setTailCallKind(CallInst::TCK_Tail);
    builder.CreateRet(call);
  }
  builder.SetInsertPoint(none);
  builder.CreateRet(
      ConstantInt::getSigned(function->getReturnType(), otherwise));
}

} // namespace

void addDispatch(Module &module, const KernelDescription &kernel) {
  SmallVector<const CodeDescription *> codes;
  for (const CodeDescription &code : kernel.codes)
    if (code.target == SPARKLE_TARGET_CPU)
      codes.push_back(&code);
  if (codes.size() < 2)
    return;
  bool hasTemps = false;
  for (const TensorDescription &tensor : kernel.tensors) {
    hasTemps |= tensor.role == SPARKLE_ROLE_TEMP;
    if (tensor.role != SPARKLE_ROLE_WEIGHT)
      continue;
    addCall(module, kernel.name, "_packed_" + tensor.name + "_size", codes,
            kNoSize);
    addCall(module, kernel.name, "_pack_" + tensor.name, codes, kNoStatus);
  }
  if (hasTemps)
    addCall(module, kernel.name, "_workspace_size", codes, kNoSize);
  addCall(module, kernel.name, "", codes, kNoStatus);
}

} // namespace sparkle
