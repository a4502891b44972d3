// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each packet does. A field that is not modelled is an error by its name,
// never ignored.

#include "test/standin/Driver/Hardware/Card.h"
#include "test/standin/Driver/Hardware/Processor.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Settings.h"

namespace sparkle::standin {

namespace {

constexpr size_t unlimited = 0x4000;

uint64_t join(uint32_t low, uint32_t high) {
  return uint64_t(high) << 32 | low;
}

std::string describe(const BankUse &use) {
  return format("%ju passes, least possible %ju", uintmax_t(use.passes),
                uintmax_t(use.least));
}

/// One line for each instruction with conflicts, and one for the dispatch.
void reportBanks(Generation generation, uint64_t program,
                 const BankUses &uses) {
  const char *card = getName(generation);
  BankUse loads, stores;
  for (const auto &[pc, use] : uses) {
    BankUse &sum = use.isStore ? stores : loads;
    sum.passes += use.passes;
    sum.least += use.least;
    if (use.passes > use.least)
      report(format("bank conflicts on %s: '%s' at 0x%jx of the program: %s",
                    card, use.instruction.c_str(), uintmax_t(pc - program),
                    describe(use).c_str()));
  }
  report(format("banks on %s: loads %s, stores %s", card,
                describe(loads).c_str(), describe(stores).c_str()));
}

uint32_t getField(uint32_t value, unsigned first, unsigned count) {
  return value >> first & ((1u << count) - 1);
}

enum InitiatorBits : uint32_t {
  COMPUTE_SHADER_EN = 1 << 0,
  PARTIAL_TG_EN = 1 << 1,
  FORCE_START_AT_000 = 1 << 2,
  USE_THREAD_DIMENSIONS = 1 << 5,
  ORDER_MODE = 1 << 6,
  CS_W32_EN = 1 << 15,
  DISABLE_DISP_PREMPT = 1 << 17, // gfx11
};

/// Where WRITE_DATA, COPY_DATA and DMA_DATA may read and write.
enum Selection : uint32_t { Memory = 5, Level2 = 2, Immediate = 5, Clock = 9 };

} // namespace

const Processor::Packet Processor::packets[] = {
    {0x10, "NOP", 0, unlimited, &Processor::ignore},
    {0x15, "DISPATCH_DIRECT", 4, 4, &Processor::dispatch},
    {0x37, "WRITE_DATA", 4, unlimited, &Processor::writeData},
    {0x3c, "WAIT_REG_MEM", 6, 6, &Processor::waitForMemory},
    {0x3f, "INDIRECT_BUFFER", 3, 3, &Processor::chain},
    {0x40, "COPY_DATA", 5, 5, &Processor::copyData},
    {0x46, "EVENT_WRITE", 1, 1, &Processor::writeEvent},
    {0x49, "RELEASE_MEM", 7, 7, &Processor::release},
    {0x50, "DMA_DATA", 6, 6, &Processor::moveData},
    {0x58, "ACQUIRE_MEM", 7, 7, &Processor::acquire},
    {0x76, "SET_SH_REG", 2, unlimited, &Processor::setShaderRegisters},
    {0x79, "SET_UCONFIG_REG", 2, unlimited, &Processor::setUserConfig},
    {0x9b, "SET_SH_REG_INDEX", 2, unlimited, &Processor::setIndexedRegisters},
    {0, nullptr, 0, 0, nullptr}};

Processor::Step Processor::ignore(const Body &) { return Step::More; }

Processor::Step Processor::writeRegisters(uint32_t offset, const Body &body) {
  for (size_t i = 1; i < body.size(); ++i) {
    uint32_t address = firstShaderRegister + 4 * (offset + i - 1);
    std::string wrong = registers.write(address, body[i]);
    if (!wrong.empty())
      return fail(wrong);
  }
  return Step::More;
}

Processor::Step Processor::setShaderRegisters(const Body &body) {
  if (body[0] >> 16)
    return fail(format("expected an offset alone, but got 0x%08x", body[0]));
  return writeRegisters(body[0], body);
}

Processor::Step Processor::setIndexedRegisters(const Body &body) {
  // Index 3: the value is combined with the units that the kernel leaves.
  if (body[0] >> 28 != 3 || getField(body[0], 16, 12))
    return fail(format("expected index 3, but got 0x%08x", body[0]));
  for (size_t i = 1; i < body.size(); ++i) {
    std::string name = getRegisterName(
        generation, firstShaderRegister + 4 * ((body[0] & 0xffff) + i - 1));
    if (name.rfind("COMPUTE_STATIC_THREAD_MGMT", 0) != 0)
      return fail("expected masks of compute units, but got " +
                  (name.empty() ? "no compute register" : name));
  }
  return writeRegisters(body[0] & 0xffff, body);
}

Processor::Step Processor::setUserConfig(const Body &body) {
  return fail(format("0x%05X is no register that a compute ring may write",
                     0x30000 + 4 * (body[0] & 0xffff)));
}

std::string Processor::checkInitiator(uint32_t initiator) const {
  uint32_t allowed =
      COMPUTE_SHADER_EN | FORCE_START_AT_000 | ORDER_MODE | CS_W32_EN;
  if (generation == Generation::Gfx1100)
    allowed |= DISABLE_DISP_PREMPT;
  if (!(initiator & COMPUTE_SHADER_EN))
    return "expected COMPUTE_SHADER_EN in the initiator";
  if (!(initiator & CS_W32_EN))
    return "expected CS_W32_EN in the initiator: the code is for waves of 32";
  if (initiator & PARTIAL_TG_EN)
    return "PARTIAL_TG_EN is not modelled: expected whole workgroups";
  if (initiator & USE_THREAD_DIMENSIONS)
    return "USE_THREAD_DIMENSIONS is not modelled: expected counts of "
           "workgroups";
  if (initiator & ~allowed)
    return format("unknown bits 0x%x in the initiator", initiator & ~allowed);
  return "";
}

std::string Processor::readDispatch(const Body &body, Dispatch &to) const {
  to.program = join(registers.get(PGM_LO) << 8, registers.get(PGM_LO) >> 24) |
               uint64_t(registers.get(PGM_HI)) << 40;
  if (registers.get(PGM_HI) >> 8)
    return format("COMPUTE_PGM_HI: expected 8 bits, but got 0x%x",
                  registers.get(PGM_HI));
  // The bus has 48 bits; the upper half is sign-extended.
  if (to.program >> 47)
    to.program |= 0xffff000000000000;
  to.rsrc1 = registers.get(PGM_RSRC1);
  to.rsrc2 = registers.get(PGM_RSRC2);
  to.rsrc3 = registers.get(PGM_RSRC3);
  to.initiator = body[3];
  for (uint32_t i = 0; i < 3; ++i) {
    to.threads[i] = registers.get(NUM_THREAD_X + 4 * i);
    bool isForced = body[3] & FORCE_START_AT_000;
    to.start[i] = isForced ? 0 : registers.get(START_X + 4 * i);
    to.end[i] = body[i];
    if (to.end[i] <= to.start[i])
      return format("expected workgroups, but %c runs from %u to %u%s",
                    "XYZ"[i], to.start[i], to.end[i],
                    isForced ? ""
                             : " (without FORCE_START_AT_000 the dimensions "
                               "are where it ends)");
  }
  for (uint32_t i = 0; i < 16; ++i) {
    to.userData[i] = registers.get(USER_DATA_0 + 4 * i);
    to.userDataWritten |= registers.isWritten(USER_DATA_0 + 4 * i) << i;
  }
  return "";
}

Processor::Step Processor::dispatch(const Body &body) {
  std::string wrong = checkInitiator(body[3]);
  if (wrong.empty())
    wrong = registers.checkDispatch();
  Dispatch work;
  if (wrong.empty())
    wrong = readDispatch(body, work);
  if (!wrong.empty())
    return fail(wrong);
  caches.beginDispatch();
  BankUses banks;
  bool counts = getSettings().countsConflicts;
  Outcome outcome =
      run(generation, work, caches, seed++, budget, counts ? &banks : nullptr);
  caches.endDispatch();
  if (counts)
    reportBanks(generation, work.program, banks);
  if (outcome.kind == Outcome::Kind::Fault)
    return fail(outcome.message);
  if (outcome.kind == Outcome::Kind::Hang || outcome.instructions > budget)
    return fail("hang: the budget of instructions is used up" +
                (outcome.message.empty() ? "" : ", " + outcome.message));
  budget -= outcome.instructions;
  return Step::More;
}

Processor::Step Processor::writeEvent(const Body &body) {
  constexpr uint32_t partialFlush = 7, index = 4;
  if (body[0] != (partialFlush | index << 8))
    return fail(
        format("expected CS_PARTIAL_FLUSH (0x407), but got 0x%x", body[0]));
  caches.drain();
  return Step::More;
}

Processor::Step Processor::acquire(const Body &body) {
  if (body[0])
    return fail(format("expected 0 in dword 1, but got 0x%x", body[0]));
  if (body[1] != ~0u || body[2] < 0xff || body[3] || body[4])
    return fail("expected the whole address range: others are not modelled");
  uint32_t bits = body[6];
  uint32_t known = gcrAll | GCR_GLK_WB | 3 << 16; // SEQ
  if (bits & ~known)
    return fail(format("unknown bits 0x%x in GCR_CNTL", bits & ~known));
  if ((bits & GCR_GLM_WB) && !(bits & GCR_GLM_INV))
    return fail("expected GLM_INV with GLM_WB in GCR_CNTL");
  return caches.acquire(bits) ? Step::More : fail(caches.getFault());
}

Processor::Step Processor::release(const Body &body) {
  enum : uint32_t {
    GLM_WB = 1 << 12,
    GLM_INV = 1 << 13,
    GLV_INV = 1 << 14,
    GL1_INV = 1 << 15,
    GL2_INV = 1 << 20,
    GL2_WB = 1 << 21,
    SEQ = 1 << 22,
    POLICY = 3 << 25,
  };
  uint32_t event = body[0] & 0x3f, index = getField(body[0], 8, 4);
  if ((event != 0x14 && event != 0x28) || index != 5)
    return fail(format("expected event 0x14 or 0x28 with index 5, but got 0x%x "
                       "with %u",
                       event, index));
  uint32_t rest = body[0] & ~(0xf3fu | GLM_WB | GLM_INV | GLV_INV | GL1_INV |
                              GL2_INV | GL2_WB | SEQ | POLICY);
  if (rest)
    return fail(format("unknown bits 0x%x in dword 1", rest));
  if ((body[0] & GLM_WB) && !(body[0] & GLM_INV))
    return fail("expected GLM_INV with GLM_WB");
  if (body[6])
    return fail(format("expected context 0, but got 0x%x", body[6]));
  // The caches are invalidated some time later, when nobody can rely on it:
  // what follows does not wait for this packet.
  if (body[0] & GL2_WB)
    second.writeBack();
  return writeReleased(body);
}

Processor::Step Processor::writeReleased(const Body &body) {
  uint32_t what = body[1] >> 29, interrupt = getField(body[1], 24, 3);
  if (body[1] & ~(7u << 29 | 7u << 24 | 3u << 16))
    return fail(format("unknown bits in dword 2: 0x%x", body[1]));
  if (interrupt != 0 && interrupt != 2 && interrupt != 3)
    return fail(format("expected INT_SEL 0, 2 or 3, but got %u", interrupt));
  if (what > 3)
    return fail(format("expected DATA_SEL 0 to 3, but got %u", what));
  if (!what)
    return Step::More;
  uint64_t value = what == 3 ? getTimestamp() : join(body[4], body[5]);
  uint64_t address = join(body[2], body[3]);
  size_t size = what == 1 ? 4 : 8;
  if (address % size)
    return fail(format("expected an address that is a multiple of %zu, but got "
                       "0x%jx",
                       size, uintmax_t(address)));
  return caches.publish(address, &value, size) ? Step::More
                                               : fail(caches.getFault());
}

Processor::Step Processor::writeData(const Body &body) {
  uint32_t to = getField(body[0], 8, 4);
  if (to != Memory && to != Level2)
    return fail(format("expected DST_SEL 2 or 5, but got %u", to));
  if (body[0] >> 16 & 1)
    return fail("WR_ONE_ADDR is not modelled");
  uint64_t address = join(body[1], body[2]);
  if (address % 4)
    return fail(format("expected an address that is a multiple of 4, but got "
                       "0x%jx",
                       uintmax_t(address)));
  return caches.store(address, &body[3], 4 * (body.size() - 3))
             ? Step::More
             : fail(caches.getFault());
}

Processor::Step Processor::copyData(const Body &body) {
  uint32_t from = getField(body[0], 0, 4), to = getField(body[0], 8, 4);
  size_t size = body[0] >> 16 & 1 ? 8 : 4;
  uint64_t value = join(body[1], body[2]), address = join(body[3], body[4]);
  if (from == 1 || from == Level2) {
    if (!caches.load(join(body[1], body[2]), &value, size))
      return fail(caches.getFault());
  } else if (from == Clock) {
    value = getTimestamp();
  } else if (from != Immediate) {
    return fail(format("expected SRC_SEL 1, 2, 5 or 9, but got %u", from));
  }
  if (to != Memory && to != Level2)
    return fail(format("expected DST_SEL 2 or 5, but got %u", to));
  if (address % size)
    return fail(format("expected an address that is a multiple of %zu, but got "
                       "0x%jx",
                       size, uintmax_t(address)));
  return caches.store(address, &value, size) ? Step::More
                                             : fail(caches.getFault());
}

Processor::Step Processor::moveData(const Body &body) {
  uint32_t to = getField(body[0], 20, 2), from = getField(body[0], 29, 2);
  if (!(body[0] >> 31))
    return fail("expected CP_SYNC: what follows does not wait otherwise");
  if ((to != 0 && to != 3) || from == 1)
    return fail(format("expected DST_SEL 0 or 3 and SRC_SEL 0, 2 or 3, but got "
                       "%u and %u",
                       to, from));
  uint32_t size = body[5] & 0x3ffffff;
  if (body[5] & ~(0x3ffffffu | 1u << 30 | 1u << 31))
    return fail(format("unknown bits in the command 0x%x", body[5]));
  std::vector<uint8_t> bytes(size);
  if (from == 2) {
    for (uint32_t i = 0; i < size; ++i)
      bytes[i] = body[1] >> i % 4 * 8;
  } else if (!caches.load(join(body[1], body[2]), bytes.data(), size)) {
    return fail(caches.getFault());
  }
  return caches.store(join(body[3], body[4]), bytes.data(), size)
             ? Step::More
             : fail(caches.getFault());
}

Processor::Step Processor::waitForMemory(const Body &body) {
  uint32_t function = body[0] & 7, value = 0;
  if (!(body[0] >> 4 & 1) || getField(body[0], 6, 2))
    return fail("expected to wait for memory: registers are not modelled");
  uint64_t address = join(body[1], body[2]);
  if (address % 4)
    return fail(format("expected an address that is a multiple of 4, but got "
                       "0x%jx",
                       uintmax_t(address)));
  if (!caches.load(address, &value, 4))
    return fail(caches.getFault());
  value &= body[4];
  uint32_t reference = body[3];
  bool outcomes[] = {true,
                     value<reference, value <= reference, value == reference,
                           value != reference, value >= reference, value>
                         reference,
                     false};
  if (function == 7)
    return fail("expected a function below 7");
  return outcomes[function] ? Step::More : Step::Wait;
}

Processor::Step Processor::chain(const Body &body) {
  constexpr uint32_t isChained = 1 << 20, isValid = 1 << 23;
  if (!(body[2] & isChained))
    return fail("expected CHAIN: compute rings do not return from an IB");
  if (body[2] & ~(0xfffffu | isChained | isValid))
    return fail(format("unknown bits in dword 3: 0x%x", body[2]));
  running.address = join(body[0], body[1]);
  running.bytes = 4 * (body[2] & 0xfffff);
  hasMoved = true;
  return enter();
}

} // namespace sparkle::standin
