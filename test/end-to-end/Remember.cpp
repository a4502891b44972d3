// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One file for each problem and its inputs, named by their hash; in it the
// bytes of all results, which are alike on all machines that run the tests.

#include "test/end-to-end/Remember.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <unistd.h>

using namespace sparkle;

namespace {

/// FNV-1a, over words.
class Hash {
public:
  void add(uint64_t word) { state = (state ^ word) * 0x100000001b3; }
  uint64_t get() const { return state; }

private:
  uint64_t state = 0xcbf29ce484222325;
};

} // namespace

static uint64_t hash(const std::string &text,
                     const std::vector<Operand> &operands,
                     const std::vector<Result> &results) {
  Hash hash;
  for (char letter : text)
    hash.add(letter);
  for (const Operand &operand : operands) {
    for (int64_t extent : operand.shape)
      hash.add(extent);
    for (float value : operand.values) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      hash.add(bits);
    }
  }
  for (const Result &result : results)
    for (int64_t extent : result.shape)
      hash.add(extent);
  return hash.get();
}

static std::string spell(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", (unsigned long long)number);
  return text;
}

/// False if there is no such file, or it is not of these sizes. What may be
/// empty says so by a word in front.
static bool read(const std::string &path, std::vector<Result> &results) {
  std::ifstream file(path, std::ios::binary);
  for (Result &result : results)
    for (std::vector<Bounded> *values : {&result.values, &result.widest}) {
      const uint64_t all = countElements(result.shape);
      uint64_t count = 0;
      file.read(reinterpret_cast<char *>(&count), sizeof count);
      if (count != all && (count != 0 || values == &result.values))
        return false;
      values->resize(count);
      file.read(reinterpret_cast<char *>(values->data()),
                count * sizeof(Bounded));
    }
  return file && file.peek() == std::ifstream::traits_type::eof();
}

/// Whoever reads finds all of it or nothing.
static void write(const std::string &path, const std::vector<Result> &results) {
  const std::string part = path + "." + std::to_string(getpid());
  std::ofstream file(part, std::ios::binary);
  for (const Result &result : results)
    for (const std::vector<Bounded> *values :
         {&result.values, &result.widest}) {
      const uint64_t count = values->size();
      file.write(reinterpret_cast<const char *>(&count), sizeof count);
      file.write(reinterpret_cast<const char *>(values->data()),
                 count * sizeof(Bounded));
    }
  file.close();
  if (!file || std::rename(part.c_str(), path.c_str()) != 0)
    std::perror(path.c_str());
}

void sparkle::rememberResults(Problem &problem, const std::string &folder) {
  problem.reference = [compute = problem.reference, text = problem.text,
                       stem = folder + "/" + problem.name +
                              "."](const std::vector<Operand> &operands,
                                   std::vector<Result> &results) {
    const std::string path = stem + spell(hash(text, operands, results));
    std::vector<Result> found = results;
    if (read(path, found)) {
      results = found;
      return;
    }
    compute(operands, results);
    write(path, results);
  };
}
