// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts: words such as `nhwc` and `nchw16c`, and lists of factors such as
// `n c/16 h w c%16`. Both become factors that cover every dimension once.

#include "lib/Frontend/CheckSteps.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace sparkle;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// A factor with the letter that stands for its dimension.
struct LetterFactor {
  StringRef letter;
  int64_t divisor = 1;
  int64_t modulus = 0;
};

using LetterFactors = std::vector<LetterFactor>;

} // namespace

/// The letters of the dimensions in the order of the declaration; which set it
/// is, the letters that the layout uses tell: no two of a rank are the same.
static constexpr StringRef letterSets[] = {"c",    "nc",    "ncw",   "nchw",
                                           "ngcw", "ncdhw", "ngchw", "ngcdhw"};
static constexpr StringRef weightLetterSets[] = {
    "oi", "oiw", "oihw", "goiw", "oidhw", "goihw", "goidhw"};

static std::optional<int64_t> readBlock(StringRef text, Report &report) {
  int64_t size;
  if (!text.getAsInteger(10, size) && 1 < size && size <= maxBlock)
    return size;
  report.error(text, "expected a block of 2 to " + Twine(maxBlock) +
                         ", but got " + quote(text));
  return std::nullopt;
}

/// `nchw16c`: a letter alone is what its blocks leave; blocks nest from left
/// to right.
static std::optional<LetterFactors> readWord(StringRef word, Report &report) {
  LetterFactors factors;
  while (!word.empty()) {
    StringRef digits = word.take_while(llvm::isDigit);
    LetterFactor factor;
    if (!digits.empty()) {
      std::optional<int64_t> block = readBlock(digits, report);
      if (!block)
        return std::nullopt;
      factor.modulus = *block;
    }
    factor.letter = word.substr(digits.size(), 1);
    if (factor.letter.empty()) {
      report.error(digits, "expected a letter behind " + quote(digits) +
                               ", but got the end of the layout");
      return std::nullopt;
    }
    factors.push_back(factor);
    word = word.drop_front(digits.size() + 1);
    if (factors.size() > maxFactors)
      return factors; // an error by its length
  }
  // A block divides all that stands outside it. Beyond the limit it does not
  // matter by how much.
  for (size_t i = factors.size(); i-- > 0;)
    for (size_t j = 0; j < factors.size(); ++j)
      if (factors[i].modulus > 0 && factors[j].letter == factors[i].letter &&
          (j < i || factors[j].modulus == 0))
        factors[j].divisor =
            std::min(llvm::checkedMul(factors[j].divisor, factors[i].modulus)
                         .value_or(maxElements),
                     maxElements);
  return factors;
}

static std::optional<LetterFactors> readList(const TensorDecl &decl,
                                             Report &report) {
  LetterFactors factors;
  for (const FactorDecl &text : decl.factors) {
    LetterFactor factor;
    factor.letter = text.letter;
    if (text.letter.size() != 1) {
      report.error(text.letter,
                   "expected a letter, but got " + quote(text.letter));
      return std::nullopt;
    }
    std::optional<int64_t> divisor = 1, modulus = 0;
    if (!text.divisor.empty())
      divisor = readBlock(text.divisor, report);
    if (!text.modulus.empty())
      modulus = readBlock(text.modulus, report);
    if (!divisor || !modulus)
      return std::nullopt;
    factor.divisor = *divisor;
    factor.modulus = *modulus;
    factors.push_back(factor);
  }
  return factors;
}

/// The sets of letters that a tensor of this rank and role may use.
static std::vector<StringRef> getLetterSets(const CheckedTensor &tensor) {
  std::vector<StringRef> sets;
  auto add = [&](llvm::ArrayRef<StringRef> from) {
    llvm::copy_if(from, std::back_inserter(sets), [&](StringRef letters) {
      return letters.size() == tensor.extents.size();
    });
  };
  add(letterSets);
  if (tensor.role == "weight")
    add(weightLetterSets);
  return sets;
}

/// Whether the factors use each of the letters and no other.
static bool uses(const LetterFactors &factors, StringRef letters) {
  return llvm::all_of(factors,
                      [&](const LetterFactor &factor) {
                        return letters.contains(factor.letter);
                      }) &&
         llvm::all_of(letters, [&](char letter) {
           return llvm::any_of(factors, [&](const LetterFactor &factor) {
             return factor.letter[0] == letter;
           });
         });
}

