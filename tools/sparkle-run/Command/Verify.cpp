// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run verify: every variant of every kernel on every device, all values
// against the kernel's reference. Compilations and references of some problems
// run at once; the devices then have the machine to themselves.

#include "tools/sparkle-run/Command/Commands.h"

#include <algorithm>
#include <cstdio>

using namespace sparkle;

namespace {

/// What came of one kernel on one device.
struct Finding {
  std::string device;
  uint32_t variants = 0;
  Comparison comparison; ///< Of the variant that is furthest off.
  std::string unsupported, error;
};

struct Verdict {
  enum Status { Passed, Failed, Unsupported };

  Status status = Passed;
  std::string reason, sizes;
  std::vector<Finding> findings;
  /// Between the first device that ran it and another one.
  Difference difference;
  std::string differing;
};

struct Counts {
  size_t passed = 0, failed = 0, unsupported = 0;
};

struct Totals : Counts {
  std::vector<Counts> devices; ///< Of what reached them.
  double share = 0, difference = 0;
  std::string shareWhere, differenceWhere;
};

class Verifier {
public:
  Verifier(const Options &options, const std::vector<Device> &devices,
           const Compiler &compiler, std::vector<Work> work)
      : options(options), devices(devices), compiler(compiler),
        work(std::move(work)) {}

  int run();

private:
  void prepare(size_t i);
  Verdict check(const Instance &instance);
  Finding checkOn(const Device &device, const Instance &instance,
                  Outputs &outputs);
  static std::string checkInPlace(Session &session, const Instance &instance);
  void report(const Work &one, const Verdict &verdict);
  void writeJson(const Work &one, const Verdict &verdict);
  void count(const Work &one, const Verdict &verdict);
  void finish();

  const Options &options;
  const std::vector<Device> &devices;
  const Compiler &compiler;
  std::vector<Work> work;
  std::vector<std::unique_ptr<Instance>> instances;
  Totals totals;
  Json json;
};

} // namespace

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

void Verifier::prepare(size_t i) {
  Work &one = work[i];
  one.prepare(compiler, i);
  if (!one.kernel)
    return;
  auto instance =
      std::make_unique<Instance>(*one.kernel, one.getSizes(options));
  if (instance->getObstacle().empty()) {
    instance->fill();
    instance->computeReference();
  }
  instances[i] = std::move(instance);
}

/// Once more over each input over which an output may be written; what is
/// wrong.
std::string Verifier::checkInPlace(Session &session, const Instance &instance) {
  std::string error;
  const sparkle_kernel_t &kernel = instance.getKernel();
  for (uint32_t t = 0; t < kernel.tensor_count && error.empty(); ++t) {
    if (!kernel.tensors[t].in_place)
      continue;
    Outputs outputs;
    session.writeOver(t);
    if (!session.run(outputs))
      error = session.getError();
    else if (Comparison comparison = instance.compare(outputs);
             !comparison.isGood())
      error = comparison.describe();
    if (!error.empty())
      error = std::string("over '") + kernel.tensors[t].name + "': " + error;
  }
  session.writeOver({});
  return error;
}

/// Runs every variant; `outputs` are those of the first.
Finding Verifier::checkOn(const Device &device, const Instance &instance,
                          Outputs &outputs) {
  Finding finding;
  finding.device = device.getName();
  Session session(device, instance);
  Session::Status status = session.open();
  if (status != Session::Status::Ready) {
    (status == Session::Status::Unsupported ? finding.unsupported
                                            : finding.error) =
        session.getError();
    return finding;
  }
  finding.variants = session.getProperties().variant_count;
  for (uint32_t variant = 0; variant < finding.variants; ++variant) {
    Outputs own;
    if (!session.selectVariant(variant) || !session.run(own)) {
      if (session.isBeyondDevice()) { // A buffer that is too large, say.
        finding.unsupported = session.getError();
        return finding;
      }
      finding.error = session.getError();
    } else {
      Comparison comparison = instance.compare(own);
      if (!comparison.isGood())
        finding.error = comparison.describe();
      if (variant == 0 ||
          comparison.largestShare > finding.comparison.largestShare)
        finding.comparison = comparison;
      if (finding.error.empty())
        finding.error = checkInPlace(session, instance);
    }
    if (!finding.error.empty()) {
      finding.error = std::string("code for ") +
                      session.getProperties().code->processor + ": " +
                      finding.error;
      return finding;
    }
    if (variant == 0)
      outputs = std::move(own);
  }
  return finding;
}

