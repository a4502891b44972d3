// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flow of control, waits, barriers, the MODE register, and hints.

#include "test/standin/Core/Flow.h"
#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Wave.h"

#include <algorithm>
#include <cfenv>
#include <iterator>

namespace sparkle::standin {
namespace {

// The largest that the counters of s_waitcnt say: no wait.
constexpr unsigned kNoWait = 63;

uint64_t readPair(Wave &wave, const Source &source) {
  return wave.readScalar64(source.index);
}

// --- branches -------------------------------------------------------------

void decodeBranch(const Line &line, Instruction &to) {
  if (!expectOperands(line, 1, 1, to))
    return;
  std::optional<int64_t> words = parseNumber(line.operands[0]);
  if (!words)
    return refuse(to, "unknown operand '" + line.operands[0] + "'");
  to.offset = int64_t(int16_t(*words)) * 4;
}
template <bool (*Taken)(Wave &)>
void branch(Wave &wave, const Instruction &instruction) {
  if (Taken(wave))
    wave.pc += uint64_t(instruction.offset);
}
bool always(Wave &) { return true; }
bool onScc0(Wave &wave) { return !wave.readScc(); }
bool onScc1(Wave &wave) { return wave.readScc(); }
bool onVccZero(Wave &wave) { return wave.readScalar(kVcc) == 0; }
bool onVcc(Wave &wave) { return wave.readScalar(kVcc) != 0; }
bool onExecZero(Wave &wave) { return wave.exec() == 0; }
bool onExec(Wave &wave) { return wave.exec() != 0; }

void decodePair(const Line &line, Instruction &to) {
  unsigned operand = 0;
  bool reads = line.mnemonic != "s_getpc_b64";
  bool writes = line.mnemonic != "s_setpc_b64";
  if (!expectOperands(line, reads + writes, reads + writes, to))
    return;
  if (writes && !parseTarget(line.operands[operand++], Register::File::Scalar,
                             2, to, to.to))
    return;
  if (line.mnemonic == "s_call_b64") {
    to.offset =
        int64_t(int16_t(parseNumber(line.operands[operand]).value_or(0))) * 4;
    return;
  }
  if (reads)
    parseSource(line.operands[operand], Type::B64, line, to, to.from[0]);
}
void getPc(Wave &wave, const Instruction &instruction) {
  wave.writeScalar64(instruction.to.index, wave.pc);
}
void setPc(Wave &wave, const Instruction &instruction) {
  wave.pc = readPair(wave, instruction.from[0]);
}
void swapPc(Wave &wave, const Instruction &instruction) {
  uint64_t to = readPair(wave, instruction.from[0]);
  wave.writeScalar64(instruction.to.index, wave.pc);
  wave.pc = to;
}
void call(Wave &wave, const Instruction &instruction) {
  wave.writeScalar64(instruction.to.index, wave.pc);
  wave.pc += uint64_t(instruction.offset);
}

// --- waits and barriers ---------------------------------------------------

/// The number of `vmcnt(3)` in the text.
unsigned counterOf(const std::string &text, const std::string &name) {
  size_t at = text.find(name + "(");
  if (at == std::string::npos)
    return kNoWait;
  at += name.size() + 1;
  std::string digits = text.substr(at, text.find(')', at) - at);
  return unsigned(parseNumber(digits).value_or(0));
}
void decodeWait(const Line &line, Instruction &to) {
  to.offset = counterOf(line.tail, "vmcnt");
  to.offset1 = counterOf(line.tail, "lgkmcnt");
}
void wait(Wave &wave, const Instruction &instruction) {
  wave.waitVector(unsigned(instruction.offset));
  wave.waitLocalAndScalar(unsigned(instruction.offset1));
}
void decodeOneWait(const Line &line, Instruction &to) {
  if (!expectOperands(line, 2, 2, to))
    return;
  if (line.operands[0] != "null")
    refuse(to, "unknown operand '" + line.operands[0] + "'");
  to.offset = parseNumber(line.operands[1]).value_or(0);
}
void waitVector(Wave &wave, const Instruction &instruction) {
  wave.waitVector(unsigned(instruction.offset));
}
void waitLocal(Wave &wave, const Instruction &instruction) {
  wave.waitLocalAndScalar(unsigned(instruction.offset));
}
void waitStores(Wave &wave, const Instruction &instruction) {
  wave.storeFlights = std::min(wave.storeFlights, uint32_t(instruction.offset));
}
void barrier(Wave &wave, const Instruction &) {
  for (const Flight &flight : wave.localFlights)
    if (flight.stores)
      return wave.fail("s_barrier while a store to LDS is under way: no "
                       "s_waitcnt lgkmcnt");
  wave.state = Wave::State::Waits;
}
void end(Wave &wave, const Instruction &) { wave.state = Wave::State::Ended; }

// --- the MODE register ----------------------------------------------------

uint32_t readMode(const Mode &mode) {
  return mode.round32 | mode.round64 << 2 | mode.denormal32 << 4 |
         mode.denormal64 << 6 | mode.clampsNan << 8 | mode.ieee << 9;
}
void writeMode(Wave &wave, uint32_t bits) {
  Mode &mode = wave.mode;
  mode.round32 = bits & 3;
  mode.round64 = bits >> 2 & 3;
  mode.denormal32 = bits >> 4 & 3;
  mode.denormal64 = bits >> 6 & 3;
  mode.clampsNan = bits >> 8 & 1;
  mode.ieee = bits >> 9 & 1;
  enterMode(wave);
}

/// `hwreg(HW_REG_MODE, 4, 2)`: offset and size of the field.
bool parseModeField(const std::string &text, Instruction &to) {
  if (text.find("HW_REG_MODE") == std::string::npos) {
    refuse(to, "unknown hardware register '" + text + "'");
    return false;
  }
  size_t comma = text.find(',');
  if (comma == std::string::npos) {
    to.offset = 0;
    to.offset1 = 32;
    return true;
  }
  size_t second = text.find(',', comma + 1);
  auto number = [&](size_t from, size_t to) {
    std::string piece = text.substr(from, to - from);
    piece.erase(0, piece.find_first_not_of(' '));
    return parseNumber(piece).value_or(0);
  };
  to.offset = number(comma + 1, second);
  to.offset1 = number(second + 1, text.find(')'));
  return true;
}
uint32_t fieldMask(const Instruction &instruction) {
  return uint32_t((1ull << instruction.offset1) - 1) << instruction.offset;
}
void decodeGetRegister(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) &&
      parseTarget(line.operands[0], Register::File::Scalar, 1, to, to.to))
    parseModeField(line.operands[1], to);
}
void getRegister(Wave &wave, const Instruction &instruction) {
  wave.writeScalar(instruction.to.index,
                   (readMode(wave.mode) & fieldMask(instruction)) >>
                       instruction.offset);
}
void decodeSetRegister(const Line &line, Instruction &to) {
  if (expectOperands(line, 2, 2, to) && parseModeField(line.operands[0], to))
    parseSource(line.operands[1], Type::B32, line, to, to.from[0]);
}
void setRegister(Wave &wave, const Instruction &instruction) {
  const Source &source = instruction.from[0];
  uint32_t value = source.from == Source::From::Constant
                       ? uint32_t(source.value)
                       : wave.readScalar(source.index);
  uint32_t mask = fieldMask(instruction);
  writeMode(wave, (readMode(wave.mode) & ~mask) |
                      (value << instruction.offset & mask));
}
void decodeModeNibble(const Line &line, Instruction &to) {
  if (expectOperands(line, 1, 1, to))
    to.offset1 = parseNumber(line.operands[0]).value_or(0) & 15;
  to.offset = line.mnemonic == "s_denorm_mode" ? 4 : 0;
}
void setModeNibble(Wave &wave, const Instruction &instruction) {
  uint32_t old = readMode(wave.mode) & ~(15u << instruction.offset);
  writeMode(wave, old | uint32_t(instruction.offset1 << instruction.offset));
}

