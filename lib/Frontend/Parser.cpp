// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursive descent with one token ahead. The line above each function is its
// rule in docs/language.md. A newline ends a statement except inside brackets:
// there `at` sees through it. A function that fails has reported why; the
// statement is dropped and the next one begins where `recover` stops.

#include "lib/Frontend/Parser.h"

#include "lib/Frontend/Lexer.h"

using namespace sparkle;
using llvm::StringRef;
using llvm::Twine;

namespace {

class Parser {
public:
  Parser(StringRef source, Ast &ast, Report &report)
      : lexer(source, report), ast(ast), report(report) {
    previousEnd = source.take_front(0);
    token = lexer.lex();
  }

  void parseFile();
  void parsePatternFile();

private:
  // Tokens.
  StringRef advance();
  bool at(Token::Kind kind) const;
  bool atStatementEnd() const;
  bool atDeclaration() const;
  bool take(Token::Kind kind);
  bool fail(const Twine &expected, StringRef opener = {});
  bool failHere(const Twine &expected, StringRef opener = {});
  bool expect(Token::Kind kind);
  bool expectBody();
  bool expectName(StringRef &name, const Twine &what = "a name");
  bool open(Token::Kind kind, StringRef &opener);
  bool close(Token::Kind kind, StringRef opener);
  void recover();
  bool recoverToBody();
  void skipToDeclaration();
  template <typename Parse> bool parseList(Parse parse);
  template <typename Parse> void parseBody(Parse parse);

  // Declarations.
  void parseKernel();
  bool parseKernelHead(KernelDecl &kernel);
  bool parseReference(KernelDecl &kernel);
  bool parseParameter(KernelDecl &kernel);
  bool parseStatement(KernelDecl &kernel);
  bool parseTensor(KernelDecl &kernel);
  bool parseFactor(TensorDecl &tensor);
  bool parseEquation(KernelDecl &kernel, StringRef target);
  bool parseSize(KernelDecl &kernel, StringRef name);

  // Patterns.
  void parsePattern(bool isOverride);
  bool parsePatternHead(PatternDecl &pattern);
  bool parseLine(PatternDecl &pattern);
  bool parseNear(PatternDecl &pattern, PatternLine line);
  bool parseTransform(PatternLine &line);
  bool parseEntries(PatternLine &line);
  bool parseEntry(PatternLine &line);

  // Expressions.
  ExprPtr parseExpression();
  ExprPtr parseArithmetic();
  ExprPtr parseTerm();
  ExprPtr parseUnary();
  ExprPtr parsePrimary();
  ExprPtr parseOperands(ExprPtr expr, Token::Kind opening, Token::Kind closing);
  ExprPtr parseSum();
  bool parseSumIndex(Expr &sum);
  ExprPtr finish(ExprPtr expr);
  ExprPtr makeBinary(ExprPtr lhs, StringRef op, ExprPtr rhs);

  Lexer lexer;
  Ast &ast;
  Report &report;
  Token token;
  StringRef previousEnd; // empty, just behind the token before
  unsigned brackets = 0; // open ( and [
  unsigned nesting = 0;  // open calls of parseUnary
};

} // namespace

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

StringRef Parser::advance() {
  StringRef text = token.text;
  previousEnd = text.take_back(0);
  token = lexer.lex();
  return text;
}

/// Whether the statement goes on with a token of this kind.
bool Parser::at(Token::Kind kind) const {
  return token.is(kind) && (brackets > 0 || !token.startsLine);
}

bool Parser::atStatementEnd() const {
  return token.startsLine || token.is(Token::RightBrace) ||
         token.is(Token::End);
}

bool Parser::atDeclaration() const {
  return token.startsLine &&
         (token.is(Token::kw_kernel) || token.is(Token::kw_pattern));
}

bool Parser::take(Token::Kind kind) {
  if (!at(kind))
    return false;
  advance();
  return true;
}

/// Reports that `expected` does not come, and which bracket it was to match.
/// Always false.
bool Parser::fail(const Twine &expected, StringRef opener) {
  if (!token.startsLine || brackets > 0 || token.is(Token::End))
    return failHere(expected, opener);
  report.error(previousEnd,
               "expected " + expected + ", but got the end of the line");
  return false;
}

/// The same where a new line is as good as any other token.
bool Parser::failHere(const Twine &expected, StringRef opener) {
  if (token.is(Token::Invalid))
    return false; // the lexer has reported it
  bool end = token.is(Token::End);
  Report::Error &error =
      report.error(end ? previousEnd : token.text,
                   "expected " + expected + ", but got " +
                       (end ? describe(Token::End).str() : quote(token.text)));
  if (!opener.empty())
    error.note(opener, "to match this " + quote(opener));
  return false;
}