Verdict Verifier::check(const Instance &instance) {
  Verdict verdict;
  verdict.sizes = instance.spellSizes();
  if (!instance.hasReference() && instance.getObstacle().empty()) {
    verdict.status = Verdict::Failed;
    verdict.reason = instance.getKernel().reference
                         ? "the reference failed"
                         : "expected a kernel with reference";
    return verdict;
  }
  Outputs first;
  std::string firstDevice;
  bool hasRun = false;
  for (const Device &device : devices) {
    Outputs outputs;
    Finding finding = checkOn(device, instance, outputs);
    if (!finding.error.empty())
      verdict.status = Verdict::Failed;
    hasRun |= finding.unsupported.empty();
    if (finding.error.empty() && finding.unsupported.empty()) {
      if (firstDevice.empty()) {
        first = std::move(outputs);
        firstDevice = finding.device;
      } else if (Difference difference = instance.compare(first, outputs);
                 verdict.differing.empty() ||
                 difference.largest > verdict.difference.largest) {
        verdict.difference = difference;
        verdict.differing = firstDevice + " and " + finding.device;
      }
    }
    verdict.findings.push_back(std::move(finding));
  }
  if (!hasRun) {
    verdict.status = Verdict::Unsupported;
    verdict.reason = verdict.findings[0].unsupported;
  }
  return verdict;
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

void Verifier::count(const Work &one, const Verdict &verdict) {
  (verdict.status == Verdict::Passed   ? totals.passed
   : verdict.status == Verdict::Failed ? totals.failed
                                       : totals.unsupported)++;
  totals.devices.resize(devices.size());
  for (size_t d = 0; d < verdict.findings.size(); ++d) {
    const Finding &finding = verdict.findings[d];
    (!finding.error.empty()        ? totals.devices[d].failed
     : finding.unsupported.empty() ? totals.devices[d].passed
                                   : totals.devices[d].unsupported)++;
  }
  for (const Finding &finding : verdict.findings)
    if (finding.comparison.largestShare > totals.share) {
      totals.share = finding.comparison.largestShare;
      totals.shareWhere = one.name + " on " + finding.device + " at " +
                          finding.comparison.where;
    }
  if (verdict.difference.largest > totals.difference) {
    totals.difference = verdict.difference.largest;
    totals.differenceWhere =
        one.name + ", " + verdict.differing + " at " + verdict.difference.where;
  }
}

static const char *getWord(Verdict::Status status) {
  return status == Verdict::Passed   ? "passed"
         : status == Verdict::Failed ? "failed"
                                     : "unsupported";
}

void Verifier::report(const Work &one, const Verdict &verdict) {
  if (options.isJson)
    return writeJson(one, verdict);
  std::printf("%-11s %s", getWord(verdict.status), one.name.c_str());
  if (one.problem != one.name)
    std::printf("  %s", one.problem.c_str());
  if (!verdict.sizes.empty())
    std::printf(", %s", verdict.sizes.c_str());
  if (!verdict.reason.empty())
    std::printf(": %s", verdict.reason.c_str());
  for (const Finding &finding : verdict.findings) {
    std::printf("\n            %s: ", finding.device.c_str());
    if (!finding.error.empty())
      std::printf("%s", finding.error.c_str());
    else if (!finding.unsupported.empty())
      std::printf("unsupported: %s", finding.unsupported.c_str());
    else
      std::printf("%u variant%s, %s", finding.variants,
                  finding.variants == 1 ? "" : "s",
                  spellError(finding.comparison).c_str());
  }
  if (!verdict.differing.empty())
    std::printf("\n            %s differ by at most %.3g%s%s",
                verdict.differing.c_str(), verdict.difference.largest,
                verdict.difference.where.empty() ? "" : " at ",
                verdict.difference.where.c_str());
  std::printf("\n");
  std::fflush(stdout); // Whoever waits at the other end of a pipe sees it.
}

void Verifier::writeJson(const Work &one, const Verdict &verdict) {
  double largest = 0, share = 0;
  for (const Finding &finding : verdict.findings) {
    largest = std::max(largest, finding.comparison.largest);
    share = std::max(share, finding.comparison.largestShare);
  }
  json.open('{')
      .field("name", one.name)
      .field("problem", one.problem)
      .field("sizes", verdict.sizes)
      .field("status", getWord(verdict.status))
      .field("reason", verdict.reason)
      .field("max_error", largest)
      .field("max_error_of_bound", share);
  json.key("devices").open('[');
  for (const Finding &finding : verdict.findings)
    json.open('{')
        .field("device", finding.device)
        .field("variants", finding.variants)
        .field("error", finding.error)
        .field("unsupported", finding.unsupported)
        .field("max_error", finding.comparison.largest)
        .field("max_error_of_bound", finding.comparison.largestShare)
        .field("at", finding.comparison.where)
        .close();
  json.close();
  if (!verdict.differing.empty())
    json.field("difference", verdict.difference.largest)
        .field("difference_between", verdict.differing)
        .field("difference_at", verdict.difference.where);
  json.close();
}

void Verifier::finish() {
  auto write = [&](const Counts &counts) {
    json.field("passed", uint64_t(counts.passed))
        .field("failed", uint64_t(counts.failed))
        .field("unsupported", uint64_t(counts.unsupported));
  };
  if (options.isJson) {
    json.close().key("totals").open('{');
    write(totals);
    json.key("devices").open('[');
    for (size_t d = 0; d < totals.devices.size(); ++d) {
      json.open('{').field("device", devices[d].getName());
      write(totals.devices[d]);
      json.close();
    }
    json.close().close().close();
    std::printf("%s\n", json.getText().c_str());
    return;
  }
  std::printf("%zu passed, %zu failed, %zu unsupported\n", totals.passed,
              totals.failed, totals.unsupported);
  for (size_t d = 0; d < totals.devices.size() && devices.size() > 1; ++d)
    std::printf("  on %s: %zu passed, %zu failed, %zu unsupported\n",
                devices[d].getName().c_str(), totals.devices[d].passed,
                totals.devices[d].failed, totals.devices[d].unsupported);
  if (totals.share > 0)
    std::printf("largest error: %s of its bound, %s\n",
                spellShare(totals.share).c_str(), totals.shareWhere.c_str());
  if (totals.difference > 0)
    std::printf("largest difference of devices: %.3g, %s\n", totals.difference,
                totals.differenceWhere.c_str());
}

int Verifier::run() {
  if (options.isJson) {
    writeMachine(json, devices, options);
    json.close().key("results").open('[');
  }
  instances.resize(work.size());
  Progress progress(work.size());
  // As many at once keeps memory and waiting small.
  size_t step = 2 * getJobs(options.jobs);
  for (size_t begin = 0; begin < work.size(); begin += step) {
    size_t end = std::min(begin + step, work.size());
    progress.show(begin, work[begin].name);
    runParallel(end - begin, options.jobs,
                [&](size_t i) { prepare(begin + i); });
    for (size_t i = begin; i < end; ++i) {
      progress.show(i, work[i].name);
      Verdict verdict;
      if (instances[i])
        verdict = check(*instances[i]);
      else if (!work[i].unsupported.empty())
        verdict = {Verdict::Unsupported, work[i].unsupported, {}, {}, {}, {}};
      else
        verdict = {Verdict::Failed, work[i].error, {}, {}, {}, {}};
      progress.clear();
      report(work[i], verdict);
      count(work[i], verdict);
      instances[i].reset();
      work[i].close();
    }
  }
  finish();
  // Nothing passed is nothing shown.
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}

int sparkle::verify(const sparkle_context_t *context, const Options &options) {
  auto devices = findDevices(context, options.devices);
  if (!devices)
    return 1;
  Compiler compiler(options, getTargets(*devices));
  auto work = collectWork(options, compiler);
  if (!work)
    return 1;
  if (!options.isJson) {
    std::printf("%zu kernels on", work->size());
    for (const Device &device : *devices)
      std::printf(" %s (%s)", device.getName().c_str(),
                  device.getProperties().description);
    std::printf("; problems with batch %s",
                options.batch == 0 ? "as written"
                : options.batch    ? std::to_string(*options.batch).c_str()
                                   : "1");
    if (long long scale = options.scale.value_or(500))
      std::printf(", at most %lld million multiply-adds\n", scale);
    else
      std::printf(", as large as written\n");
  }
  return Verifier(options, *devices, compiler, std::move(*work)).run();
}
