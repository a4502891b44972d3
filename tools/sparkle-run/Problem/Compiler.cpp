// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One process for each compilation; files live in a folder of their own.

#include "tools/sparkle-run/Problem/Compiler.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sparkle;

extern "C" char **environ;

std::string sparkle::getProgramFolder() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  std::string self(path, std::max<ssize_t>(length, 0));
  return self.substr(0, self.rfind('/') + 1);
}

Compiler::Compiler(const Options &options, std::string targets)
    : path(options.compiler), targets(std::move(targets)), cpu(options.cpu),
      kept(options.artifacts) {
  if (options.threads)
    cores = std::to_string(options.threads);
  std::string beside = getProgramFolder() + "sparkle-opt";
  if (path.empty())
    path = access(beside.c_str(), X_OK) == 0 ? beside : "sparkle-opt";
  const char *temporary = std::getenv("TMPDIR");
  folder = std::string(temporary && *temporary ? temporary : "/tmp") +
           "/sparkle-run-XXXXXX";
  if (!mkdtemp(folder.data()))
    folder.clear();
}

Compiler::~Compiler() {
  DIR *files = folder.empty() ? nullptr : opendir(folder.c_str());
  if (!files)
    return;
  while (dirent *entry = readdir(files))
    unlink((folder + "/" + entry->d_name).c_str());
  closedir(files);
  rmdir(folder.c_str());
}

static std::string readFile(const std::string &path) {
  std::ifstream file(path);
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

/// From the first error on, without what leads up to it.
static std::string findError(const std::string &text, int status) {
  size_t at = text.find("error: ");
  if (at == std::string::npos)
    return WIFSIGNALED(status)
               ? "sparkle-opt died of signal " +
                     std::to_string(WTERMSIG(status))
               : "sparkle-opt failed: " + text.substr(0, text.find('\n'));
  return text.substr(at + 7, text.find('\n', at) - at - 7);
}

static double toSeconds(const timeval &time) {
  return double(time.tv_sec) + 1e-6 * double(time.tv_usec);
}

Compiler::Result
Compiler::run(const std::string &source, const std::string &stem,
              const std::string &output,
              std::initializer_list<const char *> flags) const {
  Result result;
  std::string messages = folder + "/" + stem + ".txt";
  std::string target = "--target=" + targets, processors = "--cpu=" + cpu,
              threads = "--cores=" + cores;
  std::vector<const char *> words = {path.c_str(), source.c_str(),
                                     target.c_str(), "-o", output.c_str()};
  if (!cpu.empty())
    words.push_back(processors.c_str());
  if (!cores.empty())
    words.push_back(threads.c_str());
  words.insert(words.end(), flags);
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, messages.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child;
  int failure = posix_spawnp(&child, path.c_str(), &actions, nullptr,
                             const_cast<char **>(words.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure) {
    result.error = path + ": " + std::strerror(failure);
    return result;
  }
  int status = 0;
  rusage usage = {};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  result.seconds = toSeconds(usage.ru_utime) + toSeconds(usage.ru_stime);
  result.messages = readFile(messages);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    result.object = output;
  else
    result.error = findError(result.messages, status);
  return result;
}

Compiler::Result Compiler::compileFile(const std::string &source,
                                       const std::string &stem) const {
  return run(source, stem, folder + "/" + stem + ".so", {"--with-reference"});
}

/// The file that holds `text`, or nothing.
std::string Compiler::write(const std::string &text, const std::string &stem,
                            std::string &error) const {
  std::string source = folder + "/" + stem + ".spk";
  std::ofstream file(source);
  if (file << text << std::flush)
    return source;
  error = source + ": " + std::strerror(errno);
  return "";
}

std::string Compiler::printPattern(const std::string &text,
                                   const std::string &stem,
                                   std::string &error) const {
  std::string source = write(text, stem, error);
  if (source.empty())
    return "";
  Result result =
      run(source, stem, folder + "/" + stem + ".pattern", {"--emit=pattern"});
  error = result.error;
  return error.empty() ? readFile(result.object) : "";
}

/// FNV-1a, 64 bits.
static std::string getHash(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (unsigned char byte : text)
    hash = (hash ^ byte) * 0x100000001b3U;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash);
  return digits;
}

/// Another thread or process may be doing the same, or have it open: the file
/// appears as a whole. Returns what is wrong, if anything.
static std::string publish(const std::string &from, const std::string &to,
                           const std::string &stem) {
  std::error_code failure;
  std::string half = to + "-" + stem + "-" + std::to_string(getpid());
  std::filesystem::copy_file(from, half, failure);
  if (!failure)
    std::filesystem::rename(half, to, failure);
  if (!failure)
    return "";
  unlink(half.c_str());
  return to + ": " + failure.message();
}

Compiler::Result Compiler::compileText(const std::string &text,
                                       const std::string &stem) const {
  std::string place =
      kept + "/" + getHash(targets + "\n" + cpu + "\n" + cores + "\n" + text) +
      ".so";
  if (!kept.empty() && access(place.c_str(), R_OK) == 0)
    return {place, true, "", 0};
  std::string error, source = write(text, stem, error);
  if (source.empty())
    return {"", false, error, 0};
  Result result = compileFile(source, stem);
  if (kept.empty() || result.object.empty())
    return result;
  std::error_code ignored; // Publishing says it.
  std::filesystem::create_directories(kept, ignored);
  error = publish(result.object, place, stem);
  if (!error.empty())
    return {"", false, error, 0};
  return {place, true, "", result.seconds};
}

std::string Compiler::writeTo(const std::string &text,
                              const std::string &output) const {
  std::string error, source = write(text, "all", error);
  return source.empty() ? error : publish(source, output, "all");
}

std::string Compiler::compileTo(const std::string &text,
                                const std::string &output) const {
  Result result = compileText(text, "all");
  return result.object.empty() ? result.error
                               : publish(result.object, output, "all");
}
