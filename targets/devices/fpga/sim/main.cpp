// The Verilated core (rtl/core.v), or with LOADER the resident loader (rtl/loader) before its flash, as a program: it clocks the core and talks to it
// bit by bit over its serial line.
//   --stdio          in lockstep: on stdin u32 n, u32 wait, n bytes; they go over the line back to back. Then the line is watched until it has been
//                    quiet for two characters after an answer, or for `wait` characters without one in which the core is not at work; on stdout u32 m and the m bytes that came.
//   --work N         most clocks that the core may be at work without an answer (default 2^30); beyond them the program ends with code 3
//   --pty            on a pseudo terminal, whose name is the first line of stdout; ends at the end of stdin
// Faults, of bytes on the line in either direction, drawn from --seed:
//   --flip P         a share of bytes has one bit changed          --drop P      a share of bytes is lost
//   --baud R         the host's clock runs R times as fast: 0.97 … 1.03
//   --overrun N      of bytes that come without a pause the host's adapter holds N; what comes when it is full is lost
//   --reset N        the core is reset once, in the middle of the N-th byte
//   --cut N          behind N bytes, both ways counted, the line carries nothing any more
// The loader's flash lies in the file --flash (nor.h).
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <termios.h>
#include <unistd.h>
#include <vector>
#include "verilated.h"
#ifdef LOADER
#include "Vloader.h"
#include "nor.h"
using Core = Vloader;
#else
#include "Vcore.h"
using Core = Vcore;
#endif

#ifndef DIVISOR
#define DIVISOR 8
#endif

namespace {

struct Faults {
  double flip = 0, drop = 0, baud = 1;
  size_t overrun = SIZE_MAX;
  uint64_t reset = 0;
  uint64_t cut = UINT64_MAX;
  uint64_t seed = 1;
  const char* flash = "flash.bin";
  uint64_t work = 1u << 30;

  double draw() {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return double(seed >> 11) / 9007199254740992.0;
  }
  /** What becomes of a byte: false if it is lost. */
  bool pass(uint8_t& byte) {
    if (cut == 0) return false;
    if (cut != UINT64_MAX) cut--;
    if (drop > 0 && draw() < drop) return false;
    if (flip > 0 && draw() < flip) byte ^= uint8_t(1u << int(draw() * 8));
    return true;
  }
};

class Line {
 public:
  explicit Line(Faults& f) : faults(f), bit(DIVISOR / f.baud) {
    core.rxd = 1;
    reset();
  }

  std::deque<uint8_t> to, from;

  /** Nothing is on its way to the core. */
  bool sent() const { return to.empty() && !sending; }

  bool busy() const { return core.busy; }

  /** Clocks since the last answer's stop bit, or since there was none. */
  uint64_t quiet = 0;

  void clock() {
    drive();
    core.clk = 0;
    core.eval();
    core.clk = 1;
    core.eval();
    now++;
#ifdef LOADER
    nor.clock(core.cs_n, core.sck, core.mosi);
    core.miso = nor.miso;
    if (core.boot) nor.booted();
#endif
    sample();
  }

 private:
  Core core;
  Faults& faults;
#ifdef LOADER
  Nor nor{faults.flash};
#endif
  const double bit;
  uint64_t now = 0, bytes = 0;
  bool sending = false, reading = false;
  uint16_t out = 0, in = 0;
  int read = 0;
  double began = 0, start = 0;

  void reset() {
    core.rst = 1;
    for (int i = 0; i < 8; i++) {
      core.clk = 0;
      core.eval();
      core.clk = 1;
      core.eval();
    }
    core.rst = 0;
  }

  void drive() {
    if (!sending) {
      if (to.empty()) return;
      uint8_t byte = to.front();
      to.pop_front();
      bytes++;
      if (!faults.pass(byte)) return;
      out = uint16_t(byte << 1 | 0x200);
      began = double(now);
      sending = true;
    }
    const int place = int((double(now) - began) / bit);
    if (faults.reset && bytes == faults.reset && place == 5) {
      faults.reset = 0;
      reset();
    }
    core.rxd = place > 9 ? 1 : (out >> place) & 1;
    if (place > 9) sending = false;
  }

