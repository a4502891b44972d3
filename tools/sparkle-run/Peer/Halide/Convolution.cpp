// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The convolution in Halide, compiled for its sizes when it is asked for.
//
// The schedule that Halide publishes (apps/conv_layer) keeps a tile of vectors
// of output channels by pixels of a row in registers over the whole sum: 3x4
// with 16 registers, 4x5 with 32. All tiles of some output channels are
// computed before the next channels; rows, pictures and groups of channels are
// parallel. Its weights lie with the output channels innermost and the input
// channels outermost.
//
// The tuned one differs in three things. Tiles that divide the channels do no
// work twice. The weights of a tile lie together, in the order of the sum. And
// the tiles of one pixel's channels follow each other, so that its input is
// read once.

#include "tools/sparkle-run/Peer/Halide/Convolution.h"

#include <Halide.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

using namespace Halide;
using namespace sparkle;

namespace {

/// Sums in registers: vectors of output channels by pixels of a row.
struct Tile {
  int vectors, pixels;

  bool operator==(const Tile &other) const {
    return vectors == other.vectors && pixels == other.pixels;
  }
};

class Convolution : public HalideConvolution {
public:
  Convolution(const HalideProblem &problem, HalideSchedule schedule, Tile tile,
              const Target &target);

  std::string getMethod() const override {
    return std::to_string(tile.vectors) + "x" + std::to_string(tile.pixels) +
           " of " + std::to_string(lanes) + " lanes";
  }
  bool run() override;
  const float *getOutput() const override { return output.data(); }

private:
  void define(const HalideProblem &problem);
  void describe(const HalideProblem &problem);
  void scheduleTiles();
  void scheduleSum(int64_t inputs);
  void fill(const HalideProblem &problem);

  bool isPublished;
  Tile tile;
  Target target;
  int lanes;
  int block; ///< Output channels whose weights lie together.
  Var c{"c"}, x{"x"}, y{"y"}, n{"n"}, co{"co"}, ci{"ci"}, xo{"xo"}, xi{"xi"};
  RDom taps; ///< Input channel, column and row of the kernel.
  Func sum{"sum"}, result{"result"};
  ImageParam input{Float(32), 4, "input"}, weights{Float(32), 5, "weights"},
      bias{Float(32), 1, "bias"};
  Buffer<float> inputs, packed, addends, output;
};

} // namespace

/// Dense, with the first extent innermost.
template <typename Parameter>
static void setExtents(Parameter parameter, const Buffer<float> &buffer) {
  for (int d = 0; d < buffer.dimensions(); ++d)
    parameter.dim(d)
        .set_bounds(0, buffer.dim(d).extent())
        .set_stride(buffer.dim(d).stride());
  parameter.set_host_alignment(64);
}

Convolution::Convolution(const HalideProblem &problem, HalideSchedule schedule,
                         Tile tile, const Target &target)
    : isPublished(schedule == HalideSchedule::Published), tile(tile),
      target(target), lanes(target.natural_vector_size<float>()),
      taps(0, int(problem.inputs), 0, int(problem.kernel[1]), 0,
           int(problem.kernel[0])) {
  int outputs = int(problem.outputs);
  block = tile.vectors * lanes;
  if (isPublished || outputs % block != 0)
    block = outputs;
  fill(problem);
  define(problem);
  describe(problem);
  scheduleTiles();
  scheduleSum(problem.inputs);
  result.compile_jit(target);
}

//===----------------------------------------------------------------------===//
// The algorithm
//===----------------------------------------------------------------------===//

void Convolution::define(const HalideProblem &problem) {
  Expr within = c, outer = 0;
  if (block != problem.outputs) {
    within = c % block;
    outer = c / block;
  }
  RVar r = taps.x, s = taps.y, t = taps.z;
  Expr weight = isPublished ? weights(within, s, t, r, outer)
                            : weights(within, r, s, t, outer);
  Expr column = x * int(problem.stride[1]) + s * int(problem.step[1]);
  Expr row = y * int(problem.stride[0]) + t * int(problem.step[0]);
  sum(c, x, y, n) = problem.b ? Expr(bias(c)) : 0.f;
  sum(c, x, y, n) += weight * input(r, column, row, n);
  result(c, x, y, n) =
      problem.hasRelu ? max(0.f, sum(c, x, y, n)) : sum(c, x, y, n);
}

/// All sizes are constants of the code.
void Convolution::describe(const HalideProblem &problem) {
  result.bound(c, 0, int(problem.outputs))
      .bound(x, 0, int(problem.out[1]))
      .bound(y, 0, int(problem.out[0]))
      .bound(n, 0, int(problem.batch));
  setExtents(result.output_buffer(), output);
  setExtents(input, inputs);
  setExtents(weights, packed);
  setExtents(bias, addends);
  input.set(inputs);
  weights.set(packed);
  bias.set(addends);
}

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

void Convolution::scheduleTiles() {
  result.split(c, co, ci, tile.vectors * lanes)
      .split(x, xo, xi, tile.pixels)
      .vectorize(ci, lanes)
      .unroll(ci)
      .unroll(xi)
      .parallel(y)
      .parallel(n);
  if (isPublished)
    result.reorder(ci, xi, xo, y, n, co).parallel(co);
  else
    result.reorder(ci, xi, co, xo, y, n);
}