// --- what does nothing here -----------------------------------------------

void decodeAnything(const Line &, Instruction &) {}
void decodeMessage(const Line &line, Instruction &to) {
  if (line.tail.find("MSG_DEALLOC_VGPRS") == std::string::npos)
    refuse(to, "unknown message '" + line.tail + "'");
}
void nothing(Wave &, const Instruction &) {}
/// sendmsg(MSG_DEALLOC_VGPRS): the vector registers are gone.
void release(Wave &wave, const Instruction &) {
  std::fill(std::begin(wave.ready), std::end(wave.ready), 0);
}

constexpr Opcode kFlow[] = {
    {"s_branch", decodeBranch, branch<always>},
    {"s_cbranch_scc0", decodeBranch, branch<onScc0>},
    {"s_cbranch_scc1", decodeBranch, branch<onScc1>},
    {"s_cbranch_vccz", decodeBranch, branch<onVccZero>},
    {"s_cbranch_vccnz", decodeBranch, branch<onVcc>},
    {"s_cbranch_execz", decodeBranch, branch<onExecZero>},
    {"s_cbranch_execnz", decodeBranch, branch<onExec>},
    {"s_getpc_b64", decodePair, getPc},
    {"s_setpc_b64", decodePair, setPc},
    {"s_swappc_b64", decodePair, swapPc},
    {"s_call_b64", decodePair, call},
    {"s_waitcnt", decodeWait, wait},
    {"s_waitcnt_vmcnt", decodeOneWait, waitVector},
    {"s_waitcnt_lgkmcnt", decodeOneWait, waitLocal},
    {"s_waitcnt_vscnt", decodeOneWait, waitStores},
    {"s_waitcnt_expcnt", decodeOneWait, nothing},
    {"s_barrier", decodeAnything, barrier},
    {"s_endpgm", decodeAnything, end},
    {"s_getreg_b32", decodeGetRegister, getRegister},
    {"s_setreg_b32", decodeSetRegister, setRegister},
    {"s_setreg_imm32_b32", decodeSetRegister, setRegister},
    {"s_round_mode", decodeModeNibble, setModeNibble},
    {"s_denorm_mode", decodeModeNibble, setModeNibble},
    {"s_sendmsg", decodeMessage, release},
    {"s_nop", decodeAnything, nothing},
    {"v_nop", decodeAnything, nothing},
    {"s_sleep", decodeAnything, nothing},
    {"s_clause", decodeAnything, nothing},
    {"s_delay_alu", decodeAnything, nothing},
    {"s_waitcnt_depctr", decodeAnything, nothing},
    {"s_setprio", decodeAnything, nothing},
    {"s_inst_prefetch", decodeAnything, nothing},
    {"s_set_inst_prefetch_distance", decodeAnything, nothing},
    {"buffer_gl0_inv", decodeAnything, nothing},
    {"buffer_gl1_inv", decodeAnything, nothing},
    {"s_dcache_inv", decodeAnything, nothing},
};

} // namespace

void enterMode(Wave &wave) {
  constexpr int kDirections[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                                 FE_TOWARDZERO};
  std::fesetround(kDirections[wave.mode.round32]);
  wave.flushes = wave.mode.denormal32 != 3 || wave.mode.denormal64 != 3;
}

void leaveMode() { std::fesetround(FE_TONEAREST); }

void resetMode(Wave &wave, uint32_t rsrc1) {
  uint32_t floatMode = rsrc1 >> 12 & 255;
  writeMode(wave, floatMode | (rsrc1 >> 21 & 1) << 8 | (rsrc1 >> 23 & 1) << 9);
}

Opcodes listFlow() { return {kFlow, std::size(kFlow)}; }

} // namespace sparkle::standin
