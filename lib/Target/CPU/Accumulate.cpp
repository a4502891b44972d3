// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which an accumulate loads its operands and multiplies.

#include "lib/Target/CPU/Contract.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include <map>
#include <optional>
#include <tuple>

using namespace mlir;

namespace sparkle::cpu {

/// Whether steps of dimension `dim` move all coordinates evenly.
static bool movesEvenly(AffineMap map, unsigned dim) {
  bool even = true;
  map.walkExprs([&](AffineExpr expr) {
    bool divides = expr.getKind() == AffineExprKind::FloorDiv ||
                   expr.getKind() == AffineExprKind::CeilDiv ||
                   expr.getKind() == AffineExprKind::Mod;
    even &= !divides || !expr.isFunctionOfDim(dim);
  });
  return even;
}

/// One accumulate: a list of terms, each the sum of one vector of the tile at
/// one point of the slice, out of one element of each operand.
///
/// What counts is the order. Terms that read the same elements (taps of a
/// kernel along a row, of all vectors that share its elements) form a group.
/// Within a group the operand with the fewest elements is resident: all of its
/// elements are loaded first, or each when it is wanted where there is no room
/// for all at once. Each element of the other is loaded once and used at once
/// by all terms that need it. Left to itself, CSE would merge the loads of
/// distant taps and keep the elements alive in between, which spills.
///
/// Elements whose lanes are scattered, each lane next to the same one of
/// others, are loaded with these as blocks, which are transposed: such a bunch
/// is one group. Of as many as there are lanes that are only added up, what is
/// contiguous is added up across its vectors.
///
/// What constants change is an operand like others: its elements are computed
/// where others are loaded.
class Accumulation {
public:
  Accumulation(KernelLowering &lowering, AccumulateOp op)
      : lowering(lowering), code(lowering.code), op(op),
        tile(op.getSums().getType()), sums(lowering.tiles[op.getSums()]),
        at(lowering.indices.getPoint(op.getAt())) {
    std::optional<unsigned> found;
    if (Contraction::applies(op))
      found = Contraction::findChanged(op);
    if (found && !contraction.emplace(lowering, op, found).isKnown()) {
      contraction.reset();
      found.reset();
    }
    auto all = llvm::to_vector(op.getMaps().getAsValueRange<AffineMapAttr>());
    for (auto [i, box] : llvm::enumerate(op.getBoxes())) {
      if (found && getConstant(box)) {
        numbers.push_back(all[i]);
        continue;
      }
      if (found == i)
        changed = maps.size();
      memories.push_back(lowering.memories[box]);
      maps.push_back(all[i]);
      inside.push_back(op.getInside()[i]);
      isEven.push_back(movesEvenly(all[i], tile.laneDim));
    }
    elements.resize(maps.size());
    known.resize(maps.size());
  }

  LogicalResult run();

private:
  struct Term {
    unsigned vector;
    unsigned slice;
    SmallVector<unsigned, 2> elements;
  };
  void collectTerms();
  unsigned getElement(unsigned operand, const Point &point,
                      ArrayRef<int64_t> offset, int64_t filled);
  bool vanishes(const Term &term);
  bool isPlainSum();
  void collectBunches();
  void joinWindows();
  const SmallVector<unsigned> *findBunch(unsigned operand, unsigned element);
  SmallVector<SmallVector<unsigned>> groupTerms();
  struct Roles {
    unsigned streamed = 0;
    /// Registers that the elements of all other operands take.
    unsigned resident = 0;
  };
  Roles assignRoles(ArrayRef<unsigned> group);
  /// The terms that want one streamed element, for each of these.
  using Steps = SmallVector<SmallVector<unsigned>>;
  Steps getSteps(ArrayRef<unsigned> group, Roles roles);
  const Access &getStreamed(ArrayRef<unsigned> step, Roles roles);
  std::optional<Steps> roll(ArrayRef<unsigned> group, Roles roles);
  bool fits(size_t resident) const;
  bool addAcross(ArrayRef<unsigned> group);
  LogicalResult emitGroup(ArrayRef<unsigned> group, Roles roles);
  LogicalResult emitSteps(const Steps &steps, ArrayRef<unsigned> resident,
                          Roles roles);
  void keepLoadsBehind();
  void hideStreamed(Roles roles);
  LogicalResult emitTerm(const Term &term, ArrayRef<Value> arguments);

