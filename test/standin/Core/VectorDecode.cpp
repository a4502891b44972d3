// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands and modifiers of vector instructions, from their text.

#include "test/standin/Core/Decode.h"
#include "test/standin/Core/Half.h"
#include "test/standin/Core/Vector.h"

#include <algorithm>
#include <cstdlib>

namespace sparkle::standin {
namespace {

bool isWide(Type type) { return type == Type::B64 || type == Type::F64; }
bool isFloat(Type type) {
  return type == Type::F16 || type == Type::F32 || type == Type::F64 ||
         type == Type::Halves;
}
bool startsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}
bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         text.substr(text.size() - end.size()) == end;
}

uint64_t floatBits(double value, const Source &source) {
  switch (source.type) {
  case Type::B16:
  case Type::F16:
  case Type::Halves:
    return doubleToHalf(value, 0);
  case Type::Mixed:
    return source.half ? doubleToHalf(value, 0)
                       : bitsAs<uint32_t>(float(value));
  case Type::B64:
  case Type::F64:
    return bitsAs<uint64_t>(value);
  default:
    return bitsAs<uint32_t>(float(value));
  }
}

/// `1.0`, `-4`, `0x3f800000`: an inline constant or a literal.
bool parseConstant(std::string_view text, const Line &line, Source &source) {
  bool digits = text.find_first_of("0123456789") != std::string_view::npos;
  if (!digits || text.find_first_not_of("+-0123456789abcdefABCDEFx.") !=
                     std::string_view::npos)
    return false;
  source.from = Source::From::Constant;
  if (text.find('.') != std::string_view::npos) {
    source.value =
        floatBits(std::strtod(std::string(text).c_str(), nullptr), source);
    return true;
  }
  std::optional<int64_t> number = parseNumber(text);
  if (!number)
    return false;
  source.value = uint64_t(*number);
  bool literal = startsWith(text, "0x") && source.value <= 0xffffffffu;
  // A literal has 32 bits: the upper ones of a double, extended as the
  // instruction reads integers.
  if (literal && source.type == Type::F64)
    source.value <<= 32;
  else if (literal && isWide(source.type) && endsWith(line.mnemonic, "_i64"))
    source.value = uint64_t(int64_t(int32_t(source.value)));
  return true;
}