bool Parser::expect(Token::Kind kind) {
  return take(kind) || fail(describe(kind));
}

bool Parser::expectName(StringRef &name, const Twine &what) {
  if (!at(Token::Name))
    return fail(what);
  name = advance();
  return true;
}

bool Parser::open(Token::Kind kind, StringRef &opener) {
  if (!at(kind))
    return fail(describe(kind));
  ++brackets;
  opener = advance();
  return true;
}

bool Parser::close(Token::Kind kind, StringRef opener) {
  if (!at(kind))
    return fail(describe(kind), opener);
  --brackets;
  advance();
  return true;
}

/// Skips to the next statement.
void Parser::recover() {
  brackets = nesting = 0;
  while (!atStatementEnd())
    advance();
}

/// Skips to the body of a declaration whose head is wrong; false if the next
/// declaration comes first.
bool Parser::recoverToBody() {
  brackets = nesting = 0;
  while (!token.is(Token::End) && !token.is(Token::LeftBrace) &&
         !atDeclaration())
    advance();
  return token.is(Token::LeftBrace);
}

bool Parser::expectBody() {
  return token.is(Token::LeftBrace) || failHere(describe(Token::LeftBrace));
}

/// Skips what stands where a declaration should.
void Parser::skipToDeclaration() {
  do
    advance();
  while (!token.is(Token::End) && !atDeclaration());
}

/// parse { "," parse }
template <typename Parse> bool Parser::parseList(Parse parse) {
  do
    if (!parse())
      return false;
  while (take(Token::Comma));
  return true;
}