  KernelLowering &lowering;
  Code &code;
  AccumulateOp op;
  TileVectors tile;
  SmallVector<Value> sums;
  Point at;
  std::vector<Memory> memories;
  SmallVector<AffineMap> maps;
  SmallVector<int64_t> inside;
  /// Whether the first lane tells the others.
  SmallVector<bool> isEven;
  /// What constants change, how, and the coordinates of the constants.
  std::optional<unsigned> changed;
  std::optional<VectorContraction> contraction;
  SmallVector<AffineMap> numbers;

  SmallVector<Term> terms;
  /// Per operand: its distinct elements, and what finds them again.
  std::vector<std::vector<Access>> elements;
  std::vector<std::map<std::pair<Point, int64_t>, unsigned>> known;
  /// Per operand: the elements that are loaded together with one, and that one.
  std::vector<std::map<unsigned, SmallVector<unsigned>>> bunches;
  /// Of each element of what is changed, where it is first wanted.
  std::vector<SmallVector<int64_t>> origins;
};

LogicalResult KernelLowering::lower(AccumulateOp op) {
  Indices::Scope scope(indices);
  if (contract(op))
    return success();
  return Accumulation(*this, op).run();
}

/// The element of an operand for the vector that begins at `point`, a point of
/// the iteration space `offset` from that of the accumulate.
unsigned Accumulation::getElement(unsigned operand, const Point &point,
                                  ArrayRef<int64_t> offset, int64_t filled) {
  AffineMap map = maps[operand];
  // An operand that does not vary along the lanes is the same for a full and
  // for a partial vector.
  bool varies = map.isFunctionOfDim(tile.laneDim);
  SmallVector<Point> lanes;
  auto addLanes = [&](int64_t end) {
    for (auto lane = static_cast<int64_t>(lanes.size()); lane < end; ++lane) {
      Point moved = point;
      moved[tile.laneDim] = moved[tile.laneDim] + lane;
      lanes.push_back(Point(lowering.indices.evaluate(map, moved)));
    }
  };
  addLanes(varies && !isEven[operand] ? filled : 1);
  Point key;
  for (const Point &lane : lanes)
    llvm::append_range(key, lane);
  if (operand == changed)
    for (AffineMap number : numbers)
      llvm::append_range(key, lowering.indices.evaluate(number, point));
  auto [found, isNew] = known[operand].try_emplace({key, varies ? filled : 0},
                                                   elements[operand].size());
  if (!isNew)
    return found->second;
  addLanes(varies ? filled : 1);
  elements[operand].push_back(
      lowering.resolve(memories[operand], lanes, tile.lanes, inside[operand]));
  if (operand == changed)
    origins.emplace_back(offset);
  return found->second;
}

/// Whether a term is zero because a factor lies outside of its tensor.
bool Accumulation::vanishes(const Term &term) {
  if (contraction)
    return llvm::any_of(llvm::enumerate(term.elements), [&](auto element) {
      return elements[element.index()][element.value()].kind == Access::Nothing;
    });
  Block &body = op.getBody().front();
  return sparkle::vanishes(
      body.getTerminator()->getOperand(0), [&](Value value) {
        auto argument = dyn_cast<BlockArgument>(value);
        if (!argument || argument.getOwner() != &body)
          return false;
        unsigned operand = argument.getArgNumber();
        return elements[operand][term.elements[operand]].kind ==
               Access::Nothing;
      });
}

void Accumulation::collectTerms() {
  ArrayRef<int64_t> slice = op.getSlice();
  SmallVector<int64_t> index(slice.size(), 0);
  unsigned rank = at.size() - slice.size();
  unsigned position = 0;
  for (bool more = true; more; ++position) {
    for (auto [number, vector] : llvm::enumerate(tile.vectors)) {
      SmallVector<int64_t> offset(vector.offset);
      llvm::append_range(offset, index);
      Point point = at;
      for (auto [coordinate, moved] : llvm::zip(point, offset))
        coordinate = coordinate + moved;
      Term term{static_cast<unsigned>(number), position, {}};
      for (unsigned operand = 0; operand < maps.size(); ++operand)
        term.elements.push_back(
            getElement(operand, point, offset, vector.filled));
      if (!vanishes(term))
        terms.push_back(std::move(term));
    }
    more = false;
    for (unsigned i = slice.size(); i-- > 0 && !more;) {
      if (contraction && contraction->sumsOver(rank + i))
        continue;
      more = ++index[i] < slice[i];
      if (!more)
        index[i] = 0;
    }
  }
}

/// Whether the terms are elements of one operand as they are.
bool Accumulation::isPlainSum() {
  Block &body = op.getBody().front();
  return !contraction && maps.size() == 1 &&
         body.getTerminator()->getOperand(0) == body.getArgument(0);
}

/// Puts up to a block of neighbours each into a bunch, or as many as there are
/// lanes where these are added up across.
void Accumulation::collectBunches() {
  bunches.resize(maps.size());
  size_t most = isPlainSum() ? tile.lanes : kBlock;
  for (unsigned operand = 0; operand < maps.size(); ++operand) {
    if (operand == changed)
      continue;
    ArrayRef<Access> all = elements[operand];
    SmallVector<unsigned> order;
    for (auto [number, access] : llvm::enumerate(all))
      if (access.kind == Access::Scattered && access.present.test(0))
        order.push_back(number);
    llvm::sort(order, [&](unsigned a, unsigned b) {
      const LinearForm &left = all[a].offsets.front();
      const LinearForm &right = all[b].offsets.front();
      return std::tie(left.terms, left.constant) <
             std::tie(right.terms, right.constant);
    });
    std::vector<Access> sorted;
    for (unsigned number : order)
      sorted.push_back(all[number]);
    for (ArrayRef<Access> rest(sorted); !rest.empty();) {
      size_t count = countNeighbours(rest.take_front(most));
      if (count < most)
        count = std::min<size_t>(count, kBlock);
      ArrayRef<unsigned> bunch = ArrayRef(order).take_back(rest.size());
      bunch = bunch.take_front(count);
      rest = rest.drop_front(count);
      if (count > 1)
        for (unsigned element : bunch)
          bunches[operand][element] = SmallVector<unsigned>(bunch);
    }
  }
}

/// Repeated elements whose windows are one that is no longer than a vector, as
/// those of neighbouring channels, are loaded from that: so it begins where the
/// first lane's block does.
void Accumulation::joinWindows() {
  for (std::vector<Access> &all : elements) {
    SmallVector<Access *> order;
    for (Access &access : all)
      if (access.windowEnd)
        order.push_back(&access);
    auto getBegin = [](const Access &access) {
      return access.offsets[access.present.find_first()] + access.windowBegin;
    };
    llvm::sort(order, [&](Access *a, Access *b) {
      LinearForm left = getBegin(*a), right = getBegin(*b);
      return std::tie(left.terms, left.constant) <
             std::tie(right.terms, right.constant);
    });
    for (ArrayRef<Access *> rest(order); !rest.empty();) {
      LinearForm begin = getBegin(*rest.front());
      int64_t size = 0;
      auto joins = [&](Access *access) {
        LinearForm distance = getBegin(*access) - begin;
        if (!distance.isConstant() ||
            access->conditions != rest.front()->conditions)
          return false;
        int64_t end =
            distance.constant + access->windowEnd - access->windowBegin;
        if (end > tile.lanes)
          return false;
        size = std::max(size, end);
        return true;
      };
      ArrayRef<Access *> joined = rest.take_while(joins);
      for (Access *access : joined) {
        access->windowBegin -= (getBegin(*access) - begin).constant;
        access->windowEnd = access->windowBegin + size;
      }
      rest = rest.drop_front(joined.size());
    }
  }
}

const SmallVector<unsigned> *Accumulation::findBunch(unsigned operand,
                                                     unsigned element) {
  auto found = bunches[operand].find(element);
  return found == bunches[operand].end() ? nullptr : &found->second;
}

/// Terms by groups that share elements or bunches of them; of an operand that
/// is the same at every point of the slice, only at the same point.
SmallVector<SmallVector<unsigned>> Accumulation::groupTerms() {
  unsigned rank = at.size() - op.getSlice().size();
  auto moves = [&](AffineMap map) {
    for (unsigned dim = rank; dim < at.size(); ++dim)
      if (map.isFunctionOfDim(dim))
        return true;
    return false;
  };
  llvm::EquivalenceClasses<unsigned> classes;
  std::map<std::tuple<unsigned, unsigned, unsigned>, unsigned> firstUse;
  for (auto [i, term] : llvm::enumerate(terms)) {
    classes.insert(i);
    for (auto [operand, element] : llvm::enumerate(term.elements)) {
      unsigned slice = moves(maps[operand]) ? 0 : term.slice;
      unsigned first = element;
      if (const SmallVector<unsigned> *bunch = findBunch(operand, element))
        first = bunch->front(), slice = 0;
      auto [use, isNew] = firstUse.try_emplace({operand, first, slice}, i);
      if (!isNew)
        classes.unionSets(use->second, i);
    }
  }
  SmallVector<SmallVector<unsigned>> groups;
  std::map<unsigned, unsigned> numbers;
  for (unsigned i = 0; i < terms.size(); ++i) {
    auto [number, isNew] =
        numbers.try_emplace(classes.getLeaderValue(i), groups.size());
    if (isNew)
      groups.emplace_back();
    groups[number->second].push_back(i);
  }
  return groups;
}

/// The operand with the most elements streams.
Accumulation::Roles Accumulation::assignRoles(ArrayRef<unsigned> group) {
  Roles roles;
  unsigned most = 0;
  for (unsigned operand = 0; operand < maps.size(); ++operand) {
    llvm::SmallDenseSet<unsigned> distinct;
    for (unsigned i : group)
      distinct.insert(terms[i].elements[operand]);
    roles.resident += distinct.size();
    if (distinct.size() > most)
      roles.streamed = operand, most = distinct.size();
  }
  roles.resident -= most;
  return roles;
}

/// Loads from neighbouring addresses that LLVM moves together at most
/// (ClusterNeighboringLoads).
constexpr size_t kClustered = 4;

/// Keeps the loads that follow behind those before. LLVM would bring in the
/// resident elements of later groups early, and spill. Machine code has nothing
/// in this place.
void Accumulation::keepLoadsBehind() {
  LLVM::InlineAsmOp::create(code, code.loc, /*res=*/TypeRange(), ValueRange(),
                            /*asm_string=*/"", /*constraints=*/"",
                            /*has_side_effects=*/true, /*is_align_stack=*/false,
                            LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
                            /*operand_attrs=*/nullptr);
}

/// Makes the streamed operand's address one that LLVM knows nothing of, so that
/// what is loaded from here on is not kept from before.
void Accumulation::hideStreamed(Roles roles) {
  if (memories.empty())
    return;
  Value &pointer = memories[roles.streamed].pointer;
  pointer = LLVM::InlineAsmOp::create(
                code, code.loc, TypeRange{pointer.getType()}, pointer,
                /*asm_string=*/"", /*constraints=*/"=r,0",
                /*has_side_effects=*/true, /*is_align_stack=*/false,
                LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
                /*operand_attrs=*/nullptr)
                .getResult(0);
}

/// Whether registers hold so many resident elements beside the sums, the
/// element in flight, and one to spare for the allocator.
bool Accumulation::fits(size_t resident) const {
  return resident + sums.size() + 2 <= static_cast<size_t>(lowering.registers);
}

LogicalResult Accumulation::run() {
  collectTerms();
  collectBunches();
  joinWindows();
  std::optional<unsigned> before;
  for (ArrayRef<unsigned> group : groupTerms()) {
    if (addAcross(group))
      continue;
    Roles roles = assignRoles(group);
    if (fits(roles.resident)) {
      // Vectors of the same taps may have their loads brought together.
      unsigned first = terms[group.front()].slice;
      if (first != before)
        keepLoadsBehind();
      before = first;
      if (failed(emitGroup(group, roles)))
        return failure();
      continue;
    }
    if (std::optional<Steps> steps = roll(group, roles)) {
      if (failed(emitSteps(*steps, /*resident=*/{}, roles)))
        return failure();
      continue;
    }
    // Too much to keep: one point of the slice after the other, each with
    // loads of its own.
    while (!group.empty()) {
      unsigned slice = terms[group.front()].slice;
      ArrayRef<unsigned> point =
          group.take_while([&](unsigned i) { return terms[i].slice == slice; });
      group = group.drop_front(point.size());
      roles = assignRoles(point);
      hideStreamed(roles);
      if (failed(emitGroup(point, roles)))
        return failure();
    }
  }
  lowering.tiles[op.getResult()] = sums;
  return success();
}

/// In the order of the first term that wants an element along the tile:
/// neighbours in memory, as the tile is row-major.
Accumulation::Steps Accumulation::getSteps(ArrayRef<unsigned> group,
                                           Roles roles) {
  SmallVector<unsigned> order(group);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(terms[a].vector, a) < std::pair(terms[b].vector, b);
  });
  llvm::MapVector<unsigned, SmallVector<unsigned>> uses;
  for (unsigned i : order)
    uses[maps.empty() ? 0 : terms[i].elements[roles.streamed]].push_back(i);
  return llvm::to_vector(llvm::make_second_range(uses));
}

