// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code object -> text, with a report in front of each entry point.

#include "lib/Target/AMDGPU/AMDGPU.h"
#include "lib/Target/AMDGPU/Report.h"

#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrAnalysis.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include <set>

using namespace mlir;

namespace sparkle::amdgpu {
namespace {

/// LLVM's tables for one processor.
class Decoder {
public:
  explicit Decoder(StringRef processor)
      : triple("amdgcn-amd-amdhsa"), target(getLLVMTarget()),
        registers(target.createMCRegInfo(triple)),
        assembly(target.createMCAsmInfo(*registers, triple, options)),
        instructions(target.createMCInstrInfo()),
        subtarget(
            target.createMCSubtargetInfo(triple, processor, "-real-true16")),
        context(triple, assembly.get(), registers.get(), subtarget.get()),
        disassembler(target.createMCDisassembler(*subtarget, context)),
        printer(target.createMCInstPrinter(triple, 0, *assembly, *instructions,
                                           *registers)),
        analysis(target.createMCInstrAnalysis(instructions.get())) {}

  llvm::Expected<std::vector<Instruction>> decode(const EntryPoint &entryPoint);

private:
  llvm::Triple triple;
  const llvm::Target &target;
  llvm::MCTargetOptions options;
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> assembly;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  llvm::MCContext context;
  std::unique_ptr<llvm::MCDisassembler> disassembler;
  std::unique_ptr<llvm::MCInstPrinter> printer;
  std::unique_ptr<llvm::MCInstrAnalysis> analysis;
};

std::string getLabel(uint64_t address) {
  return "L" + llvm::utohexstr(address, /*LowerCase=*/true);
}

llvm::Expected<std::vector<Instruction>>
Decoder::decode(const EntryPoint &entryPoint) {
  std::vector<Instruction> result;
  llvm::ArrayRef<uint8_t> rest = entryPoint.code;
  uint64_t address = entryPoint.address;
  while (!rest.empty()) {
    llvm::MCInst decoded;
    uint64_t size = 0;
    if (disassembler->getInstruction(decoded, size, rest, address,
                                     llvm::nulls()) !=
            llvm::MCDisassembler::Success ||
        !size)
      return llvm::createStringError("expected an instruction at " +
                                     getLabel(address));
    Instruction instruction{address, {}, {}};
    uint64_t target;
    llvm::raw_string_ostream out(instruction.text);
    printer->printInst(&decoded, address, "", *subtarget, out);
    StringRef text = StringRef(instruction.text).trim();
    if (analysis->isBranch(decoded) &&
        analysis->evaluateBranch(decoded, address, size, target)) {
      instruction.target = target;
      instruction.text = (text.take_until([](char c) { return c == ' '; }) +
                          " " + getLabel(target))
                             .str();
    } else {
      instruction.text = text.str();
    }
    result.push_back(std::move(instruction));
    rest = rest.drop_front(std::min<size_t>(size, rest.size()));
    address += size;
  }
  return result;
}

llvm::Error print(StringRef bytes, llvm::raw_ostream &out) {
  llvm::Expected<CodeObject> object = readCodeObject(bytes);
  if (!object)
    return object.takeError();
  Decoder decoder(object->processor);
  for (const EntryPoint &entryPoint : object->entryPoints) {
    auto instructions = decoder.decode(entryPoint);
    if (!instructions)
      return instructions.takeError();
    printReport(*object, entryPoint, *instructions, out);
    std::set<uint64_t> targets;
    for (const Instruction &instruction : *instructions)
      if (instruction.target)
        targets.insert(*instruction.target);
    out << entryPoint.name << ":\n";
    for (const Instruction &instruction : *instructions) {
      if (targets.count(instruction.address))
        out << getLabel(instruction.address) << ":\n";
      out << "  " << instruction.text << "\n";
    }
  }
  return llvm::Error::success();
}

} // namespace

LogicalResult disassemble(ArrayRef<char> image, llvm::raw_ostream &out,
                          Location loc) {
  if (llvm::Error error = print({image.data(), image.size()}, out))
    return emitError(loc) << llvm::toString(std::move(error));
  return success();
}

} // namespace sparkle::amdgpu
