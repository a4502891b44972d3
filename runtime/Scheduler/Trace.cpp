// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The array form of the format, whose end may be missing: a process that is
// killed leaves whole events, which viewers take.

#include "runtime/Scheduler/Trace.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace sparkle::runtime {

/// Events are written together, and never stay in memory beyond this.
static constexpr size_t chunk = 64 << 10;

static void appendQuoted(std::string &out, const char *text) {
  out += '"';
  for (; *text; ++text) {
    unsigned char c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += *text;
    } else if (c < 0x20 || c >= 0x7f) {
      // Bytes as Latin-1: names may be cut off amid a character of UTF-8.
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      out += escaped;
    } else {
      out += *text;
    }
  }
  out += '"';
}

/// In microseconds, exactly.
static void appendTime(std::string &out, const char *key, uint64_t ns) {
  char text[48];
  std::snprintf(text, sizeof(text), ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
                static_cast<unsigned>(ns % 1000));
  out += text;
}

std::unique_ptr<Trace> Trace::open(const char *path, const Settings &settings) {
  if (!path || !*path)
    return nullptr;
  int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) {
    settings.log(1, "expected to write the trace '%s', but got: %s", path,
                 std::strerror(errno));
    return nullptr;
  }
  return std::unique_ptr<Trace>(new Trace(file, path, settings));
}

Trace::Trace(int file, const char *path, const Settings &settings)
    : file(file), path(path), settings(settings), buffer("[\n") {
  buffer.reserve(2 * chunk);
}

Trace::~Trace() {
  buffer += "\n]\n";
  write();
  ::close(file);
}

void Trace::beginEvent(char phase, Track track, const char *name) {
  char text[64];
  std::snprintf(text, sizeof(text), "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u",
                hasEvents ? ",\n" : "", phase, track.process, track.thread);
  hasEvents = true;
  buffer += text;
  buffer += ",\"name\":";
  appendQuoted(buffer, name);
}

void Trace::endEvent() {
  buffer += '}';
  if (buffer.size() >= chunk)
    write();
}

void Trace::addName(const char *kind, Track track, const char *name) {
  beginEvent('M', track, kind);
  buffer += ",\"args\":{\"name\":";
  appendQuoted(buffer, name);
  buffer += '}';
  endEvent();
}

uint32_t Trace::addTrack(const char *process, const char *name) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = std::find(processes.begin(), processes.end(), process);
  Track track = {static_cast<uint32_t>(found - processes.begin()) + 1,
                 static_cast<uint32_t>(tracks.size()) + 1};
  if (found == processes.end()) {
    processes.push_back(process);
    addName("process_name", track, process);
  }
  addName("thread_name", track, name);
  tracks.push_back(track);
  return static_cast<uint32_t>(tracks.size() - 1);
}

void Trace::add(uint32_t track, const char *name, uint64_t beginNs,
                uint64_t endNs, const char *argumentsJson) {
  std::lock_guard<std::mutex> lock(mutex);
  if (isBroken)
    return;
  beginEvent('X', tracks[track], name);
  appendTime(buffer, "ts", beginNs);
  appendTime(buffer, "dur", endNs > beginNs ? endNs - beginNs : 0);
  if (argumentsJson) {
    buffer += ",\"args\":";
    buffer += argumentsJson;
  }
  endEvent();
}

void Trace::addCounter(uint32_t track, const char *name, uint64_t ns,
                       double value) {
  std::lock_guard<std::mutex> lock(mutex);
  if (isBroken || !std::isfinite(value))
    return;
  beginEvent('C', tracks[track], name);
  appendTime(buffer, "ts", ns);
  char text[64];
  std::snprintf(text, sizeof(text), ",\"args\":{\"value\":%.9g}", value);
  buffer += text;
  endEvent();
}

void Trace::write() {
  const char *from = buffer.data();
  size_t left = isBroken ? 0 : buffer.size();
  while (left > 0) {
    ssize_t count = ::write(file, from, left);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0) {
      settings.log(1, "expected to write the trace '%s', but got: %s",
                   path.c_str(), std::strerror(errno));
      isBroken = true;
      break;
    }
    from += count;
    left -= static_cast<size_t>(count);
  }
  buffer.clear();
}

} // namespace sparkle::runtime