const Access &Accumulation::getStreamed(ArrayRef<unsigned> step, Roles roles) {
  return elements[roles.streamed][terms[step.front()].elements[roles.streamed]];
}

/// The steps in the order of memory, if few enough resident elements are wanted
/// from a first to a last step that are open at once: a row that a tile of
/// several rows reads meets the taps of these few.
std::optional<Accumulation::Steps> Accumulation::roll(ArrayRef<unsigned> group,
                                                      Roles roles) {
  Steps steps = getSteps(group, roles);
  auto getOffsets = [&](ArrayRef<unsigned> step) {
    return ArrayRef(getStreamed(step, roles).offsets);
  };
  if (llvm::any_of(steps, [&](auto &step) { return getOffsets(step).empty(); }))
    return std::nullopt;
  llvm::sort(steps, [&](auto &a, auto &b) {
    const LinearForm &left = getOffsets(a).front();
    const LinearForm &right = getOffsets(b).front();
    return std::tie(left.terms, left.constant) <
           std::tie(right.terms, right.constant);
  });

  std::map<std::pair<unsigned, unsigned>, std::pair<size_t, size_t>> spans;
  for (auto [number, step] : llvm::enumerate(steps))
    for (unsigned i : step)
      for (auto [operand, element] : llvm::enumerate(terms[i].elements))
        if (operand != roles.streamed)
          spans.try_emplace({operand, element}, number, number)
              .first->second.second = number;
  SmallVector<size_t> resident(steps.size(), 0);
  for (auto &[element, span] : spans)
    for (size_t number = span.first; number <= span.second; ++number)
      ++resident[number];
  if (!fits(*llvm::max_element(resident)))
    return std::nullopt;
  return steps;
}