/// Takes `-`, `|...|`, `neg(...)`, `abs(...)` and `sext(...)` off.
std::string_view parseSigns(std::string_view text, Source &source) {
  if (text.size() > 1 && text[0] == '-' && !isdigit(text[1])) {
    source.negate = true;
    text.remove_prefix(1);
  }
  if (startsWith(text, "neg(") || startsWith(text, "abs(") ||
      startsWith(text, "sext(")) {
    source.negate |= text[0] == 'n';
    source.absolute |= text[0] == 'a';
    source.signExtend |= text[0] == 's';
    size_t open = text.find('(');
    text = text.substr(open + 1, text.size() - open - 2);
  }
  if (text.size() > 1 && text[0] == '|') {
    source.absolute = true;
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

bool parseSelect(const std::string &text, uint8_t &shift, uint8_t &width) {
  if (text == "DWORD")
    return true;
  unsigned index = unsigned(text.back() - '0');
  width = startsWith(text, "BYTE_") ? 8 : startsWith(text, "WORD_") ? 16 : 0;
  shift = uint8_t(index * width);
  return width;
}

bool element(const Line &line, const char *modifier, size_t index,
             bool otherwise) {
  std::vector<int64_t> list = line.list(modifier);
  return index < list.size() ? list[index] : otherwise;
}

/// neg_lo of these says that a source is signed.
bool hasSignModifiers(const Line &line) {
  return endsWith(line.mnemonic, "_iu8");
}

/// The modifiers that name sources by their position.
void applyPosition(const Line &line, size_t position, Instruction &to,
                   Source &source) {
  bool packed = source.type == Type::Words || source.type == Type::Halves;
  bool selected = element(line, "op_sel", position, false);
  bool high = element(line, "op_sel_hi", position, packed);
  if (packed) {
    source.low = selected;
    source.high = high;
    source.negateHigh = element(line, "neg_hi", position, false);
  } else {
    source.upper |= selected;
    source.half = source.type == Type::Mixed && high;
  }
  if (!hasSignModifiers(line))
    source.negate |= element(line, "neg_lo", position, false);
  auto select = line.modifiers.find("src" + std::to_string(position) + "_sel");
  if (select != line.modifiers.end() &&
      !parseSelect(select->second, source.shift, source.width))
    refuse(to, "unknown selection '" + select->second + "'");
}

bool isPlain(const Source &source) {
  bool whole = source.type == Type::B32 || source.type == Type::F32;
  bool packed = source.type == Type::Words || source.type == Type::Halves;
  if (packed && (source.low || !source.high || source.negateHigh))
    return false;
  return (whole || packed) && !source.negate && !source.absolute &&
         source.width == 32;
}

void decodeTarget(const Line &line, const Operation &operation,
                  Instruction &to) {
  Target &target = to.to;
  target.clamp = line.has("clamp") && isFloat(target.type);
  if (line.has("mul"))
    target.scale = line.number("mul", 2) == 4 ? 2 : 1;
  if (line.has("div"))
    target.scale = -1;
  bool isShort = target.type == Type::B16 || target.type == Type::F16;
  if (isShort)
    target.upper |= element(line, "op_sel", operation.sources, false);
  target.upper |= (operation.flags & kWritesHigh) != 0;
  auto select = line.modifiers.find("dst_sel");
  if (select != line.modifiers.end()) {
    if (!parseSelect(select->second, target.shift, target.width))
      refuse(to, "unknown selection '" + select->second + "'");
    auto unused = line.modifiers.find("dst_unused");
    std::string rest =
        unused == line.modifiers.end() ? "UNUSED_PAD" : unused->second;
    target.rest = rest == "UNUSED_PAD"    ? Rest::Zero
                  : rest == "UNUSED_SEXT" ? Rest::Sign
                                          : Rest::Kept;
  }
  target.plain = !isShort && !isWide(target.type) && target.width == 32;
}

using Map = unsigned (*)(unsigned lane, unsigned amount);
struct RowControl {
  const char *name;
  Map from; ///< kLanes or more: from outside of the row.
};
constexpr RowControl kRowControls[] = {
    {"row_shl",
     [](unsigned lane, unsigned n) {
       return lane % 16 + n < 16 ? lane + n : kLanes;
     }},
    {"row_shr", [](unsigned lane,
                   unsigned n) { return lane % 16 >= n ? lane - n : kLanes; }},
    {"row_ror",
     [](unsigned lane, unsigned n) {
       return lane / 16 * 16 + (lane + 16 - n) % 16;
     }},
    {"row_mirror", [](unsigned lane, unsigned) { return lane ^ 15; }},
    {"row_half_mirror", [](unsigned lane, unsigned) { return lane ^ 7; }},
    {"row_share", [](unsigned lane, unsigned n) { return lane / 16 * 16 + n; }},
    {"row_xmask", [](unsigned lane, unsigned n) { return lane ^ n; }},
};

/// How many lanes a list of lane numbers repeats over; 0 without one.
unsigned permuteByList(const Line &line, Permutation &how) {
  const char *name = line.has("dpp8") ? "dpp8" : "quad_perm";
  std::vector<int64_t> list = line.list(name);
  unsigned period = line.has("dpp8") ? 8 : 4;
  if (list.size() != period)
    return 0;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    how.from[lane] =
        uint8_t(lane / period * period + unsigned(list[lane % period]));
  return period;
}

void decodePermutation(const Line &line, Instruction &to) {
  auto how = std::make_shared<Permutation>();
  bool found = permuteByList(line, *how);
  for (const RowControl &control : kRowControls) {
    if (!line.has(control.name))
      continue;
    found = true;
    unsigned amount = unsigned(line.number(control.name, 0));
    for (unsigned lane = 0; lane < kLanes; ++lane)
      how->from[lane] = uint8_t(control.from(lane, amount));
  }
  if (!found)
    return refuse(to, "unknown permutation of lanes");
  how->zero = line.has("bound_ctrl") || line.has("dpp8");
  how->inactive = line.number("fi", 0);
  unsigned rows = unsigned(line.number("row_mask", 15));
  unsigned banks = unsigned(line.number("bank_mask", 15));
  how->enabled = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if ((rows >> lane / 16 & 1) && (banks >> lane % 16 / 4 & 1))
      how->enabled |= 1u << lane;
  if (to.from[0].from != Source::From::Vector)
    refuse(to, "expected a vector register to permute");
  to.permutation = std::move(how);
}

/// The operation that a modifier makes of another.
const Operation *findVariant(const Line &line, const Operation &operation,
                             Instruction &to) {
  std::string name = operation.name;
  bool first = element(line, "neg_lo", 0, false);
  bool second = element(line, "neg_lo", 1, false);
  if (hasSignModifiers(line) && (first || second))
    name += std::string("_") + (first ? "s" : "u") + (second ? "s" : "u");
  if (line.has("clamp") && !isFloat(operation.to))
    name += "_clamp";
  const Operation *variant = findOperation(name);
  if (!variant)
    refuse(to, "unknown modifier clamp of '" + line.mnemonic + "'");
  return variant ? variant : &operation;
}

void decodeTargets(const Line &line, const Operation &operation,
                   size_t &operand, Instruction &to) {
  to.to.type = operation.to;
  bool isMask = operation.to == Type::Mask;
  if (startsWith(line.mnemonic, "v_cmpx_")) {
    to.to.to = Target::To::Scalar;
    to.to.index = kExec;
    return;
  }
  parseTarget(line.operands[operand++],
              isMask ? Register::File::Scalar : Register::File::Vector,
              isWide(operation.to) ? 2 : 1, to, to.to);
  if (operation.carries)
    parseTarget(line.operands[operand++], Register::File::Scalar, 1, to,
                to.carry);
}

void decodeSources(const Line &line, const Operation &operation, size_t operand,
                   Instruction &to) {
  to.sources = operation.sources;
  for (unsigned i = 0; i < operation.sources; ++i) {
    Source &source = to.from[i];
    source.type = operation.from[i];
    bool last = i + 1u == operation.sources;
    if (last && (operation.flags & kAccumulates)) {
      source.from = Source::From::Vector;
      source.index = to.to.index;
      source.upper = to.to.upper;
      source.plain = isPlain(source);
      continue;
    }
    bool unsaid = operand >= line.operands.size();
    if (last && source.type == Type::Mask && unsaid) {
      source.from = Source::From::Scalar;
      source.index = kVcc;
      continue;
    }
    if (unsaid)
      return refuse(to, "expected more operands");
    applyPosition(line, i, to, source);
    if (!parseSource(line.operands[operand++], source.type, line, to, source))
      return;
    // Compilers take it for a multiply-add of 32 bits, too: half of the sum.
    source.highOptional = last && (startsWith(line.mnemonic, "v_mad_u64_u32") ||
                                   startsWith(line.mnemonic, "v_mad_i64_i32"));
  }
  if (operand != line.operands.size())
    refuse(to, "expected fewer operands");
}

bool isWhole(const Instruction &instruction) {
  if (!instruction.to.plain || instruction.to.to != Target::To::Vector ||
      instruction.carry.to != Target::To::None || instruction.permutation ||
      instruction.to.clamp || instruction.to.scale)
    return false;
  for (unsigned i = 0; i < instruction.sources; ++i)
    if (instruction.from[i].from != Source::From::Constant &&
        !instruction.from[i].plain)
      return false;
  return true;
}

} // namespace

bool expectOperands(const Line &line, size_t least, size_t most,
                    Instruction &to) {
  if (line.operands.size() >= least && line.operands.size() <= most)
    return true;
  refuse(to, "expected other operands of '" + line.mnemonic + "'");
  return false;
}

bool parseSource(std::string_view text, Type type, const Line &line,
                 Instruction &to, Source &source) {
  source.type = type;
  std::string_view bare = parseSigns(text, source);
  if (parseConstant(bare, line, source)) {
    makeConstant(source);
    return true;
  }
  std::optional<Register> found = parseRegister(bare);
  unsigned limit = !found                                  ? 0
                   : found->file == Register::File::Vector ? kVectors
                                                           : kScalars;
  if (!found || found->index + found->count > limit) {
    refuse(to, "unknown operand '" + std::string(text) + "'");
    return false;
  }
  source.index = uint16_t(found->index);
  source.upper |= found->upper;
  bool isVector = found->file == Register::File::Vector;
  source.from = isVector ? Source::From::Vector : Source::From::Scalar;
  source.plain = isPlain(source);
  if (isVector)
    to.highestVector = std::max<uint16_t>(
        to.highestVector, uint16_t(found->index + found->count));
  return true;
}

bool parseTarget(std::string_view text, Register::File file, unsigned count,
                 Instruction &to, Target &target) {
  std::optional<Register> found = parseRegister(text);
  bool isNull =
      found && found->file == Register::File::Scalar && found->index == kNull;
  if (!found || found->file != file || (found->count != count && !isNull) ||
      found->index + found->count >
          (file == Register::File::Vector ? kVectors : kScalars)) {
    refuse(to, "unknown destination '" + std::string(text) + "'");
    return false;
  }
  bool isVector = file == Register::File::Vector;
  target.to = isVector ? Target::To::Vector : Target::To::Scalar;
  target.index = uint16_t(found->index);
  target.upper |= found->upper;
  if (isVector)
    to.highestVector =
        std::max<uint16_t>(to.highestVector, uint16_t(found->index + count));
  return true;
}

void decodeVector(const Line &line, const Operation &given, Instruction &to) {
  to.execute = executeVector;
  const Operation &operation = *findVariant(line, given, to);
  to.lanes = operation.lanes;
  size_t operand = 0;
  if (line.operands.size() < 1u + operation.carries)
    return refuse(to, "expected more operands");
  decodeTargets(line, operation, operand, to);
  decodeTarget(line, operation, to);
  decodeSources(line, operation, operand, to);
  if (line.encoding == "dpp" || line.encoding == "e64_dpp" ||
      line.encoding == "dpp8")
    decodePermutation(line, to);
  if (isWhole(to))
    to.execute = executePlain;
}

void checkPair(const Instruction &first, Instruction &to) {
  // That one destination is even and the other odd is in the encoding.
  // The third source, which is the destination of a sum and what fmamk adds,
  // has two banks.
  auto registerOf = [](const Instruction &half, unsigned slot) -> int {
    bool has =
        slot < half.sources && half.from[slot].from == Source::From::Vector;
    return has ? half.from[slot].index : -1;
  };
  for (unsigned slot = 0; slot < 3; ++slot) {
    int a = registerOf(first, slot), b = registerOf(to, slot);
    int banks = slot < 2 ? 4 : 2;
    if (a >= 0 && b >= 0 && a % banks == b % banks)
      refuse(to, "expected sources " + std::to_string(slot) +
                     " of a pair in different banks, but got v" +
                     std::to_string(a) + " and v" + std::to_string(b));
  }
}

} // namespace sparkle::standin