/// The letters of the dimensions; empty, with an error, if no set fits.
static StringRef findLetters(const TensorDecl &decl,
                             const LetterFactors &factors,
                             const CheckedTensor &tensor, Report &report) {
  std::vector<StringRef> sets = getLetterSets(tensor);
  auto it = llvm::find_if(
      sets, [&](StringRef letters) { return uses(factors, letters); });
  if (it != sets.end())
    return *it;
  if (sets.empty())
    report.error(decl.layout,
                 "expected at most 6 dimensions with a layout, but got " +
                     Twine(tensor.extents.size()));
  else
    report.error(decl.factors.front().letter,
                 "expected a layout of the letters " +
                     llvm::join(sets, " or ") + ", but got others");
  return {};
}

/// Whether the factors of one dimension, sorted from the outermost, tell every
/// coordinate apart and none twice: the outermost has no modulus, each other
/// spans what the one outside it divides by.
static bool covers(llvm::ArrayRef<LayoutFactor> factors) {
  for (auto [outer, inner] : llvm::zip(factors, factors.drop_front()))
    if (inner.modulus == 0 || outer.divisor != inner.divisor * inner.modulus)
      return false;
  return factors.front().modulus == 0 && factors.back().divisor == 1;
}

static bool checkCover(const TensorDecl &decl, const CheckedTensor &tensor,
                       StringRef letters, Report &report) {
  for (unsigned dimension = 0; dimension < letters.size(); ++dimension) {
    llvm::SmallVector<LayoutFactor> own;
    for (const LayoutFactor &factor : tensor.layout)
      if (factor.dimension == dimension)
        own.push_back(factor);
    llvm::sort(own, [](const LayoutFactor &a, const LayoutFactor &b) {
      return a.divisor > b.divisor;
    });
    if (covers(own))
      continue;
    StringRef letter = letters.substr(dimension, 1);
    report.error(decl.layout, "expected a layout that covers " + quote(letter) +
                                  " once, but got another - for example " +
                                  letter + "/16 and " + letter + "%16");
    return false;
  }
  return true;
}

/// Limits the elements in memory, whole blocks included. A run-time extent
/// counts as 1 here: the call checks it.
static bool checkElements(const TensorDecl &decl, const CheckedTensor &tensor,
                          Report &report) {
  int64_t elements = 1;
  for (auto [dimension, affine] : llvm::enumerate(tensor.extents)) {
    int64_t extent = affine.isConstant() ? affine.getConstant() : 1;
    for (const LayoutFactor &factor : tensor.layout)
      if (factor.dimension == dimension && factor.modulus == 0)
        extent = llvm::alignTo(extent, factor.divisor);
    // Neither factor reaches 2^41, so the product may overflow: divide.
    if (extent > maxElements / elements) {
      report.error(decl.name, "expected at most 2^40 elements, but got more");
      return false;
    }
    elements *= extent;
  }
  return true;
}

bool sparkle::checkLayout(const TensorDecl &decl, CheckedTensor &tensor,
                          Report &report) {
  unsigned rank = tensor.extents.size();
  if (decl.layout.empty()) {
    for (unsigned dimension = 0; dimension < rank; ++dimension)
      tensor.layout.push_back({dimension});
    return checkElements(decl, tensor, report);
  }
  bool isWord = decl.factors.size() == 1 &&
                decl.factors.front().divisor.empty() &&
                decl.factors.front().modulus.empty();
  std::optional<LetterFactors> factors =
      isWord ? readWord(decl.factors.front().letter, report)
             : readList(decl, report);
  if (!factors)
    return false;
  if (factors->size() > maxFactors) {
    report.error(decl.layout, "expected at most " + Twine(maxFactors) +
                                  " factors of a layout, but got more");
    return false;
  }
  StringRef letters = findLetters(decl, *factors, tensor, report);
  if (letters.empty())
    return false;
  for (const LetterFactor &factor : *factors)
    tensor.layout.push_back({static_cast<unsigned>(letters.find(factor.letter)),
                             factor.divisor, factor.modulus});
  return checkCover(decl, tensor, letters, report) &&
         checkElements(decl, tensor, report);
}
