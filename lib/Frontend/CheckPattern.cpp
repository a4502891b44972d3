// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns: which equation each is for, what its lines say over the indices of
// that equation, and which of several applies.

#include "lib/Frontend/CheckSteps.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <functional>
#include <map>

using namespace sparkle;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// Checks the lines of one pattern against the equation that it is for.
class LineChecker {
public:
  LineChecker(const CheckedKernel &kernel, const CheckedEquation &equation,
              Report &report);

  CheckedPattern run(const PatternDecl &decl);

private:
  std::optional<CheckedLine> check(const PatternLine &line);
  void checkSizes(const PatternLine &line, CheckedLine &checked);
  void checkOrder(const PatternLine &line, CheckedLine &checked);
  void checkTensors(const PatternLine &line, CheckedLine &checked);
  void checkTransform(const PatternLine &line, CheckedLine &checked);
  void checkOverlap(const CheckedPattern &pattern);
  void checkAlone(const PatternDecl &decl);
  void checkMerge(const PatternLine &line, CheckedLine &checked);
  std::optional<unsigned> findIndex(StringRef name, unsigned first,
                                    unsigned last, StringRef what);
  int64_t readSize(const PatternLine &line, StringRef text);
  void collectReads(const Element &element, bool inSum);

  const CheckedKernel &kernel;
  const CheckedEquation &equation;
  Report &report;
  unsigned rank;                // of the left side
  std::vector<StringRef> reads; // of the sum
  /// The indices that others are merged into have their sizes.
  std::vector<bool> isMerged;
  StringRef merge; // the line that says so
};

} // namespace

static constexpr int64_t autoSize = 0, allSize = -1;

LineChecker::LineChecker(const CheckedKernel &kernel,
                         const CheckedEquation &equation, Report &report)
    : kernel(kernel), equation(equation), report(report),
      rank(equation.indices.size() - equation.reductions),
      isMerged(equation.indices.size()) {
  collectReads(*equation.value, /*inSum=*/false);
}

void LineChecker::collectReads(const Element &element, bool inSum) {
  inSum |= element.kind == Element::Sum;
  if (element.kind == Element::Read && inSum)
    reads.push_back(kernel.tensors[element.tensor].name);
  for (const auto &operand : element.operands)
    collectReads(*operand, inSum);
}

CheckedPattern LineChecker::run(const PatternDecl &decl) {
  CheckedPattern pattern;
  StringRef seen[PatternLine::numKinds];
  auto take = [&](const PatternLine &line) {
    if (seen[line.kind].empty()) {
      seen[line.kind] = line.keyword;
      pattern[line.kind] = check(line);
    } else if (line.kind != PatternLine::Stage) { // its near line is reported
      report
          .error(line.keyword, "expected one line " + quote(spell(line.kind)) +
                                   ", but got another")
          .note(seen[line.kind], "the first is here");
    }
  };
  // What is merged tells which indices the other lines are about.
  auto isMerge = [](const PatternLine &line) {
    return line.kind == PatternLine::Merge;
  };
  llvm::for_each(llvm::make_filter_range(decl.lines, isMerge), take);
  llvm::for_each(llvm::make_filter_range(decl.lines, std::not_fn(isMerge)),
                 take);
  checkOverlap(pattern);
  checkAlone(decl);
  // An equation without a sum leaves nothing to say in these two lines.
  if (equation.reductions == 0)
    for (PatternLine::Kind kind : {PatternLine::Near, PatternLine::Unroll})
      pattern[kind] =
          CheckedLine{decl.name, std::vector<int64_t>(rank, 1), {}, {}, {}};
  return pattern;
}

