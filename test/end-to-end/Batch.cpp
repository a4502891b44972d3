// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a batch, and each of its kernels alone where that fails; loads and
// runs the kernels in a process of their own, whose verdicts come by a pipe:
// one line for each problem, empty if all is well.

#include "test/end-to-end/Batch.h"
#include "test/end-to-end/Guarded.h"
#include "test/end-to-end/Run.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sparkle;

// Far more than any kernel of the table needs, in an emulator on a busy machine
// too.
static const unsigned secondsPerProblem = 600;
static const unsigned compilerSeconds = 300;

std::vector<std::string> Workshop::getCommand(const std::string &stem) const {
  std::vector<std::string> command = {
      compiler, getPath(stem, ".spk"), "--emit=shared", "--with-reference",
      "-o",     getPath(stem, ".so")};
  command.insert(command.end(), target.begin(), target.end());
  return command;
}

static std::string readFile(const std::string &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

//===----------------------------------------------------------------------===//
// In the child
//===----------------------------------------------------------------------===//

/// Where a signal handler writes the verdict.
static int verdicts = -1;

static void send(const std::string &verdict) {
  std::string line = verdict;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  if (write(verdicts, line.data(), line.size()) < 0)
    _exit(2);
}

static void handleFault(int signal, siginfo_t *info, void *) {
  char text[256] = "ran for too long";
  if (signal == SIGSEGV || signal == SIGBUS)
    Guarded::describeFault(info->si_addr, text, sizeof text - 1);
  else if (signal != SIGALRM)
    std::snprintf(text, sizeof text, "died of signal %d", signal);
  std::strcat(text, "\n");
  _exit(write(verdicts, text, std::strlen(text)) < 0 ? 2 : 1);
}

static void installHandlers() {
  struct sigaction action = {};
  action.sa_sigaction = handleFault;
  action.sa_flags = SA_SIGINFO;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM})
    sigaction(signal, &action, nullptr);
}

/// Runs the compiler; true if it succeeded. What it says goes to STEM.log.
bool Batch::compile(const std::string &name, const std::string &text) const {
  std::ofstream(workshop.getPath(name, ".spk")) << text;
  unlink(workshop.getPath(name, ".so").c_str());
  std::vector<std::string> command = workshop.getCommand(name);
  pid_t compiler = fork();
  if (compiler == 0) {
    rlimit limit = {compilerSeconds, compilerSeconds};
    setrlimit(RLIMIT_CPU, &limit);
    int log = open(workshop.getPath(name, ".log").c_str(),
                   O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    setenv("LLVM_DISABLE_SYMBOLIZATION", "1", 1); // Which takes seconds.
    std::vector<char *> arguments;
    for (std::string &word : command)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    std::perror(arguments[0]);
    _exit(127);
  }
  int status = 0;
  waitpid(compiler, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string Batch::runOne(const Problem &problem) const {
  std::string path = workshop.getPath(stem, ".so");
  if (access(path.c_str(), R_OK) != 0) {
    path = workshop.getPath(problem.name, ".so");
    if (!compile(problem.name, problem.text)) {
      std::string log = readFile(workshop.getPath(problem.name, ".log"));
      return "does not compile: " + log.substr(0, 1000);
    }
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  return library ? runProblem(problem, library) : dlerror();
}

void Batch::runChild(int to) const {
  verdicts = to;
  if (done == 0) {
    std::string all;
    for (const Problem *problem : problems)
      all += problem->text + "\n";
    compile(stem, all);
  }
  installHandlers();
  for (size_t i = done; i < problems.size(); ++i) {
    alarm(secondsPerProblem);
    send(runOne(*problems[i]));
  }
  _exit(0);
}

//===----------------------------------------------------------------------===//
// In the parent
//===----------------------------------------------------------------------===//

void Batch::start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
    std::perror("end-to-end");
    std::exit(2);
  }
  if (child == 0)
    runChild(ends[1]);
  close(ends[1]);
  descriptor = ends[0];
}

void Batch::receive() {
  char buffer[4096];
  ssize_t count = read(descriptor, buffer, sizeof buffer);
  if (count > 0) {
    received.append(buffer, count);
    for (size_t end; (end = received.find('\n')) != std::string::npos;) {
      errors[done++] = received.substr(0, end);
      received.erase(0, end + 1);
    }
    return;
  }
  close(descriptor);
  int status = 0;
  waitpid(child, &status, 0);
  child = 0;
  bool wellDone = WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  if (!wellDone && done < problems.size())
    errors[done++] = "died without a word, status " + std::to_string(status);
  if (done < problems.size())
    start();
}
