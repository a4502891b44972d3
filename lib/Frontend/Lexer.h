// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text -> tokens. A token knows whether it begins a line; whether that ends a
// statement is the parser's to decide.

#ifndef SPARKLE_FRONTEND_LEXER_H
#define SPARKLE_FRONTEND_LEXER_H

#include "lib/Frontend/Report.h"
#include "llvm/ADT/StringRef.h"

namespace sparkle {

struct Token {
  enum Kind {
#define TOKEN(kind, name) kind,
#define PUNCTUATION(kind, spelling) kind,
#define KEYWORD(spelling) kw_##spelling,
#include "lib/Frontend/Tokens.def"
  };

  Kind kind = End;
  bool startsLine = true;
  llvm::StringRef text; // a slice of the source, also where it is empty

  bool is(Kind other) const { return kind == other; }
};

/// What messages call a token of this kind.
llvm::StringRef describe(Token::Kind kind);

class Lexer {
public:
  Lexer(llvm::StringRef source, Report &report)
      : rest(source), report(report) {}

  /// The next token; `End` for ever once the text is used up. What is no token
  /// is reported and comes as `Invalid`.
  Token lex();

private:
  Token lexInvalid(Token token);
  Token lexNumber(Token token);
  Token take(Token token, Token::Kind kind, size_t length);
  bool skipBlank();

  llvm::StringRef rest;
  Report &report;
  bool first = true;
};

} // namespace sparkle

#endif // SPARKLE_FRONTEND_LEXER_H