/// None if the line is auto.
std::optional<CheckedLine> LineChecker::check(const PatternLine &line) {
  // Left to the compiler is no transform, unless the line says so.
  bool isTransform = line.kind == PatternLine::Transform;
  if ((line.whole == "auto" && !isTransform) ||
      (line.whole.empty() && line.entries.empty()))
    return std::nullopt;
  CheckedLine checked;
  checked.keyword = line.keyword;
  switch (line.kind) {
  case PatternLine::Workers:
  case PatternLine::Near:
  case PatternLine::Registers:
  case PatternLine::Lanes:
  case PatternLine::Unroll:
    checkSizes(line, checked);
    break;
  case PatternLine::Order:
    checkOrder(line, checked);
    break;
  case PatternLine::Stage:
  case PatternLine::Prefetch:
  case PatternLine::Overlap:
    checkTensors(line, checked);
    break;
  case PatternLine::Transform:
    checkTransform(line, checked);
    break;
  case PatternLine::Merge:
    checkMerge(line, checked);
    break;
  }
  return checked;
}

/// One size for each index: those that the line is not about are 1, those that
/// it leaves out are all for workers and near, and 1 for the other levels.
/// Workers may divide the sum as well, and lanes lie along it, which they do
/// not unless it is named.
void LineChecker::checkSizes(const PatternLine &line, CheckedLine &checked) {
  bool ofSum =
      line.kind == PatternLine::Near || line.kind == PatternLine::Unroll;
  bool leavesAll =
      line.kind == PatternLine::Near || line.kind == PatternLine::Workers;
  unsigned first = ofSum ? rank : 0;
  unsigned last = ofSum ? equation.indices.size() : rank;
  checked.sizes.assign(equation.indices.size(), 1);
  for (unsigned i = first; i < last; ++i)
    if (leavesAll && !isMerged[i])
      checked.sizes[i] = allSize;
  std::vector<bool> isNamed(equation.indices.size());
  bool mayDivideSum =
      line.kind == PatternLine::Workers || line.kind == PatternLine::Lanes;
  if (mayDivideSum)
    last = equation.indices.size();
  for (const PatternLine::Entry &entry : line.entries) {
    std::optional<unsigned> index =
        findIndex(entry.name, first, last,
                  mayDivideSum ? "an index"
                  : ofSum      ? "an index of the sum"
                               : "an index of the left side");
    if (!index)
      continue;
    if (isNamed[*index])
      report.error(entry.name, "expected " + quote(entry.name) +
                                   " once in a line, but got it again");
    isNamed[*index] = true;
    int64_t size = readSize(line, entry.size);
    if (mayDivideSum && *index >= rank && size == 1)
      report.error(entry.size,
                   line.kind == PatternLine::Workers
                       ? "expected a part of the sum of 2 or more, but got '1'"
                       : "expected 2 lanes or more along the sum, but got '1'");
    checked.sizes[*index] = size;
  }
}

std::optional<unsigned> LineChecker::findIndex(StringRef name, unsigned first,
                                               unsigned last, StringRef what) {
  std::vector<StringRef> names;
  bool isOfMerge = false;
  for (unsigned i = first; i < last; ++i) {
    bool isThis = equation.indices[i].name == name;
    if (isThis && !isMerged[i])
      return i;
    isOfMerge |= isThis;
    if (!isMerged[i])
      names.push_back(equation.indices[i].name);
  }
  std::string list = names.empty() ? "" : " (" + llvm::join(names, ", ") + ")";
  Report::Error &error = report.error(name, "expected " + what + list +
                                                ", but got " + quote(name));
  if (isOfMerge)
    error.note(merge, "merged here");
  return std::nullopt;
}

int64_t LineChecker::readSize(const PatternLine &line, StringRef text) {
  if (text.empty() || text == "auto")
    return autoSize;
  int64_t size;
  if (line.kind == PatternLine::Prefetch && text != "all") {
    if (!text.getAsInteger(10, size) && 1 <= size && size <= maxExtent)
      return size;
    report.error(text, "expected auto, all or steps from 1 to " +
                           Twine(maxExtent) + ", but got " + quote(text));
    return autoSize;
  }
  if (text == "all")
    return allSize;
  if (!text.getAsInteger(10, size) && 1 <= size && size <= maxExtent)
    return size;
  report.error(text, "expected a size from 1 to " + Twine(maxExtent) +
                         ", but got " + quote(text));
  return autoSize;
}

