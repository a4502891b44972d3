// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RDNA 3 issues two multiply-adds together if they write an even and an odd
// register, and read each operand from different banks of four. A quad lies in
// four neighbouring registers, so that its lanes tell banks apart.

#include "lib/Target/AMDGPU/PairSums.h"

#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsAMDGPU.h"

using namespace llvm;

namespace sparkle::amdgpu {
namespace {

constexpr unsigned kLanes = 4;
using Quad = std::array<Value *, kLanes>;

/// Multiply-adds to the same quad of sums, one after the other.
struct Chain {
  Value *begin;
  SmallVector<IntrinsicInst *, 2> steps;
};

/// A factor of one multiply-add.
struct Factor {
  Value *value;
  /// The lane of the quad that it comes from, if it does.
  std::optional<unsigned> lane;

  bool conflicts(const Factor &other) const {
    return value == other.value || (lane && lane == other.lane);
  }
};

struct Term {
  unsigned chain, lane;
  Factor left, right;

  bool pairsWith(const Term &other) const {
    return lane % 2 != other.lane % 2 && !left.conflicts(other.left) &&
           !right.conflicts(other.right);
  }
};

class Pairing {
public:
  explicit Pairing(BasicBlock &block) : block(block), builder(&block) {}
  void run();

private:
  void add(IntrinsicInst *sum);
  bool isUsedBy(const Instruction &instruction) const;
  void flush(Instruction *before);
  std::vector<Term> listTerms();
  Factor getFactor(Value *vector, unsigned lane);
  Quad &getLanes(Value *vector);
  void emit(const Term &term, std::vector<Quad> &sums);