  void sample() {
    quiet++;
    if (!reading) {
      if (core.txd) return;
      reading = true;
      start = double(now);
      in = 0;
      read = 0;
      return;
    }
    if (double(now) - start < (read + 1.5) * bit) return;
    if (read < 8) {
      in |= uint16_t(core.txd << read++);
      return;
    }
    quiet = 0;
    reading = false;
    uint8_t byte = uint8_t(in);
    if (core.txd && faults.pass(byte)) from.push_back(byte);
  }
};

bool readAll(void* into, size_t n) {
  auto* p = static_cast<uint8_t*>(into);
  while (n) {
    const ssize_t got = ::read(0, p, n);
    if (got <= 0) return false;
    p += got;
    n -= size_t(got);
  }
  return true;
}

void writeAll(const void* from, size_t n) {
  auto* p = static_cast<const uint8_t*>(from);
  while (n) {
    const ssize_t put = ::write(1, p, n);
    if (put <= 0) exit(0);
    p += put;
    n -= size_t(put);
  }
}

constexpr uint64_t CHARACTER = 10 * DIVISOR;
/** How the program ends when the core is at work for too long. */
constexpr int HUNG = 3;

void lockstep(Line& line, const Faults& faults) {
  uint32_t head[2];
  std::vector<uint8_t> bytes;
  while (readAll(head, 8)) {
    bytes.resize(head[0]);
    if (head[0] && !readAll(bytes.data(), bytes.size())) return;
    for (size_t i = 0; i < bytes.size() && i < faults.overrun; i++) line.to.push_back(bytes[i]);
    while (!line.sent()) line.clock();
    line.quiet = 0;
    uint64_t waited = 0, worked = 0;
    while (line.from.empty() ? waited < head[1] * CHARACTER : line.quiet < 2 * CHARACTER) {
      line.clock();
      waited = line.busy() ? 0 : waited + 1;
      worked = line.busy() && line.from.empty() ? worked + 1 : 0;
      if (worked > faults.work) exit(HUNG);
    }
    const uint32_t m = uint32_t(line.from.size());
    std::vector<uint8_t> answer(line.from.begin(), line.from.end());
    line.from.clear();
    writeAll(&m, 4);
    writeAll(answer.data(), m);
  }
}

int openTerminal() {
  const int fd = posix_openpt(O_RDWR | O_NOCTTY);
  if (fd < 0 || grantpt(fd) || unlockpt(fd)) {
    perror("pty");
    exit(1);
  }
  const int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);  // kept open, so that a host may come and go
  termios raw{};
  tcgetattr(slave, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  printf("%s\n", ptsname(fd));
  fflush(stdout);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

void terminal(Line& line, const Faults& faults) {
  const int fd = openTerminal();
  uint8_t bytes[4096];
  uint64_t idle = 0;
  for (;;) {
    const ssize_t got = ::read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++)
      if (line.to.size() < faults.overrun) line.to.push_back(bytes[i]);
    // Nothing to do: the core only waits, so its clock may wait too, once what it can do unasked is done.
    idle = got > 0 || !line.sent() || !line.from.empty() ? 0 : idle + 1;
    if (idle > 4000) {
      pollfd on[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
      poll(on, 2, 100);
      if (on[1].revents && ::read(0, bytes, 1) <= 0) return;
    }
    for (int i = 0; i < 256; i++) line.clock();
    while (!line.from.empty()) {
      const uint8_t byte = line.from.front();
      if (::write(fd, &byte, 1) != 1) break;
      line.from.pop_front();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Faults faults;
  bool pty = false;
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    const bool last = i + 1 == argc;
    if (name == "--pty") pty = true;
    else if (name == "--stdio") pty = false;
    else if (last) {
      fprintf(stderr, "what is %s? see the head of sim/main.cpp\n", argv[i]);
      return 2;
    } else {
      const double v = atof(argv[++i]);
      if (name == "--flip") faults.flip = v;
      else if (name == "--drop") faults.drop = v;
      else if (name == "--baud") faults.baud = v;
      else if (name == "--overrun") faults.overrun = size_t(v);
      else if (name == "--reset") faults.reset = uint64_t(v);
      else if (name == "--cut") faults.cut = uint64_t(v);
      else if (name == "--work") faults.work = uint64_t(v);
      else if (name == "--flash") faults.flash = argv[i];
      else if (name == "--seed") faults.seed = uint64_t(v) * 0x9e3779b97f4a7c15ull | 1;
    }
  }
  Line line(faults);
  if (pty) terminal(line, faults);
  else lockstep(line, faults);
  return 0;
}