void LineChecker::checkOrder(const PatternLine &line, CheckedLine &checked) {
  for (const PatternLine::Entry &entry : line.entries) {
    std::optional<unsigned> index =
        findIndex(entry.name, 0, equation.indices.size(), "an index");
    if (!index)
      return;
    if (llvm::is_contained(checked.sizes, *index)) {
      report.error(entry.name, "expected " + quote(entry.name) +
                                   " once in a line, but got it again");
      return;
    }
    if (checked.sizes.size() < rank && *index >= rank) {
      report.error(entry.name, "expected the indices of the left side first, "
                               "but got " +
                                   quote(entry.name));
      return;
    }
    unsigned first = *index;
    while (first > 0 && isMerged[first - 1])
      --first;
    for (unsigned i = first; i <= *index; ++i)
      checked.sizes.push_back(i);
  }
  if (checked.sizes.size() < equation.indices.size())
    report.error(line.keyword, "expected " +
                                   Twine(llvm::count(isMerged, false)) +
                                   " indices in the order, but got " +
                                   Twine(line.entries.size()));
}

void LineChecker::checkTensors(const PatternLine &line, CheckedLine &checked) {
  for (const PatternLine::Entry &entry : line.entries) {
    if (!llvm::is_contained(reads, entry.name)) {
      report.error(entry.name,
                   "expected a tensor that the sum reads, but got " +
                       quote(entry.name));
      continue;
    }
    if (llvm::is_contained(checked.tensors, entry.name) ||
        llvm::is_contained(checked.fused, entry.name)) {
      report.error(entry.name, "expected " + quote(entry.name) +
                                   " once in a line, but got it again");
      continue;
    }
    bool isTemp = llvm::any_of(kernel.tensors, [&](const CheckedTensor &t) {
      return t.name == entry.name && t.role == "temp";
    });
    if (line.kind == PatternLine::Stage && isTemp && entry.size.empty()) {
      checked.fused.push_back(entry.name);
      continue;
    }
    checked.tensors.push_back(entry.name);
    if (line.kind == PatternLine::Prefetch)
      checked.sizes.push_back(readSize(line, entry.size));
  }
}

void LineChecker::checkTransform(const PatternLine &line,
                                 CheckedLine &checked) {
  checked.transform = line.whole.str();
  if (line.entries.empty())
    return;
  const PatternLine::Entry &entry = line.entries.front();
  if (entry.name != "winograd" && entry.name != "auto") {
    report.error(entry.name,
                 "expected winograd or auto, but got " + quote(entry.name));
    return;
  }
  if (entry.size != "2x2" && entry.size != "4x4") {
    report.error(entry.size,
                 "expected 2x2 or 4x4, but got " + quote(entry.size));
    return;
  }
  checked.transform = (entry.name + " " + entry.size).str();
}

/// Neighbours of the left side, two or more, in the order in which it has them.
void LineChecker::checkMerge(const PatternLine &line, CheckedLine &checked) {
  std::optional<unsigned> last;
  for (const PatternLine::Entry &entry : line.entries) {
    std::optional<unsigned> index =
        findIndex(entry.name, 0, rank, "an index of the left side");
    if (!index)
      return;
    if (last && *index != *last + 1) {
      report.error(entry.name, "expected the index that follows " +
                                   quote(equation.indices[*last].name) +
                                   " on the left side, but got " +
                                   quote(entry.name));
      return;
    }
    last = index;
    checked.tensors.push_back(entry.name);
  }
  if (checked.tensors.size() == 1)
    report.error(line.keyword, "expected two indices or more, but got one");
  merge = line.keyword;
  for (unsigned i = 1; i < checked.tensors.size(); ++i)
    isMerged[*last - i] = true;
}