  BasicBlock &block;
  IRBuilder<> builder;
  std::vector<Chain> chains;
  DenseMap<Value *, Quad> lanes;
};

bool isSum(const Instruction &instruction) {
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  return call && call->getIntrinsicID() == Intrinsic::fma &&
         call->hasAllowReassoc();
}

bool isQuad(const Instruction &instruction) {
  auto *type = dyn_cast<FixedVectorType>(instruction.getType());
  return type && type->getNumElements() == kLanes;
}

void Pairing::run() {
  for (Instruction &instruction : make_early_inc_range(block)) {
    if (isSum(instruction) && isQuad(instruction))
      add(cast<IntrinsicInst>(&instruction));
    else if (isUsedBy(instruction))
      flush(&instruction);
  }
}

/// Whether it has to stand behind the sums.
bool Pairing::isUsedBy(const Instruction &instruction) const {
  return instruction.isTerminator() || any_of(chains, [&](const Chain &chain) {
           return is_contained(instruction.operands(), chain.steps.back());
         });
}

void Pairing::add(IntrinsicInst *sum) {
  constexpr size_t kSteps = 2;
  auto find = [&](Value *value) {
    return find_if(chains, [&](const Chain &chain) {
      return chain.steps.back() == value;
    });
  };
  auto chain = find(sum->getArgOperand(2));
  bool isFactor = find(sum->getArgOperand(0)) != chains.end() ||
                  find(sum->getArgOperand(1)) != chains.end();
  if (isFactor ||
      (chain != chains.end() &&
       (chain->steps.size() == kSteps || !chain->steps.back()->hasOneUse()))) {
    flush(sum);
    chain = chains.end();
  }
  if (chain == chains.end())
    chains.push_back({sum->getArgOperand(2), {sum}});
  else
    chain->steps.push_back(sum);
}

Quad &Pairing::getLanes(Value *vector) {
  auto [place, isNew] = lanes.try_emplace(vector);
  if (isNew)
    for (unsigned lane = 0; lane < kLanes; ++lane)
      place->second[lane] = builder.CreateExtractElement(vector, lane);
  return place->second;
}

Factor Pairing::getFactor(Value *vector, unsigned lane) {
  if (auto *shuffle = dyn_cast<ShuffleVectorInst>(vector)) {
    ArrayRef<int> mask = shuffle->getShuffleMask();
    Value *source = shuffle->getOperand(0);
    auto *type = cast<FixedVectorType>(source->getType());
    if (all_equal(mask) && mask[0] >= 0 && type->getNumElements() == kLanes &&
        !isa<InsertElementInst>(source))
      return {getLanes(source)[mask[0]], unsigned(mask[0])};
  }
  if (Value *scalar = getSplatValue(vector))
    return {scalar, std::nullopt};
  return {getLanes(vector)[lane], lane};
}

/// Step after step, lane after lane, so that no sum is wanted again at once.
std::vector<Term> Pairing::listTerms() {
  std::vector<Term> terms;
  size_t steps = 0;
  for (const Chain &chain : chains)
    steps = std::max(steps, chain.steps.size());
  for (size_t step = 0; step < steps; ++step)
    for (unsigned lane = 0; lane < kLanes; ++lane)
      for (auto [number, chain] : enumerate(chains))
        if (step < chain.steps.size()) {
          IntrinsicInst *sum = chain.steps[step];
          terms.push_back({unsigned(number), lane,
                           getFactor(sum->getArgOperand(0), lane),
                           getFactor(sum->getArgOperand(1), lane)});
        }
  return terms;
}

void Pairing::emit(const Term &term, std::vector<Quad> &sums) {
  Value *&sum = sums[term.chain][term.lane];
  sum = builder.CreateIntrinsic(Intrinsic::fma, {sum->getType()},
                                {term.left.value, term.right.value, sum});
}

/// Writes the terms so far in front of `before`.
void Pairing::flush(Instruction *before) {
  if (chains.empty())
    return;
  builder.SetInsertPoint(before);
  std::vector<Quad> sums;
  for (const Chain &chain : chains)
    sums.push_back(getLanes(chain.begin));
  std::vector<Term> terms = listTerms();
  std::vector<bool> done(terms.size());
  SmallVector<size_t> alone;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (done[i])
      continue;
    size_t other = i + 1;
    while (other < terms.size() &&
           (done[other] || !terms[i].pairsWith(terms[other])))
      ++other;
    if (other == terms.size()) {
      alone.push_back(i);
      continue;
    }
    done[other] = true;
    emit(terms[i], sums);
    emit(terms[other], sums);
  }
  for (size_t i : alone)
    emit(terms[i], sums);
  for (auto [chain, quad] : zip(chains, sums)) {
    Value *vector = PoisonValue::get(chain.begin->getType());
    for (unsigned lane = 0; lane < kLanes; ++lane)
      vector = builder.CreateInsertElement(vector, quad[lane], lane);
    lanes[vector] = quad;
    chain.steps.back()->replaceAllUsesWith(vector);
    for (IntrinsicInst *step : reverse(chain.steps))
      step->eraseFromParent();
  }
  chains.clear();
}

/// Whether only other blocks, or another trip, use it.
bool isForOthers(const Instruction &sum) {
  return none_of(sum.users(), [&](const User *user) {
    auto *instruction = cast<Instruction>(user);
    return instruction->getParent() == sum.getParent() &&
           !isa<PHINode>(instruction);
  });
}

} // namespace

void keepSums(Function &function) {
  IRBuilder<> builder(function.getContext());
  for (BasicBlock &block : function) {
    builder.SetInsertPoint(block.getTerminator());
    for (Instruction &instruction : block)
      if (isSum(instruction) && isForOthers(instruction))
        builder.CreateIntrinsic(Intrinsic::fake_use, {&instruction});
  }
}

void pairSums(Function &function) {
  for (BasicBlock &block : function)
    Pairing(block).run();
}

void boundMotion(Function &function) {
  constexpr unsigned kBound = 32;
  IRBuilder<> builder(function.getContext());
  for (BasicBlock &block : function) {
    unsigned count = 0;
    for (Instruction &instruction : make_early_inc_range(block)) {
      auto *call = dyn_cast<IntrinsicInst>(&instruction);
      if (!call || call->getIntrinsicID() != Intrinsic::fma ||
          ++count % kBound != 0)
        continue;
      builder.SetInsertPoint(instruction.getNextNode());
      builder.CreateIntrinsic(Intrinsic::amdgcn_sched_barrier,
                              {builder.getInt32(0)});
    }
  }
}

} // namespace sparkle::amdgpu
