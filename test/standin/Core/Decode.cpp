// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The disassembler, the cache of decoded instructions and the tables.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Tables.h"
#include "test/standin/Core/Vector.h"

#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

extern "C" {
void LLVMInitializeAMDGPUTargetInfo(void);
void LLVMInitializeAMDGPUTargetMC(void);
void LLVMInitializeAMDGPUDisassembler(void);
}

namespace sparkle::standin {
namespace {

/// One disassembler for each generation of machine code.
class Printer {
public:
  explicit Printer(const char *cpu) {
    context = LLVMCreateDisasmCPU("amdgcn-amd-amdhsa", cpu, nullptr, 0, nullptr,
                                  nullptr);
  }
  /// The bytes that the instruction takes; 0 if it is none.
  size_t print(const uint8_t *bytes, size_t size, char *text, size_t room) {
    return LLVMDisasmInstruction(context, const_cast<uint8_t *>(bytes), size, 0,
                                 text, room);
  }

private:
  LLVMDisasmContextRef context;
};

bool runsAvx2() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt");
#else
  return false;
#endif
}

std::unordered_map<std::string, const Operation *> collectOperations() {
  std::unordered_map<std::string, const Operation *> all;
  auto add = [&all](Operations operations) {
    for (size_t i = 0; i < operations.count; ++i)
      all[operations.first[i].name] = operations.first + i;
  };
  if (runsAvx2()) {
#define SPARKLE_STANDIN_ADD(Name) add(list##Name##Avx2());
    SPARKLE_STANDIN_TABLES(SPARKLE_STANDIN_ADD)
#undef SPARKLE_STANDIN_ADD
  } else {
#define SPARKLE_STANDIN_ADD(Name) add(list##Name##Baseline());
    SPARKLE_STANDIN_TABLES(SPARKLE_STANDIN_ADD)
#undef SPARKLE_STANDIN_ADD
  }
  return all;
}

std::unordered_map<std::string, const Opcode *> collectOpcodes() {
  std::unordered_map<std::string, const Opcode *> all;
  for (Opcodes opcodes :
       {listScalar(), listFlow(), listScalarMemory(), listGlobal(), listLocal(),
        listCrossLane(), listMatrix()})
    for (size_t i = 0; i < opcodes.count; ++i)
      all[opcodes.first[i].name] = opcodes.first + i;
  return all;
}

const Opcode *findOpcode(const std::string &name) {
  static const auto kAll = collectOpcodes();
  auto found = kAll.find(name);
  return found == kAll.end() ? nullptr : found->second;
}

void decodeLine(const Line &line, Instruction &to) {
  to.mnemonic = line.mnemonic;
  if (const Operation *operation = findOperation(line.mnemonic))
    return decodeVector(line, *operation, to);
  const Opcode *opcode = findOpcode(line.mnemonic);
  // v_cmpx_* and packed dot products are spelled variants of the table's.
  if (!opcode && line.mnemonic.compare(0, 7, "v_cmpx_") == 0)
    if (const Operation *compare =
            findOperation("v_cmp_" + line.mnemonic.substr(7)))
      return decodeVector(line, *compare, to);
  if (!opcode)
    return refuse(to, "unknown opcode '" + line.mnemonic + "'");
  to.execute = opcode->execute;
  to.kind = opcode->kind;
  to.dwords = opcode->dwords;
  opcode->decode(line, to);
}

std::shared_ptr<const Instruction> decodeText(const char *text, size_t size) {
  auto instruction = std::make_shared<Instruction>();
  std::vector<Line> lines = parseText(text);
  decodeLine(lines[0], *instruction);
  if (lines.size() == 2) {
    auto second = std::make_shared<Instruction>();
    decodeLine(lines[1], *second);
    checkPair(*instruction, *second);
    if (instruction->refusal.empty())
      instruction->refusal = second->refusal;
    instruction->highestVector =
        std::max(instruction->highestVector, second->highestVector);
    instruction->execute = executePair;
    instruction->second = std::move(second);
  }
  instruction->size = uint8_t(size);
  std::string_view trimmed = text;
  size_t first = trimmed.find_first_not_of(" \t");
  if (first != std::string_view::npos)
    trimmed.remove_prefix(first);
  instruction->text = trimmed;
  std::replace(instruction->text.begin(), instruction->text.end(), '\t', ' ');
  return instruction;
}

} // namespace

const Operation *findOperation(const std::string &name) {
  static const auto kAll = collectOperations();
  auto found = kAll.find(name);
  return found == kAll.end() ? nullptr : found->second;
}

void refuse(Instruction &to, std::string why) {
  if (to.refusal.empty())
    to.refusal = std::move(why);
}

std::shared_ptr<const Instruction> decode(Generation generation,
                                          const uint8_t *bytes, size_t size) {
  static std::mutex guard;
  static std::unordered_map<std::string, std::shared_ptr<const Instruction>>
      cache;
  std::lock_guard<std::mutex> lock(guard);
  static const bool kReady = [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
    return true;
  }();
  (void)kReady;
  static Printer gfx10("gfx1030"), gfx11("gfx1100");
  bool isGfx11 = generation == Generation::Gfx1100;
  std::string key(reinterpret_cast<const char *>(bytes), size);
  key += isGfx11;
  auto found = cache.find(key);
  if (found != cache.end())
    return found->second;
  char text[512];
  size_t taken =
      (isGfx11 ? gfx11 : gfx10).print(bytes, size, text, sizeof(text));
  if (taken)
    return cache[key] = decodeText(text, taken);
  return nullptr;
}

} // namespace sparkle::standin