/// What overlaps is a stage.
void LineChecker::checkOverlap(const CheckedPattern &pattern) {
  const auto &stage = pattern[PatternLine::Stage];
  const auto &overlap = pattern[PatternLine::Overlap];
  if (!stage || !overlap)
    return;
  for (StringRef tensor : overlap->tensors)
    if (!llvm::is_contained(stage->tensors, tensor))
      report
          .error(tensor, "expected a tensor that the pattern stages, but got " +
                             quote(tensor))
          .note(stage->keyword, "staged here");
}

/// The equations of a transform are the compiler's: no size of the one that is
/// written means anything to them.
void LineChecker::checkAlone(const PatternDecl &decl) {
  auto transform = llvm::find_if(decl.lines, [](const PatternLine &line) {
    return line.kind == PatternLine::Transform && line.whole != "none";
  });
  if (transform == decl.lines.end())
    return;
  for (const PatternLine &line : decl.lines)
    if (line.kind != PatternLine::Transform && line.whole != "auto")
      report
          .error(line.keyword, "expected no other line beside a transform, but "
                               "got " +
                                   quote(line.keyword))
          .note(transform->keyword, "the transform is here");
}

/// The equation that a pattern is for; null, with an error, if there is none.
static CheckedEquation *findEquation(const PatternDecl &pattern,
                                     CheckedKernel &kernel, Report &report) {
  if (pattern.tensor.empty())
    return &kernel.equations.back();
  for (CheckedEquation &equation : kernel.equations)
    if (equation.target == pattern.tensor)
      return &equation;
  report
      .error(pattern.tensor, "expected a tensor that kernel " +
                                 quote(kernel.name) + " defines, but got " +
                                 quote(pattern.tensor))
      .note(kernel.name, "declared here");
  return nullptr;
}

/// Larger is more specific.
static unsigned getRank(const PatternDecl &pattern) {
  return pattern.isOverride * 4 + !pattern.tensor.empty() * 2 +
         !pattern.target.empty();
}

/// No two patterns may apply equally.
static void checkDistinct(const Ast &ast, Report &report) {
  std::map<std::tuple<bool, StringRef, StringRef, StringRef>, StringRef> names;
  for (const PatternDecl &pattern : ast.patterns) {
    auto [it, isNew] = names.try_emplace(
        {pattern.isOverride, pattern.kernel, pattern.tensor, pattern.target},
        pattern.name);
    if (!isNew)
      report
          .error(pattern.name,
                 "expected one pattern for the same equation and target, but "
                 "got another")
          .note(it->second, "the first is here");
  }
}

void sparkle::checkPatterns(const Ast &ast, const FrontendOptions &options,
                            std::vector<CheckedKernel> &kernels,
                            Report &report) {
  checkDistinct(ast, report);
  llvm::StringMap<CheckedKernel *> byName;
  for (CheckedKernel &kernel : kernels)
    byName.try_emplace(kernel.name, &kernel);
  std::map<const CheckedEquation *, unsigned> ranks;
  for (const PatternDecl &decl : ast.patterns) {
    if (!decl.target.empty() && !options.targets.empty() &&
        !llvm::is_contained(options.targets, decl.target))
      report.error(decl.target, "expected one of the targets " +
                                    llvm::join(options.targets, ", ") +
                                    ", but got " + quote(decl.target));
    CheckedKernel *kernel = byName.lookup(decl.kernel);
    if (!kernel)
      report.error(decl.kernel, "expected the name of a kernel, but got " +
                                    quote(decl.kernel));
    if (!kernel || kernel->isBroken)
      continue;
    CheckedEquation *equation = findEquation(decl, *kernel, report);
    if (!equation)
      continue;
    CheckedPattern pattern = LineChecker(*kernel, *equation, report).run(decl);
    bool applies = decl.target.empty() || decl.target == options.target;
    if (applies && (!equation->pattern || ranks[equation] < getRank(decl))) {
      ranks[equation] = getRank(decl);
      equation->pattern = std::move(pattern);
    }
  }
}
