// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a picture through the filter bank of filters.spk, checks every value
// against the kernel's reference, writes one picture for each filter, and says
// how close to the machine's peak the kernel ran.

#include "Filters.h"
#include "filters.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <png.h>
#include <sparkle/runtime.h>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int omp_get_max_threads(void);

namespace {

constexpr int planes = 3;                           // red, green, blue
constexpr int tileSize = 64;                        // T of filters.spk
constexpr int haloSize = tileSize + filterRows - 1; // extents of its x
constexpr int taps = filterRows * filterRows;
constexpr int rounds = 5;
constexpr long mostChecked = 256; // tiles; the reference takes its time

using Floats = std::vector<float>;

struct Picture {
  int width = 0, height = 0;
  std::vector<unsigned char> rgb;

  /// The pixel nearest to (x, y), which may lie outside.
  const unsigned char *at(int x, int y) const {
    x = std::clamp(x, 0, width - 1);
    y = std::clamp(y, 0, height - 1);
    return &rgb[planes * (size_t(y) * width + x)];
  }
};

struct Result {
  std::vector<Picture> pictures; // one for each filter
  double seconds = 0;            // sum over the tiles, best of `rounds`
  long tiles = 0, values = 0, checked = 0, wrong = 0;
  double worst = 0; // largest error / its bound
};

Picture readPicture(const char *path) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  Picture picture;
  png_color black = {0, 0, 0};
  if (png_image_begin_read_from_file(&image, path)) {
    image.format = PNG_FORMAT_RGB;
    picture.width = image.width;
    picture.height = image.height;
    picture.rgb.resize(PNG_IMAGE_SIZE(image));
    png_image_finish_read(&image, &black, picture.rgb.data(), 0, nullptr);
  }
  if (PNG_IMAGE_FAILED(image))
    throw std::runtime_error(std::string(path) + ": " + image.message);
  return picture;
}

void writePicture(const std::string &path, const Picture &picture) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;
  image.width = picture.width;
  image.height = picture.height;
  if (!png_image_write_to_file(&image, path.c_str(), 0, picture.rgb.data(), 0,
                               nullptr))
    throw std::runtime_error(path + ": " + image.message);
}

/// The weights in the layout that the kernel wants, and in the declared one.
struct Weights {
  Floats declared, packed;

  Weights()
      : declared(filterCount * taps),
        packed(filters_packed_w_size() / sizeof(float)) {
    for (int k = 0; k < filterCount; ++k)
      for (int i = 0; i < taps; ++i)
        declared[k * taps + i] = filterBank[k].scale * filterBank[k].taps[i];
    if (filters_pack_w(declared.data(), packed.data()))
      throw std::runtime_error("filters_pack_w failed");
  }
};

/// Cuts the square at (left, top) and the pixels around it out of `picture`.
void cutTile(const Picture &picture, int left, int top, Floats &x) {
  const int reach = filterRows / 2;
  for (int p = 0; p < haloSize; ++p)
    for (int q = 0; q < haloSize; ++q)
      for (int n = 0; n < planes; ++n)
        x[(n * haloSize + p) * haloSize + q] =
            picture.at(left + q - reach, top + p - reach)[n];
}