/// Adds up a group that is one bunch, of as many elements as there are lanes.
bool Accumulation::addAcross(ArrayRef<unsigned> group) {
  if (!isPlainSum() || static_cast<int64_t>(group.size()) != tile.lanes)
    return false;
  const Term &term = terms[group.front()];
  const SmallVector<unsigned> *bunch = findBunch(0, term.elements.front());
  // Vectors side by side may have neighbours, too.
  bool isOfOne = llvm::all_of(
      group, [&](unsigned i) { return terms[i].vector == term.vector; });
  if (!bunch || bunch->size() != group.size() || !isOfOne)
    return false;
  Value row = lowering.loadAcross(memories[0], elements[0][bunch->front()]);
  Value &sum = sums[term.vector];
  sum = LLVM::FAddOp::create(code, code.loc, sum, row);
  return true;
}

/// All terms of a group, once its resident elements are loaded.
LogicalResult Accumulation::emitGroup(ArrayRef<unsigned> group, Roles roles) {
  return emitSteps(getSteps(group, roles), group, roles);
}

/// The resident elements of the terms `resident` are loaded first, others where
/// they are wanted.
LogicalResult Accumulation::emitSteps(const Steps &steps,
                                      ArrayRef<unsigned> resident,
                                      Roles roles) {
  std::map<std::pair<unsigned, unsigned>, Value> loaded;
  auto get = [&](unsigned operand, unsigned element) {
    Value &value = loaded[{operand, element}];
    const SmallVector<unsigned> *bunch = findBunch(operand, element);
    if (!value && bunch) {
      SmallVector<Value> columns = lowering.loadTransposed(
          memories[operand], elements[operand][bunch->front()], bunch->size());
      for (auto [other, column] : llvm::zip_equal(*bunch, columns))
        loaded[{operand, other}] = column;
    }
    if (!value)
      value = operand == changed ? contraction->getSum(origins[element])
                                 : lowering.load(memories[operand],
                                                 elements[operand][element]);
    return value;
  };
  for (unsigned i : resident)
    for (auto [operand, element] : llvm::enumerate(terms[i].elements))
      if (operand != roles.streamed)
        get(operand, element);
  // Vectors from neighbouring addresses would come together, too, where there
  // may be no room for more than the one in flight.
  bool areClustered = !maps.empty() && !fits(roles.resident + kClustered - 1);
  for (ArrayRef<unsigned> step : steps)
    for (unsigned i : step)
      areClustered &= terms[i].slice == terms[steps.front().front()].slice;
  for (ArrayRef<unsigned> step : steps) {
    if (areClustered && getStreamed(step, roles).kind == Access::Contiguous)
      keepLoadsBehind();
    for (unsigned i : step) {
      SmallVector<Value> arguments;
      for (auto [operand, element] : llvm::enumerate(terms[i].elements)) {
        if (operand != roles.streamed && !loaded.count({operand, element}))
          keepLoadsBehind();
        arguments.push_back(get(operand, element));
      }
      if (failed(emitTerm(terms[i], arguments)))
        return failure();
    }
  }
  return success();
}

LogicalResult Accumulation::emitTerm(const Term &term,
                                     ArrayRef<Value> arguments) {
  Value &sum = sums[term.vector];
  if (contraction) {
    sum = contraction->addProduct(sum, arguments);
    return success();
  }
  FailureOr<Value> next =
      accumulateBody(code, op.getBody().front(), arguments, sum,
                     [&](Value outer) { return lowering.getScalar(outer); });
  if (failed(next))
    return failure();
  sum = *next;
  return success();
}

} // namespace sparkle::cpu