void Convolution::scheduleSum(int64_t inputs) {
  RVar r = taps.x, s = taps.y, t = taps.z;
  sum.compute_at(result, isPublished ? xo : co)
      .vectorize(c, lanes)
      .unroll(c)
      .unroll(x)
      .unroll(y)
      .update()
      .reorder(c, x, y, r, s, t, n)
      .vectorize(c, lanes)
      .unroll(c)
      .unroll(x)
      .unroll(y)
      .unroll(r, inputs % 2 ? 1 : 2);
  weights.in().compute_at(sum, r).vectorize(_0, lanes).unroll(_0).unroll(
      isPublished ? Var(_3) : Var(_1));
  input.in().compute_at(sum, x).unroll(_0);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void Convolution::fill(const HalideProblem &p) {
  int high = int((p.out[0] - 1) * p.stride[0] + (p.kernel[0] - 1) * p.step[0]);
  int wide = int((p.out[1] - 1) * p.stride[1] + (p.kernel[1] - 1) * p.step[1]);
  int in = int(p.inputs), out = int(p.outputs), batch = int(p.batch);
  int kernelHigh = int(p.kernel[0]), kernelWide = int(p.kernel[1]);
  inputs = Buffer<float>(in, wide + 1, high + 1, batch);
  output = Buffer<float>(out, int(p.out[1]), int(p.out[0]), batch);
  addends = Buffer<float>(out);
  std::vector<int> extents{block, in, kernelWide, kernelHigh, out / block};
  if (isPublished)
    extents = {out, kernelWide, kernelHigh, in, 1};
  packed = Buffer<float>(extents);
  if (p.b)
    std::copy(p.b, p.b + out, addends.data());
  packed.for_each_element([&](const int *at) {
    int64_t channel = at[0] + int64_t(at[4]) * block;
    int r = at[isPublished ? 3 : 1], s = at[isPublished ? 1 : 2];
    int t = at[isPublished ? 2 : 3];
    packed(at) = p.w[((channel * in + r) * kernelHigh + t) * kernelWide + s];
  });
  inputs.for_each_element([&](const int *at) {
    int64_t column = at[1] - p.pad[1], row = at[2] - p.pad[0];
    bool isInside =
        column >= 0 && column < p.in[1] && row >= 0 && row < p.in[0];
    int64_t pixel = (at[3] * p.in[0] + row) * p.in[1] + column;
    inputs(at) = isInside ? p.x[pixel * in + at[0]] : 0.f;
  });
}

bool Convolution::run() {
  try {
    result.realize(output, target);
    return true;
  } catch (const Error &) {
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

/// Fitted to the problem: at most its pixels, and vectors that it has.
static Tile fit(Tile tile, const HalideProblem &problem, int lanes,
                HalideSchedule schedule) {
  int vectors = int(problem.outputs) / lanes;
  tile.pixels = std::min(tile.pixels, int(problem.out[1]));
  tile.vectors = std::min(tile.vectors, vectors);
  if (schedule == HalideSchedule::Tuned && problem.outputs % lanes == 0)
    while (vectors % tile.vectors != 0)
      --tile.vectors;
  return tile;
}

static std::vector<Tile> getCandidates(HalideSchedule schedule, bool has32) {
  if (schedule == HalideSchedule::Published)
    return {has32 ? Tile{4, 5} : Tile{3, 4}};
  if (has32)
    return {{4, 6}, {4, 5}, {2, 12}, {2, 10}};
  return {{2, 6}, {2, 5}, {2, 4}, {3, 4}};
}

static std::vector<Tile> getTiles(const HalideProblem &problem,
                                  HalideSchedule schedule,
                                  const Target &target) {
  bool has32 = target.has_feature(Target::AVX512_Skylake) ||
               (target.arch == Target::ARM && target.bits == 64);
  std::vector<Tile> tiles;
  for (Tile tile : getCandidates(schedule, has32)) {
    tile = fit(tile, problem, target.natural_vector_size<float>(), schedule);
    if (std::find(tiles.begin(), tiles.end(), tile) == tiles.end())
      tiles.push_back(tile);
  }
  return tiles;
}

/// The best of a few runs, in seconds.
static double race(HalideConvolution &convolution) {
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    auto start = std::chrono::steady_clock::now();
    if (!convolution.run())
      return best;
    std::chrono::duration<double> spent =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  return best;
}

static std::unique_ptr<HalideConvolution> make(const HalideProblem &problem,
                                               HalideSchedule schedule) {
  Target target = get_jit_target_from_environment();
  std::vector<Tile> tiles = getTiles(problem, schedule, target);
  std::unique_ptr<HalideConvolution> fastest;
  double best = 0;
  for (const Tile &tile : tiles) {
    auto one = std::make_unique<Convolution>(problem, schedule, tile, target);
    double seconds = tiles.size() > 1 ? race(*one) : 0;
    if (fastest && seconds >= best)
      continue;
    fastest = std::move(one);
    best = seconds;
  }
  return fastest;
}

extern "C" HalideConvolution *sparkle_halide_make(const HalideProblem &problem,
                                                  HalideSchedule schedule,
                                                  std::string &error) {
  int lanes = get_jit_target_from_environment().natural_vector_size<float>();
  if (problem.outputs < lanes) {
    error = "the schedules need as many output channels as lanes";
    return nullptr;
  }
  try {
    return make(problem, schedule).release();
  } catch (const Error &failure) {
    error = failure.what();
  }
  return nullptr;
}