/// Runs the kernel on one tile and returns the seconds of its best round.
double runTile(const Floats &x, const Weights &weights, Floats &y) {
  double best = HUGE_VAL;
  for (int round = 0; round < rounds; ++round) {
    std::fill(y.begin(), y.end(), NAN);
    auto start = std::chrono::steady_clock::now();
    if (filters(x.data(), weights.packed.data(), y.data(), planes))
      throw std::runtime_error("filters failed");
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

/// Counts the values that differ from the reference by more than rounding can.
void checkTile(const Floats &x, const Weights &weights, const Floats &y,
               Result &result) {
  static std::vector<double> exact, bound;
  exact.resize(y.size());
  bound.resize(y.size());
  if (filters_reference(x.data(), weights.declared.data(), exact.data(),
                        bound.data(), planes))
    throw std::runtime_error("filters_reference failed");
  for (size_t i = 0; i < y.size(); ++i) {
    double error = std::fabs(y[i] - exact[i]);
    result.wrong += !(error <= bound[i]);
    if (bound[i] > 0)
      result.worst = std::max(result.worst, error / bound[i]);
  }
  result.checked += y.size();
}

/// Turns the sums of filter `k` into pixels of its picture.
void pasteTile(const Floats &y, int k, int left, int top, Picture &picture) {
  const Filter &filter = filterBank[k];
  bool gradient =
      k + 1 < filterCount && !strcmp(filter.name, filterBank[k + 1].name);
  for (int p = 0; p < std::min(tileSize, picture.height - top); ++p)
    for (int q = 0; q < std::min(tileSize, picture.width - left); ++q)
      for (int n = 0; n < planes; ++n) {
        const float *sum =
            &y[((n * tileSize + p) * tileSize + q) * filterCount + k];
        float value =
            (gradient ? std::hypot(sum[0], sum[1]) : sum[0]) + filter.offset;
        picture.rgb[planes * (size_t(top + p) * picture.width + left + q) + n] =
            std::lround(std::clamp(value, 0.f, 255.f));
      }
}

Result runFilters(const Picture &picture) {
  const Weights weights;
  Floats x(planes * haloSize * haloSize);
  Floats y(planes * tileSize * tileSize * filterCount);
  Result result;
  result.pictures.assign(filterCount, picture);
  cutTile(picture, 0, 0, x);
  runTile(x, weights, y); // starts the threads
  const int across = (picture.width + tileSize - 1) / tileSize;
  const int down = (picture.height + tileSize - 1) / tileSize;
  result.tiles = long(across) * down;
  const long stride = (result.tiles + mostChecked - 1) / mostChecked;
  for (long tile = 0; tile < result.tiles; ++tile) {
    int left = tile % across * tileSize, top = tile / across * tileSize;
    cutTile(picture, left, top, x);
    result.seconds += runTile(x, weights, y);
    result.values += y.size();
    if (tile % stride == 0 || tile == result.tiles - 1)
      checkTile(x, weights, y, result);
    for (int k = 0; k < filterCount; ++k)
      pasteTile(y, k, left, top, result.pictures[k]);
  }
  return result;
}

/// What the machine reaches with nothing but multiply-adds, in GFLOPS.
double measurePeak(int threads) {
  sparkle_cpu_peak_t peak;
  sparkle_error_t error;
  if (sparkle_cpu_measure_peak(threads, &peak, &error) != SPARKLE_OK)
    throw std::runtime_error(error.message);
  return peak.gflops;
}

/// Writes FOLDER/NAME.png for each name of the bank.
void writePictures(const std::string &folder, const Result &result) {
  for (int k = 0; k < filterCount; ++k)
    if (!k || strcmp(filterBank[k].name, filterBank[k - 1].name))
      writePicture(folder + "/" + filterBank[k].name + ".png",
                   result.pictures[k]);
}

void printSpeed(const Result &result, double peak, int threads) {
  double speed = 2.0 * taps * result.values / result.seconds / 1e9;
  // A peak measured while other programs ran is too low.
  for (int again = 0; speed > peak && again < 10; ++again)
    peak = std::max(peak, measurePeak(threads));
  if (speed > peak)
    printf(
        "speed     rejected: %.1f GFLOPS, above the measured FMA peak %.1f\n",
        speed, peak);
  else
    printf("speed     %.1f GFLOPS, %.1f %% of the measured FMA peak %.1f\n",
           speed, 100 * speed / peak, peak);
}

int run(const char *path, const char *folder) {
  Picture picture = readPicture(path);
  int threads = omp_get_max_threads();
  double peak = measurePeak(threads);
  Result result = runFilters(picture);
  writePictures(folder, result);

  printf("picture   %s, %d x %d\n", path, picture.width, picture.height);
  printf("kernel    %d filters of %d x %d, %ld tiles of %d x %d x %d\n",
         filterCount, filterRows, filterRows, result.tiles, planes, tileSize,
         tileSize);
  printf("check     %ld of %ld values compared, %ld beyond the error bound of "
         "filters_reference, worst %.2f of it\n",
         result.checked, result.values, result.wrong, result.worst);
  printf("time      %.3f ms on %d threads, best of %d for each tile\n",
         result.seconds * 1e3, threads, rounds);
  printSpeed(result, peak, threads);
  printf("pictures  %s/{", folder);
  for (int k = 0; k < filterCount; ++k)
    if (!k || strcmp(filterBank[k].name, filterBank[k - 1].name))
      printf("%s%s", k ? "," : "", filterBank[k].name);
  printf("}.png\n");
  return result.wrong ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: photo PICTURE.png FOLDER\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception &error) {
    fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
