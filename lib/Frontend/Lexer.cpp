// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text -> tokens.

#include "lib/Frontend/Lexer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace sparkle;

/// Of a name or a number. What reads them later is linear, or less, in it.
static constexpr unsigned longestWord = 64;

static bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }
static bool isNamePart(char c) { return llvm::isAlnum(c) || c == '_'; }

llvm::StringRef sparkle::describe(Token::Kind kind) {
  switch (kind) {
#define TOKEN(kind, name)                                                      \
  case Token::kind:                                                            \
    return name;
#define PUNCTUATION(kind, spelling)                                            \
  case Token::kind:                                                            \
    return "'" spelling "'";
#define KEYWORD(spelling)                                                      \
  case Token::kw_##spelling:                                                   \
    return "'" #spelling "'";
#include "lib/Frontend/Tokens.def"
  }
  llvm_unreachable("all kinds are listed");
}

/// Skips blanks and comments; true if that went past the end of a line.
bool Lexer::skipBlank() {
  bool newline = false;
  while (!rest.empty()) {
    if (rest.starts_with("//"))
      rest = rest.drop_until([](char c) { return c == '\n'; });
    else if (llvm::isSpace(rest.front())) {
      newline |= rest.front() == '\n';
      rest = rest.drop_front();
    } else
      break;
  }
  return newline;
}

Token Lexer::take(Token token, Token::Kind kind, size_t length) {
  token.kind = kind;
  token.text = rest.take_front(length);
  rest = rest.drop_front(length);
  return token;
}

Token Lexer::lex() {
  Token token;
  bool newline = skipBlank();
  token.startsLine = newline || first;
  first = false;
  if (rest.empty())
    return take(token, Token::End, 0);

  char c = rest.front();
  if (isNameStart(c)) {
    llvm::StringRef word = rest.take_while(isNamePart);
    if (word.size() > longestWord) {
      report.error(word, "expected a name of at most " +
                             llvm::Twine(longestWord) +
                             " characters, but got " + quote(word));
      return take(token, Token::Invalid, word.size());
    }
    Token::Kind kind = llvm::StringSwitch<Token::Kind>(word)
#define KEYWORD(spelling) .Case(#spelling, Token::kw_##spelling)
#include "lib/Frontend/Tokens.def"
                           .Default(Token::Name);
    return take(token, kind, word.size());
  }
  if (llvm::isDigit(c))
    return lexNumber(token);
#define PUNCTUATION(kind, spelling)                                            \
  if (rest.starts_with(spelling))                                              \
    return take(token, Token::kind, llvm::StringRef(spelling).size());
#include "lib/Frontend/Tokens.def"
  return lexInvalid(token);
}

/// integer = digit { digit } ;
/// decimal = integer [ "." integer ] [ ( "e" | "E" ) [ "+" | "-" ] integer ] ;
Token Lexer::lexNumber(Token token) {
  auto digitsFrom = [&](size_t begin) {
    size_t end = begin;
    while (end < rest.size() && llvm::isDigit(rest[end]))
      ++end;
    return end;
  };
  size_t end = digitsFrom(0);
  Token::Kind kind = Token::Integer;
  // A part is taken only if digits follow it; what is left over is an error.
  auto takePart = [&](size_t begin) {
    size_t partEnd = digitsFrom(begin);
    if (partEnd == begin)
      return;
    end = partEnd;
    kind = Token::Decimal;
  };
  if (end < rest.size() && rest[end] == '.')
    takePart(end + 1);
  if (end < rest.size() && llvm::toLower(rest[end]) == 'e') {
    bool sign =
        end + 1 < rest.size() && (rest[end + 1] == '+' || rest[end + 1] == '-');
    takePart(end + 1 + sign);
  }
  // grid = integer "x" integer ;
  if (kind == Token::Integer && end < rest.size() && rest[end] == 'x' &&
      digitsFrom(end + 1) > end + 1) {
    end = digitsFrom(end + 1);
    kind = Token::Grid;
  }
  size_t wrongEnd = end;
  while (wrongEnd < rest.size() &&
         (isNamePart(rest[wrongEnd]) || rest[wrongEnd] == '.'))
    ++wrongEnd;
  if (wrongEnd == end && end <= longestWord)
    return take(token, kind, end);
  token = take(token, Token::Invalid, wrongEnd);
  report.error(token.text,
               wrongEnd == end
                   ? "expected a number of at most " +
                         llvm::Twine(longestWord).str() +
                         " characters, but got " + quote(token.text)
                   : "expected a number, but got " + quote(token.text));
  return token;
}

/// One error for a run of bytes that begin no token.
Token Lexer::lexInvalid(Token token) {
  llvm::StringRef run = rest.take_while([](char c) {
    constexpr llvm::StringRef known =
#define PUNCTUATION(kind, spelling) spelling
#include "lib/Frontend/Tokens.def"
        ;
    return !isNamePart(c) && !llvm::isSpace(c) && !known.contains(c);
  });
  // A `!` alone begins no token, but is part of one.
  token = take(token, Token::Invalid, std::max<size_t>(run.size(), 1));
  report.error(token.text, "expected a token, but got " + quote(token.text));
  return token;
}