/// "{" { parse } "}"
template <typename Parse> void Parser::parseBody(Parse parse) {
  StringRef opener = advance();
  while (!token.is(Token::RightBrace)) {
    if (token.is(Token::End) || token.is(Token::kw_kernel) ||
        token.is(Token::kw_pattern))
      return void(failHere(describe(Token::RightBrace), opener));
    const char *before = token.text.data();
    if (parse() && (atStatementEnd() || fail("the end of the line")))
      continue;
    if (token.text.data() == before)
      advance(); // or it would fail again
    recover();
  }
  advance();
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

/// file = { kernel | pattern } ;
void Parser::parseFile() {
  while (!token.is(Token::End) && !report.isFull()) {
    if (token.is(Token::kw_kernel)) {
      parseKernel();
    } else if (token.is(Token::kw_pattern)) {
      parsePattern(/*isOverride=*/false);
    } else {
      failHere("'kernel' or 'pattern'");
      skipToDeclaration();
    }
  }
}

/// file of patterns = { pattern } ;
void Parser::parsePatternFile() {
  while (!token.is(Token::End) && !report.isFull()) {
    if (token.is(Token::kw_pattern)) {
      parsePattern(/*isOverride=*/true);
    } else {
      failHere("'pattern'");
      skipToDeclaration();
    }
  }
}

/// kernel = "kernel" name "(" [ parameter { "," parameter } ] ")"
///          [ "with" "reference" ] "{" { statement } "}" ;
void Parser::parseKernel() {
  KernelDecl &kernel = ast.kernels.emplace_back();
  if ((parseKernelHead(kernel) && expectBody()) || recoverToBody())
    parseBody([&] { return parseStatement(kernel); });
}

bool Parser::parseKernelHead(KernelDecl &kernel) {
  advance();
  StringRef opener;
  if (!expectName(kernel.name, "the name of a kernel") ||
      !open(Token::LeftParen, opener))
    return false;
  if (!at(Token::RightParen) &&
      !parseList([&] { return parseParameter(kernel); }))
    return false;
  return close(Token::RightParen, opener) && parseReference(kernel);
}

/// The two words are not reserved: no name can stand here.
bool Parser::parseReference(KernelDecl &kernel) {
  auto atWord = [&](StringRef word) {
    return token.is(Token::Name) && token.text == word;
  };
  if (!atWord("with"))
    return true;
  advance();
  if (!atWord("reference"))
    return failHere("'reference'");
  advance();
  return kernel.withReference = true;
}

/// parameter = name [ "=" ( "?" | expression ) ] ;
bool Parser::parseParameter(KernelDecl &kernel) {
  ParameterDecl parameter;
  if (!expectName(parameter.name, "the name of a size"))
    return false;
  if (take(Token::Equal)) {
    parameter.runTime = take(Token::Question);
    if (!parameter.runTime && !(parameter.value = parseExpression()))
      return false;
  }
  kernel.parameters.push_back(std::move(parameter));
  return true;
}

/// statement = tensor | size | equation ;
bool Parser::parseStatement(KernelDecl &kernel) {
  if (token.is(Token::kw_input) || token.is(Token::kw_weight) ||
      token.is(Token::kw_output) || token.is(Token::kw_temp))
    return parseTensor(kernel);
  if (!token.is(Token::Name))
    return failHere("a tensor, a size or an equation");
  StringRef name = advance();
  if (at(Token::LeftBracket))
    return parseEquation(kernel, name);
  if (at(Token::Equal))
    return parseSize(kernel, name);
  return fail("'=' or '['");
}

/// tensor = ( "input" | "weight" | "output" | "temp" ) name ":" name
///          "[" expression { "," expression } "]"
///          [ "layout" factor { factor } ] ;
bool Parser::parseTensor(KernelDecl &kernel) {
  TensorDecl tensor;
  tensor.role = advance();
  StringRef opener;
  if (!expectName(tensor.name, "the name of a tensor") ||
      !expect(Token::Colon) || !expectName(tensor.type, "an element type") ||
      !open(Token::LeftBracket, opener))
    return false;
  auto parseExtent = [&] {
    tensor.extents.push_back(parseExpression());
    return tensor.extents.back() != nullptr;
  };
  if (!parseList(parseExtent) || !close(Token::RightBracket, opener))
    return false;
  if (at(Token::kw_layout)) {
    tensor.layout = advance();
    do
      if (!parseFactor(tensor))
        return false;
    while (!atStatementEnd());
  }
  kernel.statements.push_back(std::move(tensor));
  return true;
}

/// factor = name [ "/" integer ] [ "%" integer ] ;
bool Parser::parseFactor(TensorDecl &tensor) {
  FactorDecl factor;
  if (!expectName(factor.letter, "a layout"))
    return false;
  auto parseSize = [&](StringRef &size) {
    if (!at(Token::Integer))
      return fail("an integer");
    size = advance();
    return true;
  };
  if (take(Token::Slash) && !parseSize(factor.divisor))
    return false;
  if (take(Token::Percent) && !parseSize(factor.modulus))
    return false;
  tensor.factors.push_back(factor);
  return true;
}

/// size = name "=" expression ;
bool Parser::parseSize(KernelDecl &kernel, StringRef name) {
  advance();
  ExprPtr value = parseExpression();
  if (!value)
    return false;
  kernel.statements.push_back(SizeDecl{name, std::move(value)});
  return true;
}

/// equation = name "[" name { "," name } "]" "=" expression ;
bool Parser::parseEquation(KernelDecl &kernel, StringRef target) {
  EquationDecl equation;
  equation.target = target;
  StringRef opener;
  auto parseIndex = [&] {
    return expectName(equation.indices.emplace_back(), "the name of an index");
  };
  if (!open(Token::LeftBracket, opener) || !parseList(parseIndex) ||
      !close(Token::RightBracket, opener) || !expect(Token::Equal) ||
      !(equation.value = parseExpression()))
    return false;
  kernel.statements.push_back(std::move(equation));
  return true;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// pattern = "pattern" name "for" name [ "." name ] [ "on" name ]
///           "{" { line } "}" ;
void Parser::parsePattern(bool isOverride) {
  PatternDecl &pattern = ast.patterns.emplace_back();
  pattern.isOverride = isOverride;
  if ((parsePatternHead(pattern) && expectBody()) || recoverToBody())
    parseBody([&] { return parseLine(pattern); });
}

bool Parser::parsePatternHead(PatternDecl &pattern) {
  advance();
  if (!expectName(pattern.name, "the name of a pattern") ||
      !expect(Token::kw_for) ||
      !expectName(pattern.kernel, "the name of a kernel"))
    return false;
  if (take(Token::Dot) && !expectName(pattern.tensor, "the name of a tensor"))
    return false;
  return !take(Token::kw_on) ||
         expectName(pattern.target, "the word of a target");
}

/// line = ( "workers" | "registers" | "unroll" | "lanes" | "order" |
///          "prefetch" | "overlap" | "merge" ) entries
///      | near | transform ;
bool Parser::parseLine(PatternDecl &pattern) {
  for (unsigned i = 0; i < PatternLine::numKinds; ++i) {
    PatternLine line{static_cast<PatternLine::Kind>(i), token.text, {}, {}};
    if (line.kind == PatternLine::Stage || spell(line.kind) != token.text)
      continue;
    advance();
    if (line.kind == PatternLine::Near)
      return parseNear(pattern, std::move(line));
    bool isGood = line.kind == PatternLine::Transform ? parseTransform(line)
                                                      : parseEntries(line);
    if (!isGood)
      return false;
    pattern.lines.push_back(std::move(line));
    return true;
  }
  return failHere("workers, near, registers, lanes, unroll, order, prefetch, "
                  "overlap, merge or transform");
}

/// transform = "transform" ( "auto" [ grid ] | "none" | name grid ) ;
bool Parser::parseTransform(PatternLine &line) {
  PatternLine::Entry entry;
  if (at(Token::kw_auto) || at(Token::kw_none)) {
    bool isAuto = at(Token::kw_auto);
    entry.name = advance();
    if (!isAuto || !at(Token::Grid)) {
      line.whole = entry.name;
      return true;
    }
  } else if (!expectName(entry.name, "the name of a transform")) {
    return false;
  }
  if (!at(Token::Grid))
    return fail("a size such as 2x2");
  entry.size = advance();
  line.entries.push_back(entry);
  return true;
}

/// near = "near" ( staged | sizes [ "," staged ] ) ;
bool Parser::parseNear(PatternDecl &pattern, PatternLine line) {
  bool more = true;
  if (at(Token::kw_auto)) {
    line.whole = advance();
    more = take(Token::Comma);
  }
  while (more && line.whole.empty() && !at(Token::kw_stage)) {
    if (!parseEntry(line))
      return false;
    more = take(Token::Comma);
  }
  pattern.lines.push_back(std::move(line));
  if (!more)
    return true;
  PatternLine stage{PatternLine::Stage, token.text, {}, {}};
  if (!expect(Token::kw_stage) || !parseEntries(stage))
    return false;
  pattern.lines.push_back(std::move(stage));
  return true;
}

/// What a line lists: names, sizes, lanes or copies.
bool Parser::parseEntries(PatternLine &line) {
  bool mayBeNone =
      line.kind == PatternLine::Stage || line.kind == PatternLine::Prefetch ||
      line.kind == PatternLine::Overlap || line.kind == PatternLine::Merge;
  if (at(Token::kw_auto) || (mayBeNone && at(Token::kw_none))) {
    line.whole = advance();
    return true;
  }
  return parseList([&] { return parseEntry(line); });
}

/// Of a name, a size, a lane or a copy.
bool Parser::parseEntry(PatternLine &line) {
  PatternLine::Entry entry;
  bool isTensor = line.kind == PatternLine::Stage ||
                  line.kind == PatternLine::Prefetch ||
                  line.kind == PatternLine::Overlap;
  if (!expectName(entry.name,
                  isTensor ? "the name of a tensor" : "the name of an index"))
    return false;
  if (line.kind == PatternLine::Stage && take(Token::Colon)) {
    if (token.text != "copy")
      return fail("'copy'");
    entry.size = advance();
  }
  bool hasNoSize =
      line.kind == PatternLine::Stage || line.kind == PatternLine::Order ||
      line.kind == PatternLine::Overlap || line.kind == PatternLine::Merge;
  bool mayHaveNone = line.kind == PatternLine::Lanes && !at(Token::Colon);
  if (!hasNoSize && !mayHaveNone) {
    if (!expect(Token::Colon))
      return false;
    if (!at(Token::Integer) && !at(Token::kw_auto) && !at(Token::kw_all))
      return fail("an integer, 'auto' or 'all'");
    entry.size = advance();
  }
  line.entries.push_back(entry);
  return true;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

static ExprPtr make(Expr::Kind kind, StringRef text) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->text = text;
  return expr;
}

/// Measures an expression whose operands are complete. Null, with an error, if
/// it is too high.
ExprPtr Parser::finish(ExprPtr expr) {
  for (const ExprPtr &operand : expr->operands)
    expr->height = std::max(expr->height, operand->height + 1);
  for (const SumIndex &index : expr->indices)
    if (index.bound)
      expr->height = std::max(expr->height, index.bound->height + 1);
  if (expr->height <= Expr::maxHeight)
    return expr;
  report.error(expr->text, "expected an expression of at most " +
                               Twine(Expr::maxHeight) +
                               " levels, but got more - use a temp");
  return nullptr;
}

ExprPtr Parser::makeBinary(ExprPtr lhs, StringRef op, ExprPtr rhs) {
  if (!lhs || !rhs)
    return nullptr;
  ExprPtr expr = make(Expr::Binary, op);
  expr->operands.push_back(std::move(lhs));
  expr->operands.push_back(std::move(rhs));
  return finish(std::move(expr));
}

/// expression = arithmetic [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" )
///                           arithmetic ] ;
ExprPtr Parser::parseExpression() {
  ExprPtr expr = parseArithmetic();
  for (Token::Kind kind :
       {Token::Less, Token::LessEqual, Token::Greater, Token::GreaterEqual,
        Token::EqualEqual, Token::NotEqual})
    if (expr && at(kind)) {
      StringRef op = advance();
      return makeBinary(std::move(expr), op, parseArithmetic());
    }
  return expr;
}

/// arithmetic = term { ( "+" | "-" ) term } ;
ExprPtr Parser::parseArithmetic() {
  ExprPtr expr = parseTerm();
  while (expr && (at(Token::Plus) || at(Token::Minus))) {
    StringRef op = advance();
    expr = makeBinary(std::move(expr), op, parseTerm());
  }
  return expr;
}

/// term = unary { ( "*" | "/" | "%" ) unary } ;
ExprPtr Parser::parseTerm() {
  ExprPtr expr = parseUnary();
  while (expr && (at(Token::Star) || at(Token::Slash) || at(Token::Percent))) {
    StringRef op = advance();
    expr = makeBinary(std::move(expr), op, parseUnary());
  }
  return expr;
}

/// unary = "-" unary | primary ;
ExprPtr Parser::parseUnary() {
  // Parentheses leave no trace in the tree, so its height alone does not bound
  // the recursion.
  if (nesting == Expr::maxHeight) {
    report.error(token.text, "expected an expression of at most " +
                                 Twine(Expr::maxHeight) +
                                 " levels, but got more - use a temp");
    return nullptr;
  }
  ++nesting;
  ExprPtr expr;
  if (at(Token::Minus)) {
    expr = make(Expr::Negate, advance());
    expr->operands.push_back(parseUnary());
    expr = expr->operands.back() ? finish(std::move(expr)) : nullptr;
  } else {
    expr = parsePrimary();
  }
  --nesting;
  return expr;
}

/// primary = number | name | sum | "(" expression ")"
///         | name "[" expression { "," expression } "]"
///         | name "(" expression { "," expression } ")" ;
ExprPtr Parser::parsePrimary() {
  if (at(Token::Integer) || at(Token::Decimal))
    return make(Expr::Number, advance());
  if (at(Token::kw_sum))
    return parseSum();
  if (at(Token::LeftParen)) {
    StringRef opener;
    open(Token::LeftParen, opener);
    ExprPtr expr = parseExpression();
    return expr && close(Token::RightParen, opener) ? std::move(expr) : nullptr;
  }
  if (!at(Token::Name)) {
    fail("an expression");
    return nullptr;
  }
  ExprPtr expr = make(Expr::Name, advance());
  if (at(Token::LeftBracket)) {
    expr->kind = Expr::Read;
    return parseOperands(std::move(expr), Token::LeftBracket,
                         Token::RightBracket);
  }
  if (at(Token::LeftParen)) {
    expr->kind = Expr::Call;
    return parseOperands(std::move(expr), Token::LeftParen, Token::RightParen);
  }
  return expr;
}

/// expression { "," expression } between brackets.
ExprPtr Parser::parseOperands(ExprPtr expr, Token::Kind opening,
                              Token::Kind closing) {
  StringRef opener;
  auto parseOperand = [&] {
    expr->operands.push_back(parseExpression());
    return expr->operands.back() != nullptr;
  };
  if (!open(opening, opener) || !parseList(parseOperand) ||
      !close(closing, opener))
    return nullptr;
  return finish(std::move(expr));
}

/// sum = "sum" "(" index { "," index } ":" expression ")" ;
ExprPtr Parser::parseSum() {
  ExprPtr sum = make(Expr::Sum, advance());
  StringRef opener;
  if (!open(Token::LeftParen, opener) ||
      !parseList([&] { return parseSumIndex(*sum); }) || !expect(Token::Colon))
    return nullptr;
  sum->operands.push_back(parseExpression());
  if (!sum->operands.back() || !close(Token::RightParen, opener))
    return nullptr;
  return finish(std::move(sum));
}

/// index = name [ "<" arithmetic ] ;
bool Parser::parseSumIndex(Expr &sum) {
  SumIndex &index = sum.indices.emplace_back();
  if (!expectName(index.name, "the name of an index"))
    return false;
  return !take(Token::Less) || (index.bound = parseArithmetic());
}

void sparkle::parse(StringRef source, Ast &ast, Report &report) {
  Parser(source, ast, report).parseFile();
}

void sparkle::parsePatterns(StringRef source, Ast &ast, Report &report) {
  Parser(source, ast, report).parsePatternFile();
}
