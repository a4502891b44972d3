// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a dispatch: checks its registers, starts workgroups and waves in an
// order drawn from the seed, and takes turns between them.

#include "test/standin/Core/Core.h"
#include "test/standin/Core/Flow.h"
#include "test/standin/Core/Launch.h"
#include "test/standin/Core/Memory.h"
#include "test/standin/Core/Program.h"
#include "test/standin/Core/Wave.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace sparkle::standin {
namespace {

/// How many workgroups are on the machine at once.
constexpr size_t kResident = 2;
/// The longest turn of a wave, in instructions.
constexpr uint64_t kTurn = 256;

class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  /// From 0 to below `bound`.
  uint64_t below(uint64_t bound) {
    state += 0x9e3779b97f4a7c15ull;
    uint64_t mixed = state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebull;
    return (mixed ^ mixed >> 31) % bound;
  }

private:
  uint64_t state;
};

/// A workgroup on the machine.
struct Resident {
  Workgroup group;
  std::vector<std::unique_ptr<Wave>> waves;

  bool isDone() const {
    return std::all_of(waves.begin(), waves.end(), [](const auto &wave) {
      return wave->state == Wave::State::Ended;
    });
  }
  /// Opens the barrier if all waves that have not ended stand at it.
  void openBarrier() {
    for (const auto &wave : waves)
      if (wave->state == Wave::State::Runs)
        return;
    for (const auto &wave : waves)
      if (wave->state == Wave::State::Waits)
        wave->state = Wave::State::Runs;
  }
};

class Machine {
public:
  Machine(Generation generation, const Dispatch &dispatch, Port &memory,
          uint64_t seed, uint64_t budget, BankUses *banks)
      : dispatch(dispatch), memory(memory), banks(banks),
        generation(generation),
        program(generation, countVectors(dispatch), memory), random(seed),
        budget(budget) {}

  Outcome run();

private:
  void shuffleGroups();
  void admit();
  Wave *pick(Resident *&owner);
  void takeTurn(Wave &wave);
  void step(Wave &wave, const Step *&at);
  void conclude(const Wave &wave, Outcome::Kind kind, std::string what);

  const Dispatch &dispatch;
  Port &memory;
  BankUses *banks;
  Generation generation;
  Program program;
  Random random;
  uint64_t budget;
  std::vector<uint64_t> waiting; ///< Workgroups by number, last one first.
  std::vector<std::unique_ptr<Resident>> residents;
  std::vector<std::unique_ptr<Wave>> spare;
  Outcome outcome;
};

void Machine::shuffleGroups() {
  uint64_t count = 1;
  for (unsigned i = 0; i < 3; ++i)
    count *= dispatch.end[i] > dispatch.start[i]
                 ? dispatch.end[i] - dispatch.start[i]
                 : 0;
  waiting.resize(count);
  for (uint64_t i = 0; i < count; ++i)
    waiting[i] = i;
  for (uint64_t i = count; i > 1; --i)
    std::swap(waiting[i - 1], waiting[random.below(i)]);
}

void Machine::admit() {
  auto resident = std::make_unique<Resident>();
  Workgroup &group = resident->group;
  uint64_t number = waiting.back();
  waiting.pop_back();
  for (unsigned i = 0; i < 3; ++i) {
    uint64_t extent = dispatch.end[i] - dispatch.start[i];
    group.id[i] = uint32_t(dispatch.start[i] + number % extent);
    number /= extent;
  }
  prepareGroup(dispatch, group);
  for (unsigned i = 0; i < countWaves(dispatch); ++i) {
    if (spare.empty())
      spare.push_back(std::make_unique<Wave>());
    std::unique_ptr<Wave> wave = std::move(spare.back());
    spare.pop_back();
    wave->memory = &memory;
    wave->banks = banks;
    prepareWave(generation, dispatch, group, i, *wave);
    resident->waves.push_back(std::move(wave));
  }
  residents.push_back(std::move(resident));
}

Wave *Machine::pick(Resident *&owner) {
  owner = residents[random.below(residents.size())].get();
  size_t count = owner->waves.size(), first = random.below(count);
  for (size_t i = 0; i < count; ++i) {
    Wave &wave = *owner->waves[(first + i) % count];
    if (wave.state == Wave::State::Runs)
      return &wave;
  }
  return nullptr;
}

void Machine::conclude(const Wave &wave, Outcome::Kind kind, std::string what) {
  const uint32_t *id = wave.group->id;
  const Step *at = wave.step;
  outcome.kind = kind;
  outcome.address = wave.faultAddress;
  outcome.message = std::move(what) + " at pc " + hex(at ? at->pc : wave.pc);
  if (at && at->instruction)
    outcome.message += " '" + at->instruction->text + "'";
  outcome.message += ", workgroup (" + std::to_string(id[0]) + ", " +
                     std::to_string(id[1]) + ", " + std::to_string(id[2]) +
                     "), wave " + std::to_string(wave.number);
}

void Machine::step(Wave &wave, const Step *&at) {
  wave.step = at;
  wave.pc = at->next;
  if (!at->refusal.empty()) {
    wave.faultAddress = at->faultAddress;
    return wave.fail(at->refusal);
  }
  at->execute(wave, *at->instruction);
  if (wave.pc == at->next && at->following) {
    at = at->following;
    return;
  }
  if (wave.state != Wave::State::Runs)
    return;
  Step &next = program.at(wave.pc);
  if (wave.pc == at->next)
    const_cast<Step *>(at)->following = &next;
  at = &next;
}

void Machine::takeTurn(Wave &wave) {
  uint64_t turn = std::min(1 + random.below(kTurn), budget);
  uint64_t left = turn;
  enterMode(wave);
  const Step *at = &program.at(wave.pc);
  for (; left && wave.state == Wave::State::Runs; --left)
    step(wave, at);
  leaveMode();
  budget -= turn - left;
  outcome.instructions += turn - left;
  if (wave.failed())
    conclude(wave, Outcome::Kind::Fault, wave.failure);
}

Outcome Machine::run() {
  shuffleGroups();
  while (outcome.kind == Outcome::Kind::Done) {
    while (residents.size() < kResident && !waiting.empty())
      admit();
    if (residents.empty())
      break;
    Resident *owner = nullptr;
    if (Wave *wave = pick(owner)) {
      if (budget)
        takeTurn(*wave);
      else
        conclude(*wave, Outcome::Kind::Hang,
                 "budget of " + std::to_string(outcome.instructions) +
                     " instructions used up");
      continue;
    }
    owner->openBarrier();
    if (!owner->isDone())
      continue;
    for (auto &wave : owner->waves)
      spare.push_back(std::move(wave));
    residents.erase(std::find_if(
        residents.begin(), residents.end(),
        [owner](const auto &each) { return each.get() == owner; }));
  }
  return std::move(outcome);
}

} // namespace

Outcome run(Generation generation, const Dispatch &dispatch, Port &memory,
            uint64_t seed, uint64_t budget, BankUses *banks) {
  std::string refusal = checkDispatch(generation, dispatch);
  if (refusal.empty())
    return Machine(generation, dispatch, memory, seed, budget, banks).run();
  Outcome outcome;
  outcome.kind = Outcome::Kind::Fault;
  outcome.message = std::move(refusal);
  return outcome;
}

} // namespace sparkle::standin
