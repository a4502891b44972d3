// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text that LLVM's disassembler prints, in pieces.

#ifndef SPARKLE_TEST_STANDIN_CORE_TEXT_H
#define SPARKLE_TEST_STANDIN_CORE_TEXT_H

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkle::standin {

/// `v_add_f32_e64 v0, -v1, 1.0 clamp` is the mnemonic, three operands and the
/// modifier `clamp`; `offset:16` is the modifier `offset` with the value `16`.
struct Line {
  std::string mnemonic; ///< Without the suffix of its encoding.
  std::string encoding; ///< "e32", "e64", "dpp", "sdwa" or nothing.
  std::string tail;     ///< All behind the mnemonic.
  std::vector<std::string> operands;
  std::map<std::string, std::string> modifiers;

  bool has(const std::string &modifier) const {
    return modifiers.count(modifier);
  }
  /// The number of `offset:16`, or `otherwise`.
  int64_t number(const std::string &modifier, int64_t otherwise) const;
  /// The numbers of `op_sel:[0,1]`.
  std::vector<int64_t> list(const std::string &modifier) const;
};

/// The instructions of a text: one, or the two of a pair.
std::vector<Line> parseText(std::string_view text);

/// A number as the disassembler writes it: decimal or hexadecimal.
std::optional<int64_t> parseNumber(std::string_view text);

struct Register {
  enum class File { Vector, Scalar } file;
  unsigned index, count;
  bool upper = false, half = false; ///< `v0.h`; `v0.l` or `v0.h`.
};

/// `v5`, `v[2:3]`, `v0.h`, `s[4:5]`, `vcc_lo`, `m0`, `null`.
std::optional<Register> parseRegister(std::string_view text);

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_CORE_TEXT_H
