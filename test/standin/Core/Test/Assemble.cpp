// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's C interface as assembler and compiler.

#include "test/standin/Core/Test/Assemble.h"

#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Object.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void LLVMInitializeAMDGPUTargetInfo(void);
void LLVMInitializeAMDGPUTarget(void);
void LLVMInitializeAMDGPUTargetMC(void);
void LLVMInitializeAMDGPUAsmPrinter(void);
void LLVMInitializeAMDGPUAsmParser(void);
}

namespace sparkle::standin {
namespace {

[[noreturn]] void giveUp(const char *message) {
  std::fprintf(stderr, "%s\n", message);
  std::abort();
}

LLVMTargetMachineRef makeMachine(Generation generation,
                                 const std::string &features) {
  static const bool kReady = [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
    LLVMInitializeAMDGPUAsmParser();
    return true;
  }();
  (void)kReady;
  LLVMTargetRef target;
  char *message = nullptr;
  if (LLVMGetTargetFromTriple("amdgcn-amd-amdhsa", &target, &message))
    giveUp(message);
  return LLVMCreateTargetMachine(
      target, "amdgcn-amd-amdhsa", nameOf(generation), features.c_str(),
      LLVMCodeGenLevelAggressive, LLVMRelocPIC, LLVMCodeModelDefault);
}

LLVMMemoryBufferRef emit(LLVMTargetMachineRef machine, LLVMModuleRef module) {
  LLVMMemoryBufferRef object = nullptr;
  char *message = nullptr;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile,
                                          &message, &object))
    giveUp(message);
  return object;
}

/// A symbol's bytes: its section from it on.
struct Symbol {
  std::vector<uint8_t> bytes;
};

Symbol findSymbol(LLVMBinaryRef binary, const char *name) {
  Symbol found;
  LLVMSymbolIteratorRef symbol = LLVMObjectFileCopySymbolIterator(binary);
  LLVMSectionIteratorRef section = LLVMObjectFileCopySectionIterator(binary);
  for (; !LLVMObjectFileIsSymbolIteratorAtEnd(binary, symbol);
       LLVMMoveToNextSymbol(symbol)) {
    if (std::strcmp(LLVMGetSymbolName(symbol), name) != 0)
      continue;
    LLVMMoveToContainingSection(section, symbol);
    const char *contents = LLVMGetSectionContents(section);
    uint64_t offset = LLVMGetSymbolAddress(symbol);
    found.bytes.assign(contents + offset,
                       contents + LLVMGetSectionSize(section));
  }
  LLVMDisposeSectionIterator(section);
  LLVMDisposeSymbolIterator(symbol);
  return found;
}

uint32_t wordAt(const Symbol &symbol, size_t offset) {
  uint32_t word;
  std::memcpy(&word, &symbol.bytes.at(offset), 4);
  return word;
}

} // namespace

const char *nameOf(Generation generation) {
  switch (generation) {
  case Generation::Gfx1030:
    return "gfx1030";
  case Generation::Gfx1036:
    return "gfx1036";
  case Generation::Gfx1100:
    return "gfx1100";
  }
  return "";
}

std::vector<uint8_t> assemble(Generation generation, const std::string &text) {
  LLVMTargetMachineRef machine = makeMachine(generation, "");
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("test", context);
  LLVMSetTarget(module, "amdgcn-amd-amdhsa");
  std::string source = ".amdgcn_target \"amdgcn-amd-amdhsa--" +
                       std::string(nameOf(generation)) + "\"\n" +
                       ".globl k\nk:\n" + text + "\n";
  LLVMAppendModuleInlineAsm(module, source.data(), source.size());
  LLVMMemoryBufferRef object = emit(machine, module);
  LLVMBinaryRef binary = LLVMCreateBinary(object, nullptr, nullptr);
  std::vector<uint8_t> code = findSymbol(binary, "k").bytes;
  LLVMDisposeBinary(binary);
  LLVMDisposeMemoryBuffer(object);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  LLVMDisposeTargetMachine(machine);
  return code;
}

Kernel compile(Generation generation, const std::string &ir,
               const std::string &features) {
  // Elsewhere LLVM does not know true16.
  bool isGfx11 = generation == Generation::Gfx1100;
  LLVMTargetMachineRef machine =
      makeMachine(generation, "+cumode" + (isGfx11 ? "," + features : ""));
  LLVMContextRef context = LLVMContextCreate();
  LLVMMemoryBufferRef text =
      LLVMCreateMemoryBufferWithMemoryRangeCopy(ir.data(), ir.size(), "test");
  LLVMModuleRef module = nullptr;
  char *message = nullptr;
  if (LLVMParseIRInContext(context, text, &module, &message))
    giveUp(message);
  LLVMSetTarget(module, "amdgcn-amd-amdhsa");
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
  LLVMSetModuleDataLayout(module, layout);
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  if (LLVMErrorRef error =
          LLVMRunPasses(module, "default<O3>", machine, options))
    giveUp(LLVMGetErrorMessage(error));
  LLVMMemoryBufferRef object = emit(machine, module);
  LLVMBinaryRef binary = LLVMCreateBinary(object, nullptr, nullptr);
  Symbol descriptor = findSymbol(binary, "k.kd");
  Kernel kernel;
  kernel.code = findSymbol(binary, "k").bytes;
  kernel.localBytes = wordAt(descriptor, 0);
  kernel.rsrc3 = wordAt(descriptor, 44);
  kernel.rsrc1 = wordAt(descriptor, 48);
  kernel.rsrc2 = wordAt(descriptor, 52);
  LLVMDisposeBinary(binary);
  LLVMDisposeMemoryBuffer(object);
  LLVMDisposePassBuilderOptions(options);
  LLVMDisposeTargetData(layout);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  LLVMDisposeTargetMachine(machine);
  return kernel;
}

} // namespace sparkle::standin
