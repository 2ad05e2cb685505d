// The flash of targets/flash/twins/nor.ts on its four wires, in clocks. Its memory, and behind it the counts of what a careful loader never does, lie in a
// file that whoever started the simulator may read at any time: SIZE bytes | unerased, wrapped, outside, unlatched, busy, booted: u32 each.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef FLASH_START
#define FLASH_START 0x28000
#define FLASH_END 0x50000
#endif

class Nor {
 public:
  static constexpr uint32_t SIZE = 1u << 20;
  enum Count { UNERASED, WRAPPED, OUTSIDE, UNLATCHED, BUSY, BOOTED, COUNTS };

  explicit Nor(const char* file) {
    const size_t bytes = SIZE + 4 * COUNTS;
    const int fd = open(file, O_RDWR | O_CREAT, 0644);
    const off_t had = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (fd < 0 || ftruncate(fd, off_t(bytes))) {
      perror(file);
      exit(1);
    }
    memory = static_cast<uint8_t*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    counts = reinterpret_cast<uint32_t*>(memory + SIZE);
    if (had == 0) memset(memory, 0xff, SIZE);
    counts[BOOTED] = 0;
  }

  bool miso = true;

  void booted() { counts[BOOTED] = 1; }

  void clock(bool cs_n, bool sck, bool mosi) {
    if (busy) busy--;
    if (cs_n) {
      if (selected) finish();
      selected = false;
    } else {
      if (!selected) begin();
      if (sck && !high) take(mosi);
      if (!sck && high) miso = answer >> (7 - bits) & 1;
    }
    high = sck;
  }

 private:
  // A tenth of what data sheets call typical, at 24 MHz: nobody should have to wait for a simulated flash.
  static constexpr uint32_t PROGRAM_CLOCKS = 1700, ERASE_CLOCKS = 100000;

  uint8_t* memory;
  uint32_t* counts;
  bool selected = false, high = false, latched = false;
  int bits = 0;
  uint8_t in = 0, answer = 0xff, op = 0;
  uint32_t count = 0, address = 0, busy = 0;
  uint8_t page[256];
  uint32_t held = 0;

  void begin() {
    selected = true;
    bits = 0;
    count = 0;
    address = 0;
    held = 0;
    answer = 0xff;
  }

  void take(bool bit) {
    in = uint8_t(in << 1 | bit);
    if (++bits < 8) return;
    bits = 0;
    if (count == 0) op = in;
    else if (count < 4) address = (address << 8 | in) & (SIZE - 1);
    else if (op == 0x02) page[(address + held++) % 256] = in;
    if (count == 0 && busy && op != 0x05) counts[BUSY]++;
    count++;
    answer = respond();
  }

  /** The byte that goes out while the next comes in. */
  uint8_t respond() {
    static const uint8_t id[3] = {0xef, 0x70, 0x18};
    if (op == 0x05) return uint8_t((busy ? 1 : 0) | (latched ? 2 : 0));
    if (busy) return 0xff;
    if (op == 0x9f && count <= 3) return id[count - 1];
    if (op == 0x03 && count >= 4) return memory[(address + count - 4) % SIZE];
    return 0xff;
  }

  void finish() {
    if (count == 0 || busy) return;
    if (op == 0x06) latched = true;
    if (op == 0x04) latched = false;
    if (op == 0x02 && count > 4) write(&Nor::program);
    if (op == 0x20 && count == 4) write(&Nor::erase);
  }

  void write(void (Nor::*work)()) {
    if (!latched) {
      counts[UNLATCHED]++;
      return;
    }
    (this->*work)();
    latched = false;
  }

  void outside(uint32_t at) {
    if (at < FLASH_START || at >= FLASH_END) counts[OUTSIDE]++;
  }

  void program() {
    if (address % 256 + held > 256) counts[WRAPPED]++;
    for (uint32_t i = 0; i < held && i < 256; i++) {
      const uint32_t at = address - address % 256 + (address + i) % 256;
      outside(at);
      if ((memory[at] & page[at % 256]) != page[at % 256]) counts[UNERASED]++;
      memory[at] &= page[at % 256];
    }
    busy = PROGRAM_CLOCKS;
  }

  void erase() {
    const uint32_t at = address & ~4095u;
    outside(at);
    outside(at + 4095);
    memset(memory + at, 0xff, 4096);
    busy = ERASE_CLOCKS;
  }
};
