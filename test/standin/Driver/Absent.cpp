// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In place of Core/ in a build without LLVM: all but the shader cores works.

#include "test/standin/Core/Core.h"

namespace sparkle::standin {

Outcome run(Generation, const Dispatch &, Port &, uint64_t, uint64_t,
            BankUses *) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::Fault;
  outcome.message = "this stand-in was built without its shader cores, which "
                    "need LLVM";
  return outcome;
}

} // namespace sparkle::standin
