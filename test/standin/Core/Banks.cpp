// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts passes by arithmetic on addresses. README.md says where the model is
// from, and what of it nobody has published.

#include "test/standin/Core/Banks.h"
#include "test/standin/Core/Program.h"

#include <algorithm>

namespace sparkle::standin {
namespace {

constexpr unsigned kBanks = 32;

/// The different elements that a group of lanes wants. They are aligned, so
/// that those of four words divide the banks into eight, which are as one.
class Wanted {
public:
  explicit Wanted(unsigned banks) : banks(banks) {}

  void add(uint32_t element) {
    unsigned bank = element % banks;
    uint32_t *first = elements[bank], *last = first + counts[bank];
    if (std::find(first, last, element) == last)
      elements[bank][counts[bank]++] = element;
  }
  /// A bank gives one of them at a time.
  unsigned countPasses() const {
    return *std::max_element(counts, counts + banks);
  }

private:
  unsigned banks;
  uint32_t elements[kBanks][kLanes];
  uint8_t counts[kBanks] = {};
};

} // namespace

void countPasses(Wave &wave, const Addresses &addresses, unsigned dwords,
                 Access access) {
  const Step &step = *wave.step;
  BankUse &use = (*wave.banks)[step.pc];
  if (use.instruction.empty())
    use.instruction = step.instruction->text;
  use.isStore = access == Access::Store;
  // Three words are read from rows of four.
  unsigned words = dwords == 3 ? 4 : dwords;
  // As many lanes go together as have words for all banks.
  unsigned together = kBanks / words;
  for (unsigned first = 0; first < kLanes; first += together) {
    Wanted wanted(together);
    for (unsigned lane = first; lane < first + together; ++lane)
      if (wave.exec() >> lane & 1)
        wanted.add(addresses.of[lane] / (4 * words));
    unsigned passes = wanted.countPasses();
    use.passes += passes;
    use.least += std::min(passes, 1u);
  }
}

} // namespace sparkle::standin
